#!/usr/bin/env python3
r"""Verdict × interval on the seeds of the coverage runs: what each threshold finds, and what others would.

    python benchmarks/coverage/verdicts.py benchmarks/coverage/seeds.csv [--draws N] [--kept KEPT]

Each draw takes 1, 2, 3 or 5 replicates of one cell (system, with or without exchange), without repeats within it. A
draw is doubted where any of its replicates passes a threshold. One replicate is always WARN, and so are fewer than five
without exchange, which is left out here but for one row. Slow motion is found by the windows of all replicates of a
draw, which KEPT holds as `run.py sample --keep` leaves them; with it only seeds are drawn whose windows are there, and
without it slow motion is left out, which the table says.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from gibbsflow.binding.analyse.uncertainty.intervals import combine_replicates
from gibbsflow.binding.analyse.uncertainty.slow_motion import slow_motion
from gibbsflow.binding.analyse.verdict import Thresholds
from gibbsflow.binding.sample.energies import Energies, read_leg
from gibbsflow.units import kt_kcal_per_mol

REPLICATES = (1, 2, 3, 5)
TEMPERATURE_K = 300.0
TRIED: Mapping[str, tuple[float, ...]] = {
    "contradiction_sigma": (2.0, 2.5, 3.0, 3.5, 4.0, 6.0),
    "block_correlation_warn": (0.5, 0.6, 0.7, 0.8, 0.9),
    "samples_warn": (5, 10, 15, 20, 30, 50),
    "halves_sigma": (2.0, 2.5, 3.0),
    "halves_warn_kcal_per_mol": (0.0, 0.1, 0.2, 0.3, 0.5),
    "estimators_sigma": (1.0, 2.0, 3.0),
    "estimators_warn_kcal_per_mol": (0.0, 0.1, 0.3),
    "relaxation_times_warn": (2.0, 5.0, 10.0, 20.0, 50.0),
    "equilibration_warn": (0.2, 0.3, 0.5, 0.7, 0.9),
    "overlap_warn": (0.03, 0.1),
    "slow_motion_p": (0.001, 0.005, 0.01, 0.02, 0.05),
}
"""Thresholds and the values that are tried for each, the others as they are."""
TOGETHER = (
    ("contradiction_sigma",), ("block_correlation_warn",), ("samples_warn",),
    ("halves_sigma", "halves_warn_kcal_per_mol"), ("estimators_sigma", "estimators_warn_kcal_per_mol"),
    ("relaxation_times_warn",), ("equilibration_warn",), ("overlap_warn",), ("slow_motion_p",),
)  # fmt: skip
"""Thresholds of one check."""
ABOVE = {
    "contradiction_sigma": "contradiction",
    "block_correlation_warn": "block_correlation",
    "equilibration_warn": "unequilibrated",
}
BELOW = {
    "samples_warn": "fewest_uncorrelated",
    "relaxation_times_warn": "relaxation_times",
    "overlap_warn": "min_overlap",
    "slow_motion_p": "slow_motion",
}
"""Thresholds above or below which the figure of a column is doubted."""
FIGURES = (
    *ABOVE.values(),
    *(name for name in BELOW.values() if name != "slow_motion"),
    "halves_kt",
    "halves_error_kt",
    "bar_off_kt",
    "bar_off_sigma",
)


@cache
def energies_of(folder: Path) -> Energies:
    """All samples of a seed."""
    return read_leg(sorted(folder.glob("window_*.parquet")))


def slow_motion_of(places: Sequence[Path]) -> float:
    """p of slow motion in the windows of some seeds as of the replicates of one leg; 1 where none can be looked for."""
    motion = slow_motion([energies_of(place) for place in places])
    return 1.0 if motion is None else motion.p


def draw(path: Path, draws: int, kept: Path | None = None) -> dict[str, np.ndarray]:
    """Draws of all cells: whether the 95 % interval misses, cell, replicates; figures of each, shape (draws, 5)."""
    cells = defaultdict(list)
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            place = None if kept is None else kept / f"{row['system']}_{row['exchange']}" / row["seed"]
            if place is None or place.is_dir():
                cells[row["system"], row["exchange"]].append(row | {"place": place})
    found = defaultdict(list)
    rng = np.random.default_rng(0)
    for cell, rows in sorted(cells.items()):
        for count in REPLICATES if len(rows) >= max(REPLICATES) else ():
            for _ in range(draws):
                drawn = [rows[k] for k in rng.choice(len(rows), count, replace=False)]
                values, errors, dofs = ([float(r[key]) for r in drawn] for key in ("dg_kt", "error_kt", "dof"))
                combined = combine_replicates(values, errors, dofs)
                found["missed"].append(combined.outside(abs(combined.mean - float(drawn[0]["truth_kt"]))) < 0.05)
                found["cell"].append(" ".join((cell[0], "with" if cell[1] == "1" else "without")))
                found["replicates"].append(count)
                absent = [np.nan] * (max(REPLICATES) - count)
                if kept is not None:
                    p = slow_motion_of([row["place"] for row in drawn])
                    found["slow_motion"].append([p] * max(REPLICATES))
                for name in FIGURES:
                    if name in drawn[0]:
                        found[name].append([float(r[name]) for r in drawn] + absent)
    return {name: np.array(values) for name, values in found.items()}


def doubted(found: Mapping[str, np.ndarray], limits: Mapping[str, float]) -> np.ndarray:
    """Whether each draw passes any of the thresholds; what a file has no figures of doubts nothing."""
    kt = kt_kcal_per_mol(TEMPERATURE_K)
    reasons = [found[column] > limits[name] for name, column in ABOVE.items() if column in found]
    reasons += [found[column] < limits[name] for name, column in BELOW.items() if column in found]
    if "halves_kt" in found:
        beyond = found["halves_kt"] > limits["halves_sigma"] * found["halves_error_kt"]
        reasons.append(beyond & (found["halves_kt"] * kt > limits["halves_warn_kcal_per_mol"]))
        beyond = found["bar_off_sigma"] > limits["estimators_sigma"]
        reasons.append(beyond & (found["bar_off_kt"] * kt > limits["estimators_warn_kcal_per_mol"]))
    return np.any(reasons, axis=(0, 2))


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
    parser.add_argument("--kept", type=Path, help="windows of the seeds (`run.py sample --keep`), for slow motion")
    given = parser.parse_args()
    found, now = draw(given.file, given.draws, given.kept), Thresholds()
    if not found:
        parser.error(f"{given.kept} has windows of fewer than {max(REPLICATES)} seeds of each cell of {given.file}")
    if given.kept is None:
        print("Slow motion, which a result is doubted for too, is not among the reasons here: it wants --kept.\n")
    limits = {name: float(getattr(now, name)) for name in TRIED}
    warned, missed = doubted(found, limits), found["missed"]
    print("| | PASS, held | PASS, missed | share | WARN, held | WARN, missed | share |\n|---|---|---|---|---|---|---|")
    print(line("all", missed, warned))
    for cell in np.unique(found["cell"]):
        here = found["cell"] == cell
        print(line(f"{cell} exchange", missed[here], warned[here]))
    several = found["replicates"] > 1
    print(line("several replicates", missed[several], warned[several]))
    exchanged = np.char.endswith(found["cell"], " with")
    enough = several & (exchanged | (found["replicates"] >= now.replicates_without_exchange))
    print(line("replicates enough for a result to pass", missed[enough], warned[enough]))
    never = {name: 0.0 if name in BELOW else np.inf for name in TRIED}
    for names in TOGETHER:
        if names == ("slow_motion_p",) and given.kept is None:
            continue
        alone = doubted(found, never | {name: limits[name] for name in names})
        print(line(f"{' and '.join(names)} alone", missed, alone))
    for name, values in TRIED.items():
        if name == "slow_motion_p" and given.kept is None:
            continue
        for value in values:
            print(line(f"{name} = {value:g}", missed, doubted(found, limits | {name: value})))


if __name__ == "__main__":
    main()
