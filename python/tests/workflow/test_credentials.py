"""No password is shown, and nothing else is changed."""

import logging
import sys

import pytest

from gibbsflow.workflow.credentials import DiscreetFormatter, holds_password, without_passwords


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://me:canary@host:5432/name", "postgresql://me@host:5432/name"),
        ("postgresql://:canary@host/name: no answer", "postgresql://@host/name: no answer"),
        ("https://me:ca:n@ry@host/x and https://you:canary@host", "https://me@host/x and https://you@host"),
        ("'postgresql://host/db?user=me&password=canary&port=1'", "'postgresql://host/db?user=me&password=***&port=1'"),
        ("--export=AWS_SECRET_ACCESS_KEY=1,GITHUB_TOKEN=canary", "--export=AWS_SECRET_ACCESS_KEY=1,GITHUB_TOKEN=***"),
    ],
)
def test_passwords_are_not_shown(text: str, shown: str) -> None:
    assert without_passwords(text) == shown
    assert holds_password(text)


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://me@host/name",
        "a/path:with@signs.db",
        "http://host:80/a@b",
        "C[C@@H](O)C#N",
        "tokens: 3",
        "--pass=1",
    ],
)
def test_all_else_is_left(text: str) -> None:
    assert without_passwords(text) == text and not holds_password(text)


def test_log_lines_and_their_tracebacks() -> None:
    try:
        raise ValueError("postgresql://me:canary@host/db")
    except ValueError:
        record = logging.LogRecord("a", 20, "f", 1, "to %s", ("postgresql://me:canary@host/db",), sys.exc_info())
    text = DiscreetFormatter("%(message)s").format(record)
    assert text.startswith("to postgresql://me@host/db") and "ValueError" in text and "canary" not in text
