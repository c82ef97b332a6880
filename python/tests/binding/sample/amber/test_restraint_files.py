"""Restraints as sander reads them have the energies of the formula."""

import re
import subprocess

import amber_legs
import numpy as np
import pytest

from gibbsflow.binding.alchemy.restraint.restraints import BoreschRestraint
from gibbsflow.binding.forcefield.topology_file import masses_amu
from gibbsflow.binding.sample.amber.restraint_files import apart_text, disang_text
from gibbsflow.engines.md_engine import Apart
from gibbsflow.engines.openmm_systems import read_positions_nm
from gibbsflow.engines.process import find_program

MD = "one frame\n &cntrl imin=0, nstlim=1, dt=1.e-6, ntt=0, ntb=0, igb=6, cut=999., ntpr=1, {} /\n{}"


def sander_kcal_per_mol(folder, prmtop, inpcrd, chosen, tail):
    (folder / "mdin").write_text(MD.format(chosen, tail))
    words = [find_program("sander"), "-O", "-p", prmtop, "-c", inpcrd]
    subprocess.run(words, cwd=folder, check=True, capture_output=True, timeout=60)
    return float(re.search(r"RESTRAINT *= *(\S+)", (folder / "mdout").read_text())[1])


@pytest.fixture(scope="module")
def alone():
    _, system = amber_legs.ethanol()
    return system.path("ligand_prmtop"), system.path("ligand_inpcrd")


@pytest.mark.parametrize("phi_c_deg", [175.0, -178.0, 20.0])
def test_boresch(alone, tmp_path, phi_c_deg):
    held = BoreschRestraint((0, 1, 2), (3, 5, 8), 3.1, 70.0, 80.0, -100.0, 175.0, phi_c_deg, 10.0, 100.0)
    (tmp_path / "disang.rest").write_text(disang_text(held))
    tail = " &wt type='END' /\nDISANG=disang.rest\nLISTOUT=POUT\n"
    theirs = sander_kcal_per_mol(tmp_path, *alone, "nmropt=1", tail)
    ours = held.energy_kcal_per_mol(read_positions_nm(alone[1]) * 10)
    assert ours > 100 and theirs == pytest.approx(ours, abs=2e-4)


def test_a_wall(alone, tmp_path):
    pair = Apart((0, 1, 3), (2, 4, 8), 9.0, 5.0)
    positions, masses = read_positions_nm(alone[1]) * 10, masses_amu(alone[0])
    centres = [np.average(positions[list(g)], axis=0, weights=masses[list(g)]) for g in (pair.centre, pair.away)]
    away = np.linalg.norm(np.subtract(*centres))
    for least in (9.0, float(away) - 0.5):
        wall = Apart(pair.centre, pair.away, least, 5.0)
        (tmp_path / "cv.in").write_text(apart_text([wall]))
        tail = " &pmd output_file='walls.txt', output_freq=1, cv_file='cv.in' /\n"
        theirs = sander_kcal_per_mol(tmp_path, *alone, "infe=1", tail)
        assert theirs == pytest.approx(0.5 * 5.0 * max(0.0, least - away) ** 2, abs=2e-4)
