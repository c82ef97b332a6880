"""MultiQC's custom content: the keys that its documentation asks for, and numbers as in the table."""

from __future__ import annotations

import json
from pathlib import Path

from gibbsflow.report.summary.multiqc import write_multiqc
from gibbsflow.report.tables.results_table import TableRow


def test_table_and_verdicts(tmp_path: Path) -> None:
    rows = [
        TableRow("b2", "b2", "abfe", "finished", "PASS", dg_kcal_per_mol=-13.42, dg_error_kcal_per_mol=0.3),
        TableRow("b5", "b5", "abfe", "finished", "PASS", dg_kcal_per_mol=-9.0, dg_error_kcal_per_mol=0.2),
        TableRow("b9", "b9", "abfe", "unbound", cause="Unbound: left its site"),
    ]
    table, verdicts = (json.loads(path.read_text()) for path in write_multiqc(rows, tmp_path))
    assert all(path.name.endswith("_mqc.json") for path in tmp_path.iterdir())
    for one in (table, verdicts):
        assert one.keys() >= {"id", "section_name", "plot_type", "pconfig", "data"} and one["parent_id"] == "gibbsflow"
    assert table["data"]["b2"] == {
        "dg_kcal_per_mol": -13.42,
        "dg_error_kcal_per_mol": 0.3,
        "verdict": "PASS",
        "status": "finished",
    }
    assert set(table["headers"]) >= set().union(*table["data"].values()) and table["data"]["b9"]["cause"]
    assert verdicts["plot_type"] == "bargraph" and verdicts["data"] == {"campaign": {"PASS": 2, "unbound": 1}}
