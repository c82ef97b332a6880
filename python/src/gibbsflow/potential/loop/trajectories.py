"""Which trajectories a generation runs: where each starts, how hot it gets, and its seed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.potential.data.structures import read_frames, write_frames
from gibbsflow.potential.loop import state as loop_state
from gibbsflow.workflow.files import write_json
from gibbsflow.workflow.seeds import derive_seed


def ramp(config: PotentialConfig, number: int) -> dict[str, Any]:
    """Section ``exploration`` of one trajectory.

    The k-th of n ramps from the first temperature to k/n of the way to the last, times `loop.overheating`, so that each
    generation looks at all temperatures and the mildest trajectory lasts when the hottest is stopped. Pressures go the
    same way. With the goal ``melt_quench`` every second one runs backwards, from hot to cold.

    Parameters
    ----------
    config
        Settings.
    number
        From 0.

    Returns
    -------
    dict
        Section ``exploration``: temperatures in K, pressures in bar.
    """
    settings = config.exploration.model_dump(mode="json")
    share = (number + 1) / config.loop.trajectories
    for first, last in (("temperature_k", "temperature_end_k"), ("pressure_bar", "pressure_end_bar")):
        begin = settings[first]
        end = begin if settings[last] is None else settings[last]
        if first == "temperature_k" and config.loop.overheating > 1:
            end = config.loop.overheating * max(begin, end)
        end = begin + (end - begin) * share
        if config.loop.goal == "melt_quench" and number % 2 and first == "temperature_k":
            begin, end = end, begin
        settings |= {first: round(begin, 6), last: round(end, 6)}
    return settings


def write_trajectories(folder: Path, config: PotentialConfig, generation: int) -> None:
    """Write ``trajectories/trajectory_NN.extxyz`` and ``.json``; starts take turns over all that the state offers.

    Parameters
    ----------
    folder
        State folder, with the structures to start from.
    config
        Settings.
    generation
        The one that they belong to; decides starts and seeds.
    """
    starts = read_frames(folder / loop_state.STARTS)
    count = config.loop.trajectories
    for number in range(count):
        start = starts[(generation * count + number) % len(starts)]
        stem = folder / loop_state.TRAJECTORIES / f"trajectory_{number:02d}"
        write_frames(stem.with_suffix(".extxyz"), [start])
        seed = derive_seed(config.loop.seed, "explore", generation, number)
        write_json(
            stem.with_suffix(".json"), {"exploration": ramp(config, number), "seed": seed, "generation": generation}
        )
