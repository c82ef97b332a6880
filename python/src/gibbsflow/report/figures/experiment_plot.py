"""Computed against experimental free energies: the plot and its statistics."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from scipy.stats import kendalltau

from gibbsflow.report.figures.svg import Chart, padded_range, tick_text, ticks
from gibbsflow.report.tables.results_table import TableRow

_LABELLED = 24
"""Points that still have room for their names."""


@dataclass(frozen=True)
class Agreement:
    """Statistics over the ligands that have both values.

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


def compared_rows(rows: Sequence[TableRow]) -> list[TableRow]:
    """Pick the rows that have a computed and an experimental value.

    Parameters
    ----------
    rows
        The campaign's table.

    Returns
    -------
    list of TableRow
        In its order.
    """
    return [r for r in rows if r.dg_kcal_per_mol is not None and r.experimental_dg_kcal_per_mol is not None]


def compare(rows: Sequence[TableRow]) -> Agreement | None:
    """Compare with experiment.

    Parameters
    ----------
    rows
        The campaign's table.

    Returns
    -------
    Agreement or None
        None where no row has both values.
    """
    pairs = [(r.dg_kcal_per_mol or 0.0, r.experimental_dg_kcal_per_mol or 0.0) for r in compared_rows(rows)]
    if not pairs:
        return None
    errors = [computed - experiment for computed, experiment in pairs]
    tau = None
    if len(pairs) >= 3:
        value = float(kendalltau(*zip(*pairs, strict=True)).statistic)
        tau = value if math.isfinite(value) else None
    rmse = math.sqrt(fmean(e * e for e in errors))
    return Agreement(len(pairs), fmean(errors), fmean(abs(e) for e in errors), rmse, tau)


def draw_comparison(rows: Sequence[TableRow]) -> str | None:
    """Plot computed against experiment, with bands of 1 and 2 kcal/mol.

    Parameters
    ----------
    rows
        The campaign's table.

    Returns
    -------
    str or None
        SVG; None where no row has both values.
    """
    pairs = [(row, row.dg_kcal_per_mol or 0.0, row.experimental_dg_kcal_per_mol or 0.0) for row in compared_rows(rows)]
    if not pairs:
        return None
    limits = padded_range([value for _, dg, experiment in pairs for value in (dg, experiment)], share=0.15, least=6.0)
    chart = Chart(limits, limits, width=440, height=430, title="Computed against experimental ΔG")
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
    for row, dg, experiment in pairs:
        error = row.dg_error_kcal_per_mol
        name = f"{row.ligand}: {tick_text(round(dg, 2))} ± {error or 0:.2f}"
        name += f", experiment {tick_text(round(experiment, 2))} kcal/mol"
        colour = row.verdict.lower() or "muted"
        chart.point(experiment, dg, error, colour, hollow=row.verdict != "PASS", name=name)
        if len(pairs) <= _LABELLED:
            right = chart.x(experiment) > 0.75 * chart.width
            chart.text(chart.x(experiment) + (-8 if right else 8), chart.y(dg) + 4, row.ligand, "end" if right else "")
    return chart.svg()
