"""Files of settings: each key once, numbers as people mean them, and nothing that has no place there."""

import os

import pytest

from gibbsflow.errors import InputError
from gibbsflow.workflow.settings_file import LARGEST_BYTES, read_mapping


@pytest.mark.parametrize(
    ("name", "text", "content"),
    [
        ("a.yaml", "a: [1, 2]\n", {"a": [1, 2]}),
        ("a.json", '{"a": null}', {"a": None}),
        ("a.yaml", "# nothing\n", {}),
    ],
)
def test_files_of_settings(tmp_path, name, text, content):
    (tmp_path / name).write_text(text)
    assert read_mapping(tmp_path / name) == content


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.yaml", b"a: [", "not readable"),
        ("a.json", b"a: 1", "not readable"),
        ("a.yaml", b"\xff\xfe\x00", "not readable"),
        ("a.yaml", b"- 1\n", "holds a list"),
        ("a.yaml", None, "no such file"),
    ],
)
def test_files_that_are_none(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_mapping(tmp_path / name)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-6", 1e-6),
        ("1.0e-6", 1e-6),
        ("1.", 1.0),
        (".5", 0.5),
        ("-3", -3),
        ("1_000", 1000),
        ("0x10", 16),
        ("0100", "0100"),
        ("1:30", "1:30"),
        ("190:20:30.15", "190:20:30.15"),
        ("2026-01-31", "2026-01-31"),
        ("2026-13-45", "2026-13-45"),
        ("yes", True),
        ("'yes'", "yes"),
        ("y", "y"),
        ("~", None),
        ("", None),
        ("{a: b}", {"a": "b"}),
    ],
)
def test_values_are_what_they_look_like(tmp_path, text, value):
    (tmp_path / "a.yaml").write_text(f"key: {text}\n")
    found = read_mapping(tmp_path / "a.yaml")["key"]
    assert found == value and type(found) is type(value)


def test_a_mark_of_the_encoding_and_other_line_ends_are_no_part_of_it(tmp_path):
    (tmp_path / "a.yaml").write_bytes("\ufeffa: 1\r\nb: é\r\n".encode())
    (tmp_path / "a.json").write_bytes(b"\xef\xbb\xbf{}")
    assert read_mapping(tmp_path / "a.yaml") == {"a": 1, "b": "é"} and read_mapping(tmp_path / "a.json") == {}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.yaml", "dft: {a: 1}\nb: 2\ndft: {b: 2}\n", "a.yaml, row 3, dft: given twice"),
        ("a.yaml", "dft:\n  a: 1\n  a: 1\n", "row 3, dft.a: given twice"),
        ("a.yaml", "a: [{b: 1, b: 2}]\n", "row 1, a.b: given twice"),
        ("a.yaml", "'a': 1\na: 2\n", "row 2, a: given twice"),
        ("a.json", '{"dft": {"a": 1, "a": 2}}', "a.json, a: given twice"),
        ("a.yaml", "1: 2\n", "row 1, 1: is no word"),
        ("a.yaml", "composition: {No: 1}\n", "composition.No: is no word"),
        ("a.yaml", "? [a, b]\n: 2\n", "is no word"),
        ("a.yaml", "a: &a [*a]\n", "holds itself"),
        ("a.yaml", "a: 1\n---\nb: 2\n", "row 2: not readable"),
        ("a.yaml", "a: !!python/object:os.system 1\n", "row 1: not readable"),
        ("a.yaml", "a:\tb: 1\n", "row 1: not readable"),
        ("a.yaml", "a: " + "[" * 5000, "not readable: nested too deeply"),
        ("a.json", '{"a": ' + "[" * 200_000, "not readable: nested too deeply"),
        ("a.json", '{"a": 1,\n "b"}', "row 2: not readable"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_row(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError) as error:
        read_mapping(tmp_path / name)
    assert message in str(error.value) and str(tmp_path / name) in str(error.value)


def test_aliases_may_repeat_within_reason(tmp_path):
    (tmp_path / "a.yaml").write_text("a: &one {x: 1}\nb: {<<: *one, x: 2}\nc: *one\n")
    assert read_mapping(tmp_path / "a.yaml") == {"a": {"x": 1}, "b": {"x": 2}, "c": {"x": 1}}
    lines = ["a0: &a0 [1, 1]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    (tmp_path / "bomb.yaml").write_text("\n".join(lines))
    with pytest.raises(InputError, match="more than 100000 values"):
        read_mapping(tmp_path / "bomb.yaml")


def test_only_files_of_a_reasonable_size_are_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    for path in (tmp_path, tmp_path / "pipe.yaml"):
        with pytest.raises(InputError, match="is no regular file"):
            read_mapping(path)
    (tmp_path / "large.yaml").write_text("a: " + "x" * LARGEST_BYTES)
    with pytest.raises(InputError, match="1.0 MB are more than settings can need"):
        read_mapping(tmp_path / "large.yaml")
