"""`gibbsflow archive`, `restore` and `move`."""

import errno
import json

import pytest
from kept_campaigns import ODD, keep_campaign, whole
from typer.testing import CliRunner

from gibbsflow.cli.gibbsflow import app
from gibbsflow.errors import EXIT_INPUT, EXIT_STORAGE
from gibbsflow.workflow.care import archive, moving


def asked(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_archived_removed_and_restored(tmp_path):
    state = keep_campaign(tmp_path)
    before, file = whole(tmp_path / "demo"), tmp_path / f"{ODD}.tar.gz"
    assert asked("archive", state, "--out", file, "--dry-run").exit_code == 0 and not file.exists()
    assert asked("archive", state, "--out", file, "--remove").exit_code == EXIT_INPUT and not file.exists()
    done = asked("archive", state, "--out", file, "--remove", "--yes")
    assert done.exit_code == 0 and "read back as a whole" in done.stdout and "stays" not in done.stdout
    assert not state.exists() and not (tmp_path / "demo").exists()
    assert asked("restore", file, "--into", tmp_path).exit_code == 0
    after, record = whole(tmp_path / "demo"), "pipeline_info/campaign.json"
    assert json.loads(after.pop(record)) == json.loads(before.pop(record)) | {"state": str(state)}
    assert after == before and list(state.rglob("FINISHED"))


def test_moved_with_yes_alone(tmp_path):
    state = keep_campaign(tmp_path)
    assert "would move" in asked("move", state, tmp_path / "new").stdout and state.is_dir()
    assert asked("move", state, tmp_path / "new", "--yes").exit_code == 0
    assert (tmp_path / "new" / "demo").is_dir() and not state.exists()


@pytest.mark.parametrize("code", ["ENOSPC", "EROFS", "EIO"])
def test_a_disk_that_fails_is_one_error(tmp_path, monkeypatch, code):
    state = keep_campaign(tmp_path)

    def fails(*_, **__):
        raise OSError(getattr(errno, code), "the disk", str(tmp_path / "x"))

    monkeypatch.setattr(archive, "_add", fails)
    monkeypatch.setattr(moving, "one_disk", lambda *_: False)
    monkeypatch.setattr(moving.shutil, "copy2", fails)
    for words in (["archive", state, "--out", tmp_path / "x.tar.gz"], ["move", state, tmp_path / "new", "--yes"]):
        done = asked(*words)
        assert (done.exit_code, done.stderr.count("error: ")) == (EXIT_STORAGE, 1), done.stderr
    assert list(state.rglob("FINISHED")) and not list(tmp_path.glob("*x.tar*"))


def test_move_moves_nothing_with_dry_run(tmp_path):
    state = keep_campaign(tmp_path)
    done = [asked("move", state, tmp_path / "new", *words) for words in ([], ["--dry-run"], ["--dry-run", "--yes"])]
    assert {one.exit_code for one in done} == {0} and len({one.stdout for one in done}) == 1 and state.is_dir()
    assert not (tmp_path / "new" / state.name).exists()
