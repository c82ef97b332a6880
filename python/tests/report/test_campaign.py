"""A whole campaign's folder: table, records, figures, page and manifest."""

import json

from campaign_records import PLOT, read_page

from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import BindingConfig
from gibbsflow.report.campaign import terminal_table, write_campaign
from gibbsflow.workflow.artifacts import ArtifactStore
from gibbsflow.workflow.state.sentinels import Sentinel


def test_a_row_for_each_of_the_samplesheet_in_its_order(campaign):
    _, out, rows = campaign
    assert [row.ligand for row in rows] == ["second", "gone", "first", "never"]
    assert [row.status for row in rows] == ["finished", "unbound", "finished", "failed"]
    assert rows[0].experimental_dg_kcal_per_mol == -9.5
    assert len((out / "results.csv").read_text().splitlines()) == 5
    text = terminal_table(rows)
    assert all(row.ligand in text for row in rows)
    assert "left <its> site" in text


def test_records_and_manifest(campaign):
    _, out, _ = campaign
    record = json.loads((out / "record.second.json").read_text())
    assert record["experimental_dg_kcal_per_mol"] == -9.5
    assert all((out / file).exists() for file in record["figures"].values())
    store = ArtifactStore(out)
    assert store.verify() == []
    assert {a.kind for a in store.list_artifacts()} == {"table", "record", "figure", "report"}
    assert len(store.list_artifacts(kind="record")) == 2


def test_an_earlier_record_in_the_folder_does_not_stand_in(campaign, tmp_path):
    root, _, _ = campaign
    sheet = tmp_path / "l.csv"
    sheet.write_text("ligand\nfirst\n")
    write_campaign(sheet, [root / "first" / "out"], BindingConfig(), None, tmp_path)
    rows = write_campaign(sheet, [], BindingConfig(), None, tmp_path)
    assert rows[0].cause == "not finished"
    _, html = read_page(tmp_path / "report.html")
    assert "Thermodynamic cycle" not in html
    assert ArtifactStore(tmp_path).list_artifacts(kind="record") == []


def test_md_alone(tmp_path):
    root = tmp_path / "equil"
    root.mkdir()
    (root / "equil.svg").write_text(PLOT)
    facts = {"bound": True, "ligand_site_distance_angstrom": 0.873, "equil": {"unbound_threshold_angstrom": 8.0}}
    SimSystem("stays", root, {"equil_plot": "equil.svg"}, facts).write()
    (tmp_path / "state" / "h" / "leaves").mkdir(parents=True)
    Sentinel("FAILED", "x", cause="Unbound", message="12 Å away").write(tmp_path / "state" / "h" / "leaves")
    sheet = tmp_path / "l.csv"
    sheet.write_text("ligand\nstays\nleaves\n")
    out = tmp_path / "results"
    out.mkdir()
    config = BindingConfig.from_params({"mode": "md"})
    rows = write_campaign(sheet, [root], config, tmp_path / "state", out)
    assert {row.mode for row in rows} == {"md"}
    assert [(row.status, row.verdict) for row in rows] == [("finished", "PASS"), ("unbound", "FAIL")]
    reader, html = read_page(out / "report.html")
    assert "0.87 Å" in reader.text
    assert "ΔG" not in reader.text
    assert "12 Å away" in terminal_table(rows)
    assert html.count("data:image/svg+xml") == 1
