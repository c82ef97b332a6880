#!/usr/bin/env python3
"""Rate of windows that GROMACS runs, against ``gmx mdrun`` alone on the same run input, in one run on one machine.

    python benchmarks/gromacs_rate.py --out benchmarks/gromacs_rate.json

makes benzene in 12 Å of TIP3P (some 3,600 atoms), takes three turns of 20 ps by either, and is done in some minutes;
nothing has to be there but GROMACS, on an idle machine. Other sizes:

    python benchmarks/gromacs_rate.py [--smiles c1ccccc1] [--padding 12] [--cutoff 9] [--window 4] [--segment-ps 20]
        [--segments 3] [--threads 1] [--leg DIR] [--out FILE]

DIR is a leg folder of ``fe prepare`` with a box, in place of the molecule. The sampler is the one that ``fe run`` uses;
both do the same number of steps, turn by turn, the sampler's as ``fe run`` has it: from a checkpoint, with all that
follows a segment. The aim is a ratio of 0.97; a segment is one start of ``mdrun``, so that the ratio grows with its
length. Each time is that of the whole program, in wall-clock seconds; CPU seconds stand beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python" / "tests"))
from gromacs_boxes import Box  # noqa: E402

from gibbsflow.binding.alchemy.alchemical_leg import AlchemicalLeg  # noqa: E402
from gibbsflow.binding.alchemy.schedules import read_schedule  # noqa: E402
from gibbsflow.binding.sample.gromacs_windows import GromacsSampler  # noqa: E402
from gibbsflow.engines.gromacs.programs import version  # noqa: E402

AIM = 0.97
_WHO = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


def main() -> int:
    """Measure, print, and write the figures; exit 1 below the aim."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smiles", default="c1ccccc1", help="solute (default: benzene)")
    parser.add_argument("--padding", type=float, default=12.0, help="water about it, Å (default: 12)")
    parser.add_argument("--cutoff", type=float, default=9.0, help="Å (default: 9)")
    parser.add_argument("--leg", type=Path, help="leg folder with a box, in place of a solute")
    parser.add_argument("--window", type=int, default=4, help="λ state, of water_17 (default: 4, without charges)")
    parser.add_argument("--segment-ps", type=float, default=20.0)
    parser.add_argument("--segments", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        found = measured(Path(place), options)
    text = json.dumps(found, indent=1)
    print(text)
    if options.out:
        options.out.write_text(text + "\n")
    return 0 if found["ratio"] >= AIM else 1


def own_leg(folder: Path, options: argparse.Namespace) -> AlchemicalLeg:
    """A solute in water, from its SMILES."""
    box = Box(folder / "box", options.smiles, padding_angstrom=options.padding, cutoff_angstrom=options.cutoff)
    (folder / "leg").mkdir()
    return box.leg(folder / "leg", read_schedule("water_17"), fe={"sampler": "independent", "sample_ps": 1.0})


def measured(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Take turns, and tell how long each took."""
    given = own_leg(folder, options) if options.leg is None else AlchemicalLeg.read(options.leg)
    md = given.md.model_copy(update={"engine": "gromacs", "threads": options.threads})
    leg = replace(given, folder=given.folder.absolute(), md=md)
    interval = leg.sampling.steps_per_sample
    samples = round(options.segment_ps * 1000 / md.timestep_fs / interval)
    steps = samples * interval
    made = GromacsSampler(leg, md, folder / "work", (options.window,), exchange=False)
    begin = time.perf_counter()
    walkers = made.start(leg.starts_nm(0), True, 1, lambda: None, leg.starts_boxes_nm(0))
    walkers, _ = made.segment(walkers, 1, interval, 2, lambda _: None)
    prepared_s = time.perf_counter() - begin
    (inputs,) = (path for path in folder.glob(f"work/*/window_{options.window:02d}") if path.parent.name != "minimised")
    bare = folder / "bare"
    bare.mkdir()
    for name in ("run.tpr", "table_b0.xvg", "run.cpt"):
        shutil.copy(inputs / name, bare)
    words = ["gmx", "-quiet", "-nobackup", "mdrun", "-s", "run.tpr", "-deffnm", "bare", "-tableb", "table_b0.xvg"]
    words += ["-cpi", "run.cpt", "-noappend", "-nsteps", str(steps), "-ntmpi", "1", "-ntomp", str(options.threads)]
    words += ["-pin", "off"]
    ours, alone = [], []
    for number in range(options.segments):
        with timed(ours):
            walkers, _ = made.segment(walkers, samples, interval, 3 + number, lambda _: None)
        with timed(alone):
            subprocess.run(words, cwd=bare, check=True, capture_output=True)
    ns_per_day = steps * md.timestep_fs * 1e-6 * 86400
    wall = {name: sum(wall for wall, _ in turns) for name, turns in (("ours", ours), ("alone", alone))}
    cpu = {name: sum(cpu for _, cpu in turns) for name, turns in (("ours", ours), ("alone", alone))}
    return {
        "atoms": int(walkers.positions_nm.shape[1]),
        "segment_ps": steps * md.timestep_fs / 1000,
        "threads": options.threads,
        "seconds_of_segments": [round(wall, 3) for wall, _ in ours],
        "seconds_of_mdrun": [round(wall, 3) for wall, _ in alone],
        "ns_per_day": round(ns_per_day * len(ours) / wall["ours"], 2),
        "ns_per_day_of_mdrun": round(ns_per_day * len(alone) / wall["alone"], 2),
        "ratio": round(wall["alone"] / wall["ours"], 4),
        "cpu_ratio": round(cpu["alone"] / cpu["ours"], 4),
        "prepared_s": round(prepared_s, 3),
        "gromacs": version(),
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
            "load": os.getloadavg(),
        },
    }


@contextmanager
def timed(turns: list[tuple[float, float]]) -> Iterator[None]:
    """Note the seconds of a turn: of the wall clock, and of the CPU with all programs started."""

    def cpu() -> float:
        return sum(getattr(resource.getrusage(who), key) for who in _WHO for key in ("ru_utime", "ru_stime"))

    begin = time.perf_counter(), cpu()
    yield
    turns.append((time.perf_counter() - begin[0], cpu() - begin[1]))


if __name__ == "__main__":
    sys.exit(main())
