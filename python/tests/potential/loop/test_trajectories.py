"""Where a generation's MD starts, and how hot it gets."""

from __future__ import annotations

import json
from pathlib import Path

from loop_states import config
from silicon import si2

from gibbsflow.potential.data.structures import read_frames, write_frames
from gibbsflow.potential.loop import state as loop_state
from gibbsflow.potential.loop.trajectories import ramp, write_trajectories


def test_melt_quench_cools_every_second_trajectory() -> None:
    hot = config(goal="melt_quench", loop={"trajectories": 2})
    assert [ramp(hot, k)["temperature_k"] for k in (0, 1)] == [300, 900]
    assert [ramp(hot, k)["temperature_end_k"] for k in (0, 1)] == [600, 300]


def test_the_kth_ramp_goes_k_nths_of_the_way() -> None:
    plan = config(temperature_k=[300, 900], exploration={"ensemble": "npt", "pressure_end_bar": 3000.0})
    ends = [(ramp(plan, k)["temperature_end_k"], ramp(plan, k)["pressure_end_bar"]) for k in range(3)]
    assert ends == [(500, 1000), (700, 2000), (900, 3000)]
    assert {ramp(plan, k)["temperature_k"] for k in range(3)} == {300}


def test_overheated_ramps_end_beyond_the_last_temperature() -> None:
    plan = config(temperature_k=[300, 400], loop={"trajectories": 2, "overheating": 2})
    assert [ramp(plan, k)["temperature_end_k"] for k in (0, 1)] == [550, 800]
    single = config(temperature_k=300, loop={"trajectories": 2, "overheating": 2})
    assert [ramp(single, k)["temperature_end_k"] for k in (0, 1)] == [450, 600]


def test_generations_take_turns_over_the_starts_with_seeds_of_their_own(tmp_path: Path) -> None:
    write_frames(tmp_path / loop_state.STARTS, [si2(seed) for seed in range(4)])
    starts = [frame.info["gibbsflow_id"] for frame in read_frames(tmp_path / loop_state.STARTS)]
    seen, seeds = [], set()
    for generation in range(2):
        write_trajectories(tmp_path, config(), generation)
        paths = loop_state.trajectories(tmp_path)
        seen += [read_frames(path)[0].info["gibbsflow_id"] for path in paths]
        plans = [json.loads(path.with_suffix(".json").read_text()) for path in paths]
        assert {plan["generation"] for plan in plans} == {generation}
        seeds |= {plan["seed"] for plan in plans}
    assert seen == [*starts, *starts[:2]] and len(seeds) == 6
