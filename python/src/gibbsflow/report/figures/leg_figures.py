"""Figures of a record: λ profiles, overlap, convergence, replicates; drawn from the record alone."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rdkit import Chem

from gibbsflow.binding.facts import ENDS
from gibbsflow.binding.prepare.atom_map.atom_maps import AtomMap
from gibbsflow.binding.system import SimSystem
from gibbsflow.report.figures.atom_map_figure import draw_atom_map
from gibbsflow.report.figures.cycle_figure import draw_cycle
from gibbsflow.report.figures.motion_figures import draw_poses, motion_figures
from gibbsflow.report.figures.svg import (
    DASHED,
    Chart,
    padded_range,
    series_colour,
    series_dash,
    svg_element,
    svg_file,
    tick_text,
)
from gibbsflow.workflow.files import atomic_open

Leg = Mapping[str, Any]
KCAL = "ΔG (kcal/mol)"
_LAMBDA_NAMES = {"lambda_restraints": "restraint", "lambda_electrostatics": "charges", "lambda_sterics": "sterics"}
_LAMBDA_NAMES |= {
    "lambda_sterics_copy": "copy",
    "lambda_core": "core",
    "lambda_sterics_new": "sterics B",
    "lambda_electrostatics_new": "charges B",
}


def analysed_replicates(record: Mapping[str, Any], leg: str) -> list[Leg]:
    """Pick the replicates of a leg that have a result.

    Parameters
    ----------
    record
        Content of a ``record.json``.
    leg
        ``complex`` or ``solvent``.

    Returns
    -------
    list of Mapping
        Their parts of the record, by number.
    """
    found = [item for item in record["legs"] if item["leg"] == leg and item["dg_kcal_per_mol"] is not None]
    return sorted(found, key=lambda item: item["replicate"])


def draw_profile(replicates: Sequence[Leg], title: str) -> str:
    """Draw the free energy along the states for every replicate, over a strip with the λ schedule.

    Parameters
    ----------
    replicates
        Replicates of one leg, from :func:`analysed_replicates`.
    title
        What screen readers say.

    Returns
    -------
    str
        SVG.
    """
    states = replicates[0]["states"]
    values = [v for item in replicates for v in item["profile"]["dg_kcal_per_mol"]]
    names = [name for name in states[0] if len({state[name] for state in states}) > 1]
    strip = 16 * len(names) + 10
    chart = Chart((-0.4, len(states) - 0.6), padded_range(values), title=title, y_label=KCAL, height=250 + strip)
    chart.bottom, chart.x_label = 44 + strip, "window"
    step = 1 if len(states) <= 20 else 5
    chart.axes([float(state) for state in range(0, len(states), step)])
    for place, item in enumerate(replicates):
        colour, data = series_colour(place), item["profile"]
        chart.line(data["state"], data["dg_kcal_per_mol"], colour, dash=series_dash(place))
        points = zip(data["state"], data["dg_kcal_per_mol"], data["dg_error_kcal_per_mol"], strict=True)
        for state, dg, error in points:
            tip = f"replicate {item['replicate']}, window {state}: {dg:.2f} ± {error:.2f} kcal/mol"
            chart.point(state, dg, error, colour, name=tip)
    for row, name in enumerate(names):
        y = chart.height - chart.bottom + 32 + 16 * row
        chart.text(chart.left - 8, y + 8, _LAMBDA_NAMES.get(name, name)[:10], "end tiny")
        width = chart.x(1) - chart.x(0)
        for place, state in enumerate(states):
            tip = f"<title>window {place}: {_LAMBDA_NAMES.get(name, name)} λ = {state[name]:g}</title>"
            style = f'style="fill:var(--accent);stroke:var(--grid)" fill-opacity="{0.05 + 0.75 * state[name]:.2f}"'
            x = chart.x(place) - width / 2
            chart.parts.append(f'<rect {style} x="{x:.1f}" y="{y}" width="{width:.1f}" height="11">{tip}</rect>')
    draw_legend(
        chart,
        [(series_colour(p), f"replicate {item['replicate']}", series_dash(p)) for p, item in enumerate(replicates)],
    )
    return chart.svg()


def draw_convergence(replicates: Sequence[Leg], title: str) -> str:
    """Draw the estimates from the first and the last part of the data, for every replicate.

    Parameters
    ----------
    replicates
        Replicates of one leg, from :func:`analysed_replicates`.
    title
        What screen readers say.

    Returns
    -------
    str
        SVG.
    """
    values = [
        item[way]["dg_kcal_per_mol"][place] + sign * (item[way]["dg_error_kcal_per_mol"][place] or 0.0)
        for item in replicates
        for way in ("forward", "backward")
        for place in range(len(item[way]["fraction"]))
        for sign in (-1, 1)
        if item[way]["dg_kcal_per_mol"][place] is not None
    ]
    # of very few samples the whole alone can be analysed
    values += [
        item["dg_kcal_per_mol"] + sign * item["dg_error_kcal_per_mol"] for item in replicates for sign in (-1, 1)
    ]
    chart = Chart((0.05, 1.05), padded_range(values), title=title, y_label=KCAL, x_label="part of the data")
    chart.axes([0.2, 0.4, 0.6, 0.8, 1.0])
    for place, item in enumerate(replicates):
        colour = series_colour(place)
        dg, error = item["dg_kcal_per_mol"], item["dg_error_kcal_per_mol"]
        chart.band(dg - error, dg + error, colour)
        for way, shift in (("backward", 0.006), ("forward", -0.006)):
            data, hollow = item[way], way == "backward"
            chart.line([f + shift for f in data["fraction"]], data["dg_kcal_per_mol"], colour, dashed=hollow)
            for f, v, e in zip(data["fraction"], data["dg_kcal_per_mol"], data["dg_error_kcal_per_mol"], strict=True):
                if v is not None:
                    chart.point(f + shift, v, e, colour, hollow=hollow)
    draw_legend(chart, [("ink", "from the start", ""), ("ink", "from the end", DASHED)])
    return chart.svg()


def draw_overlap(item: Leg, threshold: float, title: str) -> str:
    """Draw the overlap matrix; neighbours below the threshold are outlined.

    Parameters
    ----------
    item
        A replicate of a leg, from :func:`analysed_replicates`.
    threshold
        Least overlap of neighbours that is not outlined, of 1.
    title
        What screen readers say.

    Returns
    -------
    str
        SVG.
    """
    matrix, states = item["overlap"]["matrix"], item["sampled_states"]
    count = len(matrix)
    cell = max(12.0, min(34.0, 380 / count))
    left, top = 34.0, 22.0
    parts = []
    for i in range(count):
        parts.append(f'<text class="end small" x="{left - 6}" y="{top + (i + 0.5) * cell + 3:.1f}">{states[i]}</text>')
        parts.append(f'<text class="mid small" x="{left + (i + 0.5) * cell:.1f}" y="{top - 7}">{states[i]}</text>')
        for j in range(count):
            value = max(0.0, matrix[i][j])
            x, y = left + j * cell, top + i * cell
            weak = abs(i - j) == 1 and value < threshold
            style = "fill:var(--accent);stroke:" + ("var(--fail);stroke-width:2" if weak else "var(--grid)")
            tip = f"<title>windows {states[i]} and {states[j]}: {value:.3f}</title>"
            parts.append(
                f'<rect style="{style}" fill-opacity="{min(0.85, 1.3 * value**0.75):.3f}" x="{x:.1f}" y="{y:.1f}" '
                f'width="{cell:.1f}" height="{cell:.1f}">{tip}</rect>'
            )
            if value >= 0.005 and cell >= 18:
                text = f"{value:.2f}"[1:] if value < 1 else "1"
                place = f'x="{x + cell / 2:.1f}" y="{y + cell / 2 + 3:.1f}"'
                parts.append(f'<text class="mid tiny ink" {place}>{text}</text>')
    size = count * cell
    return svg_element("".join(parts), left + size + 8, top + size + 8, title)


def draw_replicates(record: Mapping[str, Any], title: str) -> str:
    """Draw the result of each replicate, their mean, and the experiment, on one axis.

    Parameters
    ----------
    record
        Content of a ``record.json`` with a result.
    title
        What screen readers say.

    Returns
    -------
    str
        SVG.
    """
    rows: list[tuple[str, float, float | None, str]] = [
        (f"replicate {name}", dg, error, series_colour(place))
        for place, (name, dg, error) in enumerate(
            zip(
                record["replicate_numbers"],
                record["replicate_dg_kcal_per_mol"],
                record["replicate_error_kcal_per_mol"],
                strict=True,
            )
        )
    ]
    rows.append(("mean", record["dg_kcal_per_mol"], record["dg_error_kcal_per_mol"], "ink"))
    if record.get("experimental_dg_kcal_per_mol") is not None:
        rows.append(("experiment", record["experimental_dg_kcal_per_mol"], None, "muted"))
    values = [dg + sign * (error or 0.0) for _, dg, error, _ in rows for sign in (-1, 1)]
    chart = Chart(
        padded_range(values, least=1.0), (0, 1), title=title, x_label=KCAL, height=66 + 28 * len(rows), left=86
    )
    chart.axes(y_labels=False)
    for place, (name, dg, error, colour) in enumerate(rows):
        y = chart.top + 20 + 28 * place
        kind = "end strong" if name == "mean" else "end"
        chart.text(chart.left - 8, y + 4, name, kind)
        x = chart.x(dg)
        if error:
            low, high = chart.x(dg - error), chart.x(dg + error)
            chart.parts.append(f'<path class="line" style="stroke:var(--{colour})" d="M{low:.1f} {y}H{high:.1f}"/>')
        tip = f"<title>{name}: {tick_text(round(dg, 2))}" + (f" ± {error:.2f}" if error else "") + " kcal/mol</title>"
        style = f"fill:var(--{colour})"
        if name == "experiment":
            chart.parts.append(f'<path style="{style}" d="M{x:.1f} {y - 6}l6 6l-6 6l-6 -6z">{tip}</path>')
        else:
            chart.parts.append(f'<circle style="{style}" cx="{x:.1f}" cy="{y}" r="4.5">{tip}</circle>')
    return chart.svg()


def draw_legend(chart: Chart, entries: Sequence[tuple[str, str, str]]) -> None:
    """Write names of series, with a piece of their line, inside the top of a chart; of one alone, nothing.

    Parameters
    ----------
    chart
        The chart.
    entries
        Colour, name, and dashes of the line, of each series; the first five are written.
    """
    if len(entries) < 2:
        return
    x = float(chart.left + 10)
    for colour, name, dashes in entries[:5]:
        dash = f' stroke-dasharray="{dashes}"' if dashes else ""
        y = chart.top + 6
        chart.parts.append(f'<path class="line" style="stroke:var(--{colour})"{dash} d="M{x:.0f} {y}h18"/>')
        chart.text(x + 23, y + 4, name, "small")
        x += 34 + 5.6 * len(name)


def record_figures(record: Mapping[str, Any]) -> dict[str, str]:
    """Draw all figures of a record.

    Parameters
    ----------
    record
        Content of a ``record.json``.

    Returns
    -------
    dict
        SVG by name of the figure; those that its data do not allow are left out.
    """
    if "poses" in record:
        return (
            {} if record["dg_kcal_per_mol"] is None else {"poses": draw_poses(record, f"Poses of {record['ligand']}")}
        )
    made: dict[str, str] = motion_figures(record)
    threshold = record.get("settings", {}).get("analysis", {}).get("overlap_warn", 0.03)
    if record["dg_kcal_per_mol"] is not None:
        made["cycle"] = draw_cycle(record)
        made["replicates"] = draw_replicates(record, f"Replicates of {record['transformation']}")
    for leg in record.get("leg_summary", {}):
        if items := analysed_replicates(record, leg):
            made[f"profile_{leg}"] = draw_profile(items, f"Free energy along the windows, {leg} leg")
            made[f"convergence_{leg}"] = draw_convergence(items, f"Convergence of the {leg} leg")
            worst = min(items, key=lambda item: item["overlap"]["min_neighbour"])
            made[f"overlap_{leg}"] = draw_overlap(
                worst, threshold, f"Overlap, {leg} leg, replicate {worst['replicate']}"
            )
    return made


def write_figures(record: Mapping[str, Any], system: SimSystem, out: Path) -> dict[str, str]:
    """Write the figures of a record as SVG files, of an edge its atom map, and take over plots of earlier phases.

    Parameters
    ----------
    record
        Content of a ``record.json``.
    system
        Its system, of phase prepare_fe.
    out
        Folder to write into.

    Returns
    -------
    dict
        File name by name of the figure.
    """
    files = {}
    for name, svg in (record_figures(record) | _atom_map(record, system)).items():
        with atomic_open(out / f"{name}.svg", "w") as file:
            file.write(svg_file(svg))
        files[name] = f"{name}.svg"
    for role, name in (("equil_plot", "equilibration"), ("restraint_plot", "restraint")):
        if role in system.artifacts:
            shutil.copyfile(system.path(role), out / f"{name}.svg")
            files[name] = f"{name}.svg"
    return files


def _atom_map(record: Mapping[str, Any], system: SimSystem) -> dict[str, str]:
    """The atoms that the two ligands of an edge share; of one ligand alone, nothing."""
    if not all(role in system.artifacts for role in ENDS):
        return {}
    a, b = (Chem.MolFromMolFile(str(system.path(role)), removeHs=False) for role in ENDS)
    ligand_a, ligand_b = record["ligands"]
    pairs = tuple((int(i), int(j)) for i, j in record["pairs"])
    return {"atom_map": draw_atom_map(AtomMap(ligand_a, ligand_b, pairs), a, b)}
