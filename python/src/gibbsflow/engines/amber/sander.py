"""Runs of ``sander``: started in a folder, watched, and its words understood."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

from gibbsflow.engines.process import end_tree, end_with_parent, find_program, last_line
from gibbsflow.errors import EngineError, MachineError, MissingProgramError, NumericalError

SANDER = "sander"
_POLL_S = 0.02
_CANNOT_START = (126, 127)
"""Codes of what was found and could not be loaded: shells', and that of the loader where a library is missing."""
_ENERGY = re.compile(r"([A-Z1][-A-Z0-9 ]*?)\s*=\s*(-?\d+\.\d+|\*+|NaN|-?Infinity)", re.I)
_TEMPERATURE = re.compile(r"NSTEP\s*=\s*(\d+)\s.*?TEMP\(K\)\s*=\s*(\S+)")
_FLEW_APART = (
    ("vlimit exceeded", "an atom is faster than sander allows (vlimit)"),
    ("Coordinate resetting", "SHAKE cannot hold the bonds to hydrogen (Coordinate resetting cannot be accomplished)"),
    ("bond lengths for shake", "SHAKE cannot hold the bonds to hydrogen"),
)
_BOX_CHANGED = (
    "Cutoff list exceeds largest sphere",
    "dimensions have changed too much",
    "volume of ucell too big",
    "list grid memory needs to be reallocated",
)
_NO_PARTS = ("EAMBER", "NSTEP", "ENERGY")


def sander_fault() -> str:
    """Say why ``sander`` cannot be used here: it is started once, so that what cannot run is known before anything has.

    Returns
    -------
    str
        In words, with its path; empty where it can.
    """
    try:
        return _fault(find_program(SANDER))
    except MissingProgramError as error:
        # what a search passes over: there, and not executable
        seen = shutil.which(SANDER, mode=os.F_OK)
        return str(error) if seen is None else f"{seen} is not executable"


@cache
def _fault(program: str) -> str:
    try:
        done = subprocess.run(
            [program, "--version"], capture_output=True, text=True, errors="replace", timeout=60, check=False
        )
    except subprocess.TimeoutExpired:
        return f"{program} --version has not ended after a minute"
    except OSError as error:  # of another architecture, or no program at all
        return f"{program} cannot be started: {error.strerror}"
    if done.returncode:
        told = last_line(done.stderr + done.stdout)
        return f"{program} cannot be started: it ends with code {done.returncode}, {told}"
    return ""


class BoxChangedError(EngineError):
    """The box is no longer the one that ``sander`` set up its grid for: it goes on from a restart only."""


def run_sander(
    folder: Path, text: str, start: Path, check: Callable[[], None], *, topology: str, reference: str | None = None
) -> str:
    """Run ``sander`` to its end, in a folder; it leaves ``md.rst7`` there.

    Parameters
    ----------
    folder
        To work in.
    text
        Its input.
    start
        Restart file to begin from.
    check
        Called many times a second; what it raises ends the run.
    topology
        Name of the topology in `folder`.
    reference
        Name of the restart file with the places that atoms are held at; None where none are.

    Returns
    -------
    str
        What it wrote: ``md.out``.

    Raises
    ------
    NumericalError
        Where atoms flew apart.
    BoxChangedError
        Where it must be started anew for the box that there is now.
    EngineError
        For any other failure, with its last words.
    MachineError
        Where it cannot be started.
    """
    (folder / "md.in").write_text(text)
    for left in ("md.out", "md.rst7"):
        (folder / left).unlink(missing_ok=True)
    words = [find_program(SANDER), "-O", "-i", "md.in", "-p", topology, "-c", str(start), "-o", "md.out"]
    words += ["-r", "md.rst7", "-inf", "md.info", *(() if reference is None else ("-ref", reference))]
    with open(folder / "sander.out", "wb") as output:
        try:
            process = subprocess.Popen(
                words, cwd=folder, env={**os.environ, "OMP_NUM_THREADS": "1"}, stdin=subprocess.DEVNULL,
                stdout=output, stderr=subprocess.STDOUT, preexec_fn=end_with_parent,
            )  # fmt: skip
        except OSError as error:
            raise MachineError(f"{words[0]} cannot be started: {error.strerror}") from error
        try:
            while process.poll() is None:
                check()
                time.sleep(_POLL_S)
        finally:
            end_tree(process)
    check()  # a signal to the whole group has ended it and is noted here
    out = folder / "md.out"
    told = out.read_text(errors="replace") if out.exists() else ""
    _require_good(told, (folder / "sander.out").read_text(errors="replace"), process.returncode)
    return told


def _require_good(told: str, printed: str, code: int) -> None:
    """Raise what the run's words mean."""
    if code in _CANNOT_START and not told:
        raise MachineError(f"sander cannot be started (code {code}): {last_line(printed)}")
    if code < 0:
        raise EngineError(f"sander was ended by {signal.Signals(-code).name}", code=code)
    everything = f"{told}\n{printed}"
    for words, meaning in _FLEW_APART:
        if words.lower() in everything.lower():
            raise NumericalError(f"sander: {meaning}")
    if any(words in everything for words in _BOX_CHANGED):
        raise BoxChangedError("sander: the box has changed too much since the run began", code=code)
    if code or "Run   done at" not in told:
        raise EngineError(f"sander failed: {_last_words(printed) or _last_words(told)}", code=code)


def _last_words(text: str) -> str:
    """The last three lines that say something; those that begin with a bar are of no account."""
    lines = [line.strip() for line in text.splitlines()]
    return "; ".join([line for line in lines if line.strip("-* ") and not line.startswith("|")][-3:])


def temperature_k(told: str, steps: int) -> float:
    """Read the temperature of the last step.

    Parameters
    ----------
    told
        ``md.out``.
    steps
        Which one that is.

    Returns
    -------
    float
        K.

    Raises
    ------
    NumericalError
        Where it is not finite.
    EngineError
        Where the run has not come to that step.
    """
    for step, value in _TEMPERATURE.findall(told):
        if int(step) == steps:
            if not re.fullmatch(r"\d+\.\d+", value):
                raise NumericalError(f"sander: temperature at step {steps} is {value}")
            return float(value)
    raise EngineError(f"sander: no step {steps} in its output")


def potential_kcal_per_mol(told: str) -> float:
    """Add up the terms of the energy that a minimisation ends with: more digits than their sum is written in.

    Parameters
    ----------
    told
        ``md.out``.

    Returns
    -------
    float
        kcal/mol, restraints included.

    Raises
    ------
    NumericalError
        Where a term is not finite, or too large to be written.
    EngineError
        Where there is none.
    """
    _, _, last = told.rpartition("FINAL RESULTS")
    parts = {name.strip(): value for name, value in _ENERGY.findall(last.partition("TIMINGS")[0])}
    parts = {name: value for name, value in parts.items() if name not in _NO_PARTS}
    if "BOND" not in parts:
        raise EngineError("sander: no final energy in its output")
    if wrong := [name for name, value in parts.items() if not re.fullmatch(r"-?\d+\.\d+", value)]:
        raise NumericalError(f"sander: energies that are not numbers or too large: {', '.join(wrong)}")
    return sum(float(value) for value in parts.values())
