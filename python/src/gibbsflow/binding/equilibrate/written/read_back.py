"""A written equilibration that was run elsewhere becomes the state of ``equil run``, as if it had been run here.

Its runs are replayed through ``equil run`` itself, so that each check of an equilibration is made of them too, and the
campaign goes on from a state that knows no difference.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from gibbsflow.binding.equilibrate.equilibration import BOXES, RUN_ELSEWHERE, equilibrate
from gibbsflow.binding.equilibrate.written.finished_run import FinishedBox, FinishedRun, finished_boxes
from gibbsflow.binding.facts import SettingsFacts
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import Md
from gibbsflow.engines.amber.amber_engine import AmberEngine
from gibbsflow.engines.amber.scripts.finished_folder import RunElsewhereError
from gibbsflow.engines.md_engine import Apart, Hold, MdFrame
from gibbsflow.engines.md_engines import EQUILIBRATES
from gibbsflow.errors import NumericalError, Problem
from gibbsflow.units import Floats
from gibbsflow.workflow.files import write_json
from gibbsflow.workflow.result import Result
from gibbsflow.workflow.state.locks import folder_lock
from gibbsflow.workflow.state.segments import Stopper
from gibbsflow.workflow.state.state_folder import INPUTS, LOCK


class FailedElsewhereError(NumericalError):
    """An attempt that failed where it was run: the next one is looked at."""


def read_back(system: SimSystem, written: Path, state: Path, stopper: Stopper) -> None:
    """Make the state of ``equil run`` from a written equilibration that has run to its end.

    Parameters
    ----------
    system
        As left by ``equil prepare``.
    written
        Folder of ``equil write``, run by its scripts.
    state
        State folder; there once all was read, and not before.
    stopper
        Heeded between segments, to no state.

    Raises
    ------
    RunElsewhereError
        For a campaign of another engine, a state that is there already, and what `finished_boxes` refuses.
    ScienceError
        For what ``equil run`` finds in frames of its own: other isomers, pierced rings, a box that fails.
    """
    md = system.facts(SettingsFacts).md
    if md.engine != EQUILIBRATES:
        what = f"a campaign of engine {md.engine}, whose frames are not mixed with those of AMBER's programs"
        raise RunElsewhereError(
            Problem(str(system.root), what, "engine: amber in the settings of equil prepare", field="engine")
        )
    if any((path.parent / INPUTS).exists() for path in (*state.glob("segment-*"), *state.glob("*/segment-*"))):
        what = "holds an equilibration already"
        right = "`equil run` without --written, which goes on from it or writes its results again; or another folder"
        raise RunElsewhereError(Problem(str(state), what, right, field="--state"))
    boxes = finished_boxes(system, written)
    scratch = state.parent / f".{state.name}.reading"
    shutil.rmtree(scratch, ignore_errors=True)  # left by a call that was killed
    try:
        _replay(system, boxes, scratch, stopper)
        for name, box in boxes.items():
            told = {"program": box.program, "run_elsewhere": str(written.resolve())}
            write_json(_state(scratch, name) / RUN_ELSEWHERE, told)
        with folder_lock(state):
            _moved(scratch / "state", state)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _state(scratch: Path, name: str) -> Path:
    return scratch / "state" if name == "complex" else scratch / "state" / name


def _moved(made: Path, state: Path) -> None:
    """Move all files, last those by which a state counts: a move that was cut leaves none."""
    files = [path for path in made.rglob("*") if path.is_file() and path.name != LOCK]
    for path in sorted(files, key=lambda path: (path.name == INPUTS, path)):
        target = state / path.relative_to(made)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)


def _replay(system: SimSystem, boxes: dict[str, FinishedBox], scratch: Path, stopper: Stopper) -> None:
    engine = _Replay({system.path(f"{BOXES[name][0]}_prmtop"): _Reel.of(box) for name, box in boxes.items()})
    while True:
        try:
            equilibrate(system, scratch / "state", scratch / "out", stopper, Result(), engine)
            return
        except FailedElsewhereError:  # in the state's record now; the next attempt has half the time step, as there
            continue


@dataclass
class _Reel:
    """What of a box is still to be played."""

    runs: Iterator[FinishedRun]
    failures: list[str]

    @classmethod
    def of(cls, box: FinishedBox) -> _Reel:
        return cls(iter(box.runs), list(box.failures))


@dataclass
class _Played:
    """Stands for a simulation: what it is told to do was done elsewhere; see `md_engine.Simulation`."""

    reel: _Reel
    run_now: FinishedRun = field(init=False)
    shown: int = 0

    def __post_init__(self) -> None:
        self.run_now = next(self.reel.runs)
        self.atoms = len(self.positions_nm())

    def place(
        self, positions_nm: Floats, velocities_nm_per_ps: Floats | None = None, box_nm: Floats | None = None
    ) -> None: ...

    def draw_velocities(self, temperature_k: float, seed: int) -> None: ...

    def set_temperature(self, temperature_k: float) -> None: ...

    def potential_kj_per_mol(self) -> float:
        return self.run_now.frames[self.shown - 1].potential_kj_per_mol

    def minimise(self, max_steps: int, check: Callable[[], None]) -> float:
        check()
        return self.run_now.minimised_kj_per_mol()

    def run(self, steps: int, tick: Callable[[int], None]) -> None:
        if not self.run_now.steps:  # a stage that begins with a minimisation
            self.run_now = next(self.reel.runs)
        tick(steps)

    def frame(self) -> MdFrame:
        self.shown += 1
        return self.run_now.frames[self.shown - 1]

    def positions_nm(self) -> Floats:
        restart = self.run_now.restart
        return self.run_now.frames[-1].positions_nm if restart is None else restart.positions_nm

    def velocities_nm_per_ps(self) -> Floats:
        restart = self.run_now.restart
        if restart is None or restart.velocities_nm_per_ps is None:  # kept of the last two segments alone
            return np.full((self.atoms, 3), np.nan)
        return restart.velocities_nm_per_ps


class _Replay(AmberEngine):
    """Makes what stands for simulations, in the order in which they were run."""

    def __init__(self, reels: dict[Path, _Reel]) -> None:
        self._reels = reels

    def system(  # type: ignore[override]
        self,
        topology: Path,
        md: Md,
        hold: Hold | None = None,
        *,
        constant_pressure: bool = False,
        membrane: bool = False,
        apart: Sequence[Apart] = (),
    ) -> _Reel:
        return self._reels[topology]

    def simulation(self, system: _Reel, md: Md, seed: int) -> _Played:  # type: ignore[override]
        if system.failures:
            raise FailedElsewhereError(system.failures.pop(0))
        return _Played(system)
