"""``gibbsflow_..._mqc.json``: a campaign's table and its verdicts as MultiQC's custom content.

Format: MultiQC's documentation, "Custom content" (https://docs.seqera.io/multiqc/custom_content), `plot_type` ``table``
and ``bargraph``, one section a file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gibbsflow.report.tables.results_table import TableRow
from gibbsflow.workflow.files import write_json

TABLE, VERDICTS = "gibbsflow_results_mqc.json", "gibbsflow_verdicts_mqc.json"
_NUMBERS = {
    "dg_kcal_per_mol": ("ΔG", "Free energy, kcal/mol"),
    "dg_error_kcal_per_mol": ("± ΔG", "Its standard error, kcal/mol"),
    "ci95_low_kcal_per_mol": ("95 % from", "Lower end of the 95 % interval, kcal/mol"),
    "ci95_high_kcal_per_mol": ("95 % to", "Upper end of the 95 % interval, kcal/mol"),
    "experimental_dg_kcal_per_mol": ("measured", "As the samplesheet gives it, kcal/mol"),
}
_PARENT = {
    "parent_id": "gibbsflow",
    "parent_name": "gibbsflow",
    "parent_description": "Binding free energies; all figures are in the campaign's report.html.",
}


def write_multiqc(rows: Sequence[TableRow], out: Path) -> list[Path]:
    """Write both files.

    Parameters
    ----------
    rows
        The campaign's table.
    out
        Folder to write into.

    Returns
    -------
    list of Path
        The files.
    """
    headers: dict[str, Any] = {
        name: {"title": title, "description": text, "suffix": " kcal/mol", "format": "{:,.2f}", "scale": False}
        for name, (title, text) in _NUMBERS.items()
    }
    headers |= {name: {"title": name, "scale": False} for name in ("verdict", "status", "cause")}
    data = {}
    for row in rows:
        cells = {name: getattr(row, name) for name in headers}
        data[row.transformation] = {name: value for name, value in cells.items() if value not in (None, "")}
    counts = Counter(row.verdict or row.status for row in rows)
    shared = {**_PARENT, "file_format": "json"}
    write_json(
        out / TABLE,
        {
            **shared,
            "id": "gibbsflow_results",
            "section_name": "Free energies",
            "plot_type": "table",
            "pconfig": {"id": "gibbsflow_results_table", "title": "gibbsflow: free energies", "col1_header": "Item"},
            "headers": headers,
            "data": data,
        },
    )
    write_json(
        out / VERDICTS,
        {
            **shared,
            "id": "gibbsflow_verdicts",
            "section_name": "Verdicts",
            "plot_type": "bargraph",
            "pconfig": {"id": "gibbsflow_verdicts_plot", "title": "gibbsflow: verdicts", "ylab": "items"},
            "data": {"campaign": dict(counts)},
        },
    )
    return [out / TABLE, out / VERDICTS]
