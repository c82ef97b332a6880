"""Distances of neighbours against Gaussians, of which they are known."""

import math

import numpy as np
import pytest

from gibbsflow.binding.analyse.placement.distances import (
    MOST_LENGTH,
    distance_of_overlap,
    mean_distances,
    neighbour_distances,
    overlap_of_distance,
)
from gibbsflow.errors import UnconvergedError

from .gaussians import charges, energies, write_run

ROWS = charges(1.0, 0.9, 0.6, 0.0)


def test_gaussians_that_shift_are_as_far_apart_as_their_centres(tmp_path) -> None:
    found = neighbour_distances(energies(write_run(tmp_path, ROWS, lambda row: 5 * row[1])))
    for by in ("length", "overlap"):
        assert found.by(by) == pytest.approx([0.5, 1.5, 3.0], rel=0.05)
    assert found.disjoint == (False, False, False)


def test_states_that_are_the_same_have_no_distance(tmp_path) -> None:
    found = neighbour_distances(energies(write_run(tmp_path, ROWS, lambda row: 2 * max(row[1], 0.6))))
    assert (found.length[-1], found.overlap[-1]) == pytest.approx((0, 1), abs=1e-9)
    assert found.by("overlap")[-1] == pytest.approx(0, abs=1e-9)


def test_gaussians_that_narrow(tmp_path) -> None:
    """Of d dimensions whose force constants differ by a factor f the length is √(d/2) ln f, to second order."""
    from oscillators import Oscillators

    system = Oscillators(states=8, stiffening=40.0)
    found = neighbour_distances(energies(system.write(tmp_path, count=4000)))
    exact = math.sqrt(1.5) * math.log(40.0) / 7
    assert found.length == pytest.approx(exact, rel=0.06)
    assert found.by("overlap") == pytest.approx(exact, rel=0.06)


def test_a_window_without_samples_is_measured_by_those_of_its_neighbours(tmp_path) -> None:
    run = write_run(tmp_path, charges(1.0, 0.8, 0.4, 0.0), lambda row: 2.5 * row[1], leave_out=(1, 3))
    assert neighbour_distances(energies(run)).length == pytest.approx([0.5, 1.0, 1.0], rel=0.08)


def test_what_shares_no_energies_is_far_apart_and_said_to_be(tmp_path) -> None:
    run = write_run(tmp_path, ROWS, lambda row: 16 * min(row[1], 0.6) + row[1], count=300)
    found = neighbour_distances(energies(run))
    assert found.disjoint == (False, False, True) and 7 < found.length[2] <= MOST_LENGTH
    assert found.length[:2] == pytest.approx([0.1, 0.3], rel=0.3)
    assert found.by("overlap")[2] == found.length[2]


def test_one_window_is_none_to_measure(tmp_path) -> None:
    run = write_run(tmp_path, ROWS, lambda row: row[1], leave_out=(1, 2, 3), count=20)
    with pytest.raises(UnconvergedError, match="need two"):
        neighbour_distances(energies(run))


def test_replicates_are_averaged(tmp_path) -> None:
    every = [
        neighbour_distances(energies(write_run(tmp_path / str(k), ROWS, lambda row: 2 * row[1], seed=k, count=200)))
        for k in (1, 2)
    ]
    mean = mean_distances(every)
    assert mean.length == pytest.approx((every[0].length + every[1].length) / 2)


def test_overlap_of_gaussians() -> None:
    """∫ 2pq/(p + q) by quadrature; and back."""
    x = np.linspace(-20, 20, 40001)
    for distance in (0.5, 2.0, 6.0):
        p, q = (np.exp(-0.5 * (x - at) ** 2) / math.sqrt(2 * math.pi) for at in (0, distance))
        exact = np.sum(2 * p * q / (p + q + 1e-300)) * (x[1] - x[0])
        assert overlap_of_distance(np.array(distance)) == pytest.approx(exact, rel=1e-3)
        assert distance_of_overlap(np.array(exact)) == pytest.approx(distance, abs=0.005)
