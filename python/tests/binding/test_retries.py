"""The ladder of safer settings: which rungs there are, and that each can be run."""

import pytest

from gibbsflow.binding.alchemy.sampling_plan import sampling
from gibbsflow.binding.equilibrate.stages import plan_equilibration
from gibbsflow.binding.retries import safer_equil, safer_md, used_in_equil, used_in_leg
from gibbsflow.config.binding import Equil, Fe, Md


@pytest.mark.parametrize(
    ("asked", "rungs"), [(4, [4, 2, 1, 1]), (2, [2, 1, 1, 1]), (3, [3, 1.5, 1.5, 1.5]), (0.5, [0.5] * 4)]
)
def test_the_time_step_is_halved_to_one_femtosecond(asked, rungs):
    assert [safer_md(Md(timestep_fs=asked), attempt).timestep_fs for attempt in (1, 2, 3, 4)] == rungs


def test_every_rung_samples_the_same_times():
    asked, fe = Md(timestep_fs=4), Fe(window_ps=10, window_equil_ps=2, sample_ps=1, segment_ps=4)
    first, *safer = [sampling(safer_md(asked, attempt), fe) for attempt in (1, 2, 3)]
    for attempt, plan in enumerate(safer, start=1):
        assert plan.steps_per_sample == first.steps_per_sample * 2**attempt
        assert (plan.samples, plan.discarded, plan.segments) == (first.samples, first.discarded, first.segments)


def test_equilibration_minimises_longer_and_lasts_as_long():
    md, equil = Md(timestep_fs=4), Equil(minimise_steps=100, heat_ps=1, equil_ps=3, equil_segment_ps=2)
    assert [safer_equil(equil, attempt).minimise_steps for attempt in (1, 2, 3)] == [100, 200, 400]
    first, second = (plan_equilibration(safer_md(md, attempt), safer_equil(equil, attempt)) for attempt in (1, 2))
    assert second.frames == first.frames and second.steps_per_frame == 2 * first.steps_per_frame


def test_what_is_used_is_told():
    assert used_in_leg(Md(timestep_fs=4), 1) == {"timestep_fs": 4, "minimised_again": False}
    assert used_in_equil(Md(timestep_fs=4), Equil(minimise_steps=100), 2) == {"timestep_fs": 2, "minimise_steps": 200}
