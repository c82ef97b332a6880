"""What bounds a basis: memory, data, settings."""

import numpy as np

from gibbsflow.config.potential_training import Training
from gibbsflow.potential.train.trainers import pod_bounds


def test_memory_bounds_the_basis():
    frames = [type("F", (), {"force_mask": np.ones(10_000, bool)})()]
    problem = type("P", (), {"frames": frames, "fold": np.array([4])})()
    small, large = (
        pod_bounds.most_columns(problem, Training(memory_gb=m, max_coefficients=20_000)) for m in (0.01, 4.0)
    )
    assert small < 300 < large <= 7500


def test_data_bound_the_basis():
    frames = [type("F", (), {"force_mask": np.ones(atoms, bool)})() for atoms in (10, 20)]
    targets = type("T", (), {"frames": frames, "fold": np.array([0, 1])})()
    assert pod_bounds.most_columns(targets, Training()) == 24  # 92 rows
    frames[0].force_mask = np.ones(1000, bool)
    assert pod_bounds.most_columns(targets, Training()) == (3 * 1020 + 2) // 4
    assert pod_bounds.most_columns(targets, Training(max_coefficients=100)) == 100


def test_a_share_of_the_frames_is_spread_over_all_of_them():
    assert pod_bounds.spread(range(100), 1.0) == list(range(100))
    half = pod_bounds.spread(range(100), 0.5)
    assert (len(half), half[0], half[-1]) == (50, 0, 99)
    assert len(pod_bounds.spread(range(100), 0.0)) == 20
    assert pod_bounds.spread(range(5), 0.0) == list(range(5))
