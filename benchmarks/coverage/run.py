#!/usr/bin/env python3
r"""How often the intervals hold the truth, on systems along λ whose free energies are known by quadrature.

    python benchmarks/coverage/run.py sample --seeds 1000 --out benchmarks/coverage/seeds.csv
    python benchmarks/coverage/run.py table --seeds-file benchmarks/coverage/seeds.csv \
        --out benchmarks/coverage/coverage.csv

``sample`` appends batches of seeds to its file, each cell (system, with or without exchange) in turn, and goes on from
what is there; ``--first`` starts at another seed. Each seed is one replicate of one leg: 200 samples in each of five
windows, analysed by the functions that `analysis` calls. ``table`` draws 1, 2, 3 and 5 replicates at random, without
repeats, from the seeds of a cell, as many draws as there are seeds. README.md beside this says what was found.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
from systems import LAMBDAS, TEMPERATURE_K, TOYS

from gibbsflow.binding.analyse.estimators import decorrelated, estimate_mbar
from gibbsflow.binding.analyse.uncertainty.blocks import block_error
from gibbsflow.binding.analyse.uncertainty.intervals import combine_replicates
from gibbsflow.binding.analyse.verdict import Thresholds
from gibbsflow.binding.sample.energies import Energies, Window, join_windows

SAMPLES = 200
BATCH = 25
LEVELS = (0.50, 0.68, 0.95)
REPLICATES = (1, 2, 3, 5)
COLUMNS = (
    "system", "exchange", "seed", "truth_kt", "dg_kt", "low95_kt", "high95_kt", "error_kt", "dof", "mbar_error_kt",
    "block_correlation", "contradiction", "fewest_uncorrelated",
)  # fmt: skip


def leg_of(u: np.ndarray, walker: np.ndarray) -> Energies:
    """Energies of one leg from u, shape (samples, windows, states), and walkers, shape (samples, windows)."""
    meta = {
        "temperature_k": TEMPERATURE_K,
        "leg": "complex",
        "transformation": "toy",
        "replicate": 0,
        "states": [{"lambda_sterics": 1 - lam} for lam in LAMBDAS],
    }
    times = np.arange(1.0, len(u) + 1)
    windows = [Window(Path(f"window_{k:02d}"), k, times, walker[:, k], u[:, k], meta) for k in range(len(LAMBDAS))]
    return join_windows(windows, temperature_k=TEMPERATURE_K)


def row_of(energies: Energies, truth: float) -> list[float]:
    """Figures of one replicate, in the order of COLUMNS from the truth on."""
    correlation, uncorrelated = decorrelated(energies)
    mbar, estimate = estimate_mbar(energies, correlation, uncorrelated)
    blocks = block_error(energies, mbar.delta_f_.iloc[0].to_numpy())
    error = max(estimate.dg_error_kt, blocks.error_kt)
    half = combine_replicates([estimate.dg_kt], [error], [blocks.dof]).half_width(0.95)
    return [
        truth, estimate.dg_kt, estimate.dg_kt - half, estimate.dg_kt + half, error, blocks.dof, estimate.dg_error_kt,
        blocks.correlation, blocks.contradiction, float(min(correlation.uncorrelated)),
    ]  # fmt: skip


def sample(out: Path, first: int, seeds: int) -> None:
    """Append to `out` what it lacks of the seeds from `first` on."""
    cells = [(name, exchange) for name in TOYS for exchange in (False, True)]
    there = read(out) if out.exists() else {}
    truths = {name: toy.truth_kt for name, toy in TOYS.items()}
    with out.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if not there:
            writer.writerow(COLUMNS)
        for batch in range(first, first + seeds, BATCH):
            for place, (name, exchange) in enumerate(cells):
                if any(row["seed"] == batch for row in there.get((name, exchange), [])):
                    continue
                rng = np.random.default_rng([batch, place])
                u, walker = TOYS[name].sample(BATCH, SAMPLES, rng, exchange=exchange)
                for one in range(BATCH):
                    figures = row_of(leg_of(u[:, one], walker[:, one]), truths[name])
                    text = [f"{figure:.4f}".rstrip("0").rstrip(".") for figure in figures]
                    writer.writerow([name, int(exchange), batch + one, *text])
                file.flush()


def read(path: Path) -> dict[tuple[str, bool], list[dict[str, float]]]:
    """Rows of each cell."""
    cells = defaultdict(list)
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            cell = row.pop("system"), row.pop("exchange") == "1"
            cells[cell].append({name: float(value) for name, value in row.items()})
    return dict(cells)


def table(path: Path, out: Path) -> None:
    """Write how often intervals hold the truth, for each cell and number of replicates."""
    limits = Thresholds()
    with out.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        head = [f"held_{round(100 * level)}" for level in LEVELS]
        writer.writerow(
            ["system", "exchange", "replicates", "draws", *head, "held_95_mbar_alone", "doubted", "held_95_undoubted",
             "median_half_width_95_kt"]
        )  # fmt: skip
        for (name, exchange), rows in sorted(read(path).items()):
            rng = np.random.default_rng(0)
            for count in REPLICATES:
                held, alone, doubted, widths = [], [], [], []
                for _ in range(len(rows)):
                    drawn = [rows[i] for i in rng.choice(len(rows), count, replace=False)]
                    values, errors = [r["dg_kt"] for r in drawn], [r["error_kt"] for r in drawn]
                    combined = combine_replicates(values, errors, [r["dof"] for r in drawn])
                    off = abs(combined.mean - drawn[0]["truth_kt"])
                    outside = combined.outside(off)
                    held.append([outside > 1 - level for level in LEVELS])
                    mbar = np.sqrt(sum(r["mbar_error_kt"] ** 2 for r in drawn)) / count
                    alone.append(off < 1.96 * mbar)
                    doubted.append(
                        any(
                            r["contradiction"] > limits.contradiction_sigma
                            or r["block_correlation"] > limits.block_correlation_warn
                            or r["fewest_uncorrelated"] < limits.samples_warn
                            for r in drawn
                        )
                    )
                    widths.append(combined.half_width(0.95) if len(widths) < 200 else np.nan)
                held, doubted = np.array(held), np.array(doubted)
                sound = held[~doubted, -1]
                shares = [*held.mean(axis=0), np.mean(alone), doubted.mean(), sound.mean() if sound.size else np.nan]
                text = [f"{share:.3f}" for share in shares]
                writer.writerow([name, int(exchange), count, len(rows), *text, f"{np.nanmedian(widths):.3f}"])


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    sampling = verbs.add_parser("sample")
    sampling.add_argument("--seeds", type=int, default=1000)
    sampling.add_argument("--first", type=int, default=0)
    sampling.add_argument("--out", type=Path, required=True)
    tabling = verbs.add_parser("table")
    tabling.add_argument("--seeds-file", type=Path, required=True)
    tabling.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    if given.verb == "sample":
        sample(given.out, given.first, given.seeds)
    else:
        table(given.seeds_file, given.out)


if __name__ == "__main__":
    main()
