"""How far the calculations below a state folder are, read from what they keep there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gibbsflow.errors import InputError, Problem
from gibbsflow.workflow import sentinels
from gibbsflow.workflow.files import read_json
from gibbsflow.workflow.locks import is_held
from gibbsflow.workflow.resumable import INPUTS, PROGRESS

COLUMNS = ("item", "status", "steps_done", "steps", "done_ns", "total_ns", "ns_per_day", "cause")


def read_status(folder: Path) -> list[dict[str, Any]]:
    """Read the state of every calculation below a folder.

    Parameters
    ----------
    folder
        State folder, of one item or of many.

    Returns
    -------
    list of dict
        `COLUMNS` of each, sorted by item. ``status`` is finished, failed, running, stopped (state saved, nobody at
        work) or waiting (nothing done yet); ns are summed over the windows that run together.

    Raises
    ------
    InputError
        Where there is no such folder.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(Problem(str(folder), "no such folder", "a state folder"))
    marks = (INPUTS, *sentinels.NAMES)
    homes = sorted({path.parent for mark in marks for path in folder.rglob(mark)})
    kept = [home for home in homes if not any(part.startswith("superseded-") for part in home.parts)]
    return [_row(home, folder) for home in kept]


def _row(home: Path, root: Path) -> dict[str, Any]:
    inputs: Mapping[str, Any] = read_json(home / INPUTS) if (home / INPUTS).exists() else {}
    progress: Mapping[str, Any] = read_json(home / PROGRESS) if (home / PROGRESS).exists() else {}
    failed, finished = sentinels.read(home, "FAILED"), sentinels.read(home, "FINISHED")
    steps_done, steps = progress.get("steps_done", 0), progress.get("steps", 0)
    if finished is not None:
        status = "finished"
    elif is_held(home):
        status = "running"
    elif failed is not None:
        status = "failed"
    else:
        status = "stopped" if steps_done else "waiting"
    ns_per_step = inputs.get("described", {}).get("setting timestep_fs", 0.0) * 1e-6
    engine_s = progress.get("engine_s", 0.0)
    return {
        "item": home.relative_to(root).as_posix(),
        "status": status,
        "steps_done": steps_done,
        "steps": steps,
        "done_ns": round(steps_done * ns_per_step, 6),
        "total_ns": round(steps * ns_per_step, 6),
        "ns_per_day": round(steps_done * ns_per_step / engine_s * 86400, 1) if engine_s else None,
        "cause": f"{failed.cause}: {failed.message}" if failed is not None else "",
    }


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Lay rows of :func:`read_status` out for a terminal."""
    if not rows:
        return "nothing has been run here"
    cells = [[str("" if row[c] is None else row[c]) for c in COLUMNS] for row in rows]
    widths = [max(len(c), *(len(line[i]) for line in cells)) for i, c in enumerate(COLUMNS)]
    lines = [list(COLUMNS), *cells]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines)
