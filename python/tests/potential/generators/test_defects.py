from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111
from liquids import calcite

from gibbsflow.config.potential import Generator, Target
from gibbsflow.potential.data.structures import tag
from gibbsflow.potential.generators import defects
from gibbsflow.potential.generators.parents import parents

SI = Target(elements=("Si",))
SETTINGS = Generator()


def test_defects_are_one_of_each_orbit() -> None:
    silicon = parents(SI, SETTINGS)
    kinds = [a.info["config_type"] for a in defects.make(silicon, SI, SETTINGS)]
    assert kinds == ["vacancy", "interstitial", "interstitial"]  # tetrahedral and hexagonal
    salt = tag(bulk("NaCl", "rocksalt", a=5.64, cubic=True), "bulk", generator="test", seed=0)
    made = defects.make([salt], Target(elements=("Na", "Cl")), SETTINGS)
    counts = {
        kind: sum(a.info["config_type"] == kind for a in made) for kind in ("vacancy", "antisite", "interstitial")
    }
    assert counts == {"vacancy": 2, "antisite": 0, "interstitial": 2}  # one hole, two elements


def test_two_atoms_less_one_are_no_vacancy() -> None:
    cell = tag(bulk("NaCl", "rocksalt", a=5.64), "bulk", generator="test", seed=0)
    settings = Generator(antisites="all")
    kinds = {a.info["config_type"] for a in defects.make([cell], Target(elements=("Na", "Cl")), settings)}
    assert kinds == {"antisite", "interstitial"}


def test_ions_change_places_with_those_of_their_sign() -> None:
    """Mg and Ca of an oxide do, and S comes in for O; a semiconductor's two elements do."""
    only = Generator(defect_kinds=("antisite",))
    salt = tag(bulk("MgO", "rocksalt", a=4.21, cubic=True), "bulk", generator="test", seed=0)
    formulas = [a.get_chemical_formula() for a in defects.make([salt], Target(elements=("Mg", "O", "Ca", "S")), only)]
    assert sorted(formulas) == ["CaMg3O4", "Mg4O3S"]
    assert defects.apart([salt], only) == [
        "no antisites of cations and anions (Mg, O): generator.antisites: all makes these, too"
    ]
    every = Generator(defect_kinds=("antisite",), antisites="all")
    assert len(defects.make([salt], Target(elements=("Mg", "O")), every)) == 2
    assert defects.apart([salt], every) == []
    gallium_arsenide = tag(bulk("GaAs", "zincblende", a=5.65, cubic=True), "bulk", generator="test", seed=0)
    assert len(defects.make([gallium_arsenide], Target(elements=("Ga", "As")), only)) == 2
    # a metal takes oxygen in: what it makes is no compound of ions yet
    magnesium = tag(bulk("Mg", "hcp", a=3.21, c=5.21), "bulk", generator="test", seed=0)
    assert len(defects.make([magnesium], Target(elements=("Mg", "O")), only)) == 1


def test_tetrahedral_hole_of_silicon() -> None:
    first = defects.holes(bulk("Si", cubic=True), 1.4)[0]
    atoms = bulk("Si", cubic=True)
    atoms.append("Si")
    atoms.positions[-1] = first
    distances = np.sort(atoms.get_distances(8, range(8), mic=True))
    assert distances[:4] == pytest.approx([np.sqrt(3) / 4 * 5.43] * 4, abs=1e-3)


def test_octahedral_and_tetrahedral_holes_of_fcc() -> None:
    # the radii of the holes are a/2 and sqrt(3) a/4
    copper = bulk("Cu", a=3.6, cubic=True)
    assert [len(defects.holes(copper, least)) for least in (1.5, 1.7, 1.9)] == [2, 1, 0]


def test_symmetry_tells_sites_apart() -> None:
    salt = bulk("NaCl", "rocksalt", a=5.64, cubic=True)
    assert defects.inequivalent_sites(salt) == [0, 1]
    salt.rattle(0.1, seed=1)
    assert defects.inequivalent_sites(salt) == list(range(8))


def test_no_more_than_wanted_are_drawn_and_always_the_same() -> None:
    salt = bulk("NaCl", "rocksalt", a=5.64, cubic=True)
    salt.rattle(0.1, seed=1)
    parent = tag(salt, "rattle", generator="test", seed=0)
    settings = Generator(defect_kinds=("vacancy",), defects_max=3)
    one, again = (defects.make([parent], Target(), settings) for _ in range(2))
    assert len(one) == 3
    assert [a.info["gibbsflow_id"] for a in one] == [a.info["gibbsflow_id"] for a in again]


@pytest.mark.parametrize("shift", [0.0, 9.0])
def test_holes_of_a_slab_are_in_the_solid(shift: float) -> None:
    slab = fcc111("Cu", (2, 2, 4), vacuum=7.0, periodic=True)
    slab.positions[:, 2] += shift
    slab.wrap()
    slab.pbc = True
    found = defects.holes(slab, 1.2)
    assert found
    height = slab.cell[2, 2]
    for place in found:
        # layers of Cu(111) are 2.08 Å apart, and each site has one below and one above
        along = (slab.positions[:, 2] - place[2] + height / 2) % height - height / 2
        assert ((along > -2.1) & (along < 0)).any()
        assert ((along > 0) & (along < 2.1)).any()


def _calcite(*cations: str) -> Atoms:
    return tag(calcite(*cations), "bulk", generator="test", seed=0)


def test_molecular_ions_stay_whole() -> None:
    target = Target(elements=("Ca", "C", "O"))
    made = defects.make([_calcite()], target, SETTINGS)
    assert [(a.info["config_type"], str(a.symbols)) for a in made if a.info["config_type"] != "interstitial"] == [
        ("vacancy", "Ca5C6O18"),
        ("vacancy", "Ca6C5O15"),
    ]
    added = {a.symbols[-1] for a in made if a.info["config_type"] == "interstitial"}
    assert added == {"Ca"}
    assert defects.kept_whole([_calcite()]) == [
        "defects keep CO3 whole: as vacancies with all of their atoms, and C, O as no antisite or interstitial"
    ]
    assert defects.kept_whole([tag(bulk("NaCl", "rocksalt", a=5.64), "bulk", generator="test", seed=0)]) == []


def test_cations_beside_molecular_ions_change_places() -> None:
    settings = Generator(defect_kinds=("antisite",), defects_max=99)
    made = defects.make([_calcite("Mg")], Target(elements=("Ca", "Mg", "C", "O")), settings)
    assert {a.symbols.get_chemical_formula() for a in made} == {"C6Ca6O18", "C6Ca4Mg2O18"}
    # what the crystal does not have comes in for a cation
    made = defects.make([_calcite()], Target(elements=("Ca", "C", "O", "Sr")), settings)
    assert [a.symbols.get_chemical_formula() for a in made] == ["C6Ca5O18Sr"]


def test_a_cation_and_its_ion_lose_neither() -> None:
    soda = Atoms("NaOH", [[0, 0, 0], [0, 0, 2.3], [0, 0, 3.27]], cell=[3.4, 3.4, 5.6], pbc=True)
    parent = tag(soda, "bulk", generator="test", seed=0)
    assert defects.make([parent], Target(), Generator(defect_kinds=("vacancy", "antisite"))) == []
