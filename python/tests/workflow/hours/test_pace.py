"""Time of engines, and their speed of late."""

import math

import pytest

from gibbsflow.errors import StateError
from gibbsflow.workflow.hours.pace import Held, Pace, engine_times


def test_cores_and_gpus_are_those_held_at_the_time():
    first = Pace(Held(4, 0.5))
    first.add(100, 10.0)
    second = Pace(Held(2, 0.0), first.saved())
    second.add(100, 5.0)
    assert (second.engine_s, second.core_s, second.gpu_s) == (15.0, 50.0, 5.0)
    assert engine_times(second.told(), "x", Held(8, 8)) == (15.0, 50.0, 5.0)


def test_what_an_earlier_version_saved_counts_as_held_all_the_time():
    assert Pace(Held(4, 0.25), {"engine_s": 8.0}).saved() == {"engine_s": 8.0, "core_s": 32.0, "gpu_s": 2.0}
    assert engine_times({"engine_s": 8.0}, "x", Held(4, 0.25)) == (8.0, 32.0, 2.0)


def test_the_window_of_late_is_bounded_and_begins_with_the_process():
    pace = Pace(Held(), {"engine_s": 1e6})
    assert pace.told()["recent_s"] == 0
    for _ in range(50):
        pace.add(10, 1.0)
    assert (pace.told()["recent_segments"], pace.told()["recent_steps"], pace.told()["recent_s"]) == (20, 200, 20.0)
    for _ in range(4):
        pace.add(10, 400.0)
    assert (pace.told()["recent_segments"], pace.told()["recent_s"]) == (1, 400.0)
    pace.add(10, 5000.0)  # longer than the window, and all that is known of late
    assert (pace.told()["recent_steps"], pace.told()["recent_s"]) == (10, 5000.0)


@pytest.mark.parametrize("content", [[], {"engine_s": -1}, {"core_s": "3"}, {"gpu_s": math.nan}, {"engine_s": True}])
def test_what_is_no_time_is_refused(content):
    with pytest.raises(StateError, match=r"a/progress\.json: (engine_s|core_s|gpu_s|holds)"):
        engine_times(content, "a/progress.json", Held())
