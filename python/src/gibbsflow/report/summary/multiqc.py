"""``gibbsflow_..._mqc.json``: a campaign's table and verdicts, or a learning curve, as MultiQC's custom content.

Format: MultiQC's documentation, "Custom content" (https://docs.seqera.io/multiqc/custom_content), `plot_type` ``table``
and ``bargraph``, one section a file. MultiQC takes sections of one ``id`` for one, and keeps the last: an ``id`` is of
the campaign's name and of what the section holds.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gibbsflow.report.tables.results_table import TableRow
from gibbsflow.workflow.files import write_json

TABLE, VERDICTS, LEARNING = "gibbsflow_results_mqc.json", "gibbsflow_verdicts_mqc.json", "gibbsflow_learning_mqc.json"
_FREE_ENERGIES = {
    "dg_kcal_per_mol": ("ΔG", "Free energy"),
    "dg_error_kcal_per_mol": ("± ΔG", "Its standard error"),
    "ci95_low_kcal_per_mol": ("95 % from", "Lower end of the 95 % interval"),
    "ci95_high_kcal_per_mol": ("95 % to", "Upper end of the 95 % interval"),
    "experimental_dg_kcal_per_mol": ("measured", "As the samplesheet gives it"),
}
_GENERATIONS = {
    "labels": ("labels", "Structures trained on", "", "{:,.0f}"),
    "holdout_labels": ("hold-out", "Structures held out", "", "{:,.0f}"),
    "energy_mae_mev_per_atom": ("energy MAE", "Of the hold-out", "meV/atom", "{:,.2f}"),
    "force_mae_ev_per_angstrom": ("force MAE", "Of the hold-out", "eV/Å", "{:,.3f}"),
    "force_rmse_ev_per_angstrom": ("force RMSE", "Of the hold-out", "eV/Å", "{:,.3f}"),
    "stress_mae_gpa": ("stress MAE", "Of the hold-out", "GPa", "{:,.2f}"),
    "largest_grade": ("largest grade", "Extrapolation grade in the hold-out", "", "{:,.1f}"),
    "selected": ("selected", "Structures taken for the next generation", "", "{:,.0f}"),
}
_COLOURS = {"PASS": "#009e73", "WARN": "#e69f00", "FAIL": "#d55e00"}  # told apart by the colour-blind, too
_OTHER_COLOUR = "#999999"


def write_multiqc(rows: Sequence[TableRow], out: Path, campaign: str) -> list[Path]:
    """Write table and verdicts of a campaign.

    Parameters
    ----------
    rows
        The campaign's table.
    out
        Folder to write into.
    campaign
        Its name.

    Returns
    -------
    list of Path
        The files.
    """
    headers = {name: _header(*said, "kcal/mol", "{:,.2f}") for name, said in _FREE_ENERGIES.items()}
    headers |= {name: {"title": name, "scale": False} for name in ("verdict", "status", "cause")}
    data = {}
    for row in rows:
        cells = {name: getattr(row, name) for name in headers}
        data[_text(row.transformation)] = {
            name: _text(value) for name, value in cells.items() if value not in (None, "")
        }
    counts = Counter(row.verdict or row.status for row in rows)
    verdicts = {
        "description": ", ".join(f"{count} {name}" for name, count in counts.items()),
        "plot_type": "bargraph",
        "pconfig": {"title": f"gibbsflow: verdicts of {campaign}", "ylab": "items"},
        "categories": {name: {"name": name, "color": _COLOURS.get(name, _OTHER_COLOUR)} for name in counts},
        "data": {campaign: dict(counts)},
    }
    table = _table(f"gibbsflow: free energies of {campaign}", "Item", headers, data)
    key = _key(data)
    _write(out / TABLE, f"results_{key}", campaign, f"Free energies: {campaign}", table)
    _write(out / VERDICTS, f"verdicts_{key}", campaign, f"Verdicts: {campaign}", verdicts)
    return [out / TABLE, out / VERDICTS]


def write_learning_multiqc(history: Sequence[Mapping[str, Any]], out: Path, potential: str) -> Path:
    """Write the learning curve of a potential.

    Parameters
    ----------
    history
        Record of each generation, by name.
    out
        Folder to write into.
    potential
        What it is called: its elements.

    Returns
    -------
    Path
        The file.
    """
    headers = {name: _header(*said) for name, said in _GENERATIONS.items()}
    data = {
        f"generation {record['generation']}": {name: record[name] for name in headers if record.get(name) is not None}
        for record in history
    }
    table = _table(f"gibbsflow: learning curve of {potential}", "Generation", headers, data)
    _write(out / LEARNING, f"learning_{_key(data)}", potential, f"Learning curve: {potential}", table)
    return out / LEARNING


def _header(title: str, text: str, unit: str, form: str) -> dict[str, Any]:
    suffix = {"suffix": f" {unit}"} if unit else {}
    return {"title": title, "description": f"{text}, {unit}" if unit else text, "format": form, "scale": False} | suffix


def _table(title: str, column: str, headers: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    pconfig = {"title": title, "col1_header": column, "sort_rows": False}
    return {"plot_type": "table", "pconfig": pconfig, "headers": headers, "data": data}


def _text(value: Any) -> Any:
    """A cell as text of a page: MultiQC takes cells for HTML, and ``<UNK>`` in a cause would not be seen."""
    return html.escape(value, quote=False) if isinstance(value, str) else value


def _key(data: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=str).encode()).hexdigest()[:8]


def _write(path: Path, ident: str, name: str, title: str, section: Mapping[str, Any]) -> None:
    ident = f"gibbsflow_{re.sub('[^A-Za-z0-9]+', '_', name)}_{ident}"
    pconfig = {**section["pconfig"], "id": f"{ident}_plot"}
    shared = {
        "parent_id": "gibbsflow",
        "parent_name": "gibbsflow",
        "parent_description": "Free energies and potentials; all figures are in the report.html of each campaign.",
        "file_format": "json",
    }
    write_json(path, {**shared, "id": ident, "section_name": title, **section, "pconfig": pconfig})
