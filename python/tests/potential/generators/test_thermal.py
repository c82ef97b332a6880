from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.neighborlist import neighbor_list
from liquids import calcite, water_box

from gibbsflow.config.potential import Generator, Target
from gibbsflow.config.structures.molecules import parts
from gibbsflow.potential.data.structures import closest_pair_angstrom, tag
from gibbsflow.potential.generators import thermal
from gibbsflow.potential.generators.parents import parents
from gibbsflow.units import KB_EV_PER_K

SI = Target(elements=("Si",))
PARENT = parents(SI, Generator())[0]


def test_amplitudes_grow_as_the_root_of_the_temperature() -> None:
    made = thermal.make([PARENT], SI, Generator(thermal_temperatures_k=(300.0, 1200.0), thermal_count=8))

    def spread(temperature_k: float) -> float:
        those = [a.get_scaled_positions() for a in made if a.info["temperature_k"] == temperature_k]
        return float(np.std([(s - PARENT.get_scaled_positions() + 0.5) % 1 - 0.5 for s in those]))

    assert spread(1200.0) / spread(300.0) == pytest.approx(2.0, rel=0.25)


def test_springs_act_along_their_bonds_alone() -> None:
    matrix = thermal.spring_hessian(PARENT)
    assert matrix == pytest.approx(matrix.T)
    assert matrix.reshape(8, 3, 8, 3).sum(axis=2) == pytest.approx(0)  # a shift costs nothing
    # Σ k r r^T/r² over 4 first neighbours of 8 eV/Å² and 12 second ones of 2 eV/Å² is (4 · 8 + 12 · 2)/3 of the unit
    assert matrix[:3, :3] == pytest.approx(56 / 3 * np.eye(3))


def test_samples_keep_the_least_distance() -> None:
    settings = Generator(thermal_temperatures_k=(3000.0,), thermal_count=6, minimum_distance_ratio=0.8)
    made = thermal.make([PARENT], SI, settings)
    assert made and all(closest_pair_angstrom(a) >= 0.8 * closest_pair_angstrom(PARENT) for a in made)


def test_springs_of_a_molecule_leave_its_shape_free_to_turn() -> None:
    ethanol = molecule("CH3CH2OH")
    matrix = thermal.molecule_hessian(ethanol)
    assert matrix == pytest.approx(matrix.T)
    assert matrix.reshape(9, 3, 9, 3).sum(axis=2) == pytest.approx(0)
    turned = np.cross([0.3, -0.2, 1.0], ethanol.positions).ravel()
    assert matrix @ turned == pytest.approx(0, abs=1e-9)
    stretch = np.zeros(6)
    stretch[5] = 1.0
    # one bond of 30 eV/Å²
    assert stretch @ thermal.molecule_hessian(molecule("N2")) @ stretch == pytest.approx(30.0)


def test_molecules_are_sampled_in_their_box() -> None:
    target = Target(elements=("C", "H", "O"), molecule="CH3CH2OH")
    settings = Generator(thermal_temperatures_k=(300.0,), thermal_count=8)
    (parent,) = parents(target, settings)
    made = thermal.make([parent], target, settings)
    assert len(made) == 8
    bonds = [a.get_distance(0, 1) for a in made]
    # kT = k<x²> along a bond: 0.029 Å at 300 K and 30 eV/Å²
    assert 0.01 < np.std(bonds) < 0.06
    assert all(np.array_equal(a.cell, parent.cell) for a in made)


def test_bonds_of_a_liquid_are_those_of_molecules_across_its_faces() -> None:
    liquid = molecule("H2O")
    liquid.set_cell([3.1] * 3)
    liquid.pbc = True
    liquid = liquid.repeat((2, 1, 1))
    inside = thermal.molecule_hessian(liquid)
    liquid.positions += [0.3, 0.2, 0.1]
    liquid.wrap()
    assert thermal.molecule_hessian(liquid) == pytest.approx(inside)
    parent = tag(liquid, "bulk", generator="test", seed=0)
    made = thermal.make([parent], Target(), Generator(thermal_temperatures_k=(300.0,), thermal_count=12))
    bonds = [a.get_distance(k, k + end, mic=True) for a in made for k in (0, 3) for end in (1, 2)]
    # kT = k<x²> along a bond: 0.029 Å at 300 K and 30 eV/Å²
    assert 0.015 < np.std(bonds) < 0.045 and np.mean(bonds) == pytest.approx(0.97, abs=0.02)


def test_a_molecule_is_as_warm_as_it_is_said_to_be() -> None:
    """kT/2 of potential energy in each of its 21 modes but the two that turn about bonds, by another Hamiltonian."""
    TBLite = pytest.importorskip("tblite.ase").TBLite
    target = Target(elements=("C", "H", "O"), molecule="CH3CH2OH")
    (parent,) = parents(target, Generator())
    made = thermal.make([parent], target, Generator(thermal_temperatures_k=(300.0,), thermal_count=12))
    energies = []
    for atoms in [parent, *made]:
        atoms.calc = TBLite(method="GFN2-xTB", verbosity=0)
        energies.append(atoms.get_potential_energy())
    mean = np.mean(energies[1:]) - energies[0]
    assert mean == pytest.approx(19 / 2 * KB_EV_PER_K * 300, rel=0.5)


def test_it_applies_to_crystals_and_molecules_of_two_atoms() -> None:
    slab = bulk("Si", cubic=True)
    slab.pbc = (True, True, False)
    applies = [thermal.applies(a) for a in (bulk("Si"), molecule("H2O"), slab, bulk("Al"), Atoms("Si"))]
    assert applies == [True, True, False, False, False]


def _water_box(edge_angstrom: float = 6.2) -> Atoms:
    return tag(water_box(edge_angstrom), "liquid", generator="test", seed=0)


def _moves(parent: Atoms, made: list[Atoms]) -> np.ndarray:
    """Shifts of the molecules' oxygens against their mean, in Å, by sample."""
    moves = []
    for atoms in made:
        shift = (atoms.get_scaled_positions() - parent.get_scaled_positions())[::3] + 0.5
        moves.append((shift % 1 - 0.5) @ parent.cell.array)
    return np.array([move - move.mean(axis=0) for move in moves])


def test_molecules_of_a_liquid_move_against_each_other() -> None:
    parent = _water_box()
    made = thermal.make([parent], Target(), Generator(thermal_temperatures_k=(300.0,), thermal_count=20))
    assert len(made) == 20
    # kT = k<x²> of 0.5 eV/Å²: 0.227 Å; what is crowded moves less
    assert 0.15 < np.std(_moves(parent, made)) < 0.24
    bonds = np.array([a.get_distance(k, k + end, mic=True) for a in made for k in range(0, 24, 3) for end in (1, 2)])
    assert np.mean(bonds) == pytest.approx(0.97, abs=0.02) and 0.015 < np.std(bonds) < 0.045
    turns = [a.get_distances(k, k + 1, mic=True, vector=True)[0] for a in [parent, *made] for k in range(0, 24, 3)]
    unit = np.array(turns).reshape(21, 8, 3) / np.linalg.norm(turns, axis=-1).reshape(21, 8, 1)
    angles = np.degrees(np.arccos(np.clip((unit[1:] * unit[0]).sum(axis=-1), -1, 1)))
    # two turns across the bond of 9° each, and the bond's own bending
    assert 6 < np.sqrt(np.mean(angles**2)) < 16
    colder = thermal.make([parent], Target(), Generator(thermal_temperatures_k=(75.0,), thermal_count=20))
    assert np.std(_moves(parent, colder)) < 0.7 * np.std(_moves(parent, made))


def _contacts(atoms: Atoms) -> dict[tuple[str, str], float]:
    """Closest distance of each pair of elements between waters, in Å."""
    first, second, distance = neighbor_list("ijd", atoms, 4.0)
    apart = first // 3 != second // 3
    found: dict[tuple[str, str], float] = {}
    for i, j, d in zip(first[apart], second[apart], distance[apart], strict=True):
        pair = tuple(sorted((atoms[i].symbol, atoms[j].symbol)))
        found[pair] = min(found.get(pair, np.inf), d)
    return found


@pytest.mark.parametrize("edge_angstrom", [5.6, 6.2, 8.0])
def test_molecules_that_move_keep_apart(edge_angstrom: float) -> None:
    parent = _water_box(edge_angstrom)
    moves = thermal.RigidMoves(parent, parts(parent), thermal.MOLECULES)
    before = _contacts(parent)
    radii = {"H": 1.20, "O": 1.50}
    rng = np.random.default_rng(5)
    for _ in range(5):
        made = parent.copy()
        made.positions = moves.moved(parent, 600.0, rng)
        assert np.abs(made.positions - parent.positions).max() > 0.2
        for pair, distance in _contacts(made).items():
            usual = 0.75 * (radii[pair[0]] + radii[pair[1]])
            assert distance >= min(usual, 0.85 * before.get(pair, np.inf)) - 1e-9


def test_ions_move_whole_and_cations_too() -> None:
    parent = tag(calcite(), "bulk", generator="test", seed=0)
    made = thermal.make([parent], Target(), Generator(thermal_temperatures_k=(300.0,), thermal_count=8))
    shift = np.array([a.get_scaled_positions() - parent.get_scaled_positions() for a in made])
    shift = ((shift + 0.5) % 1 - 0.5) @ parent.cell.array
    # kT = k<x²> of 1.5 eV/Å²: 0.131 Å, in Ca (0-5) and C (6-11) alike
    assert 0.09 < np.std(shift[:, :6]) < 0.16 and 0.09 < np.std(shift[:, 6:12]) < 0.16
    bonds = np.array([sorted(a.get_all_distances(mic=True)[6:12, 12:].ravel())[:18] for a in made])
    assert np.mean(bonds) == pytest.approx(1.28, abs=0.02) and np.std(bonds) < 0.05


def test_clusters_move_apart_and_one_molecule_does_not() -> None:
    water, other = molecule("H2O"), molecule("H2O")
    other.positions += [0, 0, 3.5]
    pair = tag(water + other, "molecule", generator="test", seed=0)
    made = thermal.make([pair], Target(), Generator(thermal_temperatures_k=(300.0,), thermal_count=12))
    apart = [a.get_distance(0, 3) for a in made]
    # of two, each with 0.227 Å
    assert 0.15 < np.std(apart) < 0.5
    alone = tag(molecule("H2O"), "molecule", generator="test", seed=0)
    (only,) = thermal.make([alone], Target(), Generator(thermal_temperatures_k=(300.0,), thermal_count=1))
    assert np.abs(only.positions - alone.positions).max() < 0.2


def test_one_molecule_in_a_cell_keeps_from_its_images() -> None:
    ice = molecule("H2O")
    ice.set_cell([2.6, 2.9, 3.0])
    ice.pbc = True
    parent = tag(ice, "bulk", generator="test", seed=0)
    moves = thermal.RigidMoves(parent, parts(parent), thermal.MOLECULES)
    made = parent.copy()
    made.positions = moves.moved(parent, 900.0, np.random.default_rng(1))
    first, second, distance, image = neighbor_list("ijdS", made, 2.0)
    across = image.any(axis=1)
    limits = [moves.limits[tuple(sorted(made.numbers[[i, j]]))] for i, j in zip(first, second, strict=True)]
    assert (distance[across] >= np.array(limits)[across]).all()
    assert made.get_all_distances() == pytest.approx(parent.get_all_distances())


def test_molecules_without_room_stay_where_they_are() -> None:
    parent = _water_box(4.8)
    moves = thermal.RigidMoves(parent, parts(parent), thermal.MOLECULES)
    moves.limits = dict.fromkeys(moves.limits, 3.0)
    placed = moves.moved(parent, 2000.0, np.random.default_rng(2))
    assert placed == pytest.approx(parent.positions, abs=0.05)
