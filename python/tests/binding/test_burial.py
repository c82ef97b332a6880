"""How far inside a point is: enclosed, in the open, under half a shell, and by rays of several kinds."""

import numpy as np
import pytest

from gibbsflow.binding.burial import Rays, buriedness
from gibbsflow.binding.equilibrate import bound_state
from gibbsflow.binding.prepare import poses

BOTH = pytest.mark.parametrize("rays", [poses.RAYS, bound_state.RAYS], ids=["cavity", "site"])


def sphere(radius, count=2000):
    k = np.arange(count) + 0.5
    polar, turn = np.arccos(1 - 2 * k / count), np.pi * (1 + 5**0.5) * k
    return radius * np.stack([np.cos(turn) * np.sin(polar), np.sin(turn) * np.sin(polar), np.cos(polar)], axis=1)


@BOTH
def test_a_closed_shell_and_nothing(rays):
    assert buriedness(np.array([[0.0, 0, 0], [30.0, 0, 0]]), sphere(5.0), rays).tolist() == [1.0, 0.0]


@BOTH
def test_half_a_shell_and_a_little_more_for_the_width_of_its_atoms(rays):
    shell = sphere(5.0)
    half = shell[shell[:, 2] > 0]
    rim = rays.radius_angstrom / 5.0  # atoms at the rim reach so far below it, as a sine
    assert buriedness(np.zeros((1, 3)), half, rays)[0] == pytest.approx(0.5 + rim / 2, abs=0.02)


def test_one_atom_covers_its_cone():
    rays = Rays(20_000, radius_angstrom=1.0)
    cone = (1 - np.sqrt(1 - 0.25**2)) / 2  # an atom 4 Å away: half angle with sine 1/4
    assert buriedness(np.zeros((1, 3)), np.array([[0.0, 0, 4.0]]), rays)[0] == pytest.approx(cone, abs=1e-3)


def test_where_rays_end_and_what_is_too_far_to_be_seen():
    point, shell = np.zeros((1, 3)), sphere(11.0, 8000)
    assert buriedness(point, shell, Rays(100, 1.7))[0] == 1.0
    assert buriedness(point, shell, Rays(100, 1.7, length_angstrom=9.0))[0] == 0.0
    assert buriedness(point, shell, Rays(100, 1.7, sight_angstrom=10.9))[0] == 0.0
    assert buriedness(point, np.empty((0, 3)), Rays(100, 1.7))[0] == 0.0
