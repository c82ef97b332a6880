#!/usr/bin/env python3
r"""Verdict × interval on the seeds of the coverage runs: what each threshold finds, and what others would.

    python benchmarks/coverage/verdicts.py benchmarks/coverage/seeds.csv [--draws N]

Each draw takes 1, 2, 3 or 5 replicates of one cell (system, with or without exchange), without repeats within it. A
draw is doubted where any of its replicates passes a threshold; one replicate is always WARN, which is left out here.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from gibbsflow.binding.analyse.uncertainty.intervals import combine_replicates
from gibbsflow.binding.analyse.verdict import Thresholds

REPLICATES = (1, 2, 3, 5)
TRIED: Mapping[str, tuple[float, ...]] = {
    "contradiction_sigma": (2.0, 2.5, 3.0, 3.5, 4.0, 6.0),
    "block_correlation_warn": (0.5, 0.6, 0.7, 0.8, 0.9),
    "samples_warn": (5, 10, 15, 20, 30, 50),
}
"""Thresholds and the values that are tried for each, the others as they are."""
COLUMNS = {
    "contradiction_sigma": "contradiction",
    "block_correlation_warn": "block_correlation",
    "samples_warn": "fewest_uncorrelated",
}


def draw(path: Path, draws: int) -> dict[str, np.ndarray]:
    """Draws of all cells: whether the 95 % interval misses, cell, replicates, and the worst figure of each check."""
    cells = defaultdict(list)
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            cells[row["system"], row["exchange"]].append(row)
    found = defaultdict(list)
    rng = np.random.default_rng(0)
    for cell, rows in sorted(cells.items()):
        for count in REPLICATES:
            for _ in range(draws):
                drawn = [rows[k] for k in rng.choice(len(rows), count, replace=False)]
                values, errors, dofs = ([float(r[key]) for r in drawn] for key in ("dg_kt", "error_kt", "dof"))
                combined = combine_replicates(values, errors, dofs)
                found["missed"].append(combined.outside(abs(combined.mean - float(drawn[0]["truth_kt"]))) < 0.05)
                found["cell"].append(" ".join((cell[0], "with" if cell[1] == "1" else "without")))
                found["replicates"].append(count)
                for name, column in COLUMNS.items():
                    least = min if name == "samples_warn" else max
                    found[name].append(least(float(r[column]) for r in drawn))
    return {name: np.array(values) for name, values in found.items()}


def doubted(found: Mapping[str, np.ndarray], limits: Mapping[str, float]) -> np.ndarray:
    """Whether each draw passes any of the thresholds."""
    below = found["samples_warn"] < limits["samples_warn"]
    return below | np.any([found[name] > value for name, value in limits.items() if name != "samples_warn"], axis=0)


def line(words: str, missed: np.ndarray, warned: np.ndarray) -> str:
    """One row of the confusion table."""
    counts = [int((missed == out)[warned == warn].sum()) for warn in (False, True) for out in (False, True)]
    passes, warns = counts[0] + counts[1], counts[2] + counts[3]
    shares = [f"{out / total:.3f}" if total else "-" for out, total in ((counts[1], passes), (counts[3], warns))]
    return f"| {words} | {counts[0]} | {counts[1]} | {shares[0]} | {counts[2]} | {counts[3]} | {shares[1]} |"


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--draws", type=int, default=250, help="of each cell and number of replicates")
    given = parser.parse_args()
    found, now = draw(given.file, given.draws), Thresholds()
    limits = {name: float(getattr(now, name)) for name in TRIED}
    warned, missed = doubted(found, limits), found["missed"]
    print("| | PASS, held | PASS, missed | share | WARN, held | WARN, missed | share |\n|---|---|---|---|---|---|---|")
    print(line("all", missed, warned))
    for cell in np.unique(found["cell"]):
        here = found["cell"] == cell
        print(line(f"{cell} exchange", missed[here], warned[here]))
    several = found["replicates"] > 1
    print(line("several replicates", missed[several], warned[several]))
    for name in TRIED:
        alone = {key: limits[key] if key == name else (0.0 if key == "samples_warn" else np.inf) for key in TRIED}
        print(line(f"{name} alone", missed, doubted(found, alone)))
    for name, values in TRIED.items():
        for value in values:
            print(line(f"{name} = {value:g}", missed, doubted(found, limits | {name: value})))


if __name__ == "__main__":
    main()
