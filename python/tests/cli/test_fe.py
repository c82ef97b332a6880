"""`fe`: what is asked for before anything runs, and how far it is."""

import json

import pytest
from typer.testing import CliRunner

from gibbsflow.cli.fe import app as fe


def call(app, *args):
    return CliRunner().invoke(app, [str(a) for a in args])


def test_dry_run_computes_nothing(chain, tmp_path):
    args = [
        "--leg",
        chain / "fe" / "legs" / "complex",
        "--replicate",
        1,
        "--state",
        tmp_path / "s",
        "--out",
        tmp_path / "o",
    ]
    done = call(fe, "run", *args, "--dry-run")
    assert done.exit_code == 0 and "16 windows x 1020 ps" in done.output
    assert not (tmp_path / "s").exists()
    wrong = call(fe, "run", *args, "--dry-run", "--window", 3)
    assert wrong.exit_code == 65 and "replica exchange" in wrong.output


def test_status_of_a_state_folder(chain):
    done = call(fe, "status", chain / "state")
    assert done.exit_code == 0 and "finished" in done.output
    rows = json.loads(call(fe, "status", chain / "state", "--json").stdout)
    assert rows[0]["steps_done"] == 1000 and rows[0]["total_ns"] == pytest.approx(0.004)
    assert call(fe, "status", chain / "nowhere").exit_code == 65
