#!/usr/bin/env python3
r"""How often windows that differ between replicates and halves are doubted, and whether the right ones are.

    python benchmarks/coverage/slow_motion.py SEEDS.csv KEPT [--draws N]

KEPT holds the windows of seeds, as `run.py sample --keep` leaves them; seeds without windows are left out. Each draw
takes 1, 2, 3 or 5 replicates of one cell, without repeats within it.
"""

from __future__ import annotations

import argparse
from functools import cache
from pathlib import Path

import numpy as np
from run import REPLICATES, read

from gibbsflow.binding.analyse.uncertainty.intervals import combine_replicates
from gibbsflow.binding.analyse.uncertainty.slow_motion import slow_motion
from gibbsflow.binding.analyse.verdict import Thresholds
from gibbsflow.binding.sample.energies import Energies, read_leg


@cache
def energies_of(folder: Path) -> Energies:
    """All samples of a seed."""
    return read_leg(sorted(folder.glob("window_*.parquet")))


def share(chosen: np.ndarray) -> str:
    """Mean of yes and no; a dash of none."""
    return f"{chosen.mean():.3f}" if chosen.size else "-"


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("kept", type=Path)
    parser.add_argument("--draws", type=int, default=250, help="of each cell and number of replicates")
    given = parser.parse_args()
    limit = Thresholds().slow_motion_p
    print("| system | exchange | replicates | missed | doubted | of the missed | of the held | undoubted that hold |")
    print("|---|---|---|---|---|---|---|---|")
    for (name, exchange), rows in sorted(read(given.file).items()):
        places = [given.kept / f"{name}_{int(exchange)}" / f"{row['seed']:.0f}" for row in rows]
        there = [(row, place) for row, place in zip(rows, places, strict=True) if place.exists()]
        rng = np.random.default_rng(0)
        for count in REPLICATES if len(there) >= max(REPLICATES) else ():
            missed, doubted = [], []
            for _ in range(given.draws):
                drawn = [there[k] for k in rng.choice(len(there), count, replace=False)]
                own = [row for row, _ in drawn]
                combined = combine_replicates(*([row[key] for row in own] for key in ("dg_kt", "error_kt", "dof")))
                missed.append(combined.outside(abs(combined.mean - own[0]["truth_kt"])) < 0.05)
                motion = slow_motion([energies_of(place) for _, place in drawn])
                doubted.append(motion is not None and motion.p < limit)
            out, warn = np.array(missed), np.array(doubted)
            shares = [share(part) for part in (out, warn, warn[out], warn[~out], ~out[~warn])]
            print(f"| {name} | {'yes' if exchange else 'no'} | {count} | {' | '.join(shares)} |", flush=True)


if __name__ == "__main__":
    main()
