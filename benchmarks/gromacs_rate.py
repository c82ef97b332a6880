#!/usr/bin/env python3
"""Rate of windows that GROMACS runs, against ``gmx mdrun`` alone on the same run input, in one run on one machine.

    python benchmarks/gromacs_rate.py --leg DIR [--window 0] [--segment-ps 50] [--segments 4] [--threads 1] [--out FILE]

DIR is a leg folder of ``fe prepare`` with a box. The sampler is the one that ``fe run`` uses; both do the same number
of steps from the same start, turn by turn. The aim is a ratio of 0.97; a segment is one start of ``mdrun``, so that the
ratio grows with its length. Each time is that of the whole program, in wall-clock seconds: run it on an idle machine.
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
from dataclasses import replace
from pathlib import Path

from gibbsflow.binding.alchemy.alchemical_leg import AlchemicalLeg
from gibbsflow.binding.sample.gromacs_windows import GromacsSampler
from gibbsflow.engines.gromacs.programs import version


def main() -> int:
    """Measure, print, and write the figures; exit 1 below the aim."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--leg", type=Path, required=True, help="leg folder with a box")
    parser.add_argument("--window", type=int, default=0)
    parser.add_argument("--segment-ps", type=float, default=50.0)
    parser.add_argument("--segments", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    given = AlchemicalLeg.read(options.leg)
    md = given.md.model_copy(update={"engine": "gromacs", "threads": options.threads})
    leg = replace(given, folder=given.folder.absolute(), md=md)
    interval = leg.sampling.steps_per_sample
    samples = round(options.segment_ps * 1000 / md.timestep_fs / interval)
    steps = samples * interval
    ours, bare = [], []
    with tempfile.TemporaryDirectory() as place:
        made = GromacsSampler(leg, md, Path(place), (options.window,), exchange=False)
        begin = time.perf_counter()
        walkers = made.start(leg.starts_nm(0), False, 1, lambda: None, leg.starts_boxes_nm(0))
        walkers, _ = made.segment(walkers, 1, interval, 2, lambda _: None)
        prepared_s = time.perf_counter() - begin
        (inputs,) = Path(place).glob(f"*/window_{options.window:02d}")
        words = ["gmx", "-quiet", "-nobackup", "mdrun", "-s", "run.tpr", "-deffnm", "bare", "-tableb", "table_b0.xvg"]
        words += ["-nsteps", str(steps), "-ntmpi", "1", "-ntomp", str(options.threads), "-pin", "off"]
        for number in range(options.segments):
            begin = time.perf_counter()
            walkers, _ = made.segment(walkers, samples, interval, 3 + number, lambda _: None)
            ours.append(time.perf_counter() - begin)
            begin = time.perf_counter()
            subprocess.run(words, cwd=inputs, check=True, capture_output=True)
            bare.append(time.perf_counter() - begin)
    ns_per_day = steps * md.timestep_fs * 1e-6 * 86400
    found = {
        "atoms": int(walkers.positions_nm.shape[1]),
        "segment_ps": steps * md.timestep_fs / 1000,
        "threads": options.threads,
        "seconds_of_segments": [round(value, 3) for value in ours],
        "seconds_of_mdrun": [round(value, 3) for value in bare],
        "ns_per_day": round(ns_per_day * len(ours) / sum(ours), 2),
        "ns_per_day_of_mdrun": round(ns_per_day * len(bare) / sum(bare), 2),
        "ratio": round(sum(bare) / sum(ours), 4),
        "prepared_s": round(prepared_s, 3),
        "gromacs": version(),
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
            "load": os.getloadavg(),
        },
    }
    text = json.dumps(found, indent=1)
    print(text)
    if options.out:
        options.out.write_text(text + "\n")
    return 0 if found["ratio"] >= 0.97 else 1


if __name__ == "__main__":
    sys.exit(main())
