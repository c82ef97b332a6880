"""What every command answers before its verbs."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from gibbsflow import __version__
from gibbsflow.cli.fe import app
from gibbsflow.errors import EXIT_INSTALLATION


def test_version() -> None:
    answer = CliRunner().invoke(app, ["--version"])
    assert answer.exit_code == 0 and answer.output.strip() == __version__


def test_an_image_of_another_version_says_how_to_rebuild(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIBBSFLOW_VERSION", "0.0.0")
    answer = CliRunner().invoke(app, ["status", "."])
    assert answer.exit_code == EXIT_INSTALLATION
    assert (
        f"holds gibbsflow {__version__}, and the pipeline is 0.0.0" in answer.output and "make images" in answer.output
    )
