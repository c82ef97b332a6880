"""Windows that are missing, empty or broken at the analysis: named everywhere, and a number only where one is known."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from faults.child import run
from oscillators import Oscillators, write_system

LEGS = {"complex": Oscillators(6, 4000.0, 20.0), "solvent": Oscillators(4, 10.0, 5.0)}


@pytest.fixture
def campaign(tmp_path: Path):
    """System and outputs of `fe run` of two replicates."""
    write_system(tmp_path / "system", "guest", LEGS, 2)
    runs = [
        oscillators.write(tmp_path / f"{leg}{number}", leg=leg, replicate=number, seed=number, count=150)
        for number in range(2)
        for leg, oscillators in LEGS.items()
    ]
    (tmp_path / "ligands.csv").write_text("ligand,smiles\nguest,C\nother,CC\n")
    return tmp_path, runs


def analysed(root: Path, runs: list[Path]):
    """Exit code, record, row of the table, and the page."""
    words = [word for folder in runs for word in ("--run", folder)]
    ended = run("analysis", "transformation", "--system", root / "system", *words, "--out", root / "record")
    record = json.loads((root / "record" / "record.json").read_text())
    table = ["--input", root / "ligands.csv", "--record", root / "record", "--out", root / "results"]
    assert run("analysis", "campaign", *table).code == 0
    rows = list(csv.DictReader((root / "results" / "results.csv").open()))
    assert [row["ligand"] for row in rows] == ["guest", "other"]
    page = (root / "results" / "report.html").read_text()
    assert "None" not in ended.text and "None ±" not in page and "nan" not in ",".join(rows[0].values())
    return ended, record, rows[0], page


@pytest.mark.parametrize("fault", ["missing", "empty", "truncated", "one byte flipped"])
def test_a_window_that_its_neighbours_bridge(campaign, fault):
    root, runs = campaign
    _, whole, _, _ = analysed(root, runs)
    assert whole["status"] == "finished"
    path = runs[0] / "window_02.parquet"
    content = path.read_bytes()
    if fault == "missing":
        path.unlink()
    elif fault == "one byte flipped":
        path.write_bytes(content[:60] + bytes([content[60] ^ 0xFF]) + content[61:])
    else:
        path.write_bytes(content[: len(content) // 2 if fault == "truncated" else 0])
    ended, record, row, page = analysed(root, runs)
    assert ended.code == 0
    assert record["missing_windows"] == ["complex/replicate_0/window_02"]
    leg, before = (next(item for item in r["legs"] if item["leg"] == "complex") for r in (record, whole))
    assert (leg["status"], leg["missing_windows"]) == ("partial", [2])
    assert leg["mbar_error_kcal_per_mol"] > before["mbar_error_kcal_per_mol"]
    for told in (row["cause"], page):
        assert "complex leg, replicate 0: window 2 is missing" in told
    assert row["status"] == record["status"] == "partial" and float(row["dg_error_kcal_per_mol"]) > 0
    path.write_bytes(content)
    _, again, row, _ = analysed(root, runs)
    assert again["dg_kcal_per_mol"] == whole["dg_kcal_per_mol"] and row["status"] == "finished"


def test_a_gap_that_nothing_bridges_has_no_number(campaign):
    root, runs = campaign
    for folder in runs:
        for window in (1, 2, 3, 4) if folder.name.startswith("complex") else ():
            (folder / f"window_{window:02d}.parquet").unlink()
    ended, record, row, page = analysed(root, runs)
    assert ended.code == 70
    assert record["dg_kcal_per_mol"] is None and row["dg_kcal_per_mol"] == row["dg_error_kcal_per_mol"] == ""
    for told in (ended.text, row["cause"], page):
        assert "windows 1, 2, 3, 4 are missing" in told
    assert row["status"] == "failed"


def test_a_leg_that_is_gone_is_told_and_the_other_replicate_stands(campaign):
    root, runs = campaign
    ended, record, row, page = analysed(root, runs[1:])
    assert ended.code == 0 and (record["status"], record["replicates"]) == ("partial", 1)
    assert "complex leg, replicate 0: all windows are missing" in row["cause"]
    assert "all windows are missing" in page
    assert record["missing_windows"] == [f"complex/replicate_0/window_{k:02d}" for k in range(6)]


def test_a_window_of_its_own_task_is_known_by_the_result_beside_it(campaign):
    root, runs = campaign
    folder = root / "alone"
    folder.mkdir()
    (runs[0] / "window_03.parquet").unlink()
    (folder / "window_03.parquet").write_bytes(b"")
    (folder / "result.json").write_text(json.dumps({"leg": "complex", "replicate": 0}))
    ended, record, row, _ = analysed(root, [*runs, folder])
    assert ended.code == 0 and record["missing_windows"] == ["complex/replicate_0/window_03"]
    assert "alone/window_03.parquet: empty file" in row["cause"]
