"""What files are by their names, each counted once."""

import os
from pathlib import Path

import pytest

from gibbsflow.workflow.care.contents import bytes_by_kind, contents, human_bytes, is_set_aside, kind_of


def test_hard_links_count_once_and_links_are_not_followed(tmp_path):
    home = tmp_path / "c"
    home.mkdir()
    (home / "checkpoint-current.bin").write_bytes(b"x" * 100)
    os.link(home / "checkpoint-current.bin", home / "checkpoint-previous.bin")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "big").write_bytes(b"x" * 1000)
    (home / "way").symlink_to(tmp_path / "other")
    found = list(contents(home))
    assert bytes_by_kind(found) == {"checkpoints": 100}
    assert [one.path.name for one in found if one.kind == "links"] == ["way"]


def test_folders_may_be_left_out(tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "x").write_text("x")
    assert list(contents(tmp_path, apart={tmp_path / "state"})) == []


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("a/segment-00001.npz", "energies and labels"),
        ("a/frames-00001.npz", "frames"),
        ("a/frames_000000.extxyz", "frames"),
        ("a/output.tar.gz", "kept outputs"),
        ("a/superseded-001/segment-00001.npz", "set aside"),
        ("a/inputs.json", "records"),
    ],
)
def test_kinds(name, kind):
    assert kind_of(Path(name)) == kind


def test_bytes_for_people():
    assert [human_bytes(n) for n in (0, 999, 1500, 999_600, 2_310_000, 5 * 10**15)] == [
        "0 B", "999 B", "1.5 kB", "1 MB", "2.31 MB", "5000 TB",
    ]  # fmt: skip


def test_names_set_aside():
    assert [is_set_aside(name) for name in ("superseded-000", "superseded-", "superseded-mine", "x")] == [
        True, False, False, False,
    ]  # fmt: skip
