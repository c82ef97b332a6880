"""Angles and dihedrals of shapes that are known, and means of angles on a circle."""

import numpy as np
import pytest

from gibbsflow.binding.geometry import (
    angle_deg,
    best_rotation,
    boresch_geometry,
    circular_mean_deg,
    circular_std_deg,
    dihedral_deg,
    middle_atom,
)


@pytest.mark.parametrize("angle", [1e-4, 60.0, 90.0, 180.0])
def test_angles_near_a_line_keep_their_digits(angle):
    end = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle)), 0.0])
    assert angle_deg(np.array([2.0, 0, 0]), np.zeros(3), 3 * end) == pytest.approx(angle, rel=1e-9)


def test_points_of_many_frames_at_once():
    points = np.random.default_rng(1).normal(size=(4, 5, 7, 3))
    together = dihedral_deg(*points)
    assert together.shape == (5, 7)
    assert together[3, 2] == pytest.approx(dihedral_deg(*points[:, 3, 2]))


def test_geometry_of_a_known_shape():
    points = np.array([[0.0, 1, 1], [0, 1, 0], [0, 0, 0], [3, 0, 0], [3, 2, 0], [3, 2, 2]])[None]
    r, theta_a, theta_b, phi_a, phi_b, phi_c = boresch_geometry(points, (2, 1, 0), (3, 4, 5))[0]
    assert (r, theta_a, theta_b) == pytest.approx((3, 90, 90))
    assert abs(phi_b) == pytest.approx(0, abs=1e-9)
    assert abs(phi_a) == pytest.approx(90) and abs(phi_c) == pytest.approx(90)


def test_dihedral_sign_is_iupac():
    a, b, c = np.array([1.0, 0, 0]), np.zeros(3), np.array([0.0, 0, 1])
    assert dihedral_deg(a, b, c, np.array([0.0, 1, 1])) == pytest.approx(90)


def test_circular_means_do_not_tear_at_180():
    angles = np.array([179.0, -179.0, 178.0, -178.0])
    assert abs(circular_mean_deg(angles)) == pytest.approx(180)
    assert circular_std_deg(angles) == pytest.approx(np.sqrt(2.5))


def test_a_rotation_is_found_again_and_is_never_a_mirror():
    random = np.random.default_rng(2)
    turn, _ = np.linalg.qr(random.normal(size=(3, 3)))
    turn *= np.sign(np.linalg.det(turn))
    points = random.normal(size=(5, 3))
    found = best_rotation(points, points @ turn)
    assert found == pytest.approx(turn, abs=1e-12)
    assert found @ (points @ turn).T == pytest.approx(points.T, abs=1e-12)
    assert np.linalg.det(best_rotation(points, points * [1, 1, -1])) == pytest.approx(1)


def test_the_middle_atom_is_one_of_the_group():
    positions = np.array([[9.0, 9, 9], [0, 0, 0], [1, 0.1, 0], [2, 0, 0], [1, 0, 0]])
    assert middle_atom((1, 2, 3), positions) == 2 and middle_atom([3], positions) == 3
