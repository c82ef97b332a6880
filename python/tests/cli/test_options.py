"""What every command answers before its verbs, and the words that values are written in."""

from __future__ import annotations

import pytest
import typer
from typer.testing import CliRunner

from gibbsflow import __version__
from gibbsflow.cli.fe import app
from gibbsflow.cli.options import parse_duration_s, parse_windows
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


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("5m", 300), ("5 min", 300), ("1.5h", 5400), ("2d", 172800), ("45", 45), (" .5 ", 0.5), (None, None)],
)
def test_durations(text: str | None, seconds: float | None) -> None:
    assert parse_duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "h", "5 parsecs", "-3s", "1:30", "1e3"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="no duration"):
        parse_duration_s(text)


@pytest.mark.parametrize(
    ("texts", "windows"),
    [([], ()), (["3"], (3,)), (["5-7", "0"], (0, 5, 6, 7)), (["2-4", "3", "4 - 5"], (2, 3, 4, 5)), (["4-4"], (4,))],
)
def test_windows(texts: list[str], windows: tuple[int, ...]) -> None:
    assert parse_windows(texts) == windows


@pytest.mark.parametrize("text", ["", "-1", "7-5", "a", "1-", "1,2", "12345"])
def test_what_is_no_window(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="is no window"):
        parse_windows([text])
