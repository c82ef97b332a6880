#!/usr/bin/env python3
r"""How often the intervals hold the truth, on legs whose free energies are known by quadrature.

    python benchmarks/coverage/run.py sample --seeds 1000 --out benchmarks/coverage/seeds.csv
    python benchmarks/coverage/run.py table --seeds-file benchmarks/coverage/seeds.csv \
        --out benchmarks/coverage/coverage.csv

``sample`` appends batches of seeds to its file, each cell (system, with or without exchange) in turn, and goes on from
what is there; ``--first`` starts at another seed. A seed is one replicate of a leg: `fe run`, then `analysis leg`, both
called in this process with the folders and files that they have on a command line. ``table`` draws 1, 2, 3 and 5
replicates at random, without repeats, from the seeds of a cell, as many draws as there are seeds. README.md beside this
says what was found.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from systems import TOYS

from gibbsflow.binding.analyse.uncertainty.intervals import Combined, combine_replicates
from gibbsflow.cli import analysis, fe
from gibbsflow.units import kt_kcal_per_mol
from gibbsflow.workflow.files import read_json

SAMPLES, DISCARDED = 100, 80
BATCH = 10
LEVELS = (0.50, 0.68, 0.95)
REPLICATES = (1, 2, 3, 5)
COLUMNS = (
    "system", "exchange", "seed", "truth_kt", "dg_kt", "low95_kt", "high95_kt", "error_kt", "dof", "mbar_error_kt",
    "block_error_kt", "block_correlation", "contradiction", "fewest_uncorrelated", "verdict",
)  # fmt: skip
CHECKS = (
    "halves_kt", "halves_error_kt", "bar_off_kt", "bar_off_sigma", "relaxation_times", "unequilibrated", "min_overlap",
)  # fmt: skip
"""What else the verdict of a leg looks at."""


def figures_of(leg: Path, seed: int, keep: Path | None) -> Mapping[str, Any]:
    """Sample one replicate of a leg by `fe run`, and analyse it by `analysis leg`; the figures of the latter.

    Windows that are in `keep` are analysed as they are.
    """
    with tempfile.TemporaryDirectory() as scratch, redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        found = Path(scratch) / "analysis"
        kept = keep / leg.name / str(seed) if keep is not None else None
        run = kept if kept is not None and kept.exists() else Path(scratch) / "run"
        if run != kept:
            fe.run(leg=leg, replicate=seed, state=Path(scratch) / "state", out=run)
        analysis.leg(files=sorted(run.glob("window_*.parquet")), out=found)
        if kept is not None and run != kept:
            shutil.copytree(run, kept.with_suffix(".part"))
            kept.with_suffix(".part").rename(kept)
        return dict(read_json(found / "result.json"))


def row_of(figures: Mapping[str, Any], truth: float) -> list[float | str]:
    """What `analysis leg` says of a replicate, in the order of COLUMNS, from the truth on, and CHECKS."""
    kt = kt_kcal_per_mol(figures["temperature_k"])
    bar = figures["bar"]["dg_kt"]
    dg, error, blocks = figures["mbar"]["dg_kt"], figures["dg_error_kcal_per_mol"] / kt, figures["blocks"]
    (first, first_error), (second, second_error) = (_half(figures[way]) for way in ("forward", "backward"))
    halves, halves_error = abs(first - second), float(np.hypot(first_error, second_error))
    half = combine_replicates([dg], [error], [blocks["dof"]]).half_width(0.95)
    return [
        truth, dg, dg - half, dg + half, error, blocks["dof"], figures["mbar"]["dg_error_kt"],
        blocks["dg_error_kcal_per_mol"] / kt, blocks["correlation"], blocks["contradiction"],
        float(min(figures["decorrelated"])), figures["verdict"], halves / kt, halves_error / kt,
        *((abs(bar - dg), figures["disagreement"]["bar"]) if bar is not None else (np.nan, np.nan)),
        figures["mixing"]["relaxation_times"] if figures["mixing"] else float("nan"),
        float(figures["equilibration"]["fraction"]), figures["overlap"]["min_neighbour"],
    ]  # fmt: skip


def _half(series: Mapping[str, Any]) -> tuple[float, float]:
    """Estimate and error of a half of the samples, kcal/mol; NaN where that half has none."""
    place = series["fraction"].index(0.5)
    value, error = series["dg_kcal_per_mol"][place], series["dg_error_kcal_per_mol"][place]
    return (np.nan, np.nan) if value is None else (value, error)


def sample(out: Path, first: int, seeds: int, cells: Sequence[tuple[str, bool]], keep: Path | None = None) -> None:
    """Append to `out` what it lacks of the seeds from `first` on."""
    there = read(out) if out.exists() else {}
    done = {(*cell, int(row["seed"])) for cell, rows in there.items() for row in rows}
    with tempfile.TemporaryDirectory() as legs, out.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if not there:
            writer.writerow(COLUMNS + CHECKS)
        truths = {name: TOYS[name].truth_kt for name in dict(cells)}
        places = {
            (name, exchange): TOYS[name].write_leg(
                f"{name}_{int(exchange)}", Path(legs) / f"{name}_{int(exchange)}", exchange=exchange, samples=SAMPLES,
                discarded=DISCARDED,
            )
            for name, exchange in cells
        }  # fmt: skip
        for batch in range(first, first + seeds, BATCH):
            for name, exchange in cells:
                for seed in range(batch, min(batch + BATCH, first + seeds)):
                    if (name, exchange, seed) not in done:
                        row = row_of(figures_of(places[name, exchange], seed, keep), truths[name])
                        writer.writerow([name, int(exchange), seed, *written(row)])
                file.flush()


def written(row: Sequence[float | str]) -> list[str]:
    """Figures as the files of seeds have them."""
    return [f"{value:.4f}".rstrip("0").rstrip(".") if isinstance(value, float) else value for value in row]


def read(path: Path) -> dict[tuple[str, bool], list[dict[str, Any]]]:
    """Rows of each cell."""
    cells = defaultdict(list)
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            cell = row.pop("system"), row.pop("exchange") == "1"
            verdict = row.pop("verdict")
            cells[cell].append({name: float(value) for name, value in row.items()} | {"verdict": verdict})
    return dict(cells)


def table(path: Path, out: Path) -> None:
    """Write how often intervals hold the truth, for each cell and number of replicates."""
    with out.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        head = [f"held_{round(100 * level)}" for level in LEVELS]
        writer.writerow(
            ["system", "exchange", "replicates", "draws", *head, "held_95_mbar_alone", "held_95_larger_of_both",
             "doubted", "held_95_undoubted", "error_over_spread"]
        )  # fmt: skip
        for (name, exchange), rows in sorted(read(path).items()):
            rng = np.random.default_rng(0)
            spread = np.std([row["dg_kt"] for row in rows], ddof=1)
            over = np.sqrt(np.mean([row["error_kt"] ** 2 for row in rows])) / spread
            for count in (count for count in REPLICATES if count <= len(rows)):
                drawn = [rng.choice(len(rows), count, replace=False) for _ in rows]
                held, alone, larger, doubted = [], [], [], []
                for places in drawn:
                    own = [rows[place] for place in places]
                    combined, off = _combined(own, [row["error_kt"] for row in own])
                    held.append([combined.outside(off) > 1 - level for level in LEVELS])
                    mbar = np.sqrt(sum(row["mbar_error_kt"] ** 2 for row in own)) / count
                    alone.append(off < 1.96 * mbar)
                    both = _combined(own, [max(row["mbar_error_kt"], row["block_error_kt"]) for row in own])[0]
                    larger.append(both.outside(off) > 1 - LEVELS[-1])
                    doubted.append(any(row["verdict"] != "PASS" for row in own))
                held, doubted = np.array(held), np.array(doubted)
                sound = held[~doubted, -1]
                shares = [
                    *held.mean(axis=0), np.mean(alone), np.mean(larger), doubted.mean(),
                    sound.mean() if sound.size else np.nan, over,
                ]  # fmt: skip
                writer.writerow([name, int(exchange), count, len(rows), *(f"{share:.3f}" for share in shares)])


def _combined(rows: Sequence[Mapping[str, Any]], errors: Sequence[float]) -> tuple[Combined, float]:
    """What the product makes of replicates with these errors, and how far that is from the truth."""
    combined = combine_replicates([row["dg_kt"] for row in rows], errors, [row["dof"] for row in rows])
    return combined, abs(combined.mean - rows[0]["truth_kt"])


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    sampling = verbs.add_parser("sample")
    sampling.add_argument("--seeds", type=int, default=1000)
    sampling.add_argument("--first", type=int, default=0)
    sampling.add_argument("--system", choices=list(TOYS), action="append", help="only this one; repeatable")
    sampling.add_argument("--keep", type=Path, help="folder for the windows of each seed; what is there is used")
    sampling.add_argument("--out", type=Path, required=True)
    tabling = verbs.add_parser("table")
    tabling.add_argument("--seeds-file", type=Path, required=True)
    tabling.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    if given.verb == "sample":
        cells = [(name, exchange) for name in given.system or TOYS for exchange in (False, True)]
        sample(given.out, given.first, given.seeds, cells, given.keep)
    else:
        table(given.seeds_file, given.out)


if __name__ == "__main__":
    main()
