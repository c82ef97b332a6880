#!/usr/bin/env python3
r"""Public repeats of relative free energies: each repeat of an edge against the prediction interval of the other two.

    python benchmarks/coverage/repeats.py FILE [--edges N]

FILE is `combined_pymbar3_edge_data.csv` of OpenFreeEnergy/IndustryBenchmarks2024 (1,198 edges with MBAR's error of each
leg and repeat), or a `computational_results.json` of OpenFreeEnergy/openfe-benchmarks (the 80 edges of `rbfe_network`
have no errors: the median of the former, 0.094 kcal/mol, stands for all). Printed are what the spread over repeats is
in MBAR's errors (the prior of `leg_result.MBAR_ALONE_RATIO` and of its degrees of freedom, also from one half of the
systems for the other), the confusion table of the verdict and the interval, and what other thresholds would give.
"""

from __future__ import annotations

import argparse
import csv
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import brentq
from scipy.special import digamma, polygamma
from scipy.stats import t as student

from gibbsflow.binding.analyse.leg_result import MBAR_ALONE_DOF, MBAR_ALONE_RATIO
from gibbsflow.binding.analyse.uncertainty.intervals import combine_replicates
from gibbsflow.binding.analyse.verdict import Thresholds, judge_result
from gibbsflow.binding.network.edge_errors import settle_errors
from gibbsflow.binding.network.edge_table import edge_of_repeats
from gibbsflow.workflow.account import Account

MEDIAN_ERROR_KCAL_PER_MOL = 0.094
LEVELS = (0.50, 0.68, 0.95)
LEGS = ("complex", "solvent")


@dataclass(frozen=True)
class Edges:
    """Edges with three repeats: names of their systems, shape (E,); figures, shape (E, leg, repeat), kcal/mol."""

    system: np.ndarray
    dg: np.ndarray
    error: np.ndarray
    overlap: np.ndarray

    @property
    def ddg(self) -> np.ndarray:
        """Complex less solvent, shape (E, repeat)."""
        return self.dg[:, 0] - self.dg[:, 1]

    @property
    def own(self) -> np.ndarray:
        """MBAR's error of both legs, shape (E, repeat)."""
        return np.hypot(self.error[:, 0], self.error[:, 1])


def read(path: Path) -> Edges:
    """Edges of either file; those without three values are left out."""
    if path.suffix == ".csv":
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        columns = ("DG (kcal/mol)", "dDG (kcal/mol)", "smallest_overlap")
        told = [
            [[[float(row[f"{leg}_repeat_{n}_{key}"] or "nan") for n in range(3)] for leg in LEGS] for key in columns]
            for row in rows
        ]
        figures, systems = np.array(told), np.array([f"{row['system group']}/{row['system name']}" for row in rows])
    else:
        edges = json.loads(path.read_text())["ddg"]
        systems = np.array([f"{edge['system_group']}/{edge['system_name']}" for edge in edges])
        none = [MEDIAN_ERROR_KCAL_PER_MOL / np.sqrt(2)] * 3
        figures = np.array(
            [
                [
                    [[_number(v) for v in edge[f"dgs_{leg}"]] for leg in LEGS],
                    [[_number(v) for v in edge.get(f"{leg}_mbar_errors", none)] for leg in LEGS],
                    [edge[f"{leg}_smallest_mbar_overlaps"] for leg in LEGS],
                ]
                for edge in edges
            ],
            dtype=float,
        )
    sound = np.isfinite(figures[:, :2]).all(axis=(1, 2, 3))
    return Edges(systems[sound], *(figures[sound, kind] for kind in range(3)))


def _number(value: object) -> float:
    return float(value["magnitude"] if isinstance(value, dict) else value)


def prior(edges: Edges) -> tuple[float, float]:
    """Degrees of freedom and root of the scale of the variance of a repeat in MBAR's, by moments of its logarithm."""
    ratio = edges.ddg.var(axis=1, ddof=1) / (edges.own**2).mean(axis=1)
    logs = np.log(np.maximum(ratio, 1e-5 * np.median(ratio))) - digamma(1)
    excess = logs.var(ddof=1) - polygamma(1, 1)
    dof = 2 * brentq(lambda half: float(polygamma(1, half)) - excess, 1e-3, 1e4)
    return dof, float(np.sqrt(np.exp(logs.mean() + digamma(dof / 2) - np.log(dof / 2))))


def out_of(tails: np.ndarray) -> str:
    """Share of repeats outside of the interval of each level."""
    return "  ".join(f"{np.mean(tails < 1 - level):.3f}" for level in LEVELS) if len(tails) else "-"


def tell_prior(edges: Edges) -> None:
    """Print the prior, and how it predicts the systems that it was not fitted to."""
    dof, ratio = prior(edges)
    print(f"spread over repeats: {ratio:.2f} times MBAR's error, known to {dof:.1f} degrees of freedom")
    names = np.unique(edges.system)
    half = np.isin(edges.system, np.random.default_rng(0).permutation(names)[::2])
    tails = []
    for fitted, tried in ((half, ~half), (~half, half)):
        dof, ratio = prior(Edges(*(getattr(edges, key)[fitted] for key in Edges.__dataclass_fields__)))
        for left_out in range(3):
            ddg, own = np.delete(edges.ddg[tried], left_out, 1), np.delete(edges.own[tried], left_out, 1)
            pooled = (dof * ratio**2 * (own**2).mean(axis=1) + ddg.var(axis=1, ddof=1)) / (dof + 1)
            off = np.abs(edges.ddg[tried, left_out] - ddg.mean(axis=1))
            tails.append(2 * student.sf(off / np.sqrt(1.5 * pooled), dof + 1))
    print(f"fitted to half of the systems, out of 50, 68, 95 % in the others: {out_of(np.concatenate(tails))}")


def tell_results(edges: Edges, most: int) -> None:
    """Print the confusion table of results of two replicates, and what thresholds do."""
    limits, rows = Thresholds(), []
    for place in np.random.default_rng(1).permutation(len(edges.ddg))[:most]:
        for left_out in range(3):
            values, own = np.delete(edges.ddg[place], left_out), np.delete(edges.own[place], left_out)
            errors = (MBAR_ALONE_RATIO * own).tolist()
            combined = combine_replicates(values, errors, [MBAR_ALONE_DOF] * 2)
            doubts = judge_result(values.tolist(), errors, combined.standard_error, limits)
            # variance of one more repeat about the mean of two: three times that of the mean
            off = abs(edges.ddg[place, left_out] - combined.mean)
            overlap = np.delete(edges.overlap[place], left_out, 1).min()
            rows.append([combined.outside(off / np.sqrt(3)), off, overlap, combined.standard_error, bool(doubts)])
    tails, off, overlap, error, doubted = np.array(rows).T
    low = overlap < limits.overlap_warn
    print(f"\nresults of two replicates, {len(tails)} predictions of a third")
    print("verdict        n  inside  outside   out of 50, 68, 95 %")
    for words, chosen in (
        ("PASS", ~low & (doubted == 0)), ("WARN", low | (doubted == 1)), ("all", np.full(len(tails), True)),
    ):  # fmt: skip
        outside = int((tails[chosen] < 0.05).sum())
        print(f"{words:8}{chosen.sum():8}{chosen.sum() - outside:8}{outside:9}   {out_of(tails[chosen])}")
    print("\nthreshold          passes  out of 50, 68, 95 %   median off, kcal/mol: of those that pass, of the others")
    for name, figure, values, above in (
        ("overlap_warn", overlap, (0.003, 0.01, 0.03, 0.05, 0.1), True),
        ("error_warn", error, (0.2, 0.3, 0.5, 1.0), False),
    ):
        for value in values:
            passes = figure >= value if above else figure <= value
            halves = [np.median(off[part]) if part.any() else np.nan for part in (passes, ~passes)]
            print(
                f"{name:13}{value:6g}{passes.mean():7.3f}  {out_of(tails[passes])}   {halves[0]:.2f}  {halves[1]:.2f}"
            )


def tell_network(edges: Edges) -> None:
    """Print how the errors that `analysis network` moderates by all edges of a system hold the third repeat."""
    for words, with_mbar in (("with MBAR's errors", True), ("without errors", False)):
        z = []
        for system in np.unique(edges.system):
            own = np.flatnonzero(edges.system == system)
            for left_out in range(3):
                kept = [n for n in range(3) if n != left_out]
                made = [
                    edge_of_repeats(
                        f"a{k}",
                        f"b{k}",
                        *(
                            [(edges.dg[k, leg, n], edges.error[k, leg, n] if with_mbar else None) for n in kept]
                            for leg in (0, 1)
                        ),
                    )
                    for k in own
                ]
                settled, _ = settle_errors(made, Account("edges"))
                z += [
                    abs(edges.ddg[k, left_out] - row.ddg_kcal_per_mol) / (np.sqrt(3) * row.ddg_error_kcal_per_mol)
                    for k, row in zip(own, settled, strict=True)
                    if row.ddg_error_kcal_per_mol
                ]
        shares = "  ".join(f"{np.mean(np.array(z) > bound):.3f}" for bound in (0.674, 0.994, 1.96))
        print(f"network, {words}: {len(z)} predictions, out of 50, 68, 95 %: {shares}")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--edges", type=int, default=10_000, help="most edges whose results are tried")
    given = parser.parse_args()
    edges = read(given.file)
    print(f"{given.file.name}: {len(edges.ddg)} edges with three repeats")
    if np.ptp(edges.error) > 0:
        tell_prior(edges)
    tell_network(edges)
    tell_results(edges, given.edges)


if __name__ == "__main__":
    main()
