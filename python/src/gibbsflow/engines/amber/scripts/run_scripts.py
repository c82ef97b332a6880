"""A folder of AMBER inputs with the scripts that run them: bash alone, where this Python is not.

Each folder of runs has a file ``steps``, a line for each run in its order; ``steps.bash`` says what the scripts make of
it. The rules are those of gibbsflow's own runs: one segment a call, ``FINISHED`` for the full length alone, ``FAILED``
and another attempt with half the time step, three in all (`binding.retries`), and state of other inputs set aside.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from gibbsflow.errors import InputError, Problem
from gibbsflow.workflow.files import atomic_open, write_json

STEPS, START, RECORD = "steps", "start.inpcrd", "amber.json"
_ALWAYS = ("steps.bash", "run-local.bash", "run-slurm.bash")
_ON_A_CARD = "#SBATCH --gres=gpu:1\n"


@dataclass(frozen=True)
class Step:
    """One run of the program.

    Attributes
    ----------
    name
        Of its files; its input is ``name.in``.
    steps
        MD steps; 0 for a minimisation.
    options
        Of the program, beside input, start and outputs.
    """

    name: str
    steps: int
    options: str


def begin_folder(out: Path, record: Mapping[str, Any], *, anew: bool = False) -> None:
    """Write the record of a folder first, so that what a killed run leaves of it is known.

    Parameters
    ----------
    out
        The folder.
    record
        What is written into it, its hash among that.
    anew
        Whether inputs of something else that lie there are removed: what was run of them is set aside by the scripts,
        which see by their hash that they are others.

    Raises
    ------
    InputError
        Where something else lies in it, unless `anew`.
    """
    known = out / RECORD
    if known.exists():
        other = known.read_text() != json.dumps(record, indent=2) + "\n"
    else:
        other = any(out.glob(f"*/{STEPS}")) or any(out.glob("*.prmtop"))
    if other and anew:
        for pattern in ("*.in", f"*/{STEPS}", "*/*.in", "groupfile-*"):
            for path in out.glob(pattern):
                path.unlink()
    elif other:
        what = "holds what was written for something else, or with other settings"
        raise InputError(Problem(str(out), what, "a folder of its own for each", field="--out"))
    write_json(known, record)


def steps_text(steps: Sequence[Step]) -> str:
    """Write a file ``steps``.

    Parameters
    ----------
    steps
        In their order; each starts from the restart of the one before, the first from ``start.inpcrd``.

    Returns
    -------
    str
        A line each.
    """
    return "".join(f"{step.name} {step.steps} {step.options}\n" for step in steps)


def group_steps_text(steps: Sequence[int]) -> str:
    """Write the file ``steps`` of windows that exchange: a line for each segment of all of them.

    Parameters
    ----------
    steps
        MD steps of a window in each segment.

    Returns
    -------
    str
        A line each; what programs are told stands in the group files.
    """
    return steps_text([Step(f"md-{number:03d}", count, "-") for number, count in enumerate(steps, start=1)])


def write_run_scripts(out: Path, program: str, folders: Sequence[str], *, exchange: bool = False) -> None:
    """Write the scripts that run what lies in folders.

    Parameters
    ----------
    out
        Where the folders are.
    program
        Of AMBER; a user may name another one.
    folders
        Their names.
    exchange
        Whether they are windows that exchange λ, and are run together.
    """
    for name in (*_ALWAYS, "run-exchange.bash" if exchange else "run-segment.bash"):
        text = (resources.files(__package__) / name).read_text()
        write_text(out / name, text.replace(_ON_A_CARD, "") if "cuda" not in program else text)
    write_text(out / "program", f"{program}\n")
    if not exchange:
        write_text(out / "folders", "".join(f"{name}\n" for name in folders))


def write_text(path: Path, text: str) -> None:
    """Write a file, whole or not at all.

    Parameters
    ----------
    path
        The file; its folder is made.
    text
        Its content.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_open(path, "w") as file:
        file.write(text)
