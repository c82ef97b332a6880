"""``report.html``: one self-contained page for a campaign, written as a stream."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gibbsflow.binding.alchemy.protocols import leg_names, protocol_of, protocol_of_legs, restrains
from gibbsflow.binding.network.analyse_network import NetworkAnalysis
from gibbsflow.config.binding import BindingConfig
from gibbsflow.config.modes import MODES
from gibbsflow.report.figures import experiment_plot, leg_figures
from gibbsflow.report.figures.experiment_plot import Comparison
from gibbsflow.report.figures.svg import CHART_STYLE
from gibbsflow.report.network import figures as of_network
from gibbsflow.report.tables.results_table import TableRow
from gibbsflow.version import __version__
from gibbsflow.workflow.files import atomic_open

FILE_NAME = "report.html"
MAX_DRAWN = 40
"""Transformations whose figures are on the page (some 0.2 MB each, and Seqera Platform shows pages of up to 10 MB); of
more, the numbers are, and the figures are files beside it."""
MAX_OPEN = 4
"""Transformations up to which all are unfolded."""


def draw_item(
    row: TableRow,
    record: Mapping[str, Any] | None,
    figures: Mapping[str, Path],
    config: BindingConfig,
    place: int,
    count: int,
) -> str:
    """Write the part of the page that is about one row.

    Parameters
    ----------
    row
        Of the campaign's table.
    record
        Its record; None where it has none.
    figures
        Files of its figures by name.
    config
        Settings of the campaign.
    place, count
        Number of the row, from 0, and of all rows: of the first ones, figures are drawn; few are unfolded.

    Returns
    -------
    str
        HTML.
    """
    made: dict[str, Markup] = {}
    images: dict[str, str] = {}
    if record is not None and place < MAX_DRAWN:
        made = {name: Markup(svg) for name, svg in leg_figures.record_figures(record).items()}  # noqa: S704
        for name in ("equilibration", "restraint", "atom_map"):
            if file := figures.get(name):
                # as an image: what is inside another program's SVG stays inside
                images[name] = "data:image/svg+xml;base64," + base64.b64encode(file.read_bytes()).decode()
    return (
        _environment()
        .get_template("item.html.j2")
        .render(
            row=row,
            record=record,
            figures=made,
            legs=leg_names(protocol_of_legs(row.mode, (record or {}).get("leg_summary", {}))),
            equilibration=images.get("equilibration"),
            restraint_plot=images.get("restraint"),
            atom_map=images.get("atom_map"),
            left_out=record is not None and place >= MAX_DRAWN,
            mode=MODES[config.run.mode],
            unfolded=count <= MAX_OPEN,
        )
    )


def write_page(
    rows: Sequence[TableRow],
    items: Iterable[str],
    notes: Mapping[str, str],
    config: BindingConfig,
    out: Path,
    pose_of: Mapping[str, str],
    network: NetworkAnalysis | None = None,
) -> Path:
    """Write the page.

    Parameters
    ----------
    rows
        The campaign's table.
    items
        What :func:`draw_item` made of each row, in their order; read one at a time.
    notes
        First reason of the verdict, by ligand.
    config
        Settings of the campaign.
    out
        Folder to write into.
    pose_of
        Of rows that are poses, the ligand; it is compared with the experiment, and they are not.
    network
        What the rows give of each ligand, where they are edges.

    Returns
    -------
    Path
        The page.
    """
    comparisons = [
        Comparison(r.ligand, r.dg_kcal_per_mol, r.experimental_dg_kcal_per_mol, r.dg_error_kcal_per_mol, r.verdict)
        for r in rows
        if r.ligand not in pose_of and r.dg_kcal_per_mol is not None and r.experimental_dg_kcal_per_mol is not None
    ]
    drawn = experiment_plot.draw_comparison(comparisons)
    stream = (
        _environment()
        .get_template("report.html.j2")
        .stream(
            rows=rows,
            items=map(Markup, items),
            notes=notes,
            pose_of=pose_of,
            summed=set(pose_of.values()),
            mode=MODES[config.run.mode],
            network=network,
            network_figures={name: Markup(svg) for name, svg in of_network(network).items()} if network else {},  # noqa: S704
            one_molar=restrains(protocol_of(config.run.mode)),
            scatter=Markup(drawn) if drawn else None,  # noqa: S704 - our own SVG, whose texts are escaped
            agreement=experiment_plot.compare(comparisons),
            settings=config.model_dump(mode="json"),
            chart_style=Markup(CHART_STYLE),  # noqa: S704 - a constant
            version=__version__,
            written=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
            counts={level: sum(row.verdict == level for row in rows) for level in ("PASS", "WARN", "FAIL")},
        )
    )
    stream.enable_buffering(16)
    with atomic_open(out / FILE_NAME, "w") as file:
        for piece in stream:
            file.write(piece)
    return out / FILE_NAME


def dg(value: float | None, error: float | None = None) -> str:
    """Write a free energy to two decimals, with a true minus sign.

    Parameters
    ----------
    value
        Free energy; None for none.
    error
        Its error, in the same unit; None for none.

    Returns
    -------
    str
        Such as ``−5.27 ± 0.31``; a dash for None.
    """
    if value is None:
        return "–"
    text = f"{value:.2f}".replace("-", "−")
    return text if error is None else f"{text} ± {error:.2f}"


def pretty(value: Any) -> str:
    """Write a setting in words.

    Parameters
    ----------
    value
        Its value.

    Returns
    -------
    str
        JSON for mappings and lists, a dash for None.
    """
    if isinstance(value, Mapping | list):
        return json.dumps(value, ensure_ascii=False)
    return "–" if value is None else str(value)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("gibbsflow.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"dg": dg, "pretty": pretty}
    return environment
