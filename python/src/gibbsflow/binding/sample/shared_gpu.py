"""Legs that share a GPU: one `fe run` each, side by side, under one MPS daemon."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gibbsflow.binding.alchemy.hybrid.hybrid_leg import read_leg_folder
from gibbsflow.engines.gpu.mps import shared_card
from gibbsflow.engines.gpu.side_by_side import group_code, run_side_by_side
from gibbsflow.engines.md_engines import engine_for
from gibbsflow.errors import EXIT_DONE, EXIT_STOPPED, InputError, Problem
from gibbsflow.workflow.result import Result, versions


@dataclass(frozen=True)
class LegRun:
    """One run of ``fe run``.

    Attributes
    ----------
    leg, state, out
        Folders of the leg, its state and its results.
    replicate
        Its repeat.
    window
        Its windows in words; empty for all.
    """

    leg: Path
    replicate: int
    state: Path
    out: Path
    window: str = ""

    def command(self, time_budget: str | None) -> list[str]:
        """Give the command that does it.

        Parameters
        ----------
        time_budget
            As for ``fe run``.

        Returns
        -------
        list of str
            Words.
        """
        words = ["run", "--leg", self.leg, "--replicate", self.replicate, "--state", self.state, "--out", self.out]
        words += ["--window", self.window] if self.window else []
        words += ["--time-budget", time_budget] if time_budget else []
        return [sys.executable, "-P", "-m", "gibbsflow.cli.fe", *map(str, words)]


def runs_of(
    legs: Sequence[Path],
    replicates: Sequence[int],
    states: Sequence[Path],
    outs: Sequence[Path],
    windows: Sequence[str],
) -> list[LegRun]:
    """Put the options of several runs together.

    Parameters
    ----------
    legs, replicates, states, outs
        One of each for every run.
    windows
        As many, or none.

    Returns
    -------
    list of LegRun
        In their order.

    Raises
    ------
    InputError
        Where they are not as many of each, or two share a folder.
    """
    counts = {"--replicate": len(replicates), "--state": len(states), "--run-out": len(outs)}
    counts |= {"--window": len(windows)} if windows else {}
    problems = [
        Problem("command line", f"{count} for {len(legs)} of --leg", "one for each", field=option)
        for option, count in counts.items()
        if count != len(legs)
    ]
    names = [out.name for out in outs]
    if not problems and len(set(names)) < len(names):
        problems.append(Problem("command line", "two runs have folders of one name", "a name each", field="--run-out"))
    if problems:
        raise InputError(problems)
    parts = zip(legs, replicates, states, outs, windows or [""] * len(legs), strict=True)
    return [LegRun(*part) for part in parts]


def sample_together(runs: Sequence[LegRun], out: Path, time_budget: str | None, result: Result) -> int:
    """Sample legs at the same time.

    Parameters
    ----------
    runs
        Which.
    out
        Folder for their logs.
    time_budget
        Of each.
    result
        Filled with the exit code of each run, and with what was done about MPS.

    Returns
    -------
    int
        Exit code of all.
    """
    legs = [read_leg_folder(run.leg) for run in runs]
    result.versions = versions(*sorted({program for leg in legs for program in engine_for(leg.md).programs}))
    if any(leg.md.platform == "CUDA" for leg in legs):
        result.figures["mps"] = str(shared_card())
    commands = {run.out.name: run.command(time_budget) for run in runs}
    codes = run_side_by_side(commands, out)
    result.figures["exit_codes"] = codes
    code = group_code(list(codes.values()))
    for run in runs:
        if codes[run.out.name] not in (EXIT_DONE, EXIT_STOPPED):
            shutil.rmtree(run.out, ignore_errors=True)  # no results; its state says why
    result.status = "finished" if code == EXIT_DONE else "partial" if code == EXIT_STOPPED else "failed"
    return code
