"""MultiQC's custom content: the keys that its documentation asks for, numbers as in the table, ids by campaign."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gibbsflow.report.summary.multiqc import write_learning_multiqc, write_multiqc
from gibbsflow.report.tables.results_table import TableRow

ROWS = [
    TableRow("b2", "b2", "abfe", "finished", "PASS", dg_kcal_per_mol=-13.42, dg_error_kcal_per_mol=0.3),
    TableRow("b5", "b5", "abfe", "finished", "PASS", dg_kcal_per_mol=-9.0, dg_error_kcal_per_mol=0.2),
    TableRow("b9", "b9", "abfe", "unbound", cause="Unbound: left its site"),
]


def sections(rows: list[TableRow], out: Path, campaign: str) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in write_multiqc(rows, out, campaign)]


def test_table_and_verdicts(tmp_path: Path) -> None:
    table, verdicts = sections(ROWS, tmp_path, "cb7 guests")
    assert all(path.name.endswith("_mqc.json") for path in tmp_path.iterdir())
    for one in (table, verdicts):
        assert one.keys() >= {"id", "section_name", "plot_type", "pconfig", "data"} and one["parent_id"] == "gibbsflow"
        assert one["id"].startswith("gibbsflow_cb7_guests_") and one["section_name"].endswith(": cb7 guests")
    assert table["data"]["b2"] == {
        "dg_kcal_per_mol": -13.42,
        "dg_error_kcal_per_mol": 0.3,
        "verdict": "PASS",
        "status": "finished",
    }
    assert set(table["headers"]) >= set().union(*table["data"].values()) and table["data"]["b9"]["cause"]
    assert table["headers"]["dg_kcal_per_mol"]["suffix"] == " kcal/mol"
    assert verdicts["plot_type"] == "bargraph" and verdicts["description"] == "2 PASS, 1 unbound"
    assert verdicts["data"] == {"cb7 guests": {"PASS": 2, "unbound": 1}}
    assert set(verdicts["categories"]) == {"PASS", "unbound"}


def test_campaigns_on_one_page_are_told_apart(tmp_path: Path) -> None:
    found = [
        section
        for rows, name in ((ROWS, "demo"), (ROWS, "other"), (ROWS[:2], "demo"))
        for section in sections(rows, tmp_path, name)
    ]
    assert len({one["id"] for one in found} | {one["pconfig"]["id"] for one in found}) == 12
    assert sections(ROWS, tmp_path, "demo") == found[:2]


def test_a_cause_is_text_on_the_page(tmp_path: Path) -> None:
    rows = [TableRow("b9", "b9", "abfe", "failed", cause="no residue <UNK> & more")]
    assert sections(rows, tmp_path, "demo")[0]["data"]["b9"]["cause"] == "no residue &lt;UNK&gt; &amp; more"


def test_learning_curve(tmp_path: Path) -> None:
    history = [{"generation": 0, "labels": 9, "force_mae_ev_per_angstrom": 0.168, "stress_mae_gpa": None, "held": 0}]
    found = json.loads(write_learning_multiqc(history, tmp_path, "Mg-O").read_text())
    assert found["data"] == {"generation 0": {"labels": 9, "force_mae_ev_per_angstrom": 0.168}}
    assert found["headers"]["force_mae_ev_per_angstrom"]["suffix"] == " eV/Å" and found["id"].startswith(
        "gibbsflow_Mg_O"
    )
