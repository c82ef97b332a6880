"""Settings, labels, records and finished generations of a learning loop, without its programs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from silicon import si2

from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.potential.data.database import DatabaseManager
from gibbsflow.potential.data.labels import LabelResult, write_labels
from gibbsflow.potential.data.structures import read_frames, structure_id
from gibbsflow.potential.loop import state as loop_state
from gibbsflow.potential.loop.manager import WorkflowManager
from gibbsflow.potential.loop.state import LoopCheckpoint, Phase
from gibbsflow.potential.loop.stopping import GenerationRecord
from gibbsflow.workflow.files import write_json

ERRORS = {"frames": 2, "energy_mae_mev_per_atom": 4.0, "force_mae_ev_per_angstrom": None, "stress_mae_gpa": None}
RECORD = GenerationRecord(
    generation=0, labels=6, holdout_labels=3, labels_made=9, failures={"UNCONVERGED": 1}, energy_mae_mev_per_atom=5.0,
    force_mae_ev_per_angstrom=0.2, force_rmse_ev_per_angstrom=0.3, stress_mae_gpa=None, largest_grade=5.0,
    lower_grade=1.5, upper_grade=15.0, coefficients=60, md_steps=100, md_planned_steps=100, md_stopped_by={"steps": 1},
    fraction_above=0.5, md_largest_grade=9.0, candidates=0,
)  # fmt: skip


def config(**changes: Any) -> PotentialConfig:
    content: dict[str, Any] = {
        "elements": ["Si"], "structure": "diamond", "temperature_k": [300, 900], "engine": "tblite",
        "labels": {"batch_size": 4}, "loop": {"trajectories": 3, "initial_labels": 6, "holdout_labels": 3},
    }  # fmt: skip
    return PotentialConfig.from_mapping({**content, **changes}, where="test")


def label(batch: Path, out: Path, *, failed: int = 0, settings: str = "tblite-1") -> Path:
    """What `dft label` writes for a batch."""
    results = []
    for number, frame in enumerate(read_frames(batch)):
        apart = frame.positions - frame.positions.mean(axis=0)  # no net force, and no two structures' are the same
        made = LabelResult(
            structure_id(frame), "labelled", energy_ev=-1.0, forces_ev_per_angstrom=(1e-3 * apart).tolist(),
            stress_ev_per_angstrom3=[0.0] * 6, settings_hash=settings, engine="tblite",
        )  # fmt: skip
        results.append(made.failed("UNCONVERGED", "80 steps") if number < failed else made)
    write_labels(out / batch.stem / "labels.jsonl", results)
    return out / batch.stem


def generation(number: int, force: float) -> GenerationRecord:
    """A generation of a loop that gets better."""
    return replace(
        RECORD, generation=number, labels=10 + 5 * number, holdout_labels=1, labels_made=12,
        force_mae_ev_per_angstrom=force, lower_grade=2.0, upper_grade=10.0, md_planned_steps=200,
        md_stopped_by={"steps": 1, "grade": 1}, candidates=10, selected=5,
    )  # fmt: skip


def finished(folder: Path) -> WorkflowManager:
    """A last generation as `infer decide` leaves it."""
    good, apart, bad = (si2(seed) for seed in range(3))
    database = DatabaseManager(folder / loop_state.DATABASE)
    database.add([good, apart, bad])
    for frame in (good, apart):
        values: dict[str, Any] = {"energy_ev": -1.0, "forces_ev_per_angstrom": [[0.0] * 3] * 2, "wall_s": 1800.0}
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
