from __future__ import annotations

import json
import os
import signal
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from ase import Atoms
from ase.io import read
from database_writer import result_of
from silicon import si2

from gibbsflow.config.potential import Labels
from gibbsflow.errors import InputError, ScienceError, StoppedEarly
from gibbsflow.potential.data.formats.electrons import Electrons
from gibbsflow.potential.data.labels import BAD_STRUCTURE, RESOURCE, LabelResult, read_labels
from gibbsflow.potential.data.structures import earlier_hash, structure_id
from gibbsflow.potential.label.batch import Batch, LabelStore, label_batch
from gibbsflow.workflow.state.segments import Stopper

HASH = "test-0123456789abcdef"


class Scripted:
    """An engine that fails as it is told to, and counts what it was asked for."""

    name, settings_hash, periodic, in_process = "test", HASH, False, False

    def __init__(self, causes: dict[str, str] | None = None, *, force: float = 0.0, made_with: str = "") -> None:
        self.causes, self.force, self.made_with = causes or {}, force, made_with
        self.asked: Counter[str] = Counter()

    def electrons(self, atoms: Atoms) -> Electrons:
        return Electrons.of(atoms)

    def key(self, atoms: Atoms) -> str:  # noqa: ARG002 - the same for all
        return self.made_with

    def label(self, atoms: Atoms, folder: Path | None = None) -> LabelResult:
        name = structure_id(atoms)
        self.asked[name] += 1
        if self.causes.get(name) == "worker":
            raise OSError("its node is gone")
        forces = [[self.force, 0.0, 0.0]] * len(atoms)
        made = replace(result_of(atoms), gibbsflow_id=name, program="test 1.0", wall_s=0.5)
        made = replace(made, forces_ev_per_angstrom=forces)
        return made.failed(self.causes[name], "as told") if name in self.causes else made

    def describe(self) -> dict[str, str]:
        return {"program": "test", "version": "1.0", "settings_hash": HASH}


@pytest.fixture
def frames() -> list[Atoms]:
    """Three structures, of the names below."""
    return [si2(seed) for seed in range(3)]


ZERO, ONE, TWO = (structure_id(si2(seed)) for seed in range(3))


def labelled(frames: list[Atoms], engine: Scripted, **more) -> Batch:
    batch = Batch(frames)
    label_batch(batch, engine, Labels(attempts_max=1), **more)
    return batch


def test_each_structure_has_its_fate_in_the_order_of_the_batch(frames: list[Atoms], tmp_path: Path) -> None:
    recorded: list[LabelResult] = []
    batch = labelled(frames, Scripted({ONE: BAD_STRUCTURE}), record=recorded.append)
    assert [result.gibbsflow_id for result in batch.ordered()] == [ZERO, ONE, TWO]
    assert recorded == batch.ordered()
    assert batch.figures() == {
        "counts": {"labelled": 2, "failed": 1}, "left": 0, "reused": 0, "failures": {ONE: BAD_STRUCTURE},
        "corrected": {}, "handlers": {}, "errors": {}, "short_of_memory": 0, "label_s": 1.5,
    }  # fmt: skip
    assert batch.programs() == {"test": "1.0"}
    batch.write(tmp_path)
    assert [f.info["gibbsflow_id"] for f in read(tmp_path / "labelled.extxyz", ":")] == [ZERO, TWO]
    assert read_labels(tmp_path / "labels.jsonl") == batch.ordered()


def test_what_is_finished_is_not_made_again(frames: list[Atoms], tmp_path: Path) -> None:
    store = LabelStore(tmp_path, HASH)
    first = labelled(frames, Scripted({ONE: BAD_STRUCTURE}), store=store)
    engine = Scripted()
    again = labelled(frames, engine, store=store)
    assert (again.reused, again.results, engine.asked) == (3, first.results, {})
    mended = labelled(frames, engine, store=store, retry_failed=True)
    assert engine.asked == {ONE: 1}
    assert mended.figures()["counts"] == {"labelled": 3, "failed": 0}


def test_a_failure_that_says_nothing_of_the_structure_is_tried_again(frames: list[Atoms], tmp_path: Path) -> None:
    store = LabelStore(tmp_path, HASH)
    first = labelled(frames, Scripted({ZERO: RESOURCE, ONE: "worker"}), store=store)
    assert first.figures()["failures"] == {ZERO: RESOURCE, ONE: "CRASH(worker)"}
    assert "its node is gone" in first.results[ONE].message
    engine = Scripted()
    assert labelled(frames, engine, store=store).figures()["counts"] == {"labelled": 3, "failed": 0}
    assert engine.asked == {ZERO: 1, ONE: 1}


def test_a_label_that_did_not_come_back_from_changed_physics_is_kept_and_not_used(
    frames: list[Atoms], tmp_path: Path
) -> None:
    store = LabelStore(tmp_path, HASH)
    tagged = replace(result_of(frames[0]), physics_changed=True, corrections=["smearing 2 times as wide"])
    store.save(replace(tagged, gibbsflow_id=ZERO))
    engine = Scripted()
    batch = labelled(frames, engine, store=store)
    assert (batch.results[ZERO].status, batch.results[ZERO].cause, engine.asked[ZERO]) == ("failed", "UNCONVERGED", 0)
    assert len(batch.labelled()) == 2 and store.load(ZERO).energy_ev == -1.0
    assert labelled(frames, engine, store=store, retry_failed=True).results[ZERO].status == "labelled"
    assert engine.asked[ZERO] == 1


def test_a_task_with_more_memory_is_asked_for_some_times(frames: list[Atoms], tmp_path: Path) -> None:
    class Short(Scripted):
        def label(self, atoms: Atoms, folder: Path | None = None) -> LabelResult:
            made = super().label(atoms, folder)
            return replace(made, error="OUT_OF_MEMORY") if made.status == "failed" else made

    store = LabelStore(tmp_path, HASH)
    asked = [labelled(frames, Short({ZERO: RESOURCE}), store=store).figures()["short_of_memory"] for _ in range(4)]
    assert asked == [1, 1, 1, 0] and store.folder.joinpath(ZERO, "FAILED").exists()
    assert labelled(frames, Scripted(), store=store).figures()["short_of_memory"] == 0


def test_corrections_and_errors_are_counted(frames: list[Atoms]) -> None:
    class Mended(Scripted):
        def label(self, atoms: Atoms, folder: Path | None = None) -> LabelResult:
            made = replace(super().label(atoms, folder), audit=[{"handler": "restart"}, {"handler": "more_steps"}])
            return replace(made, error="S_MATRIX") if made.status == "failed" else made

    figures = labelled(frames, Mended({ONE: "UNCONVERGED"})).figures()
    assert figures["handlers"] == {"restart": 3, "more_steps": 3} and figures["errors"] == {"S_MATRIX": 1}


def test_a_damaged_label_is_made_again(frames: list[Atoms], tmp_path: Path) -> None:
    store = LabelStore(tmp_path, HASH)
    labelled(frames, Scripted(), store=store)
    (store.place(ZERO) / "label.json").write_text("{trunc")
    (store.place(ONE) / "label.json").write_text(json.dumps({"of": "another version"}))
    assert store.load(ZERO) is None and store.load(ONE) is None
    assert store.load(TWO) is not None


def test_labels_of_other_settings_are_never_read(frames: list[Atoms], tmp_path: Path) -> None:
    labelled(frames, Scripted(), store=LabelStore(tmp_path, HASH))
    assert LabelStore(tmp_path, "test-fedcba9876543210").load(ZERO) is None
    # nor are those that were moved there
    (tmp_path / HASH).rename(tmp_path / "test-fedcba9876543210")
    assert LabelStore(tmp_path, "test-fedcba9876543210").load(ZERO) is None


def test_a_structure_that_comes_twice_is_labelled_once(frames: list[Atoms]) -> None:
    engine = Scripted()
    batch = labelled([frames[0], frames[1], frames[0]], engine)
    assert engine.asked == {ZERO: 1, ONE: 1}
    assert batch.figures()["left"] == 0
    assert len(batch.labelled()) == 3


def test_not_one_label_is_a_failure_of_the_science(frames: list[Atoms]) -> None:
    with pytest.raises(ScienceError, match=f"no label succeeded: 1 BAD_STRUCTURE; the first, {ZERO}: as told"):
        labelled(frames[:1], Scripted({ZERO: BAD_STRUCTURE}))
    with pytest.raises(InputError, match="holds no structure"):
        labelled([], Scripted())


def test_what_is_stored_survives_a_stop(frames: list[Atoms], tmp_path: Path) -> None:
    store = LabelStore(tmp_path, HASH)
    with Stopper() as stopper, pytest.raises(StoppedEarly, match="2 of 3 left"):
        labelled(
            frames, Scripted(), store=store, stopper=stopper,
            record=lambda label: os.kill(os.getpid(), signal.SIGTERM),
        )  # fmt: skip
    assert [store.load(name) is not None for name in (ZERO, ONE, TWO)] == [True, False, False]


def test_what_a_stop_cut_off_is_not_among_the_failed(frames: list[Atoms], tmp_path: Path) -> None:
    """The signal reaches the engine's program, which ends as one that failed."""

    class Reached(Scripted):
        def label(self, atoms: Atoms, folder: Path | None = None) -> LabelResult:
            assert folder is not None
            folder.mkdir(parents=True)
            if structure_id(atoms) == ONE:
                os.kill(os.getpid(), signal.SIGTERM)
            return result_of(atoms).failed("RESOURCE", "killed")

    with Stopper() as stopper, pytest.raises(StoppedEarly):
        labelled(frames, Reached(), stopper=stopper, logs=tmp_path / "failed")
    assert [path.name for path in (tmp_path / "failed").iterdir()] == [ZERO]


def judged(frames: list[Atoms], engine: Scripted, store: LabelStore, cap: float) -> tuple[Batch, Counter[str]]:
    batch = Batch(frames)
    try:
        label_batch(batch, engine, Labels(attempts_max=1, force_cap_ev_per_angstrom=cap), store=store)
    except ScienceError:
        assert not batch.labelled()
    return batch, engine.asked


def test_the_cap_of_forces_is_that_of_the_one_who_reads(frames: list[Atoms], tmp_path: Path) -> None:
    store = LabelStore(tmp_path, HASH)
    refused, asked = judged(frames, Scripted(force=2.0), store, cap=0.5)
    assert (refused.figures()["counts"]["failed"], sum(asked.values())) == (3, 3)
    assert store.load(ZERO).forces_ev_per_angstrom[0] == [2.0, 0.0, 0.0]  # as computed
    accepted, asked = judged(frames, Scripted(), store, cap=100.0)
    assert (accepted.figures()["counts"]["labelled"], accepted.reused, asked) == (3, 3, {})
    again, asked = judged(frames, Scripted(), store, cap=0.5)
    assert (again.results, asked) == (refused.results, {})


def test_what_an_earlier_version_kept_of_the_cap_alone_is_made_again(frames: list[Atoms], tmp_path: Path) -> None:
    store = LabelStore(tmp_path, HASH)
    for atoms in frames:
        store.save(result_of(atoms).failed(BAD_STRUCTURE, "largest force 2.0 eV/Å, the cap is 0.5 eV/Å"))
    batch, asked = judged(frames, Scripted(force=2.0), store, cap=100.0)
    assert (batch.figures()["counts"]["labelled"], sum(asked.values())) == (3, 3)


def test_a_label_of_another_charge_or_spin_is_none(frames: list[Atoms], tmp_path: Path) -> None:
    store = LabelStore(tmp_path, HASH)
    labelled(frames, Scripted(), store=store)
    engine = Scripted(made_with="0123456789abcdef")
    assert labelled(frames, engine, store=store).reused == 0
    assert labelled(frames, Scripted(made_with="0123456789abcdef"), store=store).reused == 3


def test_a_moved_structure_is_another_whatever_its_tag_says(frames: list[Atoms], tmp_path: Path) -> None:
    store = LabelStore(tmp_path, HASH)
    labelled(frames[:1], Scripted(), store=store)
    frames[0].positions[0, 0] += 0.1
    assert frames[0].info["gibbsflow_id"] == ZERO
    batch = labelled(frames[:1], Scripted(), store=store)
    assert batch.reused == 0
    assert ZERO not in batch.results


def test_labels_under_the_names_of_earlier_versions_are_found(tmp_path: Path) -> None:
    atoms = si2()
    atoms.positions[0, 0] = 0.1234574999  # a file holds 0.12345750
    assert earlier_hash(atoms) != structure_id(atoms)
    store = LabelStore(tmp_path, HASH)
    store.save(replace(result_of(atoms, -7.0), gibbsflow_id=earlier_hash(atoms)))
    batch = labelled([atoms], Scripted(), store=store)
    assert (batch.reused, batch.results[structure_id(atoms)].energy_ev) == (1, -7.0)


def test_what_programs_warned_of_is_summed_in_notes_of_labels_that_count(frames: list[Atoms], tmp_path: Path) -> None:
    told = {
        ZERO: {"negative_density_e": 0.01},
        ONE: {"negative_density_e": 0.02},
        TWO: {"unconverged_eigenvalues": 1.0},
    }

    class Doubtful(Scripted):
        def label(self, atoms: Atoms, folder: Path | None = None) -> LabelResult:
            return replace(super().label(atoms, folder), doubts=told[structure_id(atoms)])

    store = LabelStore(tmp_path, HASH)
    for _ in range(2):  # as they are made, and as they are read
        notes = labelled(frames, Doubtful({TWO: BAD_STRUCTURE}), store=store).notes()
        assert len(notes) == 1 and notes[0].startswith(
            "2 frames are labelled with a density that is negative somewhere"
        )
