from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from ase.io import write
from ase.neighborlist import neighbor_list

from gibbsflow.config.potential import Generator, Target
from gibbsflow.errors import InputError
from gibbsflow.potential.data.formats.electrons import Electrons
from gibbsflow.potential.generators.parents import (
    lattice,
    occupy,
    ordered_compound,
    parent_of,
    parents,
    seeded_rng,
    whole_numbers,
)
from gibbsflow.workflow.account import Account

SETTINGS = Generator()
CUNI = Target(elements=("Cu", "Ni"), composition={"Cu": 0.7, "Ni": 0.3})


def test_own_crystals_have_their_lattice_constants() -> None:
    assert parents(Target(elements=("Si",)), SETTINGS)[0].cell.lengths() == pytest.approx([5.43] * 3, abs=0.01)
    assert parents(Target(elements=("Cu",)), SETTINGS)[0].cell.lengths() == pytest.approx([3.61] * 3, abs=0.01)
    magnesium = parents(Target(elements=("Mg",)), SETTINGS)[0]
    assert magnesium.cell.lengths()[0] == pytest.approx(3.21, abs=0.03)


@pytest.mark.parametrize(("element", "a", "c"), [("Ti", 2.95, 4.685), ("Zn", 2.66, 4.937), ("Al", 2.864, 4.677)])
def test_hcp_has_the_elements_own_ratio_or_that_of_spheres(element: str, a: float, c: float) -> None:
    (found,) = parents(Target(elements=(element,), crystal="hcp"), SETTINGS)
    assert found.cell.lengths() == pytest.approx([a, a, c], abs=0.01)


@pytest.mark.parametrize(("element", "volume_angstrom3"), [("In", 26.2), ("Mn", 12.2), ("U", 20.7), ("Bi", 35.4)])
def test_elements_of_no_simple_crystal_keep_the_volume_of_their_own(element: str, volume_angstrom3: float) -> None:
    (found,) = parents(Target(elements=(element,), crystal="fcc"), SETTINGS)  # by molar volumes, Å^3 an atom
    assert found.get_volume() / len(found) == pytest.approx(volume_angstrom3, rel=0.01)


def test_an_alloy_in_hcp_has_the_mean_ratio() -> None:
    mixed = lattice(Target(elements=("Ti", "Al"), composition={"Ti": 0.75, "Al": 0.25}, crystal="hcp"), SETTINGS)
    assert mixed.cell.lengths()[2] / mixed.cell.lengths()[0] == pytest.approx(1.588)


def test_a_crystal_whose_atoms_nobody_places_is_asked_for() -> None:
    with pytest.raises(InputError, match="Se has no simple crystal"):  # three atoms a cell, hexagonal
        parents(Target(elements=("Se",)), SETTINGS)


def test_an_alloy_gives_its_pure_crystals_and_one_occupation() -> None:
    copper, nickel, mixed = parents(CUNI, Generator(supercell=(2, 2, 1)))
    assert [set(copper.symbols), set(nickel.symbols)] == [{"Cu"}, {"Ni"}]
    assert (mixed.symbols.count("Cu"), mixed.symbols.count("Ni")) == (11, 5)
    assert [atoms.info["config_type"] for atoms in (copper, nickel, mixed)] == ["bulk", "bulk", "alloy"]


def test_an_alloy_in_equal_parts_gives_its_ordered_compound_too() -> None:
    target = Target(elements=("Si", "Ge"), crystal="diamond")
    *ends, ordered, mixed = parents(target, Generator(supercell=(2, 1, 1)))
    assert [len(set(atoms.symbols)) for atoms in (*ends, ordered, mixed)] == [1, 1, 2, 2]
    assert [ordered.info["config_type"], mixed.info["config_type"]] == ["alloy", "alloy"] and len(ordered) == 16
    i, j = neighbor_list("ij", ordered, 2.6)  # each has four neighbours, all of the other element
    assert len(i) == 64 and not (ordered.numbers[i] == ordered.numbers[j]).any()
    assert ordered.get_volume() == pytest.approx(mixed.get_volume())


def test_what_has_no_ordered_compound_is_told() -> None:
    assert (
        ordered_compound(Target(elements=("Si", "Ge"), crystal="diamond", composition={"Si": 0.75, "Ge": 0.25})) is None
    )
    assert ordered_compound(Target(elements=("Si",), crystal="diamond")) is None
    assert ordered_compound(Target(elements=("Mg", "O"), crystal="rocksalt")) is None


def test_the_lattice_of_an_alloy_follows_vegards_rule() -> None:
    copper, nickel = (parents(Target(elements=(element,)), SETTINGS)[0] for element in ("Cu", "Ni"))
    mixed = lattice(CUNI, SETTINGS)
    assert mixed.get_volume() == pytest.approx(0.7 * copper.get_volume() + 0.3 * nickel.get_volume())
    given = lattice(CUNI.model_copy(update={"lattice_constant_angstrom": 3.58}), SETTINGS)
    assert given.cell.lengths() == pytest.approx([3.58] * 3)


def test_ordered_compounds_have_each_element_on_its_site() -> None:
    (salt,) = parents(Target(elements=("Na", "Cl"), crystal="rocksalt", lattice_constant_angstrom=5.64), SETTINGS)
    assert salt.get_chemical_formula() == "Cl4Na4"
    assert salt.get_all_distances(mic=True)[0][salt.symbols == "Cl"].min() == pytest.approx(2.82)
    (fluorite,) = parents(Target(elements=("Ca", "F"), crystal="fluorite"), SETTINGS)
    assert fluorite.get_chemical_formula() == "Ca4F8"
    with pytest.raises(InputError, match=r"neutral the other way round \(right: elements: \[Ca, F\]"):
        parents(Target(elements=("F", "Ca"), crystal="fluorite"), SETTINGS)


def test_a_file_is_repeated_and_must_hold_the_targets_elements(tmp_path: Path) -> None:
    write(tmp_path / "cells.extxyz", [bulk("Si", cubic=True), bulk("Ge", cubic=True)])
    target = Target(structure_file=tmp_path / "cells.extxyz")
    assert [len(atoms) for atoms in parents(target, Generator(supercell=(1, 1, 2)))] == [16, 16]
    with pytest.raises(InputError, match=r"cells\.extxyz.*holds Ge"):
        parents(target.model_copy(update={"elements": ("Si",)}), SETTINGS)


def test_a_molecule_stands_in_the_middle_of_its_box() -> None:
    (water,) = parents(Target(molecule="H2O"), SETTINGS)
    assert water.cell.lengths() == pytest.approx([12.0] * 3)
    assert (water.positions.max(axis=0) + water.positions.min(axis=0)) / 2 == pytest.approx([6.0] * 3)
    assert not water.pbc.any()


def test_whole_numbers_add_up() -> None:
    assert whole_numbers({"A": 1 / 3, "B": 1 / 3, "C": 1 / 3}, 8) == {"A": 3, "B": 3, "C": 2}
    assert whole_numbers({"A": 0.7, "B": 0.3}, 10) == {"A": 7, "B": 3}


def test_occupying_leaves_the_lattice_as_it_is() -> None:
    sites = bulk("Cu", cubic=True) * (2, 2, 2)
    made = occupy(sites, {"Cu": 0.25, "Ni": 0.75}, np.random.default_rng(1))
    assert (made.symbols.count("Ni"), sites.symbols.count("Ni")) == (24, 0)


def test_random_numbers_are_of_one_purpose() -> None:
    def drawn(*words: object) -> float:
        return float(seeded_rng(SETTINGS, *words).random())

    assert drawn("rattles", "gf-1", 0) == drawn("rattles", "gf-1", 0)
    assert len({drawn("rattles", "gf-1", 0), drawn("rattles", "gf-1", 1), drawn("thermal", "gf-1", 0)}) == 3
    other = seeded_rng(SETTINGS.model_copy(update={"generator_seed": 1}), "rattles", "gf-1", 0)
    assert other.random() != drawn("rattles", "gf-1", 0)


def test_a_parent_is_its_own() -> None:
    (silicon,) = parents(Target(elements=("Si",)), SETTINGS)
    assert parent_of(silicon) == silicon.info["gibbsflow_id"]


def test_a_supercell_has_the_charge_and_moments_of_its_cells(tmp_path: Path) -> None:
    cell = bulk("Fe", cubic=True)
    cell.info["charge"] = 1
    cell.set_initial_magnetic_moments([2.0, -2.0])
    write(tmp_path / "s.extxyz", cell)
    (made,) = parents(Target(elements=("Fe",), structure_file=tmp_path / "s.extxyz"), Generator(supercell=(2, 1, 1)))
    assert Electrons.of(made) == Electrons(2, None, (2.0, -2.0, 2.0, -2.0))
    cell.info["charge"] = 0.5
    write(tmp_path / "s.extxyz", cell)
    with pytest.raises(InputError, match=r"s\.extxyz: frame 0, charge and spin: charge is 0\.5"):
        parents(Target(elements=("Fe",), structure_file=tmp_path / "s.extxyz"), Generator())


def test_crystals_leave_their_moments_to_the_settings() -> None:
    (iron,) = parents(Target(elements=("Fe",)), SETTINGS)
    assert Electrons.of(iron) == Electrons()
    assert iron.info["gibbsflow_id"] == "gf-d0db6934c2a4ba910f53"  # as it always was


def test_a_structure_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    (tmp_path / "s.extxyz").write_text("1\nProperties=species:S:1:pos:R:3\nSi 0 nan 0\n")
    with pytest.raises(InputError, match=r"s\.extxyz: frame 0: positions or cell are not finite"):
        parents(Target(elements=("Si",), structure_file=str(tmp_path / "s.extxyz")), SETTINGS)


@pytest.mark.parametrize(
    ("elements", "crystal", "measured"),
    [
        (("Mg", "O"), "rocksalt", 4.21), (("Na", "Cl"), "rocksalt", 5.64), (("Li", "F"), "rocksalt", 4.03),
        (("Ga", "As"), "zincblende", 5.65), (("Cs", "Cl"), "cesiumchloride", 4.12), (("Ca", "F"), "fluorite", 5.46),
        (("Ga", "N"), "wurtzite", 3.19), (("Ti", "Fe"), "cesiumchloride", 2.98),
        (("Ti", "Ru"), "cesiumchloride", 3.06), (("Zn", "O"), "wurtzite", 3.25), (("Co", "O"), "zincblende", 4.55),
        (("Zn", "S"), "zincblende", 5.41), (("Cd", "Se"), "wurtzite", 4.30), (("Cu", "I"), "zincblende", 6.05),
    ],
)  # fmt: skip
def test_compounds_begin_near_their_own_lattice_constant(
    elements: tuple[str, str], crystal: str, measured: float
) -> None:
    (atoms,) = parents(Target(elements=elements, crystal=crystal), SETTINGS)
    assert atoms.cell.lengths()[0] == pytest.approx(measured, rel=0.04)
    near = [float(d[d > 0.1].min()) for d in atoms.repeat(2).get_all_distances(mic=True)]
    assert max(near) - min(near) < 0.01


@pytest.mark.parametrize("elements", [("C", "O"), ("Na", "Cl"), ("Mo", "S"), ("Si", "C"), ("Al", "Si"), ("Ga", "As")])
def test_elements_that_make_compounds_do_not_say_a_crystal(elements: tuple[str, ...]) -> None:
    if elements != ("Ga", "As"):  # gallium has none of its own to begin with
        with pytest.raises(InputError, match=r"without a crystal.*zincblende"):
            lattice(Target(elements=elements), Generator())
    with pytest.raises(InputError, match="crystal"):
        parents(Target(elements=elements), Generator())


@pytest.mark.parametrize("elements", [("Si", "Ge"), ("Cu", "Au"), ("Al", "Ga"), ("Ar", "Kr"), ("Fe", "Mn")])
def test_an_alloy_of_alike_elements_takes_the_crystal_of_the_first(elements: tuple[str, ...]) -> None:
    assert len(parents(Target(elements=elements), Generator())) == 4  # with the ordered compound


def test_the_vacuum_of_a_slab_is_not_repeated(tmp_path: Path) -> None:
    slab = bulk("Al", cubic=True) * (1, 1, 2)
    slab.center(vacuum=6.0, axis=2)
    slab.pbc = True
    write(tmp_path / "slab.extxyz", slab)
    account = Account("slab.extxyz")
    target = Target(elements=("Al",), structure_file=tmp_path / "slab.extxyz")
    (made,) = parents(target, Generator(supercell=(2, 2, 2)), account)
    assert made.cell.lengths() == pytest.approx(slab.cell.lengths() * [2, 2, 1]) and len(made) == 4 * len(slab)
    assert any("not repeated along a vacuum: 1 of 1" in str(doubt) for doubt in account.doubts)
