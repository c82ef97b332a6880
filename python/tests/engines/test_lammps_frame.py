"""Boxes and orientations: the same atoms, whatever their cell."""

import numpy as np
import pytest
from ase import Atom, Atoms
from ase.build import bulk, fcc111, molecule
from ase.neighborlist import neighbor_list

from gibbsflow.engines import lammps_frame
from gibbsflow.engines.lammps_frame import cell_of, lists_with_images, stress_from_virial, to_frame
from gibbsflow.units import EV_PER_ANGSTROM3_PER_BAR


def test_a_molecule_without_a_cell_and_a_slab_make_boxes():
    water = to_frame(molecule("H2O"), ("H", "O"), 4.0)
    assert (np.diag(water.cell) >= 10).all()
    slab = fcc111("Cu", (1, 1, 3))
    frame = to_frame(slab, ("Cu",), 4.0)
    assert frame.cell[2, 2] >= np.ptp(slab.positions[:, 2]) + 8
    assert np.linalg.det(frame.rotation) == pytest.approx(1.0)


@pytest.mark.parametrize("left_handed", [False, True])
def test_turned_back_atoms_are_where_they_were(left_handed):
    atoms = bulk("Cu", cubic=True) * (2, 1, 1)
    cell = np.array([[0.3, 7.0, 0.5], [3.4, 0.2, -0.3], [0.1, 0.4, -3.9]])
    atoms.set_cell(cell * (-1 if left_handed else 1), scale_atoms=True)
    atoms.rattle(0.1, seed=1)
    frame = to_frame(atoms, ("Cu",), 5.0)
    assert frame.positions @ frame.rotation.T == pytest.approx(atoms.positions)
    assert frame.rotation @ frame.rotation.T == pytest.approx(np.eye(3))
    assert frame.cell == pytest.approx(np.tril(frame.cell))
    assert (np.diag(frame.cell) > 0).all()
    assert np.linalg.det(frame.cell) == pytest.approx(atoms.get_volume())
    # the same lattice: the new vectors, turned back, are whole combinations of the old ones
    combinations = frame.cell @ frame.rotation.T @ np.linalg.inv(atoms.cell[:])
    assert combinations == pytest.approx(np.round(combinations), abs=1e-9)


def test_types_follow_the_order_of_the_species():
    frame = to_frame(molecule("H2O"), ("H", "O"), 4.0)
    assert frame.types.tolist() == [2, 1, 1]
    text = frame.data_file()
    assert "3 atoms\n2 atom types\n" in text
    assert "1 1.008\n2 15.999\n" in text
    assert "Velocities" not in text


def test_the_data_file_keeps_every_digit():
    atoms = Atoms("Cu", positions=[[1 / 3, 2 / 3, 0.1]], cell=[3.0, 4.0, 5.0], pbc=True)
    lines = to_frame(atoms, ("Cu",), 4.0).data_file().splitlines()
    row = lines[lines.index("Atoms # atomic") + 2].split()
    assert row[:2] == ["1", "1"]
    assert [float(word) for word in row[2:]] == pytest.approx(atoms.positions[0], abs=1e-16)


def test_pressure_becomes_stress_with_the_opposite_sign():
    # 1 GPa of pressure, 10,000 bar, is a stress of -1/160.2177 eV/Å^3 whatever the orientation
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    stress = stress_from_virial(np.array([1e4, 1e4, 1e4, 0.0, 0.0, 0.0]), turn)
    assert stress == pytest.approx([-1 / 160.2177] * 3 + [0.0] * 3, abs=1e-8)


def test_shear_goes_to_its_place_when_the_axes_change():
    # x -> y -> z -> x, so that LAMMPS' xy is yz of the original
    turn = np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]])
    stress = stress_from_virial(np.array([1.0, 2.0, 3.0, 0.0, 0.0, 4.0]), turn)
    assert stress == pytest.approx(-EV_PER_ANGSTROM3_PER_BAR * np.array([3.0, 1.0, 2.0, 4.0, 0.0, 0.0]))


def test_cell_of_a_box():
    cell = cell_of(np.array([1.0, 2, 3, 11, 22, 33, 0.1, 0.2, 0.3]))
    assert cell == pytest.approx(np.array([[10, 0, 0], [0.1, 20, 0], [0.2, 0.3, 30]]))


@pytest.mark.parametrize(
    "atoms",
    [
        molecule("CO"), molecule("H2O"), Atoms("OH2", molecule("H2O").positions, cell=[7.5] * 3, pbc=True),
        Atoms("H4", [[0, 0, 0], [30, 0, 0], [0, 30, 0], [30, 30, 0]]),
        Atoms("H4", [[0, 0, 0], [0, 0, 0.8], [0, 30, 0], [0, 30, 0.8]]),
        Atoms("H5", [[0, 0, 4.0 * k] for k in range(5)]), bulk("Si") * (2, 1, 1), bulk("Cs"),
    ],
)  # fmt: skip
def test_lists_of_all_atoms_hold_a_dozen(atoms):
    frame = to_frame(atoms, sorted(set(atoms.get_chemical_symbols())), 5.0)
    wide = lists_with_images(frame, 5.0)
    reach = 5.0 + (float(wide[0].split()[1]) if wide else 1.0)
    boxed = Atoms(len(atoms) * ["X"], frame.positions, cell=frame.cell, pbc=True)
    listed = np.bincount(neighbor_list("i", boxed, reach), minlength=len(atoms))
    assert listed.min() >= 12 and listed.max() < 2000
    assert bool(wide) == (atoms.symbols[0] != "Si")


def test_one_atom_far_from_many_makes_no_lists_too_long():
    cluster = bulk("Cu", cubic=True) * (6, 6, 6)
    cluster.pbc = False
    cluster.append(Atom("Cu", (60.0, 60.0, 60.0)))
    frame = to_frame(cluster, ("Cu",), 5.0)
    (wide,) = lists_with_images(frame, 5.0)
    boxed = Atoms(len(cluster) * ["X"], frame.positions, cell=frame.cell, pbc=True)
    listed = np.bincount(neighbor_list("i", boxed, 5.0 + float(wide.split()[1])))
    assert 500 <= listed.max() < 2000  # room in LAMMPS' lists; more atoms alone would need more than that


def test_near_images_tell_what_a_whole_list_would():
    """Of crystals, clusters, slabs and oblique cells: where near images are enough, the list is as long at once."""
    rng = np.random.default_rng(3)
    told = []
    for number in range(60):
        count = int(rng.integers(1, 30))
        cell = np.diag(rng.uniform(2.5, 14.0, 3)) + np.tril(rng.uniform(-1.0, 1.0, (3, 3)), -1)
        atoms = Atoms(count * ["Cu"], rng.uniform(size=(count, 3)) @ cell, cell=cell, pbc=number % 3 > 0)
        frame = to_frame(atoms, ("Cu",), 5.0)
        whole = Atoms(count * ["X"], frame.positions, cell=frame.cell, pbc=True)
        listed = np.bincount(neighbor_list("i", whole, 6.0), minlength=count)
        enough = lammps_frame._all_have_enough(frame, 6.0)
        assert not enough or (listed.min() >= 12 and lists_with_images(frame, 5.0) == [])
        told.append((enough, bool(listed.min() >= 12)))
    assert told.count((True, True)) > 15 and told.count((False, False)) > 5
