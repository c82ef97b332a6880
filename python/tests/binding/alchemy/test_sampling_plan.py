"""Lengths in whole numbers, and what an extension adds to them."""

import pytest

from gibbsflow.binding.alchemy.sampling_plan import sampling
from gibbsflow.config.binding import Fe, Md
from gibbsflow.errors import InputError

PLAN = sampling(Md(), Fe(window_ps=25.0, window_equil_ps=4.0, sample_ps=1.0, segment_ps=10.0))


def test_an_extension_is_of_whole_segments_and_never_longer_than_asked_for():
    assert (PLAN.samples, PLAN.segments) == (29, 3)  # the last segment is short, and stays so
    for window_ps, samples in ((35.0, 10), (44.9, 10), (45.0, 20), (1025.0, 1000)):
        longer = PLAN.extension(window_ps, where="leg")
        assert (longer.samples, longer.discarded, longer.steps_per_sample) == (samples, 0, PLAN.steps_per_sample)
        assert all(longer.samples_in(k) == 10 for k in range(longer.segments))
    with pytest.raises(InputError, match=r"leg.*window_ps: 34 ps is no extension \(right: 35 ps or more"):
        PLAN.extension(34.0, where="leg")
