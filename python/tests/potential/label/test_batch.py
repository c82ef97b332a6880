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
from gibbsflow.potential.data.labels import BAD_STRUCTURE, RESOURCE, LabelResult, read_labels
from gibbsflow.potential.data.structures import structure_id
from gibbsflow.potential.label.batch import Batch, LabelStore, label_batch
from gibbsflow.workflow.state.segments import Stopper

HASH = "test-0123456789abcdef"


class Scripted:
    """An engine that fails as it is told to, and counts what it was asked for."""

    name, settings_hash = "test", HASH

    def __init__(self, **causes: str) -> None:
        self.causes = {name.replace("gf_", "gf-"): cause for name, cause in causes.items()}
        self.asked: Counter[str] = Counter()

    def label(self, atoms: Atoms, folder: Path | None = None) -> LabelResult:
        name = structure_id(atoms)
        self.asked[name] += 1
        if self.causes.get(name) == "worker":
            raise OSError("its node is gone")
        made = replace(result_of(atoms), program="test 1.0", wall_s=0.5)
        return made.failed(self.causes[name], "as told") if name in self.causes else made

    def describe(self) -> dict[str, str]:
        return {"program": "test", "version": "1.0", "settings_hash": HASH}


@pytest.fixture
def frames() -> list[Atoms]:
    """Three structures with short names."""
    made = [si2(seed) for seed in range(3)]
    for number, atoms in enumerate(made):
        atoms.info["gibbsflow_id"] = f"gf-{number}"
    return made


def labelled(frames: list[Atoms], engine: Scripted, **more) -> Batch:
    batch = Batch(frames)
    label_batch(batch, engine, Labels(attempts_max=1), **more)
    return batch


def test_each_structure_has_its_fate_in_the_order_of_the_batch(frames: list[Atoms], tmp_path: Path) -> None:
    recorded: list[LabelResult] = []
    batch = labelled(frames, Scripted(gf_1=BAD_STRUCTURE), record=recorded.append)
    assert [result.gibbsflow_id for result in batch.ordered()] == ["gf-0", "gf-1", "gf-2"]
    assert recorded == batch.ordered()
    assert batch.figures() == {
        "counts": {"labelled": 2, "failed": 1}, "left": 0, "reused": 0, "failures": {"gf-1": BAD_STRUCTURE},
        "corrected": {}, "label_s": 1.5,
    }  # fmt: skip
    assert batch.programs() == {"test": "1.0"}
    batch.write(tmp_path)
    assert [f.info["gibbsflow_id"] for f in read(tmp_path / "labelled.extxyz", ":")] == ["gf-0", "gf-2"]
    assert read_labels(tmp_path / "labels.jsonl") == batch.ordered()


def test_what_is_finished_is_not_made_again(frames: list[Atoms], tmp_path: Path) -> None:
    store = LabelStore(tmp_path, HASH)
    first = labelled(frames, Scripted(gf_1=BAD_STRUCTURE), store=store)
    engine = Scripted()
    again = labelled(frames, engine, store=store)
    assert (again.reused, again.results, engine.asked) == (3, first.results, {})
    mended = labelled(frames, engine, store=store, retry_failed=True)
    assert engine.asked == {"gf-1": 1}
    assert mended.figures()["counts"] == {"labelled": 3, "failed": 0}


def test_a_failure_that_says_nothing_of_the_structure_is_tried_again(frames: list[Atoms], tmp_path: Path) -> None:
    store = LabelStore(tmp_path, HASH)
    first = labelled(frames, Scripted(gf_0=RESOURCE, gf_1="worker"), store=store)
    assert first.figures()["failures"] == {"gf-0": RESOURCE, "gf-1": "CRASH(worker)"}
    assert "its node is gone" in first.results["gf-1"].message
    engine = Scripted()
    assert labelled(frames, engine, store=store).figures()["counts"] == {"labelled": 3, "failed": 0}
    assert engine.asked == {"gf-0": 1, "gf-1": 1}


def test_a_damaged_label_is_made_again(frames: list[Atoms], tmp_path: Path) -> None:
    store = LabelStore(tmp_path, HASH)
    labelled(frames, Scripted(), store=store)
    (store.place("gf-0") / "label.json").write_text("{trunc")
    (store.place("gf-1") / "label.json").write_text(json.dumps({"of": "another version"}))
    assert store.load("gf-0") is None and store.load("gf-1") is None
    assert store.load("gf-2") is not None


def test_labels_of_other_settings_are_never_read(frames: list[Atoms], tmp_path: Path) -> None:
    labelled(frames, Scripted(), store=LabelStore(tmp_path, HASH))
    assert LabelStore(tmp_path, "test-fedcba9876543210").load("gf-0") is None
    # nor are those that were moved there
    (tmp_path / HASH).rename(tmp_path / "test-fedcba9876543210")
    assert LabelStore(tmp_path, "test-fedcba9876543210").load("gf-0") is None


def test_a_structure_that_comes_twice_is_labelled_once(frames: list[Atoms]) -> None:
    engine = Scripted()
    batch = labelled([frames[0], frames[1], frames[0]], engine)
    assert engine.asked == {"gf-0": 1, "gf-1": 1}
    assert batch.figures()["left"] == 0
    assert len(batch.labelled()) == 3


def test_not_one_label_is_a_failure_of_the_science(frames: list[Atoms]) -> None:
    with pytest.raises(ScienceError, match="no label succeeded: 1 BAD_STRUCTURE; the first, gf-0: as told"):
        labelled(frames[:1], Scripted(gf_0=BAD_STRUCTURE))
    with pytest.raises(InputError, match="holds no structure"):
        labelled([], Scripted())


def test_what_is_stored_survives_a_stop(frames: list[Atoms], tmp_path: Path) -> None:
    store = LabelStore(tmp_path, HASH)
    with Stopper() as stopper, pytest.raises(StoppedEarly, match="2 of 3 left"):
        labelled(
            frames, Scripted(), store=store, stopper=stopper,
            record=lambda label: os.kill(os.getpid(), signal.SIGTERM),
        )  # fmt: skip
    assert [store.load(name) is not None for name in ("gf-0", "gf-1", "gf-2")] == [True, False, False]
