from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

from silicon import si2

from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.potential.data.database import DatabaseManager
from gibbsflow.potential.data.labels import LabelResult
from gibbsflow.potential.data.structures import structure_id
from gibbsflow.potential.loop import state as loop_state
from gibbsflow.potential.loop.manager import WorkflowManager
from gibbsflow.potential.loop.state import LoopCheckpoint, Phase
from gibbsflow.potential.loop.stopping import GenerationRecord
from gibbsflow.report.potential_page import write_results
from gibbsflow.workflow.artifacts import ArtifactStore
from gibbsflow.workflow.files import write_json

ERRORS = {"frames": 2, "energy_mae_mev_per_atom": 4.0, "force_mae_ev_per_angstrom": None, "stress_mae_gpa": None}


def generation(number: int, force: float) -> GenerationRecord:
    return GenerationRecord(
        generation=number, labels=10 + 5 * number, holdout_labels=1, labels_made=12, failures={"UNCONVERGED": 1},
        energy_mae_mev_per_atom=5.0, force_mae_ev_per_angstrom=force, force_rmse_ev_per_angstrom=0.3,
        stress_mae_gpa=None,
        largest_grade=5.0, lower_grade=2.0, upper_grade=10.0, coefficients=60, md_steps=100, md_planned_steps=200,
        md_stopped_by={"steps": 1, "grade": 1}, fraction_above=0.5, md_largest_grade=9.0, candidates=10, selected=5,
    )  # fmt: skip


def finished(folder: Path) -> WorkflowManager:
    """A last generation as `infer decide` leaves it."""
    good, apart, bad = (si2(seed) for seed in range(3))
    database = DatabaseManager(folder / loop_state.DATABASE)
    database.add([good, apart, bad])
    for frame in (good, apart):
        values: dict[str, Any] = {"energy_ev": -1.0, "forces_ev_per_angstrom": [[0.0] * 3] * 2}
        stress = {"stress_ev_per_angstrom3": [0.0] * 6, "settings_hash": "tblite-1", "program": "tblite 0.5"}
        database.record([LabelResult(structure_id(frame), "labelled", **values, **stress)])
    database.record([LabelResult(structure_id(bad), "failed", "UNCONVERGED", "<80 steps>")])
    config = PotentialConfig.from_mapping({"elements": ["Si"], "engine": "tblite"}, where="test")
    config.write(folder / loop_state.CONFIG)
    for name in ("potential/in.potential", "dataset/train.extxyz", "dataset/holdout.extxyz"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    summary = {**ERRORS, "by_config_type": {"rattle": ERRORS}}
    write_json(folder / loop_state.METRICS, {"fit": {"test": summary, "train": summary}, "trajectories": []})
    history = (generation(0, 0.2), generation(1, 0.1))
    LoopCheckpoint(1, Phase.STOPPED, 1, (structure_id(apart),), 12, "converged", "good <enough>", history).write(folder)
    return WorkflowManager(folder, config)


def test_results_are_whole_and_the_page_stands_alone(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_results(finished(tmp_path / "generation_01"), out)
    page = (out / "report.html").read_text()
    assert "CONVERGED" in page and "Good &lt;enough&gt;" in page and "0.1000" in page
    assert not re.findall(r"(?:src|href)=\"(?!data:|#)", page)
    with open(out / "structures.csv") as file:
        rows = list(csv.DictReader(file))
    assert [(row["set"], row["status"], row["cause"]) for row in rows] == [
        ("train", "labelled", ""), ("holdout", "labelled", ""), ("train", "failed", "UNCONVERGED"),
    ]  # fmt: skip
    with open(out / "learning_curve.csv") as file:
        curve = list(csv.DictReader(file))
    assert [row["labels"] for row in curve] == ["10", "15"] and curve[0]["md_stopped_by"] == "1 steps, 1 grade"
    card = (out / "dataset_card.md").read_text()
    assert "tblite 0.5" in card and "| UNCONVERGED | 1 |" in card and "| holdout | 0 | rattle | 1 | 0 | 0 |" in card
    assert ArtifactStore(out).verify() == []


def test_what_is_read_stays_as_it_was(tmp_path: Path) -> None:
    manager = finished(tmp_path / "generation_01")
    before = {p: p.stat().st_mtime_ns for p in [manager.folder, *manager.folder.rglob("*")]}
    write_results(manager, tmp_path / "out")
    assert before == {p: p.stat().st_mtime_ns for p in [manager.folder, *manager.folder.rglob("*")]}
