"""Walls about the middle of a solute, whatever its molecules and images, with the energies of the other engine."""

import subprocess

import numpy as np
import openmm
from gromacs_boxes import needs_gromacs

from gibbsflow.config.binding import Md
from gibbsflow.engines.gromacs import parameters
from gibbsflow.engines.gromacs.dhdl_file import read_dhdl
from gibbsflow.engines.gromacs.programs import make_run_input
from gibbsflow.engines.gromacs.topology import g96_text, topology_text
from gibbsflow.engines.gromacs.walls import Walls, as_one
from gibbsflow.engines.md_engine import Apart
from gibbsflow.engines.openmm_engine import apart_force

MOLECULES = np.array([0, 0, 0, 1, 2, 2, 3, 3], dtype=np.int32)
"""A solute of three atoms, an ion, a solute of two, and two atoms of something else."""
CENTRE, ION, LEAST_NM = (4, 0, 1, 2, 5), 3, 1.2
BOX_NM = 3.0 * np.array([[1, 0, 0], [1 / 3, 2 * 2**0.5 / 3, 0], [-1 / 3, 2**0.5 / 3, 6**0.5 / 3]])
SOLUTES_NM = np.array([[0.0, 0, 0], [0.1, 0, 0], [0.1, 0.1, 0], [0.2, 0.4, 0.1], [0.3, 0.4, 0.1]])


def test_molecules_of_the_centre_are_one_and_the_site_is_its_last():
    joined = as_one(MOLECULES, CENTRE)
    assert joined.tolist() == [0, 0, 0, 1, 0, 0, 2, 2]
    walls = Walls(joined, CENTRE, ((ION, LEAST_NM, 100.0),))
    assert walls.order.tolist() == [0, 1, 2, 4, 5, -1, 3, 6, 7]
    assert walls.text().splitlines()[2:] == ["6 7 10 1.2 1000 1000 100 1.2 1000 1000 100"]
    assert as_one(MOLECULES, [6]).tolist() == MOLECULES.tolist()


def test_atoms_keep_their_terms_where_molecules_are_joined():
    text = topology_text(system(), as_one(MOLECULES, CENTRE), [4, 5], fading=[ION], walls=walls())
    solutes, ion, rest = (body.split("[ moleculetype ]")[0] for body in text.split("[ moleculetype ]\n")[1:])
    atoms = [line.split() for line in solutes.split("[ atoms ]\n")[1].split("\n\n")[0].splitlines()]
    assert [line[6] for line in atoms] == ["0"] * 3 + ["0.5", "-0.5", "0"] and len(atoms[5]) == 8  # the site
    assert [len(line) for line in atoms] == [8, 8, 8, 11, 11, 8] and float(atoms[5][7]) == 0
    assert "1 2 1 0.1 100\n" in solutes and "4 5 1 0.1 100 0.1 100\n" in solutes
    assert "[ virtual_sitesn ]\n6 1 \\\n4 1 2 3 5\n" in solutes
    assert ion.split("[ atoms ]\n")[1].strip() == "1 t1 1 M X 1 1 23.000000 t1 0.0 23.000000"
    assert rest.count("23.000000") == 2
    assert "[ molecules ]\nM0 1\nM1 1\nM2 1\n" in text and text.endswith(walls().text())


def system() -> openmm.System:
    made, force, bonds = openmm.System(), openmm.NonbondedForce(), openmm.HarmonicBondForce()
    for charge in (0, 0, 0, 1, 0.5, -0.5, 0, 0):
        made.addParticle(23.0)
        force.addParticle(charge, 0.25 if charge == 1 else 0.3, 0.0)
    for i, j in ((0, 1), (1, 2), (4, 5), (6, 7)):
        bonds.addBond(i, j, 0.1, 100)
        force.addException(i, j, 0, 1, 0)
    made.addForce(force)
    made.addForce(bonds)
    return made


def walls() -> Walls:
    return Walls(as_one(MOLECULES, CENTRE), CENTRE, ((ION, LEAST_NM, 5 * 418.4),))


@needs_gromacs
def test_energy_at_any_distance_and_across_the_box(tmp_path, monkeypatch):
    """Up to the wall that of the nearest image; beyond it nothing, also where the pull code would end the run."""
    random = np.random.default_rng(3)
    place, inside, there = SOLUTES_NM[[3, 0, 1, 2, 4]], [4, 0, 1, 2, 5], random.normal(size=(12, 3))
    there *= np.linspace(0.2, 1.9, 12)[:, None] / np.linalg.norm(there, axis=1)[:, None]
    frames = np.full((12, 8, 3), 1.3)
    frames[:, inside] = place
    frames[:, ION] = place.mean(axis=0) + there + random.integers(-1, 2, (12, 3)) @ BOX_NM
    frames[:, 7] += 0.1
    neutral = system()
    for i in (3, 4, 5):
        neutral.getForce(0).setParticleParameters(i, 0, 0.3, 0)
    only = openmm.System()
    for _ in MOLECULES:
        only.addParticle(23.0)
    only.addForce(apart_force(Apart(CENTRE, (ION,), LEAST_NM * 10), periodic=True))
    context = openmm.Context(only, openmm.VerletIntegrator(1), openmm.Platform.getPlatformByName("Reference"))
    context.setPeriodicBoxVectors(*BOX_NM)
    expected = []
    for x in frames:
        context.setPositions(x)
        expected.append(context.getState(getEnergy=True).getPotentialEnergy()._value)
    # one of the two molecules in another image: where it is does not count
    frames[6:, 4:6] += BOX_NM[1]
    assert min(expected) == 0 < max(expected)

    chosen = parameters.common(Md(cutoff_angstrom=8), *parameters.pme(0.8, BOX_NM)) | parameters.dynamics(Md(), 1, 1)
    chosen |= parameters.lambdas({"coul": [0.0, 1.0]}, 0) | {"nsteps": "0", "pcoupl": "no"}
    (tmp_path / "topol.top").write_text(topology_text(neutral, walls().molecules, walls=walls()))
    order, found = walls().order, []
    texts = [g96_text(x[order], BOX_NM) for x in frames]  # the site is where it ought not to be
    make_run_input(tmp_path, "run", parameters.mdp_text(chosen), texts[0], tmp_path / "topol.top")
    (tmp_path / "all.g96").write_text("".join(texts))
    words = "mdrun -s run.tpr -rerun all.g96 -rerunvsite -deffnm run -ntmpi 1 -ntomp 1".split()
    monkeypatch.setenv("GMX_DD_SINGLE_RANK", "0")  # with which alone a rerun puts sites where they belong
    subprocess.run(["gmx", "-quiet", "-nobackup", *words], cwd=tmp_path, check=True, capture_output=True, timeout=60)
    file = read_dhdl(tmp_path / "run.xvg")
    (potential,) = file.header.columns("Potential Energy")
    found = file.table[:, potential] - file.table[:, potential].min()
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)
