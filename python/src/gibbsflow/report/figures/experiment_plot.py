"""Computed against experimental free energies: the plot and its statistics."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from scipy.stats import kendalltau

from gibbsflow.report.figures.svg import Chart, padded_range, tick_text, ticks

_LABELLED = 24
"""Points that still have room for their names."""


@dataclass(frozen=True)
class Comparison:
    """A ligand whose binding free energy was computed and measured.

    Attributes
    ----------
    name
        Name of the ligand.
    computed, experiment
        Free energies, kcal/mol.
    error
        Of the computed one, kcal/mol; None where it is not known.
    verdict
        ``PASS``, ``WARN`` or ``FAIL``: its colour, and whether its point is full.
    """

    name: str
    computed: float
    experiment: float
    error: float | None = None
    verdict: str = ""


@dataclass(frozen=True)
class Agreement:
    """Statistics over ligands.

    Attributes
    ----------
    count
        Ligands.
    mean_signed_error, mean_unsigned_error, root_mean_square_error
        Of computed minus measured free energies, kcal/mol.
    kendall_tau
        Rank correlation; None with fewer than three ligands, or where one of the two does not vary.
    """

    count: int
    mean_signed_error: float
    mean_unsigned_error: float
    root_mean_square_error: float
    kendall_tau: float | None


def compare(comparisons: Sequence[Comparison]) -> Agreement | None:
    """Compare with experiment.

    Parameters
    ----------
    comparisons
        A ligand each.

    Returns
    -------
    Agreement or None
        None where there are none.
    """
    if not comparisons:
        return None
    errors = [one.computed - one.experiment for one in comparisons]
    tau = None
    if len(comparisons) >= 3:
        value = float(kendalltau(*zip(*((one.computed, one.experiment) for one in comparisons), strict=True)).statistic)
        tau = value if math.isfinite(value) else None
    rmse = math.sqrt(fmean(e * e for e in errors))
    return Agreement(len(comparisons), fmean(errors), fmean(abs(e) for e in errors), rmse, tau)


def draw_comparison(comparisons: Sequence[Comparison], quantity: str = "ΔG") -> str | None:
    """Plot computed against experiment, with bands of 1 and 2 kcal/mol.

    Parameters
    ----------
    comparisons
        A ligand (or an edge) each.
    quantity
        What is compared.

    Returns
    -------
    str or None
        SVG; None where there are none.
    """
    if not comparisons:
        return None
    values = [value for one in comparisons for value in (one.computed, one.experiment)]
    limits = padded_range(values, share=0.15, least=6.0)
    chart = Chart(limits, limits, width=440, height=430, title=f"Computed against experimental {quantity}")
    chart.x_label, chart.y_label = "experiment (kcal/mol)", "computed (kcal/mol)"
    low, high = limits
    for width, opacity in ((2.0, 0.07), (1.0, 0.10)):
        corners = [(low, low), (low, low + width), (high - width, high), (high, high), (high, high - width)]
        corners += [(low + width, low)]
        path = "L".join(f"{chart.x(x):.1f} {chart.y(y):.1f}" for x, y in corners)
        chart.parts.append(f'<path style="fill:var(--accent)" fill-opacity="{opacity}" d="M{path}z"/>')
    chart.axes(ticks(low, high, 5))
    diagonal = f"M{chart.x(low):.1f} {chart.y(low):.1f}L{chart.x(high):.1f} {chart.y(high):.1f}"
    chart.parts.append(f'<path class="axis" stroke-dasharray="4 4" d="{diagonal}"/>')
    for one in comparisons:
        name = f"{one.name}: {tick_text(round(one.computed, 2))} ± {one.error or 0:.2f}"
        name += f", experiment {tick_text(round(one.experiment, 2))} kcal/mol"
        colour = one.verdict.lower() or "muted"
        chart.point(one.experiment, one.computed, one.error, colour, hollow=one.verdict != "PASS", name=name)
        if len(comparisons) <= _LABELLED:
            x, right = chart.x(one.experiment), chart.x(one.experiment) > 0.75 * chart.width
            chart.text(x + (-8 if right else 8), chart.y(one.computed) + 4, one.name, "end" if right else "")
    return chart.svg()
