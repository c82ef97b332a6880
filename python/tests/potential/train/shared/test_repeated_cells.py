"""Frames that are repeats: the cell that is found, and that its descriptors are those of the frame."""

import numpy as np
import pytest
from ase.build import bulk

from gibbsflow.engines.lammps import LammpsPool
from gibbsflow.potential.train.shared.repeated_cells import smallest_cell
from gibbsflow.potential.train.trainers.pod_basis import descriptor_sums, ladder_basis


def _strained():
    atoms = bulk("NaCl", "rocksalt", a=5.6, cubic=True) * (2, 1, 1)
    atoms.set_cell(atoms.cell[:] @ [[1.02, 0.01, 0], [0, 1, 0.005], [0, 0, 0.99]], scale_atoms=True)
    return atoms


def test_a_strained_crystal_is_its_primitive_cell():
    atoms = _strained()
    found = smallest_cell(atoms, np.ones(16, bool))
    assert (found.count, len(found.atoms)) == (8, 2)
    assert found.atoms.get_volume() == pytest.approx(atoms.get_volume() / 8)
    assert (found.atoms.numbers[found.place] == atoms.numbers).all()
    values = np.random.default_rng(0).normal(size=(16, 3))
    mean, spread = found.mean(values)
    assert mean[0] == pytest.approx(values[found.place == 0].mean(axis=0))
    assert spread + 8 * (mean**2).sum() == pytest.approx((values**2).sum())


def test_what_is_no_repeat_is_left_whole():
    rattled, masked, open_side = _strained(), _strained(), _strained()
    rattled.rattle(0.01, seed=1)
    open_side.pbc = (True, True, False)
    mask = np.ones(16, bool)
    for atoms, own in ((rattled, mask), (open_side, mask), (masked, np.arange(16) > 0)):
        found = smallest_cell(atoms, own)
        assert found.count == 1 and found.atoms is atoms
        assert found.mean(atoms.positions) == (pytest.approx(atoms.positions), 0.0)


def test_descriptors_of_the_cell_are_those_of_the_frame(tmp_path):
    atoms = _strained()
    found = smallest_cell(atoms, np.ones(16, bool))
    basis = ladder_basis(0, ("Na", "Cl"), 0.8, 4.5)
    with LammpsPool(tmp_path, 1) as pool:
        sums, rows, rotation = descriptor_sums(pool.members[0], atoms, basis)
        own, few, turned = descriptor_sums(pool.members[0], found.atoms, basis)
    assert found.count * own == pytest.approx(sums, rel=1e-8, abs=1e-8)
    back = np.einsum("aic,ij->ajc", rows.reshape(16, 3, -1), rotation.T)
    assert np.einsum("aic,ij->ajc", few.reshape(2, 3, -1), turned.T)[found.place] == pytest.approx(back, abs=1e-7)
