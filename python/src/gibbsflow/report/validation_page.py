"""``validation.html``: one self-contained page on the properties of a potential, with its table and its data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from gibbsflow.potential.validate.comparisons import Judged
from gibbsflow.potential.validate.validating import Validated
from gibbsflow.report.figures.learning.validation_figures import charts
from gibbsflow.report.figures.svg import CHART_STYLE
from gibbsflow.report.page import environment
from gibbsflow.report.potential_page import write_table
from gibbsflow.version import __version__
from gibbsflow.workflow.files import atomic_open, write_json

PAGE, TABLE, DATA = "validation.html", "validation.csv", "validation.json"
_TITLES: Mapping[str, str] = {
    "cell": "The structure at rest", "eos": "Equation of state", "elastic": "Elastic constants", "phonons": "Phonons",
    "vacancy": "Vacancies", "surface": "Surfaces", "interstitial": "Interstitials",
    "thermal_expansion": "Thermal expansion", "repulsion": "Close approach", "md": "MD at constant energy",
    "modes": "Vibrations", "npt_expansion": "Thermal expansion in MD", "rdf": "Radial distributions",
    "melting": "Melting",
}  # fmt: skip
_COLUMNS = ("property", "quantity", "unit", "potential", "reference", "difference", "good_within", "bearable_within",
            "verdict", "source", "error")  # fmt: skip


def write_validation(found: Validated, figures: Mapping[str, Any], out: Path) -> None:
    """Write the page, the table of quantities, and all that was measured.

    Parameters
    ----------
    found
        The validation.
    figures
        Figures of ``result.json``.
    out
        Folder to write into.
    """
    rows = found.rows()
    write_table(out / TABLE, rows or [dict.fromkeys(_COLUMNS, "")])
    measured = {
        one.name: {
            "verdict": one.verdict, "reasons": one.reasons, "notes": one.notes, "potential": one.potential.as_json(),
            "engine": one.engine.as_json() if one.engine is not None else None,
        }
        for one in found.judged
    }  # fmt: skip
    head = {key: value for key, value in figures.items() if key != "properties"}
    write_json(out / DATA, {**head, "properties": measured})
    text = environment().get_template("validation.html.j2").render(
        found=found, figures=figures, items=[_item(one, found.engine) for one in found.judged],
        chart_style=Markup(CHART_STYLE),  # noqa: S704 - a constant
        version=__version__,
    )  # fmt: skip
    with atomic_open(out / PAGE, "w") as file:
        file.write(text)


def _item(one: Judged, engine_name: str) -> dict[str, Any]:
    engine = one.engine.curves if one.engine is not None and not one.engine.lost else None
    drawn = charts(one.name, one.potential.curves, engine, engine_name, one.distributions)
    both = (("potential", one.potential), (engine_name, one.engine))
    matrices = [(name, m.curves["matrix_gpa"]) for name, m in both if m is not None and "matrix_gpa" in m.curves]
    return {
        "title": _TITLES.get(one.name, one.name),
        "judged": one,
        "matrices": matrices,
        "charts": [(Markup(svg), caption) for svg, caption in drawn],  # noqa: S704 - drawn here, words escaped
    }
