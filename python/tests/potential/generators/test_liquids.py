"""Molecules of a liquid alone, in pairs, and as rigid bodies."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.data import covalent_radii
from ase.neighborlist import neighbor_list
from liquids import calcite, salammoniac, water_box

from gibbsflow.config.potential import Generator, Target
from gibbsflow.config.structures.molecules import parts
from gibbsflow.potential.data.structures import tag
from gibbsflow.potential.generators.liquids import make, packed, pressed, rigidly_scaled
from gibbsflow.potential.generators.thermal import van_der_waals_angstrom

SETTINGS = Generator(molecule_count=6, thermal_temperatures_k=(300.0,))


def made_from(atoms: Atoms, settings: Generator = SETTINGS) -> dict[str, list[Atoms]]:
    parent = tag(atoms, "bulk", generator="parents", seed=1)
    found: dict[str, list[Atoms]] = {}
    for frame in make([parent], Target(), settings):
        assert frame.info["parent"] == parent.info["gibbsflow_id"]
        found.setdefault(frame.info["config_type"], []).append(frame)
    return found


def test_single_molecules_are_whole_and_stretched_more_when_hotter() -> None:
    made = made_from(water_box(), Generator(molecule_count=30, thermal_temperatures_k=(300.0,)))["monomer"]
    assert {str(a.symbols) for a in made} == {"OH2"} and not any(a.pbc.any() for a in made)
    spread = {
        kelvin: np.std([a.get_distance(0, 1) for a in made if a.info["temperature_k"] == kelvin])
        for kelvin in (300.0, 1500.0, 7500.0)
    }
    assert 0.01 < spread[300.0] < spread[1500.0] < spread[7500.0] < 0.4


def test_each_two_elements_of_two_molecules_meet_head_on() -> None:
    made = made_from(water_box())["pair"]
    nearest: dict[tuple[int, int], list[float]] = {}
    for atoms in made:
        assert len(atoms) == 6 and not atoms.pbc.any() and parts(atoms).finite.all()
        radii = np.array([van_der_waals_angstrom(int(n)) for n in atoms.numbers])
        apart = atoms.get_all_distances()[:3, 3:]
        ratio = apart / (radii[:3, None] + radii[None, 3:])
        i, j = np.unravel_index(ratio.argmin(), ratio.shape)
        kind = tuple(sorted((int(atoms.numbers[i]), int(atoms.numbers[3 + j]))))
        nearest.setdefault(kind, []).append(float(apart[i, j]))
        assert atoms.info["contact_ratio"] == pytest.approx(ratio.min())
    assert set(nearest) == {(1, 1), (1, 8), (8, 8)}
    assert min(nearest[1, 1]) == pytest.approx(1.25 * 2 * covalent_radii[1])


def test_what_is_nearer_than_in_a_liquid_weighs_less() -> None:
    made = made_from(water_box())["pair"]
    close = [a for a in made if a.info["contact_ratio"] < 0.5]
    usual = [a for a in made if a.info["contact_ratio"] > 0.6]
    assert close and all(0 < a.info["config_weight"] < 0.4 for a in close)
    assert usual and {a.info["config_weight"] for a in usual} == {1.0}


def test_the_seed_says_what_is_made() -> None:
    one, again = (made_from(water_box())["pair"] for _ in range(2))
    other = made_from(water_box(), SETTINGS.model_copy(update={"generator_seed": 7}))["pair"]
    assert [a.positions.tolist() for a in one] == [a.positions.tolist() for a in again]
    assert [a.positions.tolist() for a in one] != [a.positions.tolist() for a in other]


def test_ions_are_not_cut_out_of_their_liquid() -> None:
    box = salammoniac().repeat(2)  # NH4 without its charge is a radical
    box.set_cell([20.0] * 3)
    few = SETTINGS.model_copy(update={"molecule_count": 2})
    assert set(made_from(box, few)) == {"packing", "contact"}
    charged = water_box()
    charged.info["charge"] = 1
    assert set(made_from(charged, few)) == {"packing", "contact"}


def test_one_molecule_in_a_box_has_no_pairs() -> None:
    alone = molecule("CH3OH")
    alone.set_cell([6.0] * 3)
    alone.pbc = True
    found = made_from(alone)
    assert len(found["monomer"]) == 6 and "pair" not in found


def test_linear_molecules_and_lone_atoms_of_a_mixture() -> None:
    box = Atoms(cell=[7.0] * 3, pbc=True)
    for place in ((1, 1, 1), (4.5, 1, 1), (1, 4.5, 4.5)):
        carbon_dioxide = molecule("CO2")
        carbon_dioxide.positions += place
        box += carbon_dioxide
    box += Atoms("Ar", [[4.5, 4.5, 1]])
    found = made_from(box)
    assert {str(a.symbols) for a in found["monomer"]} == {"CO2"}
    assert any("Ar" in a.symbols for a in found["pair"])


@pytest.mark.parametrize("other", [bulk("NaCl", "rocksalt", a=5.64), calcite(), molecule("H2O")])
def test_what_is_no_liquid_gives_nothing(other: Atoms) -> None:
    assert not made_from(other)


def test_molecules_keep_their_shape_when_the_box_is_pressed() -> None:
    box = water_box()
    apart = parts(box)
    small = rigidly_scaled(box, apart, 0.7)
    assert small.get_volume() == pytest.approx(0.7 * box.get_volume())
    for first in range(0, 24, 3):
        own = list(range(first, first + 3))
        before, after = (a.get_distances(own[0], own[1:], mic=True) for a in (box, small))
        assert after == pytest.approx(before)
    # centres follow: the whole molecules' distances scale with the edge
    centres = [
        np.array([(a.positions + apart.images @ a.cell.array)[k : k + 3].mean(axis=0) for k in (0, 3)])
        for a in (box, small)
    ]
    masses_apart = [np.linalg.norm(c[1] - c[0]) for c in centres]
    assert masses_apart[1] / masses_apart[0] == pytest.approx(0.7 ** (1 / 3), rel=0.03)


def test_boxes_go_from_pressed_to_drawn_apart_and_molecules_stay_whole() -> None:
    parent = tag(water_box(), "bulk", generator="parents", seed=1)
    settings = Generator(molecule_count=5, volume_strain_max=0.1, thermal_temperatures_k=(300.0,))
    made = list(packed(parent, parts(parent), settings))
    assert [a.info["volume_ratio"] for a in made] == pytest.approx([0.8, 0.9, 1.0, 1.1, 1.2])
    for atoms in made:
        assert atoms.get_volume() / parent.get_volume() == pytest.approx(atoms.info["volume_ratio"])
        assert atoms.get_distance(0, 1, mic=True) == pytest.approx(parent.get_distance(0, 1, mic=True))
        assert list(parts(atoms).sizes) == [3] * 8
    moved = made[2].get_distances(0, range(3, 24, 3), mic=True) - parent.get_distances(0, range(3, 24, 3), mic=True)
    assert np.abs(moved).max() > 0.1


def test_no_volume_is_below_half() -> None:
    parent = tag(water_box(9.0), "bulk", generator="parents", seed=1)
    made = list(packed(parent, parts(parent), Generator(molecule_count=2, volume_strain_max=0.5)))
    assert [a.info["volume_ratio"] for a in made] == pytest.approx([0.5, 1.5])


def nearest_contacts(atoms: Atoms) -> list[tuple[float, tuple[int, int], int]]:
    """Contacts of different molecules of the box of waters (three atoms each), nearest by radii first."""
    i, j, d = neighbor_list("ijd", atoms, 3.0)
    between = (i // 3 != j // 3) & (i < j)
    radii = np.array([van_der_waals_angstrom(int(n)) for n in atoms.numbers])
    return sorted(
        (float(apart / (radii[a] + radii[b])), (int(a), int(b)), k)
        for k, (a, b, apart) in enumerate(zip(i[between], j[between], d[between], strict=True))
    )


def test_two_molecules_meet_among_all_others() -> None:
    parent = tag(water_box(), "bulk", generator="parents", seed=1)
    made = list(pressed(parent, parts(parent), SETTINGS))
    kinds = []
    for atoms in made:
        (ratio, (a, b), _), *_ = nearest_contacts(atoms)
        kinds.append(tuple(sorted((int(atoms.numbers[a]), int(atoms.numbers[b])))))
        assert atoms.info["contact_ratio"] == pytest.approx(ratio) and ratio < 0.66
        assert atoms.info["config_weight"] == pytest.approx(min(1.0, (ratio / 0.6) ** 6))
        assert atoms.get_volume() == pytest.approx(parent.get_volume()) and atoms.pbc.all()
        for first in range(0, 24, 3):
            own = atoms.get_distances(first, [first + 1, first + 2], mic=True)
            assert own == pytest.approx(parent.get_distances(first, [first + 1, first + 2], mic=True))
    assert set(kinds) == {(1, 1), (1, 8), (8, 8)} and kinds == sorted(kinds)
    closest = [a for a, kind in zip(made, kinds, strict=True) if kind == (1, 1)][0]
    (_, (a, b), _), *_ = nearest_contacts(closest)
    assert closest.get_distance(a, b, mic=True) == pytest.approx(1.25 * 2 * covalent_radii[1])


def test_one_molecule_is_pressed_against_none() -> None:
    alone = molecule("CH3OH")
    alone.set_cell([6.0] * 3)
    alone.pbc = True
    parent = tag(alone, "bulk", generator="parents", seed=1)
    assert not list(pressed(parent, parts(parent), SETTINGS))
