"""What was run of a written equilibration: whether it is whole and of these inputs, and what its outputs hold."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
from openmm import unit
from openmm.app.internal.unitcell import computePeriodicBoxVectors
from scipy.io import netcdf_file

from gibbsflow.binding.equilibrate.equilibration import BOXES
from gibbsflow.binding.equilibrate.written.equil_files import MINIMISED, write_equil_files
from gibbsflow.binding.system import SimSystem
from gibbsflow.engines.amber.restart_file import Restart, read_restart
from gibbsflow.engines.amber.sander import potential_kcal_per_mol
from gibbsflow.engines.amber.scripts.finished_folder import BEGAN, RunElsewhereError, folder_problems
from gibbsflow.engines.amber.scripts.run_scripts import RECORD, STEPS
from gibbsflow.engines.md_engine import MdFrame
from gibbsflow.errors import EngineError, GibbsflowError, Problem
from gibbsflow.units import KJ_PER_KCAL, Floats
from gibbsflow.workflow.files import read_json

_BLOCK = re.compile(r"NSTEP =\s*(\d+)\s+TIME\(PS\) =\s*(\S+)\s+TEMP\(K\) =\s*(\S+).*?\n.*?EPtot\s*=\s*(\S+)")
_HELD = ("time", "coordinates", "cell_lengths", "cell_angles")
_WORD = r"^  {} = (\d+),"
_PROGRAM = re.compile(r"Amber\s+\S+\s+(?:SANDER|PMEMD)\b.*?\d{4}")


@dataclass(frozen=True)
class FinishedRun:
    """One run of a box: a minimisation, or a segment of MD.

    Attributes
    ----------
    folder
        Of the box.
    name
        Of its files.
    steps
        MD steps that were asked for; 0 for a minimisation.
    attempt
        Whose outputs they are, from 1.
    """

    folder: Path
    name: str
    steps: int
    attempt: int

    @property
    def output(self) -> Path:
        """What the program printed.

        Returns
        -------
        Path
            ``NAME.out``.
        """
        return self.folder / f"{self.name}.out"

    @cached_property
    def restart(self) -> Restart | None:
        """Where it ended, in double precision.

        Returns
        -------
        Restart or None
            None where the scripts keep it no more: of segments only those of the last two.

        Raises
        ------
        EngineError
            Where it is cut short, or holds what is no number.
        """
        path = self.folder / f"{self.name}.rst7"
        found = read_restart(path) if path.exists() else None
        parts = (found.positions_nm, found.velocities_nm_per_ps) if found else ()
        if not all(part is None or np.isfinite(part).all() for part in parts):
            raise EngineError(f"{path}: places or velocities that are no numbers")
        return found

    def minimised_kj_per_mol(self) -> float:
        """Read the energy that a minimisation ended with.

        Returns
        -------
        float
            kJ/mol.
        """
        return potential_kcal_per_mol(self.output.read_text(errors="replace")) * KJ_PER_KCAL

    def asked(self, word: str) -> int:
        """Read what a run was told.

        Parameters
        ----------
        word
            Of its input, such as ``nstlim``.

        Returns
        -------
        int
            Its value.
        """
        chosen = self.folder / (f"{self.name}.in" if self.attempt == 1 else f"{self.name}.attempt-{self.attempt}")
        return int(re.search(_WORD.format(word), chosen.read_text(), re.M)[1])  # type: ignore[index]

    @cached_property
    def _told(self) -> list[tuple[str, ...]]:
        """Step, time, temperature and potential energy of each frame, as they were printed."""
        text, _, _ = self.output.read_text(errors="replace").partition("A V E R A G E S")
        return [block for block in _BLOCK.findall(text) if int(block[0])]

    @cached_property
    def times_ps(self) -> Floats:
        """Read when the frames of a segment are, by what the program printed.

        Returns
        -------
        ndarray
            ps.
        """
        return np.array([time for _, time, *_ in self._told], dtype=float)

    @cached_property
    def frames(self) -> tuple[MdFrame, ...]:
        """Read the frames of a segment.

        Returns
        -------
        tuple of MdFrame
            In their order.

        Raises
        ------
        EngineError
            Where trajectory, output and restart do not tell of the same frames, all those that were asked for.
        """
        asked, every = self.asked("nstlim"), self.asked("ntwx")
        path = self.folder / f"{self.name}.nc"
        try:
            with netcdf_file(path, "r", mmap=False) as file:
                held = {name: np.array(file.variables[name][:], float) for name in _HELD if name in file.variables}
            positions_nm, times_ps = held["coordinates"] / 10, held["time"]
            if not np.isfinite(positions_nm).all():
                raise ValueError("places that are no numbers")
            lengths_nm, angles = held.get("cell_lengths"), held.get("cell_angles")
        except (OSError, LookupError, ValueError, TypeError) as error:
            raise EngineError(f"{path}: not a whole trajectory of AMBER ({error})") from error
        steps = [int(step) for step, *_ in self._told]
        if steps != list(range(every, asked + 1, every)) or len(positions_nm) != len(steps):
            told_of = f"{len(steps)} energies and {len(positions_nm)} frames"
            raise EngineError(f"{path}: {told_of}, where {asked // every} of each were asked for")
        if not _same_time(times_ps, self.times_ps):
            raise EngineError(f"{path}: its times are not those of {self.output.name}: one is of another run")
        last = self.restart
        if last and last.time_ps is not None and not _same_time(last.time_ps, times_ps[-1]):
            what = f"of {last.time_ps:g} ps, where the trajectory ends at {times_ps[-1]:g} ps"
            raise EngineError(f"{path.with_suffix('.rst7')}: {what}: one is of another run")
        boxes_nm = (
            [None] * len(steps) if lengths_nm is None or angles is None
            else [_vectors_nm(*pair) for pair in zip(lengths_nm / 10, angles, strict=True)]
        )  # fmt: skip
        try:
            return tuple(
                MdFrame(place, float(potential) * KJ_PER_KCAL, float(temperature), box)
                for (*_, temperature, potential), place, box in zip(self._told, positions_nm, boxes_nm, strict=True)
            )
        except ValueError as error:
            raise EngineError(f"{self.output}: energies that are no numbers ({error})") from error


@dataclass(frozen=True)
class FinishedBox:
    """All runs of one box.

    Attributes
    ----------
    runs
        In their order.
    failures
        Messages of the attempts before the one that went to its end.
    program
        What ran them, by its own words.
    """

    runs: tuple[FinishedRun, ...]
    failures: tuple[str, ...]
    program: str


def finished_boxes(system: SimSystem, written: Path) -> dict[str, FinishedBox]:
    """Read what was run of a written equilibration, once all of it is known to be this system's, and whole.

    Parameters
    ----------
    system
        As left by ``equil prepare``.
    written
        Folder of ``equil write``.

    Returns
    -------
    dict
        Boxes by their names in `BOXES`.

    Raises
    ------
    RunElsewhereError
        For a folder of another system or of other settings, inputs that were edited, runs that are not done, and
        outputs that are not whole: all at once.
    """
    if not (written / RECORD).is_file():
        right = "the folder that `equil write` filled, once its scripts have run it to FINISHED"
        raise RunElsewhereError(Problem(str(written), f"no {RECORD}", right, field="--written"))
    with tempfile.TemporaryDirectory(prefix="equil_") as scratch:
        anew = Path(scratch) / "written"
        record = write_equil_files(system, anew)
        try:
            found = dict(read_json(written / RECORD))
        except (GibbsflowError, TypeError, ValueError) as error:
            right = "as `equil write` leaves it"
            raise RunElsewhereError(Problem(str(written / RECORD), str(error), right, field="--written")) from error
        if odd := [
            f"{key} is {found.get(key)!r}, here {value!r}" for key, value in record.items() if found.get(key) != value
        ]:
            what = f"written for another system, or with other settings: {'; '.join(odd)}"
            raise RunElsewhereError(
                Problem(str(written), what, "the folder that was written for this one", field="--written")
            )
        names = [name for name in BOXES if name in record["boxes"]]
        if problems := [problem for name in names for problem in folder_problems(written / name, anew / name)]:
            raise RunElsewhereError(problems)
    boxes = {name: _box(written / name) for name in names}
    if problems := [
        Problem(str(written / name), str(fault), "to run it again")
        for name, box in boxes.items()
        for fault in _faults(box)
    ]:
        raise RunElsewhereError(problems)
    return boxes


def _box(folder: Path) -> FinishedBox:
    attempt = int((folder / BEGAN).read_text())
    lines = [line.split() for line in (folder / STEPS).read_text().splitlines()]
    runs = tuple(FinishedRun(folder, name, int(steps), attempt) for name, steps, *_ in lines)
    said = _PROGRAM.search(runs[-1].output.read_text(errors="replace")) if runs[-1].output.exists() else None
    failures = tuple(f"attempt {number} of the run elsewhere failed" for number in range(1, attempt))
    return FinishedBox(runs, failures, " ".join(said[0].split()) if said else "not told")


def _faults(box: FinishedBox) -> Iterator[Exception]:
    """What of the outputs cannot be read, is of another number of atoms, or of another run."""
    try:
        first = box.runs[0].restart
    except EngineError as error:
        yield error
        return
    if first is None:
        yield EngineError(f"{MINIMISED}.rst7 is missing: where heavy atoms were held, and isomers are looked for")
        return
    before_ps = 0.0
    for run in box.runs:
        try:
            if not run.steps:
                run.minimised_kj_per_mol()
                continue
            if {len(frame.positions_nm) for frame in run.frames} != {len(first.positions_nm)}:
                yield EngineError(f"{run.name}.nc has another number of atoms than {MINIMISED}.rst7")
            if run.asked("irest") and run.times_ps[0] <= before_ps:
                what = f"begins at {run.times_ps[0]:g} ps, and the run before ended at {before_ps:g} ps"
                yield EngineError(f"{run.name}.out {what}: one is of another run")
            before_ps = run.times_ps[-1]
        except (OSError, GibbsflowError) as error:
            yield error
    try:
        last = box.runs[-1].restart
    except EngineError:  # told above, with its frames
        return
    if last is None or last.velocities_nm_per_ps is None:
        yield EngineError(f"{box.runs[-1].name}.rst7 is missing, or has no velocities")


def _same_time(one_ps: npt.ArrayLike, other_ps: npt.ArrayLike) -> bool:
    """Say so of times in single precision, and of times with three decimals."""
    return np.shape(one_ps) == np.shape(other_ps) and np.allclose(one_ps, other_ps, rtol=1e-6, atol=2e-3)


def _vectors_nm(lengths_nm: np.ndarray, angles: np.ndarray) -> np.ndarray:
    found = computePeriodicBoxVectors(*lengths_nm, *np.radians(angles))
    return np.array(found.value_in_unit(unit.nanometer), dtype=float)
