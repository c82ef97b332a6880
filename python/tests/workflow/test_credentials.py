"""No password is shown, and nothing else is changed."""

import json
import logging
import sys
import time

import pytest

from gibbsflow.workflow.credentials import DiscreetFormatter, holds_password, masked, without_passwords


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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('"token": "abc", "steps": 5', '"token": "***", "steps": 5'),
        ('"password": "two \\"words\\" and more"', '"password": "***"'),
        (json.dumps(['{"api_key": "a b"}']), json.dumps(['{"api_key": "***"}'])),
        ("x-api-key: abc and --private-key=abc", "x-api-key: *** and --private-key=***"),
        (
            "https://me.blob.core.windows.net/x?sp=r&sig=a%2Fb%3D&se=1",
            "https://me.blob.core.windows.net/x?sp=r&sig=***&se=1",
        ),
        ("sqlplus --db-password two", "sqlplus --db-password ***"),
        ("Authorization: Bearer abcdefgh.ijk", "Authorization: Bearer ***"),
        ("Authorization: Token abc", "Authorization: Token ***"),
        (
            "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY----- *** -----END PRIVATE KEY-----",
        ),
        ("to https://hooks.example.org/T0/B0/x", "to https://***"),
        ("TOWER_ACCESS_TOKEN='x'", "TOWER_ACCESS_TOKEN='***'"),
        ("postgresql://me:word@host/db", "postgresql://me@host/db"),
        ("password: x and more", "password: *** and more"),
        ("AWS_SECRET_ACCESS_KEY=abc/def+1", "AWS_SECRET_ACCESS_KEY=***"),
        ("export TOWER_ACCESS_TOKEN=eyJ0", "export TOWER_ACCESS_TOKEN=***"),
        ("proxy-authorization: Basic dXNlcjpwdw==", "proxy-authorization: Basic ***"),
        ("from ftp://me:word@host:21/x", "from ftp://me@host:21/x"),
        ("kept\n...\nYWJj\nZGVm\n-----END RSA PRIVATE KEY-----", "kept\n...\n*** -----END RSA PRIVATE KEY-----"),
        ("nothing of the kind", "nothing of the kind"),
    ],
)
def test_masks(text, shown):
    assert masked(text) == shown


@pytest.mark.parametrize("word", ["token", "a-", "http://", "secret ", "\\", "YWJj\n"])
def test_a_long_line_is_masked_in_time(word):
    began = time.process_time()
    masked(word * (200_000 // len(word)))
    assert time.process_time() - began < 5  # hours, where every start of a word has all of it tried
