"""The cost curve of octa-acid: what replicates of a run say after so many evaluations of energy and forces.

An iteration of a leg of K states costs K (steps + K + 2): its MD, the energies of all walkers in all states, and two
of each walker's volume move. The equilibration of the boxes is counted for each replicate, and so is what windows
discard. The published curve counts K (500 + K + 4) with the K of both legs together, and no equilibration.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from gibbsflow.binding.alchemy.protocols import cycle_sum, protocol_of_legs
from gibbsflow.binding.analyse.estimators import dg_of_leg_kt, fit_mbar, refuse_disjoint
from gibbsflow.binding.sample.energies import Window, in_order, join_windows, read_window
from gibbsflow.errors import GibbsflowError
from gibbsflow.units import kt_kcal_per_mol

AT = (1.2e7, 2.7e7, 5.4e7, 1.2e8, 2.1e8, 1e9)
YANK: dict[str, dict[float, tuple[float, float, float]]] = {
    "OA-G3": {
        1.2e7: (-7.45, 0.64, 0.87), 2.7e7: (-7.33, 0.37, 0.68), 5.4e7: (-6.80, 0.93, 0.67), 1.2e8: (-6.93, 0.33, 0.32),
        2.1e8: (-6.82, 0.29, 0.24), 1e9: (-6.75, 0.17, 0.13),
    },
    "OA-G6": {
        1.2e7: (-8.91, 1.30, 1.96), 2.7e7: (-7.52, 0.34, 0.42), 5.4e7: (-7.22, 0.31, 0.23), 1.2e8: (-7.11, 0.29, 0.22),
        2.1e8: (-7.11, 0.23, 0.18), 1e9: (-7.21, 0.26, 0.19),
    },
}  # fmt: skip
"""Mean, half-width (95 %, Student's t) and RMSE against the final value of YANK's five replicates, by evaluations of
each: samplchallenges/SAMPL6, host_guest/Analysis/SAMPLing/Data/reference_free_energies.csv (commit c661d39, MIT)."""


def points(results: Path, record: dict[str, Any], published: float) -> list[dict[str, float]]:
    """Say what the replicates give after the evaluations of `AT`, as far as they went.

    Parameters
    ----------
    results
        Folder of the campaign's results.
    record
        Its ``record.json``.
    published
        What the RMSE is against, kcal/mol.

    Returns
    -------
    list of dict
        One a point; empty where replicates are missing.
    """
    legs: dict[int, dict[str, list[Window]]] = {}
    content: dict[str, Any] = {}
    for folder in sorted(results.glob("phases/*/fe/*_replicate_*")):
        leg, _, replicate = folder.name.partition("_replicate_")
        windows = [read_window(path) for path in sorted(folder.glob("window_*.parquet"))]
        legs.setdefault(int(replicate.split("_")[0]), {}).setdefault(leg, []).extend(windows)
        content[leg] = json.loads((folder / "leg.json").read_text())
    if not content:
        return []
    whole = iterations_of(content, math.inf)
    found = []
    for evaluations in [*AT, evaluations_of(content, whole)]:
        count = iterations_of(content, evaluations)
        if 0 < count <= whole:
            values = [value(by_leg, content, record, count) for by_leg in legs.values()]
            if all(one is not None for one in values) and len(values) > 1:
                found.append(point(evaluations, [one for one in values if one is not None], published))
    return found


def point(evaluations: float, values: Sequence[float], published: float) -> dict[str, float]:
    """Mean, half-width and RMSE of replicates.

    Parameters
    ----------
    evaluations
        Of each replicate.
    values
        What they say, kcal/mol.
    published
        What the RMSE is against, kcal/mol.

    Returns
    -------
    dict
        JSON-serialisable.
    """
    spread = float(np.std(values, ddof=1)) / math.sqrt(len(values))
    rmse = math.sqrt(float(np.mean((np.array(values) - published) ** 2)))
    return {
        "evaluations": round(evaluations),
        "mean_kcal_per_mol": round(float(np.mean(values)), 3),
        "half_width_kcal_per_mol": round(float(stats.t.ppf(0.975, len(values) - 1)) * spread, 3),
        "rmse_kcal_per_mol": round(rmse, 3),
        "replicates": len(values),
    }


def per_iteration(content: dict[str, Any]) -> int:
    """Evaluations of one iteration of all legs.

    Parameters
    ----------
    content
        ``leg.json`` of each leg.

    Returns
    -------
    int
        Of one replicate.
    """
    return sum(len(leg["states"]) * (steps(leg) + len(leg["states"]) + 2) for leg in content.values())


def steps(leg: dict[str, Any]) -> int:
    """Time steps between two samples.

    Parameters
    ----------
    leg
        Its ``leg.json``.

    Returns
    -------
    int
        Whole.
    """
    return round(leg["fe"]["sample_ps"] * 1000 / leg["md"]["timestep_fs"])


def evaluations_of(content: dict[str, Any], iterations: float) -> float:
    """Evaluations of so many iterations of a replicate.

    Parameters
    ----------
    content
        ``leg.json`` of each leg.
    iterations
        Those that windows discard among them.

    Returns
    -------
    float
        With 110 ps of equilibration for each leg, as by default.
    """
    first = next(iter(content.values()))
    return iterations * per_iteration(content) + len(content) * 110_000 / first["md"]["timestep_fs"]


def iterations_of(content: dict[str, Any], evaluations: float) -> int:
    """How many iterations so many evaluations are, bounded by what was run.

    Parameters
    ----------
    content
        ``leg.json`` of each leg.
    evaluations
        Of one replicate; infinite for all.

    Returns
    -------
    int
        One more than there are where the run was shorter.
    """
    fe = next(iter(content.values()))["fe"]
    every = math.ceil(fe["window_equil_ps"] / fe["sample_ps"]) + math.ceil(fe["window_ps"] / fe["sample_ps"])
    if math.isinf(evaluations):
        return every
    return min(every + 1, int((evaluations - evaluations_of(content, 0)) / per_iteration(content) + 1e-6))


def value(
    by_leg: dict[str, list[Window]], content: dict[str, Any], record: dict[str, Any], iterations: int
) -> float | None:
    """Binding free energy of one replicate after so many iterations.

    Parameters
    ----------
    by_leg
        Windows of each leg.
    content
        ``leg.json`` of each leg.
    record
        With the standard state.
    iterations
        Those that windows discard among them.

    Returns
    -------
    float or None
        kcal/mol; None where MBAR has too little to go on.
    """
    sums = {}
    for name, windows in by_leg.items():
        fe = content[name]["fe"]
        kept = iterations - math.ceil(fe["window_equil_ps"] / fe["sample_ps"])
        if kept < 2:  # noqa: PLR2004
            return None
        cut = [replace(w, time_ps=w.time_ps[:kept], replica=w.replica[:kept], u=w.u[:kept]) for w in windows]
        try:
            energies = join_windows(in_order(cut))
            refuse_disjoint(energies.u_nk)
            dg_kt, _ = dg_of_leg_kt(fit_mbar(energies.u_nk), energies)
        except GibbsflowError:
            return None
        sums[name] = dg_kt * kt_kcal_per_mol(content[name]["md"]["temperature_k"])
    protocol = protocol_of_legs("abfe", sums)
    return cycle_sum(protocol, sums, record["standard_state"]["numeric_kcal_per_mol"])


def line(found: dict[str, float], system: str) -> str:
    """One point for people, beside YANK's.

    Parameters
    ----------
    found
        From :func:`points`.
    system
        A key of `YANK`.

    Returns
    -------
    str
        Without an end of line.
    """
    own = f"{found['mean_kcal_per_mol']} [{found['half_width_kcal_per_mol']}], RMSE {found['rmse_kcal_per_mol']}"
    mean, half, rmse = YANK[system].get(float(found["evaluations"]), (math.nan,) * 3)
    yank = "" if math.isnan(mean) else f"; YANK {mean} [{half}], RMSE {rmse}"
    return f"  {found['evaluations']:.2g} evaluations: {own}{yank}"
