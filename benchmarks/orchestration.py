#!/usr/bin/env python3
"""How much of a run's wall time is orchestration: what the critical path spends outside the engines.

    python benchmarks/orchestration.py OUTDIR

Reads OUTDIR/pipeline_info/trace.txt and the result.json in each task's work folder. The critical path is followed back
from the task that ended last: before each task comes the one that ended last before it started (it gave its input, or
its core). Along it, wall = engine time (timings.engine_s) + work around the engine (start of Python, reading, writing,
analysis) + gaps between tasks. Prints JSON.
"""

from __future__ import annotations

import csv
import json
import sys
from datetime import datetime
from pathlib import Path


def seconds(text: str) -> float:
    """Seconds since the epoch of a time in the trace."""
    return datetime.fromisoformat(text).timestamp()


def engine_s(workdir: Path) -> float:
    """Engine time of the task that left a result.json in its work folder."""
    results = sorted(workdir.rglob("result.json"), key=lambda path: len(path.parts))
    own = [
        path for path in results if not path.parent.is_symlink() and "phases" in path.parts or "campaign" in path.parts
    ]
    return float(json.loads(own[0].read_text())["timings"].get("engine_s", 0.0)) if own else 0.0


def read_tasks(trace: Path) -> list[dict[str, object]]:
    """Tasks that completed, with their times."""
    with open(trace) as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["status"] == "COMPLETED"]
    return [
        {
            "name": row["name"].split(":")[-1],
            "submit": seconds(row["submit"]),
            "start": seconds(row["start"]),
            "end": seconds(row["complete"]),
            "engine_s": engine_s(Path(row["workdir"])),
        }
        for row in rows
    ]


def critical_path(tasks: list[dict[str, object]]) -> list[dict[str, object]]:
    """Tasks from the last back to the first, in order of time."""
    path = [max(tasks, key=lambda task: task["end"])]
    while before := [task for task in tasks if task["end"] <= path[0]["start"]]:
        path.insert(0, max(before, key=lambda task: task["end"]))
    return path


def main() -> int:
    """Print the shares of one run."""
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    tasks = read_tasks(Path(sys.argv[1]) / "pipeline_info" / "trace.txt")
    if not tasks:
        print("no task was run: everything came from the cache", file=sys.stderr)
        return 1
    path = critical_path(tasks)
    wall = path[-1]["end"] - min(task["submit"] for task in tasks)
    engine = sum(task["engine_s"] for task in path)
    inside = sum(task["end"] - task["start"] for task in path)
    shares = {
        "tasks": len(tasks),
        "critical_path": [task["name"] for task in path],
        "wall_s": round(wall, 1),
        "engine_s": round(engine, 1),
        "around_the_engine_s": round(inside - engine, 1),
        "between_tasks_s": round(wall - inside, 1),
        "orchestration_share": round((wall - engine) / wall, 4),
    }
    print(json.dumps(shares, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
