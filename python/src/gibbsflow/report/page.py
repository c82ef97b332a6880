"""``report.html``: one self-contained page for a campaign, written as a stream."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gibbsflow.binding.alchemy.protocols import leg_names, protocol_of, protocol_of_legs, restrains
from gibbsflow.binding.network.analyse_network import NetworkAnalysis
from gibbsflow.config.binding import BindingConfig
from gibbsflow.config.modes import MODES
from gibbsflow.report.costs import CampaignCosts, Cost
from gibbsflow.report.figures import experiment_plot, leg_figures
from gibbsflow.report.figures.experiment_plot import Comparison
from gibbsflow.report.figures.figure_data import figure_data
from gibbsflow.report.figures.svg import CHART_STYLE, STYLE
from gibbsflow.report.network import figures as of_network
from gibbsflow.report.network import graph
from gibbsflow.report.tables.cells import quantity_unit, quantity_value
from gibbsflow.report.tables.failed_items import AGAIN, FailedItem
from gibbsflow.report.tables.network_tables import open_cycle
from gibbsflow.report.tables.protonation_table import ProtonationTable
from gibbsflow.report.tables.results_table import TableRow
from gibbsflow.report.vendored import library, packed
from gibbsflow.version import __version__
from gibbsflow.workflow.files import atomic_open

FILE_NAME = "report.html"
MAX_DRAWN_BYTES = 6_500_000
"""Of what is drawn on the page (some 0.25 MB a transformation, and Seqera Platform shows pages of up to 10 MB); of what
comes after, the numbers and the binding site are, and the figures are files beside it."""
MAX_OPEN = 4
"""Transformations up to which all are unfolded."""


def draw_item(
    row: TableRow,
    record: Mapping[str, Any] | None,
    figures: Mapping[str, Path],
    config: BindingConfig,
    count: int,
    *,
    draw: bool = True,
    cost: Cost | None = None,
    protonation: int | None = None,
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
    count
        Of all rows; few are unfolded.
    draw
        Whether its figures are drawn.
    cost
        What it cost; None where that is not known.
    protonation
        Number of its table of protonation; None where it has none.

    Returns
    -------
    str
        HTML.
    """
    made: dict[str, Markup] = {}
    images: dict[str, str] = {}
    data: dict[str, str] = {}
    if record is not None and draw:
        data = {name: packed(text.encode()) for name, text in figure_data(record).items()}
        made = {name: Markup(svg) for name, svg in leg_figures.record_figures(record).items()}  # noqa: S704
        for name in ("equilibration", "restraint", "atom_map"):
            if file := figures.get(name):
                # as an image: what is inside another program's SVG stays inside
                images[name] = "data:image/svg+xml;base64," + base64.b64encode(file.read_bytes()).decode()
    return (
        environment()
        .get_template("item.html.j2")
        .render(
            row=row,
            record=record,
            figures=made,
            legs=leg_names(protocol_of_legs(row.mode, (record or {}).get("leg_summary", {}))),
            equilibration=images.get("equilibration"),
            restraint_plot=images.get("restraint"),
            atom_map=images.get("atom_map"),
            left_out=record is not None and not draw,
            data=data,
            site=packed(json.dumps(record["site"]).encode()) if record is not None and record.get("site") else "",
            protonation=protonation,
            cost="" if cost is None else _words(cost, config.costs.currency),
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
    *,
    failed: Sequence[FailedItem] = (),
    costs: CampaignCosts | None = None,
    sites: bool = False,
    protonation: Sequence[ProtonationTable] = (),
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
    failed
        What failed.
    costs
        What it cost; None where that is not known.
    sites
        Whether a row has a binding site to be shown in 3-D.
    protonation
        Tables of protonation that the items name by their numbers.

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
        environment()
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
            chart_file_style=Markup(STYLE + CHART_STYLE),  # noqa: S704 - a constant
            graph=packed(json.dumps(graph(network)).encode()) if network else "",
            libraries=[library(name) for name in ["cytoscape"] * bool(network) + ["3dmol"] * sites],
            protonation=protonation,
            failed=failed,
            again=AGAIN,
            costs=costs,
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


def amount(value: float | None) -> str:
    """Write hours or money to three figures that count.

    Parameters
    ----------
    value
        Not negative; None for none.

    Returns
    -------
    str
        Such as ``1240``, ``0.0837``; a dash for None.
    """
    return "–" if value is None else f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _words(cost: Cost, currency: str) -> str:
    words = [f"{amount(cost.cpu_hours)} hours of CPU cores"]
    words += [f"{amount(cost.gpu_hours)} of GPUs"] if cost.gpu_hours else []
    return ", ".join(words) + (f": {amount(cost.money)} {currency}" if cost.money is not None else "")


@cache
def _script() -> Markup:
    return Markup((files("gibbsflow.report") / "templates" / "page.js").read_text())  # noqa: S704 - our own


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


def _utc(time: str) -> str:
    """A time as it stands in a state folder, as the head of the page writes its own; what is no time is left alone."""
    try:
        moment = datetime.fromisoformat(time)
    except ValueError:
        return time
    in_utc = moment.astimezone(UTC) if moment.tzinfo else moment  # state folders hold UTC
    return in_utc.strftime("%Y-%m-%d %H:%M UTC")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _without_tables(value: Any) -> Any:
    """What was read, without what the page has as a table."""
    if isinstance(value, Mapping):
        return {key: one for key, one in value.items() if key != "titratable_groups"}
    return value


@cache
def environment() -> Environment:
    """Give the templates, which escape all texts.

    Returns
    -------
    Environment
        With filters for numbers, settings, times and sentences, and ``script`` for what a reader does with a page.
    """
    made = Environment(
        loader=PackageLoader("gibbsflow.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"amount": amount, "dg": dg, "pretty": pretty, "value": quantity_value, "unit": quantity_unit}
    made.filters |= {"utc": _utc, "sentence": _sentence, "without_tables": _without_tables}
    made.filters["packed"] = lambda text: packed(text.encode())
    made.globals["script"] = _script
    made.tests["open_cycle"] = open_cycle
    return made
