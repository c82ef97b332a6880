"""Boxes of rigid molecules."""

from __future__ import annotations

import numpy as np
import pytest
from liquids import water_box

from gibbsflow.config.potential import Generator
from gibbsflow.config.structures.molecules import parts
from gibbsflow.potential.data.structures import tag
from gibbsflow.potential.generators.liquids.packings import packed, rigidly_scaled


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
