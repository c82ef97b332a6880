"""Boxes cut from cells: periodic without a trace where the cell allows it, and honest where it does not."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111
from ase.neighborlist import neighbor_list

from gibbsflow.config.potential_training import Embedding
from gibbsflow.potential.explore.boxes.cutting import CannotCutError, cut_box

SMALL = Embedding(core_radius_angstrom=3.0, buffer_angstrom=2.0)


def _rattled(atoms, sigma=0.08):
    atoms.rattle(sigma, seed=1)
    return atoms


@pytest.mark.parametrize(
    ("atoms", "period"),
    [(bulk("Si", cubic=True) * (4, 4, 4), 5.43), (bulk("Cu", cubic=True) * (6, 6, 6), 3.61)],
    ids=["Si", "Cu"],
)
def test_a_box_of_a_crystal_is_a_multiple_of_its_period(atoms, period):
    box = cut_box(_rattled(atoms), 17, SMALL, None)
    ratio = box.atoms.cell.lengths() / period
    assert ratio == pytest.approx(np.round(ratio), abs=0.02)
    assert (box.removed, box.left_out) == (0, 0)
    density = len(box.atoms) / box.atoms.get_volume()
    assert density == pytest.approx(len(atoms) / atoms.get_volume(), rel=1e-3)
    assert box.atoms.pbc.all() and 2 * len(box.atoms) < len(atoms)


def test_the_core_is_as_it_was_in_the_cell():
    atoms = _rattled(bulk("Si", cubic=True) * (4, 4, 4), 0.2)
    box = cut_box(atoms, 100, Embedding(core_radius_angstrom=3.0, buffer_angstrom=3.2), None)
    mask = box.atoms.arrays["force_mask"].astype(bool)
    inside = np.flatnonzero(mask)
    assert box.centre in inside and 0 < mask.sum() < len(mask)
    assert box.source[box.centre] == 100
    for k in inside:
        here = np.sort(box.atoms.get_distances(k, range(len(box.atoms)), mic=True))[:5]
        there = np.sort(atoms.get_distances(box.source[k], range(len(atoms)), mic=True))[:5]
        assert here == pytest.approx(there, abs=1e-6)  # itself and its four neighbours
    far = np.sort(atoms.get_distances(100, range(len(atoms)), mic=True))
    assert mask.sum() == (far <= 3.0).sum()


def test_a_salt_stays_neutral_around_a_vacancy():
    atoms = _rattled(bulk("MgO", "rocksalt", a=4.21, cubic=True) * (4, 4, 4), 0.05)
    del atoms[100]
    near = int(np.argsort(np.linalg.norm(atoms.positions - atoms.positions[100], axis=1))[1])
    box = cut_box(atoms, near, SMALL, {"Mg": 2.0, "O": -2.0})
    symbols = box.atoms.get_chemical_symbols()
    assert symbols.count("Mg") == symbols.count("O")
    core = box.atoms.arrays["force_mask"].astype(bool)
    free = cut_box(atoms, near, SMALL, None)
    assert free.atoms.arrays["force_mask"].sum() == core.sum()  # only the buffer gave ions


def test_a_melt_has_no_atoms_on_each_other():
    rng = np.random.default_rng(5)
    atoms = bulk("Cu", cubic=True) * (6, 6, 6)
    atoms.positions += rng.normal(0, 0.5, atoms.positions.shape)
    box = cut_box(atoms, 7, SMALL, None)
    first, second, here = neighbor_list("ijd", box.atoms, 1.98)  # 0.75 of twice 1.32 Å
    there = [atoms.get_distance(box.source[i], box.source[j], mic=True) for i, j in zip(first, second, strict=True)]
    assert here == pytest.approx(there, abs=1e-3)  # what is near at all was so in the cell
    assert box.removed > 0


def test_a_slab_keeps_its_vacuum():
    slab = _rattled(fcc111("Cu", (8, 8, 4), vacuum=8.0, orthogonal=True), 0.05)
    box = cut_box(slab, int(slab.positions[:, 2].argmax()), SMALL, None)
    assert box.atoms.pbc.tolist() == slab.pbc.tolist() == [True, True, False]
    assert box.atoms.cell.lengths()[2] == pytest.approx(slab.cell.lengths()[2])
    assert np.ptp(box.atoms.positions[:, 2]) == pytest.approx(np.ptp(slab.positions[box.source, 2]))
    assert box.atoms.cell.lengths()[0] < 0.75 * slab.cell.lengths()[0]


def test_what_cannot_be_cut():
    with pytest.raises(CannotCutError, match="is no larger than a box of 10 Å"):
        cut_box(bulk("Cu", cubic=True) * (2, 2, 2), 0, SMALL, None)
    lone = Atoms("Mg60", positions=np.random.default_rng(1).uniform(0, 30, (60, 3)), cell=[30, 30, 30], pbc=True)
    with pytest.raises(CannotCutError, match="has not the ions"):
        cut_box(lone, 0, SMALL, {"Mg": 2.0})
