"""Molecules of a box: waters, kinds of ions, and Lennard-Jones parameters as the engine has them."""

import pytest
import solvated_systems as boxes

from gibbsflow.config.binding import Md
from gibbsflow.engines.md_engines import engine_for


def test_waters_and_ions_by_what_they_are():
    folder = boxes.boxes("tip3p", "Na+ 2 Cl- 2")
    parts = boxes.parts(folder, "complex")
    assert {parts.called(kind): len(found) for kind, found in parts.ions.items()} == {"Na+": 2, "Cl-": 2}
    assert (parts.elements[parts.oxygens] == 8).all() and len(parts.oxygens) == len(parts.waters)
    assert parts.sizes[parts.waters].tolist() == [3] * len(parts.waters) and len(parts.others) == 4
    assert parts.atoms_of(int(parts.molecule_of(parts.ligand)[0])).tolist() == list(parts.ligand)
    assert 0.8 < parts.filled < 0.95  # tleap packs loosely, and a box breathes
    md = Md(solvent="tip3p", cutoff_angstrom=7)
    known = engine_for(md).nonbonded(engine_for(md).system(folder / "complex.prmtop", md))
    for kind, (molecule, *_) in parts.ions.items():
        charge, sigma_nm, epsilon = known[parts.starts[molecule]]
        assert kind.charge_e == charge
        assert kind.sigma_angstrom == pytest.approx(sigma_nm * 10, abs=1e-4)
        assert kind.epsilon_kcal_per_mol == pytest.approx(epsilon / 4.184, abs=1e-5)


def test_sites_without_mass_are_of_their_water():
    parts = boxes.parts(boxes.boxes("opc", "Na+ 1 Cl- 1"), "solvent")
    assert parts.sizes[parts.waters].tolist() == [4] * len(parts.waters)
    assert (parts.elements[parts.oxygens] == 8).all()
