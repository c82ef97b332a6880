"""Figures of what the frames show: RMSD, waters in the pocket, walkers along λ; and of the poses of a ligand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gibbsflow.binding.facts import ENDS
from gibbsflow.report.figures.svg import Chart, padded_range, series_colour, series_dash, tick_text

Part = Mapping[str, Any]
Line = tuple[str, str, bool, Part]
TIME = "time (ps)"
_DOTTED = "2 3"
_ENDS = {"coupled": False, "decoupled": True, ENDS[0]: False, ENDS[1]: True}
"""Of a ligand, or of an edge; whether its line is dashed."""


def motion_figures(record: Mapping[str, Any]) -> dict[str, str]:
    """Draw what was seen in the frames of a transformation, and of its walkers.

    Parameters
    ----------
    record
        Content of a ``record.json``.

    Returns
    -------
    dict
        SVG by name: ``rmsd_equilibration``; of each leg ``rmsd_…``, ``waters_…`` and ``walk_…``, what there is.
    """
    motion, made = record.get("motion") or {}, {}
    if seen := motion.get("equilibration"):
        made["rmsd_equilibration"] = draw_rmsd([("", "ink", False, seen)], "RMSD in the equilibration")
        if "buried_waters" in seen:
            made["waters_equilibration"] = draw_waters([("", "ink", False, seen)], "Waters in the equilibration")
    for leg in dict.fromkeys(part["leg"] for part in motion.get("legs", [])):
        parts = [part for part in motion["legs"] if part["leg"] == leg]
        lines = [
            (str(part["replicate"]), series_colour(place), dashed, part[end])
            for place, part in enumerate(parts)
            for end, dashed in _ENDS.items()
            if end in part
        ]
        if lines:
            made[f"rmsd_{leg}"] = draw_rmsd(lines, f"RMSD in the {leg} leg")
        if wet := [line for line in lines if "buried_waters" in line[3]]:
            made[f"waters_{leg}"] = draw_waters(wet, f"Waters in the pocket, {leg} leg")
        if walks := [part for part in parts if part.get("walk")]:
            worst = min(walks, key=lambda part: sum(part["walk"]["round_trips"]))
            made[f"walk_{leg}"] = draw_walk(worst["walk"], f"Walkers, {leg} leg, replicate {worst['replicate']}")
    return made


def draw_rmsd(lines: Sequence[Line], title: str) -> str:
    """Draw RMSD of the ligand over time, and of the site.

    Parameters
    ----------
    lines
        Name, colour, whether dashed (decoupled, or the second ligand of an edge), and what was seen.
    title
        What screen readers say.

    Returns
    -------
    str
        SVG: the ligand coloured, the site muted and dotted; the name stands on the line.
    """
    chart = _over_time(lines, ("ligand_rmsd_angstrom", "site_rmsd_angstrom"), "RMSD (Å)", title)
    for _, colour, dashed, seen in lines:
        chart.line(seen["time_ps"], seen["site_rmsd_angstrom"], "muted", dash=_DOTTED)
        chart.line(seen["time_ps"], seen["ligand_rmsd_angstrom"], colour, dashed=dashed)
    _name(chart, lines, "ligand_rmsd_angstrom")
    return chart.svg()


def draw_waters(lines: Sequence[Line], title: str) -> str:
    """Draw the number of waters in the pocket over time.

    Parameters
    ----------
    lines
        As for :func:`draw_rmsd`.
    title
        What screen readers say.

    Returns
    -------
    str
        SVG.
    """
    chart = _over_time(lines, ("buried_waters",), "waters in the pocket", title)
    for _, colour, dashed, seen in lines:
        chart.line(seen["time_ps"], seen["buried_waters"], colour, dashed=dashed)
    _name(chart, lines, "buried_waters")
    return chart.svg()


def _name(chart: Chart, lines: Sequence[Line], key: str) -> None:
    """Write the name of each line on it, of one at another place than of the next, so that colours are not needed."""
    for number, (name, _, _, seen) in enumerate(lines, 1):
        place = min(len(seen[key]) - 1, len(seen[key]) * number // (len(lines) + 1))
        chart.text(chart.x(seen["time_ps"][place]), chart.y(seen[key][place]) + 3, name, "mid small named")


def _over_time(lines: Sequence[Line], names: Sequence[str], label: str, title: str) -> Chart:
    times = [time for _, _, _, seen in lines for time in seen["time_ps"]]
    highest = max(value for _, _, _, seen in lines for name in names for value in seen[name])
    chart = Chart(padded_range(times, 0.02), (0.0, max(1.0, 1.08 * highest)), title=title, y_label=label, height=220)
    chart.x_label = TIME
    chart.axes()
    return chart


def draw_walk(walk: Part, title: str) -> str:
    """Draw in which window each walker was, over time.

    Parameters
    ----------
    walk
        `walk` of a leg and replicate.
    title
        What screen readers say.

    Returns
    -------
    str
        SVG, with a line a walker and its number at both ends, which lie in windows of their own.
    """
    paths = walk["window_of_walker"]
    highest = max(max(path) for path in paths)
    chart = Chart(
        padded_range(walk["time_ps"], 0.04), (-0.5, highest + 0.5), title=title, y_label="window", x_label=TIME
    )
    chart.axes()
    for place, (path, walker, trips) in enumerate(zip(paths, walk["walkers"], walk["round_trips"], strict=True)):
        points = zip(walk["time_ps"], path, strict=True)
        line = "L".join(f"{chart.x(time):.0f} {chart.y(window):.0f}" for time, window in points)
        tip = f"<title>walker {walker}: {trips} round trip{'' if trips == 1 else 's'}</title>"
        style = f'style="stroke:var(--{series_colour(place)});stroke-width:1" stroke-opacity="0.7"'
        style += f' stroke-dasharray="{series_dash(place) or "none"}"'
        chart.parts.append(f'<path class="line" {style} d="M{line}">{tip}</path>')
        for end, side, shift in ((0, "end", -3), (-1, "", 3)):
            chart.text(chart.x(walk["time_ps"][end]) + shift, chart.y(path[end]) + 3, str(walker), f"{side} tiny named")
    return chart.svg()


def draw_poses(record: Mapping[str, Any], title: str) -> str:
    """Draw the free energy of each pose, their sum, and the experiment, on one axis.

    Parameters
    ----------
    record
        Content of a record with `poses` and a result.
    title
        What screen readers say.

    Returns
    -------
    str
        SVG.
    """
    rows = [
        (pose["transformation"], pose["dg_kcal_per_mol"], pose["dg_error_kcal_per_mol"], series_colour(place))
        for place, pose in enumerate(record["poses"])
        if pose["dg_kcal_per_mol"] is not None
    ]
    rows.append(("all poses", record["dg_kcal_per_mol"], record["dg_error_kcal_per_mol"], "ink"))
    if record.get("experimental_dg_kcal_per_mol") is not None:
        rows.append(("experiment", record["experimental_dg_kcal_per_mol"], 0.0, "muted"))
    values = [dg + sign * error for _, dg, error, _ in rows for sign in (-1, 1)]
    chart = Chart(padded_range(values, least=1.0), (0, 1), title=title, x_label="ΔG (kcal/mol)", left=120)
    chart.height = 66 + 28 * len(rows)
    chart.axes(y_labels=False)
    for place, (name, dg, error, colour) in enumerate(rows):
        y = chart.top + 20 + 28 * place
        chart.text(chart.left - 8, y + 4, name if len(name) <= 18 else f"{name[:17]}…", "end")
        low, x, high = chart.x(dg - error), chart.x(dg), chart.x(dg + error)
        chart.parts.append(f'<path class="line" style="stroke:var(--{colour})" d="M{low:.1f} {y}H{high:.1f}"/>')
        tip = f"<title>{tick_text(round(dg, 2))} ± {error:.2f} kcal/mol</title>"
        chart.parts.append(f'<circle style="fill:var(--{colour})" cx="{x:.1f}" cy="{y}" r="4.5">{tip}</circle>')
    return chart.svg()
