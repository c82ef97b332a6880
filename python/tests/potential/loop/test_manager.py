from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from ase.constraints import FixAtoms
from ase.io import write
from loop_states import RECORD, config, label
from silicon import si8

from gibbsflow.config.potential import Generator, Target
from gibbsflow.errors import InputError, ScienceError, StateError
from gibbsflow.potential.data.database import DatabaseManager
from gibbsflow.potential.data.formats.statuses import RowStatus
from gibbsflow.potential.data.labels import read_labels, write_labels
from gibbsflow.potential.data.structures import read_frames, structure_id, write_frames
from gibbsflow.potential.explore.true_errors import ForceErrors
from gibbsflow.potential.generators.generate import generate
from gibbsflow.potential.loop import label_doubts, manager
from gibbsflow.potential.loop import state as loop_state
from gibbsflow.potential.loop.manager import WorkflowManager
from gibbsflow.potential.loop.state import Phase
from gibbsflow.potential.validate.labels.label_audit import held_counts, release
from gibbsflow.workflow.files import write_json


@pytest.fixture
def begun(tmp_path: Path) -> WorkflowManager:
    for name, seeds in (("training", range(10)), ("holdout", range(100, 106))):
        write_frames(tmp_path / f"{name}.extxyz", [si8(seed) for seed in seeds])
    return WorkflowManager.begin(
        config(), tmp_path / "training.extxyz", tmp_path / "holdout.extxyz", tmp_path / "start"
    )


def test_the_start_labels_a_hold_out_and_some_of_what_was_generated(begun: WorkflowManager) -> None:
    point = begun.checkpoint
    assert (point.generation, point.phase, len(point.holdout)) == (0, Phase.LABEL, 3)
    sizes = {path.name: len(read_frames(path)) for path in loop_state.batches(begun.folder)}
    assert sizes == {"holdout_000.extxyz": 3, "training_000.extxyz": 4, "training_001.extxyz": 2}
    counts = DatabaseManager(begun.folder / loop_state.DATABASE).counts()
    assert (counts["pending"], counts["held"]) == (9, 4)
    plans = [json.loads(p.with_suffix(".json").read_text()) for p in loop_state.trajectories(begun.folder)]
    assert [plan["exploration"]["temperature_end_k"] for plan in plans] == [500, 700, 900]
    assert len({plan["seed"] for plan in plans}) == 3


def test_md_starts_from_what_a_file_calls_by_a_word_of_its_own(tmp_path: Path) -> None:
    own = si8(1)
    own.info["config_type"] = "liquid"
    write(tmp_path / "own.extxyz", own)
    target = Target(elements=("Si",), structure_file=tmp_path / "own.extxyz")
    for name in ("training", "holdout"):
        write_frames(tmp_path / f"{name}.extxyz", generate(target, Generator(), holdout=name == "holdout").frames)
    begun = WorkflowManager.begin(
        config(), tmp_path / "training.extxyz", tmp_path / "holdout.extxyz", tmp_path / "start"
    )
    kinds = [frame.info["config_type"] for frame in read_frames(begun.folder / loop_state.STARTS)]
    assert kinds[0] == "liquid" and set(kinds[1:]) == {"strain"}


def test_what_was_said_of_the_structures_stays_known(tmp_path: Path) -> None:
    fixed = si8(1)
    fixed.set_constraint(FixAtoms([0, 1]))
    write(tmp_path / "POSCAR", fixed, format="vasp")
    target = Target(elements=("Si",), structure_file=tmp_path / "POSCAR")
    for name in ("training", "holdout"):
        (tmp_path / name).mkdir()
        made = generate(target, Generator(), holdout=name == "holdout")
        write_frames(tmp_path / name / "structures.extxyz", made.frames)
        write_json(tmp_path / name / "result.json", made.figures())
    files = [tmp_path / name / "structures.extxyz" for name in ("training", "holdout")]
    begun = WorkflowManager.begin(config(), *files, tmp_path / "start")
    (said,) = label_doubts.read(begun.folder)["notes"]
    assert said == "1 of 1 structures fix atoms: they are left free, and forces are the true ones"


def test_the_same_start_is_the_same_to_the_byte(begun: WorkflowManager, tmp_path: Path) -> None:
    again = WorkflowManager.begin(
        config(), tmp_path / "training.extxyz", tmp_path / "holdout.extxyz", tmp_path / "again"
    )
    names = [p.relative_to(begun.folder) for p in begun.folder.rglob("*") if p.suffix in (".extxyz", ".json")]
    assert len(names) == 12
    for name in names:
        assert (begun.folder / name).read_bytes() == (again.folder / name).read_bytes()


def test_labels_become_a_data_set_and_failures_stay_known(begun: WorkflowManager, tmp_path: Path) -> None:
    labels = [label(b, tmp_path / "l", failed=1) for b in loop_state.batches(begun.folder)]
    recorded = begun.record(labels, tmp_path / "recorded")
    assert (recorded.checkpoint.phase, recorded.checkpoint.labels_made) == (Phase.TRAIN, 9)
    assert len(read_frames(recorded.folder / loop_state.TRAIN)) == 4
    apart = read_frames(recorded.folder / loop_state.HOLDOUT)
    assert {structure_id(frame) for frame in apart} < set(begun.checkpoint.holdout) and len(apart) == 2
    assert DatabaseManager(recorded.folder / loop_state.DATABASE).causes() == {"UNCONVERGED": 3}


@pytest.mark.parametrize(("config_type", "selected", "met"), [("md", 6, 6), ("md", 7, 0), ("rattle", 6, 0)])
def test_errors_of_what_md_met_are_told_where_all_of_it_has_a_label(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config_type: str, selected: int, met: int
) -> None:
    for name, seeds in (("training", range(6)), ("holdout", range(100, 106))):
        frames = [si8(seed) for seed in seeds]
        for frame in frames:
            frame.info["config_type"] = config_type
        write_frames(tmp_path / f"{name}.extxyz", frames)
    files = [tmp_path / f"{name}.extxyz" for name in ("training", "holdout")]
    begun = WorkflowManager.begin(config(), *files, tmp_path / "start")
    begun.checkpoint = replace(begun.checkpoint, history=(replace(RECORD, selected=selected),))
    (begun.folder / loop_state.POTENTIAL).mkdir()
    monkeypatch.setattr(manager, "force_errors", lambda folder, frames: ForceErrors(0.01 * len(frames), 0.5))
    labels = [label(b, tmp_path / "l") for b in loop_state.batches(begun.folder)]
    (last,) = begun.record(labels, tmp_path / "recorded").checkpoint.history
    assert (last.met_labels, last.met_force_mae_ev_per_angstrom) == (met, 0.06 if met else None)
    assert last.met_atom_error_ev_per_angstrom == (0.5 if met else None)


def test_a_batch_without_its_results_is_refused(begun: WorkflowManager, tmp_path: Path) -> None:
    labels = [label(b, tmp_path / "l") for b in loop_state.batches(begun.folder)[:-1]]
    with pytest.raises(StateError, match="2 structures of generation 0 have no result: gf-"):
        begun.record(labels, tmp_path / "recorded")


def test_a_hold_out_without_a_label_is_refused(begun: WorkflowManager, tmp_path: Path) -> None:
    labels = [label(b, tmp_path / "l", failed=3 * (b.stem == "holdout_000")) for b in loop_state.batches(begun.folder)]
    with pytest.raises(ScienceError, match="the hold-out has no label: {'UNCONVERGED': 3}"):
        begun.record(labels, tmp_path / "recorded")


def test_labels_of_two_settings_are_refused_by_name(begun: WorkflowManager, tmp_path: Path) -> None:
    labels = [label(b, tmp_path / "l", settings=f"tblite-{b.stem}") for b in loop_state.batches(begun.folder)]
    with pytest.raises(InputError, match="mixes labels of different settings"):
        begun.record(labels, tmp_path / "recorded")


def stopped(begun: WorkflowManager, tmp_path: Path) -> Path:
    """A generation that has spent its budget."""
    folder = tmp_path / "generation_00"
    loop_state.copy_state(begun.folder, folder)
    (folder / "dataset").mkdir()
    (folder / "potential").mkdir()
    history = (RECORD,)
    replace(begun.checkpoint, phase=Phase.STOPPED, stopped_by="generations", history=history).write(folder)
    return folder


def test_a_stopped_loop_needs_more_budget_to_go_on(begun: WorkflowManager, tmp_path: Path) -> None:
    folder = stopped(begun, tmp_path)
    limited = config(convergence={"max_generations": 1})
    with pytest.raises(InputError, match=r"generation_00, convergence: has stopped \(generations\)"):
        WorkflowManager.resume(folder, limited, tmp_path / "start2")


def test_other_dft_settings_are_refused_before_anything_is_labelled(begun: WorkflowManager, tmp_path: Path) -> None:
    folder = stopped(begun, tmp_path)
    with pytest.raises(InputError, match="tblite_method: GFN1-xTB -> GFN2-xTB"):
        WorkflowManager.resume(folder, config(dft={"tblite_method": "GFN2-xTB"}), tmp_path / "start2")


def test_going_on_before_the_end_keeps_what_was_chosen(begun: WorkflowManager, tmp_path: Path) -> None:
    (begun.folder / "dataset").mkdir()
    going = WorkflowManager.resume(begun.folder, config(convergence={"max_generations": 9}), tmp_path / "start2")
    assert going.checkpoint == begun.checkpoint
    names = [path.name for path in loop_state.batches(begun.folder)]
    assert [path.name for path in loop_state.batches(going.folder)] == names


def test_a_phase_does_not_come_before_its_turn(begun: WorkflowManager, tmp_path: Path) -> None:
    with pytest.raises(StateError, match="label cannot be followed by validate"):
        begun.decide(tmp_path, [], tmp_path / "generation_00")


def test_a_validation_is_kept_with_its_generation(begun: WorkflowManager, tmp_path: Path) -> None:
    labels = [label(b, tmp_path / "l") for b in loop_state.batches(begun.folder)]
    recorded = begun.record(labels, tmp_path / "recorded")
    errors = {"frames": 2, "atoms": 16, "energy_mae_mev_per_atom": 1.0, "force_mae_ev_per_angstrom": 0.01,
              "force_rmse_ev_per_angstrom": 0.02, "stress_mae_gpa": None, "by_config_type": {}}  # fmt: skip
    fit = {"status": "finished", "train": errors, "test": errors, "coefficients": 60, "split": {},
           "references": {"energy_ev": {}, "source": "fit"},
           "grade": {"lower": 1.5, "upper": 9.0, "test_largest": 1.2}}  # fmt: skip
    write_json(tmp_path / "fit" / "result.json", fit)
    (tmp_path / "fit" / "potential").mkdir()
    runs = []
    for plan in loop_state.trajectories(begun.folder):
        run = {"steps": 10, "stopped_by": "steps", "looks": 1000, "fraction_above_lower": 0.0, "max_grade": 1.0,
               "max_spread_ev_per_angstrom": 0.01 * (1 + len(runs))}  # fmt: skip
        write_json(tmp_path / "md" / plan.stem / "result.json", run)
        write_frames(tmp_path / "md" / plan.stem / "frames.extxyz", [])
        runs.append(tmp_path / "md" / plan.stem)
    told = {"status": "finished", "verdict": "FAIL", "reasons": ["phonons: imaginary modes"]}
    for name in loop_state.VALIDATION_FILES:
        write_json(tmp_path / "validated" / name, told)
    limited = config(convergence={"validation": "WARN", "max_generations": 1, "generations": 1})
    manager = WorkflowManager(recorded.folder, limited)
    done = manager.decide(tmp_path / "fit", runs, tmp_path / "generation_00", validated=tmp_path / "validated")
    assert done.checkpoint.stopped_by == "generations" and "validation FAIL" in done.checkpoint.reason
    again = WorkflowManager(tmp_path / "generation_00", limited).checkpoint.history[-1]
    assert again.validation == "FAIL" and again.validation_reasons == ["phonons: imaginary modes"]
    assert again.md_largest_spread_ev_per_angstrom == pytest.approx(0.03)
    # labels are those that there are, of however many the fit had time to tell its errors
    counts = [len(read_frames(recorded.folder / name)) for name in (loop_state.TRAIN, loop_state.HOLDOUT)]
    assert [again.labels, again.holdout_labels] == counts and errors["frames"] not in counts
    assert (tmp_path / "generation_00" / "validation" / "validation.html").exists()
    for folder, by in (
        (tmp_path / "validated", "train validate"),
        (runs[0], "infer explore"),
        (tmp_path / "fit", "train fit"),
    ):
        (folder / "result.json").write_text("3")
        with pytest.raises(StateError, match=f"result.json: damaged, not as `{by}` writes it"):
            manager = WorkflowManager(recorded.folder, limited)
            manager.decide(tmp_path / "fit", runs, tmp_path / "no", validated=tmp_path / "validated")


def test_nothing_to_start_from_is_refused(tmp_path: Path) -> None:
    write_frames(tmp_path / "a.extxyz", [si8(1)])
    with pytest.raises(InputError, match="holds no structure that is not in the hold-out"):
        WorkflowManager.begin(config(), tmp_path / "a.extxyz", tmp_path / "a.extxyz", tmp_path / "start")


def test_a_trainer_without_a_grade_never_begins(begun: WorkflowManager, tmp_path: Path) -> None:
    plan = config(training={"backend": "pace"})
    with pytest.raises(InputError, match="'pace' makes potentials without a grade"):
        WorkflowManager.begin(plan, tmp_path / "training.extxyz", tmp_path / "holdout.extxyz", tmp_path / "other")
    with pytest.raises(InputError, match="'pace' makes potentials without a grade"):
        WorkflowManager.resume(begun.folder, plan, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_the_budget_of_labels_holds_from_the_first_generation(begun: WorkflowManager, tmp_path: Path) -> None:
    files = (tmp_path / "training.extxyz", tmp_path / "holdout.extxyz")
    few = config(convergence={"max_labels": 10}, loop={"holdout_labels": 6, "initial_labels": 6, "trajectories": 1})
    manager = WorkflowManager.begin(few, *files, tmp_path / "few")
    assert DatabaseManager(manager.folder / loop_state.DATABASE).counts()["pending"] == 10
    none = config(convergence={"max_labels": 10}, loop={"holdout_labels": 12, "initial_labels": 6})
    write_frames(tmp_path / "many.extxyz", [si8(seed) for seed in range(100, 112)])
    with pytest.raises(InputError, match=r"convergence\.max_labels: 10 labels, and the hold-out alone takes 12"):
        WorkflowManager.begin(none, files[0], tmp_path / "many.extxyz", tmp_path / "none")


def test_the_data_set_holds_what_the_cap_of_today_lets_in(begun: WorkflowManager, tmp_path: Path) -> None:
    labels = [label(batch, tmp_path / "l") for batch in loop_state.batches(begun.folder)]
    first, *others = read_labels(tmp_path / "l" / "training_000" / "labels.jsonl")
    strong = replace(first, forces_ev_per_angstrom=[[0.09, 0.0, 0.0], [-0.09, 0.0, 0.0]] * 4)
    write_labels(tmp_path / "l" / "training_000" / "labels.jsonl", [strong, *others])
    assert len(read_frames(begun.record(labels, tmp_path / "all").folder / loop_state.TRAIN)) == 6
    begun.config = config(labels={"force_cap_ev_per_angstrom": 0.08})
    strict = begun.record(labels, tmp_path / "strict").folder
    assert strong.gibbsflow_id not in {structure_id(frame) for frame in read_frames(strict / loop_state.TRAIN)}
    assert DatabaseManager(strict / loop_state.DATABASE).causes() == {"BAD_STRUCTURE": 1}


def test_a_label_that_the_audit_holds_is_in_no_set_and_stays_held(begun: WorkflowManager, tmp_path: Path) -> None:
    labels = [label(batch, tmp_path / "l") for batch in loop_state.batches(begun.folder)]
    first, *others = read_labels(tmp_path / "l" / "training_000" / "labels.jsonl")
    drifting = replace(first, forces_ev_per_angstrom=[[9.0, 0.0, 0.0]] * 8)
    write_labels(tmp_path / "l" / "training_000" / "labels.jsonl", [drifting, *others])
    recorded = begun.record(labels, tmp_path / "recorded").folder
    assert len(read_frames(recorded / loop_state.TRAIN)) == 5
    database = DatabaseManager(recorded / loop_state.DATABASE)
    assert held_counts(database)["net_force"] == 1
    assert database.explain(first.gibbsflow_id)["status"] == "held"
    assert structure_id(si8(0)) not in {structure_id(f) for f in database.frames(RowStatus.HELD)}
    # the wide limit of another run lets it in again; what is overruled stays in
    begun.config = config(audit={"net_force_ev_per_angstrom": 10.0, "work_mev_per_atom": 1e5})
    wide = begun.record(labels, tmp_path / "wide").folder
    assert len(read_frames(wide / loop_state.TRAIN)) == 6
    release(database, [first.gibbsflow_id])
    assert database.counts()["labelled"] == 9 and held_counts(database) == {}


def test_what_was_said_of_the_labels_goes_with_the_state(begun: WorkflowManager, tmp_path: Path) -> None:
    labels = [label(batch, tmp_path / "l") for batch in loop_state.batches(begun.folder)]
    for folder in labels:
        write_json(folder / "result.json", {"warnings": ["1 frame is charged"], "notes": []})
    recorded = begun.record(labels, tmp_path / "recorded")
    assert label_doubts.read(recorded.folder)["warnings"] == ["3 frames are charged"]
