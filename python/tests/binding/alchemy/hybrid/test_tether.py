"""What holds two whole ligands to each other: its integral is one number, whatever either ligand looks like."""

import itertools
import math

import edges
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from gibbsflow.binding.alchemy.hybrid.placing import hybrid_positions
from gibbsflow.binding.alchemy.hybrid.shared_atoms import SharedAtoms
from gibbsflow.binding.alchemy.hybrid.tether import K_ANGLE, K_DISTANCE, LEAST_SINE, tether
from gibbsflow.binding.geometry import angle_deg, boresch_geometry

STEP = 1e-5


def coordinates(still, turned, move):
    """The six, of a rigid ligand that was moved and turned about its first atom, lengths in Å and angles in rad."""
    about = turned[0]
    there = Rotation.from_rotvec(move[3:]).apply(turned - about) + about + move[:3]
    found = boresch_geometry(np.concatenate([still, there])[None], (0, 1, 2), (3, 4, 5))[0]
    return np.concatenate([found[:1], np.radians(found[1:])])


@pytest.mark.parametrize("seed", range(4))
def test_the_six_coordinates_measure_the_places_of_either_ligand_alike(seed):
    """d³x d³ω = r² sin θA sin θB d(six), for frames of any shape: so both ends have the same integral."""
    random = np.random.default_rng(seed)
    a, b = random.normal(0, 2, (3, 3)), random.normal(0, 2, (3, 3)) + (4, 0, 0)
    r, theta_a, theta_b = coordinates(a, b, np.zeros(6))[:3]
    for still, turned in ((a, b), (b, a)):
        columns = []
        for k in range(6):
            ends = [coordinates(still, turned, sign * STEP * np.eye(6)[k]) for sign in (1, -1)]
            change = ends[0] - ends[1]
            change[3:] = (change[3:] + math.pi) % (2 * math.pi) - math.pi
            columns.append(change / (2 * STEP))
        jacobian = abs(np.linalg.det(np.array(columns)))
        assert jacobian * r**2 * math.sin(theta_a) * math.sin(theta_b) == pytest.approx(1, rel=1e-5)


def held(a, b):
    poses = [edges.positions_nm(name) - edges.positions_nm(name).mean(axis=0) for name in (a, b)]
    shared = SharedAtoms(edges.end(a), edges.end(b), ())
    start = hybrid_positions(shared, poses[0], poses[1], poses[0])
    return shared, start, tether(shared, start)


@pytest.mark.parametrize(("a", "b"), list(itertools.product(("toluene", "neopentane"), ("phenol", "isobutane"))))
def test_it_rests_where_the_poses_are_and_is_never_near_a_line(a, b):
    shared, start, found = held(a, b)
    assert found.kind == "boresch" and found.energy_kcal_per_mol(start * 10) < 1e-6
    assert set(found.receptor) <= set(shared.place_a) and set(found.ligand) <= set(shared.place_b)
    assert (found.k_r_kcal_per_mol_angstrom2, found.k_angle_kcal_per_mol_rad2) == (K_DISTANCE, K_ANGLE)
    (p1, p2, p3), (l1, l2, l3) = found.receptor, found.ligand
    for three in ((p3, p2, p1), (p2, p1, l1), (p1, l1, l2), (l1, l2, l3)):
        assert math.sin(math.radians(angle_deg(*start[list(three)]))) >= LEAST_SINE


def test_ligands_of_fewer_than_three_heavy_atoms_are_held_by_their_centres():
    shared, start, found = held("methanol", "toluene")
    assert found.kind == "com" and found.r0_angstrom == 0
    assert set(found.receptor_atoms) == {i for i in shared.place_a if shared.a.heavy(i)}
    assert len(found.ligand_atoms) == 7 and np.isfinite(found.energy_kcal_per_mol(start * 10))
