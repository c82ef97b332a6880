"""Verbs of sampling until it is enough: ``fe extend`` and ``analysis next-round``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gibbsflow.cli.options import (
    Config,
    Json,
    Out,
    Segments,
    System,
    TimeBudget,
    parse_duration_s,
    parse_windows,
    say,
    verb,
)


def extend(
    leg: Annotated[Path, typer.Option("--leg", help="Leg folder, as fe prepare writes it.")],
    replicate: Annotated[int, typer.Option("--replicate", min=0, help="Number of the independent repeat, from 0.")],
    window_ps: Annotated[
        float,
        typer.Option("--window-ps", help="Sampling of each window in all, ps; whole segments, none beyond it."),
    ],
    state: Annotated[Path, typer.Option("--state", help="State folder of this leg and replicate, as of fe run.")],
    out: Out,
    window: Annotated[
        list[str] | None, typer.Option("--window", help="Such as 3-6; repeatable (sampler: independent).")
    ] = None,
    time_budget: TimeBudget = None,
    segments: Segments = None,
    as_json: Json = False,
) -> None:
    """Sample the windows of a leg longer than it says: go on from where fe run, or an earlier call, has ended.

    Nothing is run again, and the energies of the whole length are written to --out. What goes on lies in a folder
    `extension` of the state, so that its failure leaves finished what had finished.
    """
    budget = parse_duration_s(time_budget)
    windows = parse_windows(window or ())
    with verb(out, as_json=as_json) as result:
        from gibbsflow.binding.alchemy.hybrid.hybrid_leg import read_leg_folder
        from gibbsflow.binding.analyse.placement.pilot import hand_on
        from gibbsflow.binding.sample.sampling import sample_leg
        from gibbsflow.engines.choice.engine_choice import engine_versions
        from gibbsflow.engines.md_engines import engine_for
        from gibbsflow.workflow.result import versions
        from gibbsflow.workflow.state.segments import Stopper

        with Stopper(budget, segments) as stopper:
            prepared = read_leg_folder(leg)
            result.versions = versions(*engine_for(prepared.md).programs) | engine_versions(prepared.md)
            sample_leg(prepared, replicate, windows, state, out, stopper, result, window_ps=window_ps)
            hand_on(leg, out)


def next_round(
    system: System,
    runs: Annotated[list[Path], typer.Option("--run", help="Output of one `fe run` or `fe extend`; repeat for all.")],
    record: Annotated[Path, typer.Option("--record", help="Output of `analysis transformation` of these runs.")],
    config: Config = None,
    before: Annotated[Path | None, typer.Option("--before", help="The same of the round before.")] = None,
    as_json: Json = False,
) -> None:
    """Say what a round of sampling would ask for under other settings, such as another target; computes nothing."""
    with verb(None, as_json=as_json, reads=True) as result:
        from gibbsflow.binding.analyse.enough.rounds import KEY, judge_system, read_record, refuse_other
        from gibbsflow.binding.analyse.transformation import FILE_NAME
        from gibbsflow.binding.system import SimSystem
        from gibbsflow.config.binding import BindingConfig

        settings = BindingConfig.read(config) if config else BindingConfig()
        source, earlier = SimSystem.read(system), read_record(before / FILE_NAME) if before else {}
        refuse_other(source, earlier)
        told = judge_system(source, read_record(record / FILE_NAME), runs, settings.analysis, earlier.get(KEY))
        result.figures = told
        for one in told["rounds"]:
            lengths = ", ".join(f"{leg} {window_ps:g} ps" for leg, window_ps in one["window_ps"].items())
            number = f"{one['dg_kcal_per_mol']:.2f} ± {one['dg_error_kcal_per_mol']:.3f} kcal/mol"
            say(f"round {one['round']}: {lengths}: {number}", as_json)
        asked = ", ".join(f"{leg} to {window_ps:g} ps" for leg, window_ps in told["next_window_ps"].items())
        say(f"next: {asked}" if asked else f"{told['stopped_by']}: {told['stopped_because']}", as_json)
