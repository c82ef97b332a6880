"""Files that are whole or not there, and hashes that follow content."""

import os

import pytest

from gibbsflow.workflow.files import atomic_open, inputs_hash, write_json


def test_full_disk_leaves_the_old_file(tmp_path):
    path = tmp_path / "state.json"
    write_json(path, {"a": 1})
    before = path.read_bytes()
    with pytest.raises(OSError, match="No space"), atomic_open(path) as file:
        file.write(b"half")
        raise OSError(28, "No space left on device")
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["state.json"]


def test_nan_is_never_written(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "x.json", {"dg": float("nan")})
    assert not (tmp_path / "x.json").exists()


def test_hash_follows_content_and_settings_but_not_the_path(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_text("same")

    def of(path, **settings):
        return inputs_hash(files={"top": tmp_path / path}, settings=settings, physics=1)

    assert of("a", dt=4) == of("b", dt=4)
    assert of("a", dt=4) != of("a", dt=2)
    (tmp_path / "b").write_text("other")
    assert of("a", dt=4) != of("b", dt=4)
