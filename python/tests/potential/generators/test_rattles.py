from __future__ import annotations

import numpy as np
import pytest

from gibbsflow.config.potential import Generator, Target
from gibbsflow.potential.data.structures import closest_pair_angstrom
from gibbsflow.potential.generators import defects, rattles, surfaces
from gibbsflow.potential.generators.parents import parents

SI = Target(elements=("Si",))


def test_rattles_keep_their_distance_and_size() -> None:
    parent = parents(SI, Generator(supercell=(2, 2, 2)))[0]
    limit = 0.75 * closest_pair_angstrom(parent)
    moved = rattles.rattled(parent, 0.05, limit, np.random.default_rng(1)).positions - parent.positions
    assert moved.std() == pytest.approx(0.05, rel=0.15)
    wild = rattles.rattled(parent, 0.8, limit, np.random.default_rng(1))
    assert closest_pair_angstrom(wild) >= limit


def test_crystals_are_strained_a_little_and_molecules_are_not() -> None:
    settings = Generator(rattle_count=2, rattle_sigma_angstrom=(0.05,), rattle_strain_max=0.02)
    silicon = parents(SI, settings)
    made = rattles.make(silicon, SI, settings)
    assert [atoms.info["sigma_angstrom"] for atoms in made] == [0.05, 0.05]
    strain = [atoms.cell.array / silicon[0].cell.lengths()[0] - np.eye(3) for atoms in made]
    assert 0 < np.abs(strain).max() <= 0.02
    assert np.array(strain) == pytest.approx(np.transpose(strain, (0, 2, 1)))  # no rotation
    water = parents(Target(molecule="H2O"), settings)
    boxes = [atoms.cell.array for atoms in rattles.make(water, Target(molecule="H2O"), settings)]
    assert np.array(boxes) == pytest.approx(np.array([water[0].cell.array] * 2))


def test_an_atom_without_a_place_stays() -> None:
    silicon = parents(SI, Generator())[0]
    stuck = rattles.rattled(silicon, 0.1, 3.0, np.random.default_rng(1))  # farther than its neighbours are
    assert stuck.positions == pytest.approx(silicon.positions)


def test_each_defect_and_slab_has_a_displaced_copy_of_its_own_kind():
    settings = Generator(rattle_sigma_angstrom=(0.1, 0.05), defect_kinds=("vacancy",), surface_indices=((1, 1, 1),))
    silicon = parents(SI, settings)
    whole = [*defects.make(silicon, SI, settings), *surfaces.make(silicon, SI, settings)]
    made = rattles.displaced(whole, settings)
    for frame, copy in zip(whole, made, strict=True):
        kept = ("config_type", "parent", "generator", "seed", "miller")
        assert [copy.info.get(key) for key in kept] == [frame.info.get(key) for key in kept]
        assert copy.info["sigma_angstrom"] == 0.05
        assert copy.info["gibbsflow_id"] != frame.info["gibbsflow_id"]
        assert copy.cell.array == pytest.approx(frame.cell.array)
        assert 0.02 < (copy.positions - frame.positions).std() < 0.08
    assert [f.info["gibbsflow_id"] for f in rattles.displaced(whole, settings)] == [
        f.info["gibbsflow_id"] for f in made
    ]
    assert rattles.displaced(whole, Generator(rattle_count=0)) == []
