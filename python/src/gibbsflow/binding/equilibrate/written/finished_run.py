"""What was run of a written equilibration: whether it is whole and of these inputs, and what its outputs hold."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from openmm import unit
from openmm.app.internal.unitcell import computePeriodicBoxVectors
from scipy.io import netcdf_file

from gibbsflow.binding.equilibrate.equilibration import BOXES
from gibbsflow.binding.equilibrate.written.equil_files import MINIMISED, write_equil_files
from gibbsflow.binding.system import SimSystem
from gibbsflow.engines.amber.restart_file import Restart, read_restart
from gibbsflow.engines.amber.sander import potential_kcal_per_mol
from gibbsflow.engines.amber.scripts.finished_folder import RunElsewhereError, folder_problems
from gibbsflow.engines.amber.scripts.run_scripts import RECORD, STEPS
from gibbsflow.engines.md_engine import MdFrame
from gibbsflow.errors import EngineError, GibbsflowError, Problem
from gibbsflow.units import KJ_PER_KCAL
from gibbsflow.workflow.files import read_json

_BLOCK = re.compile(r"NSTEP =\s*(\d+).*?TEMP\(K\) =\s*(\S+).*?\n.*?EPtot\s*=\s*(\S+)")
_HELD = ("coordinates", "cell_lengths", "cell_angles")
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
        """
        path = self.folder / f"{self.name}.rst7"
        return read_restart(path) if path.exists() else None

    def minimised_kj_per_mol(self) -> float:
        """Read the energy that a minimisation ended with.

        Returns
        -------
        float
            kJ/mol.
        """
        return potential_kcal_per_mol(self.output.read_text(errors="replace")) * KJ_PER_KCAL

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
            Where trajectory and output do not tell of the same frames, all those that were asked for.
        """
        chosen = self.folder / (f"{self.name}.in" if self.attempt == 1 else f"{self.name}.attempt-{self.attempt}")
        text = chosen.read_text()
        asked, every = (int(re.search(_WORD.format(word), text, re.M)[1]) for word in ("nstlim", "ntwx"))  # type: ignore[index]
        told, _, _ = self.output.read_text(errors="replace").partition("A V E R A G E S")
        blocks = [(step, *values) for step, *values in _BLOCK.findall(told) if int(step)]
        path = self.folder / f"{self.name}.nc"
        try:
            with netcdf_file(path, "r", mmap=False) as file:
                held = {name: np.array(file.variables[name][:], float) for name in _HELD if name in file.variables}
            positions_nm = held["coordinates"] / 10
            lengths_nm, angles = held.get("cell_lengths"), held.get("cell_angles")
        except (OSError, KeyError, ValueError, TypeError) as error:
            raise EngineError(f"{path}: not a whole trajectory of AMBER ({error})") from error
        steps = [int(step) for step, *_ in blocks]
        if steps != list(range(every, asked + 1, every)) or len(positions_nm) != len(steps):
            told_of = f"{len(steps)} energies and {len(positions_nm)} frames"
            raise EngineError(f"{path}: {told_of}, where {asked // every} of each were asked for")
        boxes_nm = (
            [None] * len(steps) if lengths_nm is None or angles is None
            else [_vectors_nm(*pair) for pair in zip(lengths_nm / 10, angles, strict=True)]
        )  # fmt: skip
        try:
            return tuple(
                MdFrame(place, float(potential) * KJ_PER_KCAL, float(temperature), box)
                for (_, temperature, potential), place, box in zip(blocks, positions_nm, boxes_nm, strict=True)
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
        found = read_json(written / RECORD)
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
        Problem(str(written / name), str(fault)) for name, box in boxes.items() for fault in _faults(box, system, name)
    ]:
        raise RunElsewhereError(problems)
    return boxes


def _box(folder: Path) -> FinishedBox:
    attempt = int((folder / "began").read_text())
    lines = [line.split() for line in (folder / STEPS).read_text().splitlines()]
    runs = tuple(FinishedRun(folder, name, int(steps), attempt) for name, steps, *_ in lines)
    said = _PROGRAM.search(runs[-1].output.read_text(errors="replace")) if runs[-1].output.exists() else None
    failures = tuple(f"attempt {number} of the run elsewhere failed" for number in range(1, attempt))
    return FinishedBox(runs, failures, " ".join(said[0].split()) if said else "not told")


def _faults(box: FinishedBox, system: SimSystem, name: str) -> Iterator[Exception]:
    """What of the outputs cannot be read, or is of another number of atoms."""
    first = read_restart(box.runs[0].folder / f"{MINIMISED}.rst7") if box.runs[0].restart is not None else None
    if first is None:
        yield EngineError(f"{MINIMISED}.rst7 is missing: where heavy atoms were held, and isomers are looked for")
        return
    for run in box.runs:
        try:
            if not run.steps:
                run.minimised_kj_per_mol()
            elif {len(frame.positions_nm) for frame in run.frames} != {len(first.positions_nm)}:
                yield EngineError(f"{run.name}.nc has another number of atoms than {MINIMISED}.rst7")
        except (OSError, GibbsflowError) as error:
            yield error
    if box.runs[-1].restart is None or box.runs[-1].restart.velocities_nm_per_ps is None:
        yield EngineError(f"{box.runs[-1].name}.rst7 is missing, or has no velocities")


def _vectors_nm(lengths_nm: np.ndarray, angles: np.ndarray) -> np.ndarray:
    found = computePeriodicBoxVectors(*lengths_nm, *np.radians(angles))
    return np.array(found.value_in_unit(unit.nanometer), dtype=float)
