"""`status` and `clean-failures` of state folders, as commands."""

import json

import pytest
from left_states import leave, leave_campaign
from typer.testing import CliRunner

from gibbsflow.cli import status
from gibbsflow.cli.equil import app as equil
from gibbsflow.cli.fe import app as fe


@pytest.fixture
def campaign(tmp_path):
    return leave_campaign(tmp_path)


def test_each_program_shows_its_own(campaign):
    run = CliRunner().invoke(fe, ["status", str(campaign), "--json"])
    assert run.exit_code == 0 and len(json.loads(run.stdout)) == 14
    run = CliRunner().invoke(equil, ["status", str(campaign)])
    assert run.exit_code == 0 and "equil" in run.stdout and "window" not in run.stdout
    assert run.stdout.endswith("1 failed, 1 finished\n")


def test_watching_ends_where_nothing_is_under_way(campaign):
    run = CliRunner().invoke(equil, ["status", str(campaign), "--watch"])
    assert run.exit_code == 0 and run.stdout.count("cb7/b2/equil") == 1


def test_watching_shows_it_again_until_it_is_done(tmp_path, monkeypatch):
    leave(tmp_path / "equil", done=500, kind="equil")
    waited = []

    def wait(seconds):
        waited.append(seconds)
        leave(tmp_path / "equil", done=1000, finished=True, kind="equil")

    monkeypatch.setattr(status.time, "sleep", wait)
    run = CliRunner().invoke(equil, ["status", str(tmp_path), "--watch", "0.5", "--json"])
    assert run.exit_code == 0 and waited == [0.5]
    assert [json.loads(line)[0]["status"] for line in run.stdout.splitlines()] == ["stopped", "finished"]
    leave(tmp_path / "equil", done=1000, kind="equil")
    (tmp_path / "equil" / "FINISHED").unlink()
    CliRunner().invoke(equil, ["status", "--watch", str(tmp_path)])
    assert waited == [0.5, 5.0]  # the default stands where no number follows


def test_cleaning_tells_first_and_removes_failures_alone(campaign):
    failed = campaign / "cb7/a1/param_ligands/FAILED"
    run = CliRunner().invoke(equil, ["clean-failures", str(campaign), "--dry-run"])
    assert run.exit_code == 0 and str(failed) in run.stdout and failed.exists()
    assert CliRunner().invoke(equil, ["clean-failures", str(campaign)]).stdout == run.stdout
    assert not failed.exists() and (campaign / "cb7/b2/equil/FINISHED").exists()


@pytest.mark.parametrize("verb", ["status", "clean-failures"])
def test_no_folder_is_the_users_mistake(campaign, verb):
    run = CliRunner().invoke(equil, [verb, str(campaign / "nowhere")])
    assert run.exit_code == 65 and "no such folder" in run.stderr
