from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule

from gibbsflow.config.potential import Generator, Target
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
