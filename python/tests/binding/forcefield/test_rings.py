"""Bonds through rings, by geometry."""

import numpy as np

from gibbsflow.binding.forcefield.rings import pierced_rings, small_rings

BENZENE = np.array([[np.cos(a), np.sin(a), 0.0] for a in np.arange(6) * np.pi / 3]) * 1.39
RING = np.array([[k, (k + 1) % 6] for k in range(6)])


def pierced(start, end, ring=BENZENE):
    bonds = np.vstack([RING, [[6, 7]]])
    positions = np.vstack([ring, [start], [end]])
    return pierced_rings(positions, small_rings(bonds), bonds)


def test_a_bond_through_a_ring_is_found_wherever_it_goes_through():
    for x, y in ((0, 0), (0.9, 0.2), (-0.5, -0.8)):
        ((ring, bond),) = pierced((x, y, -0.7), (x + 0.1, y, 0.8))
        assert sorted(ring) == list(range(6)) and bond == (6, 7)


def test_a_bond_beside_above_or_in_the_plane_is_none():
    assert not pierced((1.6, 0, -0.7), (1.6, 0, 0.7))
    assert not pierced((0, 0, 0.5), (0, 0, 2.0))
    assert not pierced((2.0, 0, 0), (3.4, 0, 0))


def test_water_is_no_ring_and_macrocycles_are_left_out():
    assert small_rings(np.array([[0, 1], [0, 2], [1, 2]])) == []
    assert small_rings(np.array([[k, (k + 1) % 12] for k in range(12)])) == []
    assert [len(ring) for ring in small_rings(RING)] == [6]
