"""Commands direct the root logger to their own standard error; here it is given back after each test."""

import json
import logging

import pytest
from typer.testing import CliRunner

from gibbsflow.cli.gibbsflow import app as gibbsflow_app


@pytest.fixture(autouse=True)
def root_logger():
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers[:] = before[0]
    root.setLevel(before[1])


@pytest.fixture
def ask(tmp_path, monkeypatch):
    """Ask `gibbsflow launch` about parameters: exit code and answer."""
    monkeypatch.chdir(tmp_path)

    def asked(given, *more):
        (tmp_path / "params.json").write_text(json.dumps(given))
        words = ["launch", "--params", "params.json", "--state", "state/out", *more]
        done = CliRunner().invoke(gibbsflow_app, words)
        return done.exit_code, json.loads(done.stdout)

    return asked
