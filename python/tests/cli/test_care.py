"""`gibbsflow list`, `du` and `clean`."""

import json

import pytest
from kept_campaigns import keep_campaign
from typer.testing import CliRunner

from gibbsflow.cli.gibbsflow import app
from gibbsflow.errors import EXIT_INPUT


def asked(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_list_and_du_print_a_table_and_json(tmp_path):
    state = keep_campaign(tmp_path)
    assert "demo" in asked("list", state.parent).stdout and "of state" in asked("du", state).stdout
    (row,) = json.loads(asked("list", state.parent, "--json").stdout)["campaigns"]
    (one,) = json.loads(asked("du", state.parent, "--json").stdout)["campaigns"]
    assert row["size_bytes"] == sum(one["state"].values())


def test_clean_does_nothing_without_yes(tmp_path):
    state = keep_campaign(tmp_path)
    done = asked("clean", state, "--checkpoints", "--cache")
    assert done.exit_code == 0 and "the price: " in done.stdout and "--yes removes it" in done.stderr
    assert list(state.rglob("checkpoint-current.bin")) and not (state / ".cleaned.json").exists()
    for words in (["--dry-run"], ["--dry-run", "--yes"]):
        tried = asked("clean", state, "--checkpoints", "--cache", *words)
        assert (tried.exit_code, tried.stdout, tried.stderr) == (0, done.stdout, done.stderr)
        assert not (state / ".cleaned.json").exists()
    assert asked("clean", state, "--checkpoints", "--yes").exit_code == 0
    assert not list(state.rglob("checkpoint-previous.bin"))


@pytest.mark.parametrize("words", [["list", "gone"], ["du", "gone"], ["clean", "gone", "--cache"], ["clean", "."]])
def test_what_is_wrong_is_said_once(tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    done = asked(*words)
    assert done.exit_code == EXIT_INPUT and done.stderr.count("error: ") == 1


def test_clean_wants_to_be_told_what(tmp_path):
    done = asked("clean", keep_campaign(tmp_path))
    assert done.exit_code == EXIT_INPUT and "--superseded, --checkpoints or --cache" in done.stderr
