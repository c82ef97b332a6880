#!/usr/bin/env python3
"""MD with one thread on one core against the same left to the scheduler: alone, and as many at once as there are cores.

    OMP_NUM_THREADS=1 python benchmarks/one_core.py [--seconds 20]

CB7·B2 (156 atoms, OBC2) on OpenMM's CPU platform. Prints JSON: ns/day of each process, and the ratio of the means.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python" / "tests"))
import host_guest as hg  # noqa: E402

from gibbsflow.config.run import Fe  # noqa: E402
from gibbsflow.engines.one_core import on_one_core  # noqa: E402
from gibbsflow.engines.openmm_systems import create_system, minimise, new_context  # noqa: E402
from gibbsflow.workflow.result import versions  # noqa: E402


def ns_per_day(pinned: bool, seconds: float) -> float:
    """Speed of one process over some seconds of wall-clock time, the first ones left out."""
    with tempfile.TemporaryDirectory() as folder:
        leg = hg.make_leg(Path(folder), "complex", fe=Fe())
        context = new_context(create_system(leg.folder / leg.topology, leg.md), leg.md, 1)
        context.setPositions(leg.start_nm)
        minimise(context, 50)
        with on_one_core(leg.md) if pinned else nullcontext():
            begin, steps = time.monotonic() + 4, 0
            while time.monotonic() < begin + seconds:
                context.getIntegrator().step(100)
                if time.monotonic() > begin:
                    steps += 100
            return steps * leg.md.timestep_fs * 1e-6 / (time.monotonic() - begin) * 86400


def together(count: int, pinned: bool, seconds: float) -> list[float]:
    """Speeds of some processes that run at once."""
    command = [sys.executable, __file__, "--seconds", str(seconds), "--one", str(int(pinned))]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(count)]
    return [float(run.communicate()[0]) for run in runs]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--one", type=int, choices=(0, 1), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one is not None:
        print(ns_per_day(bool(options.one), options.seconds))
        return
    cores = len(os.sched_getaffinity(0))
    speeds: dict[str, object] = {}
    for count in sorted({1, cores}):
        by = {pinned: together(count, pinned, options.seconds) for pinned in (False, True)}
        speeds[f"{count} at once"] = {
            "scheduler_ns_per_day": [round(one, 1) for one in by[False]],
            "one_core_ns_per_day": [round(one, 1) for one in by[True]],
            "ratio": round(sum(by[True]) / sum(by[False]), 2),
        }
    facts = {"cores": cores, "machine": platform.machine(), "versions": versions("openmm")}
    print(json.dumps({**speeds, **facts}, indent=2))


if __name__ == "__main__":
    main()
