#!/usr/bin/env python3
"""Each public repeat of an edge against the prediction interval of the other two.

    python benchmarks/coverage/repeats.py computational_results.json

The file is that of openfe-benchmarks: edges with three repeats of each leg, without MBAR's errors. So the error within
a repeat is taken as one number for all edges: the median that 1,196 edges of IndustryBenchmarks2024 state, which is
0.072 kcal/mol in the complex. Prints how often a repeat lies outside of the 50, 68 and 95 % prediction intervals, by
the verdict that the edge gets from overlap and spread of the other two.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict

import numpy as np

from gibbsflow.binding.analyse.uncertainty.intervals import combine_replicates
from gibbsflow.binding.analyse.verdict import Thresholds, judge_result

OWN_ERROR_KCAL_PER_MOL = 0.072
_DOF = 30.0


def main() -> None:
    """Run from the command line."""
    limits = Thresholds()
    with open(sys.argv[1]) as file:
        edges = json.load(file)["ddg"]
    outside = defaultdict(list)
    for edge in edges:
        values = np.array(edge["dgs_complex"]) - np.array(edge["dgs_solvent"])
        overlaps = np.minimum(edge["complex_smallest_mbar_overlaps"], edge["solvent_smallest_mbar_overlaps"])
        for left_out in range(len(values)):
            others = np.delete(values, left_out)
            errors = [OWN_ERROR_KCAL_PER_MOL] * len(others)
            combined = combine_replicates(others, errors, [_DOF] * len(others))
            doubts = judge_result(others.tolist(), errors, combined.standard_error, limits)
            low = np.delete(overlaps, left_out).min() < limits.overlap_warn
            # variance of one more repeat about the mean of R: R + 1 times that of the mean
            off = abs(values[left_out] - combined.mean) / np.sqrt(len(others) + 1)
            outside["WARN" if doubts or low else "PASS"].append(combined.outside(off))
    print(f"{'verdict':8}{'repeats':>8}{'out of 50 %':>13}{'of 68 %':>9}{'of 95 %':>9}")
    outside["all"] = [tail for tails in outside.values() for tail in tails]
    for verdict, tails in sorted(outside.items()):
        shares = [np.mean(np.array(tails) < 1 - level) for level in (0.50, 0.68, 0.95)]
        print(f"{verdict:8}{len(tails):8}{shares[0]:13.3f}{shares[1]:9.3f}{shares[2]:9.3f}")


if __name__ == "__main__":
    main()
