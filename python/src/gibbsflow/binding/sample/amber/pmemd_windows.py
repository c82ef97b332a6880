"""Windows of a leg that AMBER's pmemd.cuda runs: files and scripts of `leg_files`, a segment a call, and their outputs.

State, sentinels, attempts and what is gone on with are those of the scripts, which hold to the rules of gibbsflow's own
runs; here they are called, stopped, and their words become errors.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from alchemlyb.parsing import amber

from gibbsflow.binding.alchemy.alchemical_leg import AlchemicalLeg
from gibbsflow.binding.sample.amber.leg_files import write_leg_files
from gibbsflow.binding.sample.amber.window_input import segment_name, segments, steps_of
from gibbsflow.engines.amber.choice import PMEMD, pmemd_fault
from gibbsflow.engines.amber.scripts.finished_folder import RunElsewhereError, folder_problems, gathered, same
from gibbsflow.engines.amber.scripts.run_scripts import RECORD
from gibbsflow.engines.process import end_tree, end_with_parent, find_program, last_line
from gibbsflow.errors import (
    EngineError,
    InputError,
    LockedError,
    MachineError,
    MissingProgramError,
    NumericalError,
    Problem,
    StoppedEarly,
    StorageError,
)
from gibbsflow.units import Floats
from gibbsflow.workflow.state.segments import Stopper
from gibbsflow.workflow.state.sentinels import read_sentinel
from gibbsflow.workflow.state.state_folder import window_folder

_POLL_S = 0.05
_OVERLAP_U = 1e8
"""Reduced energy of a configuration in a state where atoms lie on each other: AMBER writes asterisks."""
_SAME_LAMBDA = 0.6e-4
"""λ is written with four decimals."""
_BUSY = "another run holds it"


class PmemdWindows:
    """The windows of a leg and replicate, run by pmemd.cuda.

    Parameters
    ----------
    leg
        The leg.
    replicate
        Number of the repeat, from 0.
    state
        State folder, with a folder for each window; or the folder of `fe write`, once it was run elsewhere.
    windows
        Those that are asked for; none for all.

    Raises
    ------
    MissingProgramError
        Without pmemd.cuda, where it would have to run.
    InputError
        For what it cannot do, and without pmemd.cuda for windows that are not done or not as they were written.
    """

    def __init__(self, leg: AlchemicalLeg, replicate: int, state: Path, windows: Sequence[int] = ()) -> None:
        if leg.fe.sampler == "exchange":
            what = "windows that exchange: whose walker is where is not read of pmemd"
            right = "sampler independent; `fe write` makes group files of windows that exchange"
            raise InputError(Problem(str(leg.folder), what, right, field="sampler"))
        self._leg, self._state = leg, Path(state)
        self._program = PMEMD
        if fault := pmemd_fault():
            self.record = self._run_elsewhere(replicate, windows or range(len(leg.states)), fault)
            return
        self._state.mkdir(parents=True, exist_ok=True)
        with open(self._state / ".inputs.lock", "a") as file:  # tasks of other windows write the same files
            fcntl.flock(file, fcntl.LOCK_EX)
            self.record = write_leg_files(leg, replicate, self._state, anew=True)
        self._program = find_program(PMEMD)

    def _run_elsewhere(self, replicate: int, windows: Sequence[int], fault: str) -> dict[str, Any]:
        """The record of a written folder whose windows are done: without pmemd nothing is written there."""
        known = self._state / RECORD
        if not known.is_file():
            right = (
                "pmemd.cuda, or engine openmm or gromacs; or as --state a folder of `fe write` that was run elsewhere"
            )
            raise MissingProgramError(f"engine: amber: {fault}; right: {right}")
        with tempfile.TemporaryDirectory(prefix="leg_") as scratch:
            anew = Path(scratch) / "written"
            record = write_leg_files(self._leg, replicate, anew)
            if not same(known, anew / RECORD):
                what, right = "written for another leg, replicate or other settings", "the folder of this one"
                raise RunElsewhereError(Problem(str(self._state), what, right, field="--state"))
            shared = [
                Problem(str(self._state / path.name), "not as it was written", "to write and to run it again")
                for path in (*anew.glob("*.rest"), *anew.glob("cv.in"), *anew.glob("*.prmtop"))
                if not same(self._state / path.name, path)
            ]
            folders = [window_folder(window) for window in windows]
            of_windows = [one for name in folders for one in folder_problems(self._state / name, anew / name)]
            problems = shared + gathered(of_windows, self._state)
            if problems:
                raise RunElsewhereError(problems, what_to_do=f"Run what is left where pmemd.cuda is: here {fault}.")
        return record

    def run(self, window: int, stopper: Stopper) -> Floats:
        """Run a window to its end, or go on with it.

        Parameters
        ----------
        window
            Its number.
        stopper
            Decides when to stop.

        Returns
        -------
        ndarray
            Reduced potentials of its samples in all states, shape (n, K), dimensionless, the term pV left out.

        Raises
        ------
        StoppedEarly
            With all whole segments kept.
        NumericalError
            Where the science failed; the next call is another attempt.
        """
        folder = self._state / window_folder(window)
        while not self._finished(folder):
            if (why := stopper.reason()) is not None:
                raise StoppedEarly(why)
            began = time.monotonic()
            self._segment(folder, stopper)
            stopper.segments_done += 1
            stopper.longest_segment_s = max(stopper.longest_segment_s, time.monotonic() - began)
        return self._energies(folder)

    def attempt(self, window: int) -> int:
        """Say which attempt a window's state is of.

        Parameters
        ----------
        window
            Its number.

        Returns
        -------
        int
            From 1.
        """
        return int((self._state / window_folder(window) / "began").read_text())

    def _finished(self, folder: Path) -> bool:
        """Whether its sentinel holds for the inputs that lie there, which is for the script to say."""
        if not (folder / "FINISHED").exists():
            return False
        self._call(folder, lambda: None)
        return (folder / "FINISHED").exists()

    def _segment(self, folder: Path, stopper: Stopper) -> None:
        self._call(folder, stopper.check)

    def _call(self, folder: Path, check: Callable[[], None]) -> None:
        words = ["bash", "run-segment.bash", folder.name]
        with open(folder / "run.log", "w+", errors="replace") as output:
            process = subprocess.Popen(
                words, cwd=self._state, env=os.environ | {"AMBER_PROGRAM": self._program},
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, preexec_fn=end_with_parent,
            )  # fmt: skip
            try:
                while process.poll() is None:
                    check()
                    time.sleep(_POLL_S)
            finally:
                end_tree(process)
            check()
            output.seek(0)
            told = last_line(output.read())
        if process.returncode:
            self._raise(process.returncode, told, folder)

    @staticmethod
    def _raise(code: int, told: str, folder: Path) -> None:
        failed = read_sentinel(folder, "FAILED")
        if code == NumericalError.exit_code and failed is not None:
            raise NumericalError(failed.message)
        if code == StoppedEarly.exit_code:
            raise LockedError(f"{folder}: {told}") if _BUSY in told else StoppedEarly(told)
        for kind in (StorageError, MachineError):
            if code == kind.exit_code:
                raise kind(told)
        raise EngineError(f"{folder}: run-segment.bash ended with code {code}: {told}", code=code)

    def _energies(self, folder: Path) -> Floats:
        plan, own = self._leg.sampling, int(folder.name.rpartition("_")[2])
        parts, before_ps = [], -np.inf
        for number in range(segments(plan)):
            path = folder / f"{segment_name(number)}.out"
            try:
                u_nk = amber.extract(str(path), self._leg.md.temperature_k)["u_nk"]
            except (OSError, ValueError, TypeError, LookupError) as error:
                raise EngineError(f"{path}: not the output of pmemd ({error})") from error
            wanted = (steps_of(plan, number) // plan.steps_per_sample, len(self._leg.states))
            if u_nk is None or u_nk.shape != wanted:
                found = "none" if u_nk is None else f"{u_nk.shape[0]} in {u_nk.shape[1]} states"
                raise EngineError(f"{path}: MBAR energies: {found}, not {wanted[0]} in {wanted[1]}")
            times_ps, lambdas = (u_nk.index.get_level_values(k).to_numpy(dtype=float) for k in (0, 1))
            clambda = self.record["clambda"][own]
            if np.abs(lambdas - clambda).max() > _SAME_LAMBDA:
                raise EngineError(f"{path}: clambda is {lambdas[0]:g}, {clambda:.4f} in its window: of another one")
            if times_ps[0] <= before_ps:
                raise EngineError(f"{path}: begins at {times_ps[0]:g} ps, the run before ended at {before_ps:g} ps")
            before_ps = times_ps[-1]
            parts.append(u_nk.to_numpy(dtype=float)[:, np.argsort([float(name) for name in u_nk.columns])])
        u = np.concatenate(parts)
        if not np.isfinite(u[:, own]).all():
            raise NumericalError(f"{folder}: the energy in the window's own state is no number")
        return np.nan_to_num(u, nan=_OVERLAP_U, posinf=_OVERLAP_U, neginf=_OVERLAP_U).clip(max=_OVERLAP_U)
