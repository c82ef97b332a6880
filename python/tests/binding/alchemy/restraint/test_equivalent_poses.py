"""Images of a held pose: how many there are, and which of them a simulation came to."""

import numpy as np
import pytest

from gibbsflow.binding.alchemy.restraint.equivalent_poses import equivalent_poses
from gibbsflow.binding.alchemy.restraint.restraints import BoreschRestraint
from gibbsflow.binding.geometry import boresch_geometry

KT = 0.5925
SITE = np.array([[0.0, -5.0, 0.0], [3.5, -7.0, 1.0], [-1.0, -8.0, -3.0]])
OBLONG = np.array([[1.2, 0.7, 0.0], [-1.2, 0.7, 0.0], [-1.2, -0.7, 0.0], [1.2, -0.7, 0.0]])
TURNS = [{3: 3, 4: 4, 5: 5, 6: 6}, {3: 4, 4: 3, 5: 6, 6: 5}, {3: 6, 4: 5, 5: 4, 6: 3}, {3: 5, 4: 6, 5: 3, 6: 4}]
"""An oblong's half turns about its three axes, atoms 3 to 6 of the complex."""


def complexes(*orders, frames=20):
    """An oblong in its site with a little noise, its atoms numbered in turn by each order."""
    random = np.random.default_rng(3)
    made = []
    for frame in range(frames):
        order = orders[frame % len(orders)]
        placed = np.concatenate([SITE, OBLONG])
        made.append(placed[[0, 1, 2, *(order[atom] for atom in range(3, 7))]])
    return np.array(made) + random.normal(size=(frames, 7, 3)) * 0.1


def held(frames, receptor=(0, 1, 2), ligand=(3, 4, 5)):
    return BoreschRestraint(receptor, ligand, *boresch_geometry(frames[:1], receptor, ligand)[0], 10.0, 100.0)


@pytest.mark.parametrize(("turned", "missing"), [(1, 4), (2, 2), (4, 1)])
def test_poses_that_the_ligand_came_to_are_not_missing(turned, missing):
    frames = complexes(*TURNS[:turned])
    poses = equivalent_poses(held(frames), frames, KT, TURNS)
    assert (poses.there, poses.seen, poses.missing) == (4, turned, missing)


def test_a_symmetry_that_moves_no_anchor_makes_no_pose():
    frames = complexes(TURNS[0])
    poses = equivalent_poses(held(frames), frames, KT, [TURNS[0], {**TURNS[0], 6: 6}])
    assert (poses.there, poses.missing) == (1, 1)


def test_a_host_is_turned_and_not_mirrored():
    """Four atoms of a pyramid of three sides: its rotations count, its mirrors cannot be carried out."""
    corners = np.array([[4.0, 0, 0], [-2.0, 3.4641, 0], [-2.0, -3.4641, 0], [0, 0, 3.0]])
    frame = np.concatenate([corners, OBLONG @ np.array([[1, 0, 0], [0, 0.6, 0.8], [0, -0.8, 0.6]]) + [0.3, 0.2, -3]])
    frames = frame + np.random.default_rng(4).normal(size=(10, 8, 3)) * 0.05
    rotations = [{0: 0, 1: 1, 2: 2, 3: 3}, {0: 1, 1: 2, 2: 0, 3: 3}, {0: 2, 1: 0, 2: 1, 3: 3}]
    mirrors = [{0: 0, 1: 2, 2: 1, 3: 3}, {0: 2, 1: 1, 2: 0, 3: 3}, {0: 1, 1: 0, 2: 2, 3: 3}]
    restraint = held(frames, ligand=(4, 5, 6))
    poses = equivalent_poses(restraint, frames, KT, [{4: 4, 5: 5, 6: 6, 7: 7}], rotations + mirrors)
    assert (poses.there, poses.seen, poses.missing) == (3, 1, 3)
