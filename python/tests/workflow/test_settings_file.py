"""Files of settings: each key once, numbers as people mean them, and nothing that has no place there."""

import os
import tracemalloc

import pytest

from gibbsflow.errors import InputError
from gibbsflow.workflow.input_files import SETTINGS_BYTES
from gibbsflow.workflow.settings_file import MOST_NESTED, read_mapping


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
        ("a.yaml", b"\xff\xfea\x00", "is UTF-16, not UTF-8 text"),
        ("a.yaml", b"a: \xe9\n", "not UTF-8 text"),
        ("a.json", b'{"a": 1}\x00', "a NUL byte at byte 8"),
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
        ("1_0", "1_0"),
        ("0x10", "0x10"),
        ("0o10", "0o10"),
        ("0b1", "0b1"),
        ("\uff12", "\uff12"),
        (".inf", ".inf"),
        ("-.INF", "-.INF"),
        (".nan", ".nan"),
        ("+1.5E+3", 1500.0),
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
        ("a.yaml", 'a: !!int "0x10"\n', "the tag tag:yaml.org,2002:int has no place here"),
        ("a.yaml", "a: !!float 2\n", "the tag tag:yaml.org,2002:float has no place here"),
        ("a.yaml", "a: !!set {b}\n", "the tag tag:yaml.org,2002:set has no place here"),
        ("a.yaml", "a: !!binary aGk=\n", "the tag tag:yaml.org,2002:binary has no place here"),
        ("a.yaml", "a: " + "[" * 5000, "not readable: nested too deeply"),
        ("a.yaml", "a0: &a0 []\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 99)), "nested too deeply"),
        ("a.json", '{"a": ' + "[" * 150_000, "not readable: nested too deeply"),
        ("a.json", '{"a": ' + "[" * MOST_NESTED + "]" * MOST_NESTED + "}", "not readable: nested too deeply"),
        ("a.json", '{"a": NaN}', "not readable: NaN is no number of JSON"),
        ("a.json", '{"a": -Infinity}', "not readable: -Infinity is no number of JSON"),
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
    tracemalloc.start()
    with pytest.raises(InputError, match="more than 100000 values"):
        read_mapping(tmp_path / "bomb.yaml")
    assert tracemalloc.get_traced_memory()[1] < 5e6
    tracemalloc.stop()


def test_only_files_of_a_reasonable_size_are_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    for path in (tmp_path, tmp_path / "pipe.yaml"):
        with pytest.raises(InputError, match="is no regular file but a (folder|pipe)"):
            read_mapping(path)
    (tmp_path / "large.yaml").write_text("a: " + "x" * SETTINGS_BYTES)
    with pytest.raises(InputError, match="is too large .right: a YAML or JSON file of settings, of at most 0.2 MB"):
        read_mapping(tmp_path / "large.yaml")
