#!/usr/bin/env python3
"""What campaigns of growing size cost one Nextflow head: stubs of every task, nothing computed.

    python benchmarks/scale/scale.py CASE... [--folder DIR] [--keep]

A case is ``LIGANDS`` (40 windows each, a task a window) or ``LIGANDSxN`` (N windows a task): ``10 50 250 1000x20``.
Each is run from nothing and once more with -resume, in a folder of its own, which is removed after (--keep: not).
Every run has bare one-line processes before and after the campaign (benchmarks/scale/main.nf): a task's time is that
from the first submission to the last end, over the number of tasks, and what counts is its ratio to that of the bare
ones, which saw the same machine. Figures go to results.json beside this file, the table to results.md.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
REPO = HERE.parents[1]
WINDOWS = 40
HEAD_LIMIT_MB = 4000
SMILES = "OCC12CCC(CC1)(CC2)CO"
COLUMNS = {
    "ligands": "ligands",
    "windows_per_task": "windows a task",
    "tasks": "tasks",
    "wall_s": "wall, s",
    "ms_per_task": "a task, ms",
    "bare_ms_per_task": "bare, ms",
    "ratio_to_bare": "ratio",
    "head_peak_rss_mb": "head, MB",
    "files_per_task": "files a task",
    "resume_wall_s": "-resume, s",
    "resume_ms_per_task": "cached task, ms",
    "resume_head_peak_rss_mb": "its head, MB",
}


def parse_case(text: str) -> tuple[int, int]:
    """Ligands and windows a task of a case such as ``1000x20``."""
    match = re.fullmatch(r"([1-9]\d*)(?:x([1-9]\d*))?", text)
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is no case; right: LIGANDS or LIGANDSxWINDOWS_PER_TASK")
    return int(match[1]), int(match[2] or 1)


def head(command: Sequence[str], folder: Path) -> tuple[float, float]:
    """Run a Nextflow head to its end: wall time in s and peak resident memory in MB.

    Raises
    ------
    SystemExit
        Where it fails.
    """
    start, peak_kb = time.monotonic(), 0
    with open(folder / "head.log", "w") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        while process.poll() is None:
            try:
                status = Path(f"/proc/{process.pid}/status").read_text()
            except OSError:
                break
            if found := re.search(r"VmHWM:\s+(\d+) kB", status):  # of java, once the wrapper has handed over
                peak_kb = max(peak_kb, int(found[1]))
            time.sleep(0.5)
        code = process.wait()
    if code:
        sys.exit(f"the head ended with {code}:\n" + (folder / "head.log").read_text()[-2000:])
    return time.monotonic() - start, peak_kb / 1024


def seconds(text: str) -> float:
    """Seconds since the epoch of a time in the trace."""
    return datetime.fromisoformat(text).timestamp()


def ms_per_task(rows: Sequence[Mapping[str, str]]) -> float:
    """Time from the first submission to the last end over the number of tasks, ms."""
    span_s = max(seconds(row["complete"]) for row in rows) - min(seconds(row["submit"]) for row in rows)
    return 1000 * span_s / len(rows)


def cached_ms_per_task(log: str) -> float:
    """Time between the first and the last task found in the cache over their number, ms."""
    times = re.findall(r"^\w+-(\d+ \d\d:\d\d:\d\d\.\d+) .*Cached process", log, flags=re.M)
    ends = [datetime.strptime(f"2000-{text}", "%Y-%d %H:%M:%S.%f").timestamp() for text in (times[0], times[-1])]
    return 1000 * ((ends[1] - ends[0]) % 86400) / max(1, len(times) - 1)


def measure(ligands: int, windows_per_task: int, folder: Path) -> dict[str, Any]:
    """Run one case from nothing and again with -resume."""
    folder.mkdir(parents=True)
    sheet = folder / "ligands.csv"
    sheet.write_text("ligand,smiles\n" + "".join(f"ligand_{n:04d},{SMILES}\n" for n in range(ligands)))
    given = {
        "input": sheet, "receptor": REPO / "assets" / "demo" / "cb7.sdf", "outdir": "out", "sampler": "independent",
        "replicates": 1, "windows_per_task": windows_per_task,
    }  # fmt: skip
    options = [str(word) for key, value in given.items() for word in (f"--{key}", value)]
    command = [str(REPO / "nextfloww"), "run", str(HERE / "main.nf"), "-stub", "-ansi-log", "false", *options]
    wall_s, peak_mb = head(command, folder)
    with open(folder / "out" / "pipeline_info" / "trace.txt") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    if lost := [row["name"] for row in rows if row["status"] != "COMPLETED"]:
        sys.exit(f"{len(lost)} tasks did not complete, {lost[0]} among them")
    bare = {end: [row for row in rows if row["name"].startswith(f"BARE_{end} ")] for end in ("BEFORE", "AFTER")}
    tasks = [row for row in rows if not row["name"].startswith("BARE_")]
    expected = ligands * (7 + -(-WINDOWS // 2 // windows_per_task) * 2) + 1
    if len(tasks) != expected:
        sys.exit(f"{len(tasks)} tasks, expected {expected}")
    bare_ms = sum(ms_per_task(some) for some in bare.values()) / len(bare)
    files = sum(len(names) for _, _, names in os.walk(folder))
    resume_wall_s, resume_peak_mb = head([*command, "-resume"], folder)
    log = (folder / ".nextflow.log").read_text()
    if (cached := log.count("Cached process")) != len(rows) or "Submitted process" in log:
        sys.exit(f"-resume found {cached} of {len(rows)} tasks in the cache")
    return {
        "ligands": ligands,
        "windows_per_task": windows_per_task,
        "tasks": len(tasks),
        "wall_s": round(wall_s, 1),
        "ms_per_task": round(ms_per_task(tasks), 1),
        "bare_ms_per_task": round(bare_ms, 1),
        "ratio_to_bare": round(ms_per_task(tasks) / bare_ms, 2),
        "head_peak_rss_mb": round(peak_mb),
        "files": files,
        "files_per_task": round(files / len(rows), 1),
        "resume_wall_s": round(resume_wall_s, 1),
        "resume_ms_per_task": round(cached_ms_per_task(log), 2),
        "resume_head_peak_rss_mb": round(resume_peak_mb),
    }


def machine() -> dict[str, Any]:
    """What the figures depend on, in general words."""
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(memory_gb),
        "system": f"{platform.system()} {platform.machine()}",
        "load_average_before": round(os.getloadavg()[0], 1),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
    }


def table(cases: Sequence[Mapping[str, Any]]) -> str:
    """The figures in Markdown."""
    lines = ["| " + " | ".join(COLUMNS.values()) + " | cores | load |", "|" + "---|" * (len(COLUMNS) + 2)]
    for case in cases:
        cells = [str(case[key]) for key in COLUMNS]
        cells += [str(case["machine"]["cores"]), str(case["machine"]["load_average_before"])]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def main() -> int:
    """Measure the cases, one after the other, and keep each as soon as it is done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="+", type=parse_case, help="LIGANDS or LIGANDSxWINDOWS_PER_TASK")
    parser.add_argument("--folder", type=Path, default=Path("scale"), help="where runs and their files go")
    parser.add_argument("--results", type=Path, default=HERE / "results.json")
    parser.add_argument("--keep", action="store_true", help="keep the runs' folders")
    options = parser.parse_args()
    faults = 0
    for ligands, windows_per_task in options.cases:
        folder = options.folder.absolute() / f"{ligands}x{windows_per_task}"
        about = machine()
        figures = measure(ligands, windows_per_task, folder) | {"machine": about}
        print(json.dumps(figures), flush=True)
        known = json.loads(options.results.read_text()) if options.results.exists() else []
        known = [case for case in known if (case["ligands"], case["windows_per_task"]) != (ligands, windows_per_task)]
        known = sorted([*known, figures], key=lambda case: (-WINDOWS // case["windows_per_task"], case["ligands"]))
        options.results.write_text(json.dumps(known, indent=2) + "\n")
        options.results.with_suffix(".md").write_text(table(known))
        faults += max(figures["head_peak_rss_mb"], figures["resume_head_peak_rss_mb"]) > HEAD_LIMIT_MB
        if not options.keep:
            shutil.rmtree(folder)
    if faults:
        print(f"{faults} heads took more than {HEAD_LIMIT_MB} MB", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
