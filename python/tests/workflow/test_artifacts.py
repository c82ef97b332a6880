"""Manifest: hashes of files and folders, queries, moves, damage."""

import json
import shutil

import pytest

from gibbsflow.errors import StateError
from gibbsflow.workflow.artifacts import ArtifactStore


@pytest.fixture
def store(tmp_path):
    root = tmp_path / "results"
    (root / "legs" / "complex").mkdir(parents=True)
    (root / "legs" / "complex" / "leg.json").write_text("{}")
    (root / "results.csv").write_text("a,b\n")
    store = ArtifactStore(root)
    store.add("table", root / "results.csv", "table", rows=0)
    store.add("b2/legs", root / "legs", "legs")
    store.write()
    return store


def test_round_trip_keeps_everything(store):
    again = ArtifactStore(store.root)
    assert again.list_artifacts() == store.list_artifacts()
    assert again["table"].meta == {"rows": 0}
    assert again["table"].size == 4


def test_folder_hash_sees_content_and_names(store):
    before = store["b2/legs"].sha256
    (store.root / "legs" / "complex" / "leg.json").write_text("{ }")
    assert store.add("b2/legs", store.root / "legs", "legs").sha256 != before


def test_list_by_prefix_and_kind(store):
    assert [a.name for a in store.list_artifacts("b2/")] == ["b2/legs"]
    assert [a.name for a in store.list_artifacts(kind="table")] == ["table"]
    assert store.list_artifacts("b2/", kind="table") == []


def test_rebase_after_a_move(store, tmp_path):
    moved = tmp_path / "elsewhere"
    shutil.move(store.root, moved)
    assert store.verify()
    rebased = store.rebase(moved)
    assert rebased.verify() == []
    assert rebased.path("table") == moved / "results.csv"


def test_damage_is_named(store):
    (store.root / "results.csv").write_text("changed")
    shutil.rmtree(store.root / "legs")
    assert sorted(fault.split(":")[0] for fault in store.verify()) == [
        "b2/legs",
        "table",
    ]


def test_outside_the_root_and_missing_are_refused(store, tmp_path):
    (tmp_path / "stray").write_text("")
    with pytest.raises(StateError, match="outside"):
        store.add("stray", tmp_path / "stray", "x")
    with pytest.raises(StateError, match="missing"):
        store.add("gone", store.root / "gone", "x")


def test_unreadable_manifest_is_an_error(store):
    (store.root / "manifest.json").write_text("{half")
    with pytest.raises(StateError, match=r"manifest\.json"):
        ArtifactStore(store.root)


def test_a_link_that_leads_out_is_refused(store, tmp_path):
    (tmp_path / "secret").write_text("x")
    (store.root / "folder").mkdir(exist_ok=True)
    (store.root / "folder" / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(StateError, match="leads out of"):
        store.add("folder", store.root / "folder", "x")


@pytest.mark.parametrize("path", ["/etc/passwd", "../secret", "a/../../secret"])
def test_a_manifest_that_lists_what_lies_outside_is_an_error(store, path):
    row = {"name": "x", "path": path, "kind": "table", "sha256": "", "size": 0}
    (store.root / "manifest.json").write_text(json.dumps({"version": 1, "artifacts": [row]}))
    with pytest.raises(StateError, match="leads out of it"):
        ArtifactStore(store.root)
