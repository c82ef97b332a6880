"""Figure of a placement: how far neighbouring windows are from each other, before and after."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gibbsflow.binding.alchemy.schedules import PLACEMENT
from gibbsflow.report.figures.leg_figures import draw_legend
from gibbsflow.report.figures.svg import DASHED, Chart, series_colour, svg_file
from gibbsflow.workflow.files import atomic_open, read_json


def draw_placement(content: Mapping[str, Any], title: str) -> str:
    """Draw the distances between neighbours over the way through the components.

    Parameters
    ----------
    content
        Of a ``placement.json``.
    title
        What screen readers say.

    Returns
    -------
    str
        SVG: a step an interval, its width the share of the schedule before (dashed) and after.
    """
    before, parts = content["length_before"], content["components"]
    chart = Chart(
        (0.0, float(len(parts))),
        (0.0, 1.1 * max(*before, *(part["spacing"] for part in parts), 0.1)),
        title=title,
        y_label="distance of neighbours",
        x_label=", ".join(part["component"] for part in parts),
    )
    chart.axes([float(place) for place in range(len(parts) + 1)])
    old: tuple[list[float], list[float | None]] = ([], [])
    new: tuple[list[float], list[float | None]] = ([], [])
    for place, part in enumerate(parts):
        for key, (xs, ys) in (("windows_before", old), ("windows", new)):
            first, last = part[key]
            for number in range(first, last):
                xs += [place + (number - first + end) / (last - first) for end in (0, 1)]
                ys += [before[number] if key == "windows_before" else part["spacing"]] * 2
    chart.line(*old, series_colour(1), dashed=True)
    chart.line(*new, series_colour(0))
    names = (f"{content['windows_before']} windows, measured", f"{content['windows']} windows, expected")
    draw_legend(chart, [(series_colour(1), names[0], DASHED), (series_colour(0), names[1], "")])
    return chart.svg()


def write_figure(folder: Path, title: str) -> None:
    """Write ``placement.svg`` beside a ``placement.json``; where nothing could be measured there is none after it.

    Parameters
    ----------
    folder
        With the placement.
    title
        What screen readers say.
    """
    content, path = read_json(folder / PLACEMENT), folder / "placement.svg"
    if "components" not in content:
        path.unlink(missing_ok=True)  # of an earlier placement
        return
    with atomic_open(path, "w") as file:
        file.write(svg_file(draw_placement(content, title)))
