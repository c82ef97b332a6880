"""What is left of walkers for another time step."""

import numpy as np

from gibbsflow.binding.sample.gromacs.other_time_step import without_checkpoints
from gibbsflow.binding.sample.gromacs_windows import GromacsWalkers
from gibbsflow.binding.sample.sampler import Walkers


def test_walkers_for_another_time_step_are_where_they_were_without_a_checkpoint():
    positions, box = np.arange(18.0).reshape(2, 3, 3), np.tile(np.eye(3), (2, 1, 1))
    replica, saved = np.array([1, 0], np.int32), np.full((2, 5), 7, np.uint8)
    ended = GromacsWalkers(positions, positions / 2, replica, box, saved, np.array([5, 4]), np.array([0.4, 0.4]))
    anew = GromacsWalkers(**without_checkpoints(ended.as_arrays()))
    for name in ("positions_nm", "velocities_nm_per_ps", "replica", "box_nm"):
        np.testing.assert_array_equal(getattr(anew, name), getattr(ended, name))
    assert anew.saved.shape == (2, 0) and not anew.saved_bytes.any() and not anew.time_ps.any()


def test_walkers_of_other_samplers_stay_as_they_are():
    arrays = Walkers(np.zeros((1, 2, 3)), np.ones((1, 2, 3)), np.zeros(1, np.int32)).as_arrays()
    assert without_checkpoints(arrays) == arrays
