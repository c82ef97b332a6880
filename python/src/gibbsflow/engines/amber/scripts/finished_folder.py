"""Whether what scripts have run in a folder is whole, and of the inputs that are written for it today."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gibbsflow.engines.amber.scripts.run_scripts import START, STEPS
from gibbsflow.errors import GibbsflowError, InputError, Problem, first_few
from gibbsflow.workflow.files import sha256_file
from gibbsflow.workflow.state.sentinels import read_sentinel

BEGAN = "began"
"""File of the number of the attempt."""
_SHARED = ("topology.prmtop", "lambda.sch", "disang.rest", "cv.in")
"""In the order of ``settle`` of the scripts."""


class RunElsewhereError(InputError):
    """What was run elsewhere cannot be read: no failure of what is computed here, whose state stays as it was."""

    of_item = False


def gathered(problems: Sequence[Problem], folder: Path) -> list[Problem]:
    """Say once what is wrong with many folders alike.

    Parameters
    ----------
    problems
        Of folders that lie in one.
    folder
        The one.

    Returns
    -------
    list of Problem
        In the order of the first of each.
    """
    alike: dict[Problem, list[str]] = {}
    for one in problems:
        alike.setdefault(replace(one, where=""), []).append(one.where)
    found = []
    for problem, places in alike.items():
        names = first_few([Path(place).name for place in places], 3)
        alone = replace(problem, where=places[0])
        found.append(
            alone if len(places) == 1 else replace(problem, where=str(folder), what=f"{names}: {problem.what}")
        )
    return found


def folder_problems(folder: Path, anew: Path) -> list[Problem]:
    """Say what of a folder of runs is not done, or was not run as it is written.

    Parameters
    ----------
    folder
        Of runs, as `run-segment.bash` leaves it.
    anew
        The same folder as it is written today.

    Returns
    -------
    list of Problem
        Empty where all of it is done, of these inputs.
    """
    wanted = [path.name for path in sorted(anew.iterdir())]
    inputs = [path.name for path in folder.glob("*.in")]
    edited = [name for name in wanted if not same(folder / name, anew / name)]
    edited += sorted(set(inputs) - set(wanted))
    if edited:
        what = f"not as it was written, by hand or by another version of gibbsflow: {', '.join(edited)}"
        right = "to write and to run it again: what was run of other inputs is not of these settings"
        return [Problem(str(folder), what, right)]
    runs = [line.split()[0] for line in (folder / STEPS).read_text().splitlines()]
    done = sum((folder / f"{name}.done").exists() for name in runs)
    try:
        failed, finished = read_sentinel(folder, "FAILED"), read_sentinel(folder, "FINISHED")
    except GibbsflowError as error:
        return [Problem(str(folder), str(error), "as run-segment.bash leaves it")]
    if finished is None or done < len(runs):
        what = f"{done} of {len(runs)} runs are done" + (f", and it failed: {failed.message}" if failed else "")
        return [Problem(str(folder), what, "FINISHED; `bash run-local.bash` goes on")]
    if finished.inputs_hash != inputs_hash(folder):
        what = "FINISHED is not of these inputs: what was run is of others"
        return [Problem(str(folder), what, "`bash run-local.bash`, which runs what is written here")]
    try:
        attempts = int((folder / BEGAN).read_text())
    except (OSError, ValueError):
        attempts = 0
    if attempts < 1:
        return [Problem(str(folder / BEGAN), "no number of an attempt", "as run-segment.bash leaves it")]
    # a later attempt has inputs of its own, with a shorter time step
    of_attempt = {int(path.suffix.rpartition("-")[2]) for path in folder.glob("*.attempt-[1-9]")} or {1}
    if of_attempt != {attempts}:
        what = f"attempt {attempts}, and what was run is of attempt {', '.join(map(str, sorted(of_attempt)))}"
        return [Problem(str(folder / BEGAN), what, "as run-segment.bash leaves it")]
    return []


def same(one: Path, other: Path) -> bool:
    """Say whether two files hold the same.

    Parameters
    ----------
    one, other
        Paths.

    Returns
    -------
    bool
        False also where the first is not there.
    """
    return one.is_file() and sha256_file(one) == sha256_file(other)


def inputs_hash(folder: Path) -> str:
    """Make the hash that ``settle`` of the scripts makes of a folder's inputs.

    Parameters
    ----------
    folder
        Of runs.

    Returns
    -------
    str
        SHA-256, in hexadecimal digits.
    """
    found = [STEPS, *sorted(path.name for path in folder.glob("*.in")), START]
    found += [place + name for place in ("", "../") for name in _SHARED]
    listed = "".join(f"{sha256_file(folder / name)}  {name}\n" for name in found if (folder / name).exists())
    return hashlib.sha256(listed.encode()).hexdigest()
