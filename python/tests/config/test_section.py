"""What all settings share: how a key is declared, checked, read from files, and named where it is wrong."""

import pytest
from pydantic import Field

from gibbsflow.config.section import Section, nearest, nearest_name, range_of, read_mapping, read_section, setting
from gibbsflow.errors import InputError


class Inner(Section):
    length_ps: float = setting(1.0, "Length.", unit="ps", gt=0, le=10)
    count: int = setting(2, "Repeats.", ge=1)


class Outer(Section):
    name: str = Field(description="What it is called.")
    inner: Inner = Inner()


def test_defaults_are_frozen_and_checked():
    outer = read_section(Outer, {"name": "b2"}, where="x")
    assert outer.inner.length_ps == 1.0
    with pytest.raises(ValueError, match="frozen"):
        outer.name = "b3"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"length_ps": 0}, "inner.length_ps: 0 is not usable (right: a number > 0 and <= 10 ps)"),
        ({"count": 0}, "inner.count: 0 is not usable (right: a number >= 1)"),
        ({"lenght_ps": 1}, "inner.lenght_ps: unknown parameter (right: did you mean 'length_ps'?)"),
        ({"length_ps": float("nan")}, "inner.length_ps: nan is not usable"),
    ],
)
def test_what_is_wrong_is_named_with_what_is_right(values, text):
    with pytest.raises(InputError) as error:
        read_section(Outer, {"name": "b2", "inner": values}, where="run.yaml")
    assert f"run.yaml, {text}" in str(error.value)


def test_all_at_once():
    with pytest.raises(InputError) as error:
        read_section(Outer, {"inner": {"length_ps": 0, "count": 0, "zzz": 1}}, where="x")
    assert len(error.value.problems) == 4
    assert str(error.value.problems[0]) == "x, name: missing (right: What it is called.)"


def test_the_nearest_name_or_none():
    known = ("temperature_k", "timestep_fs", "seed")
    assert nearest_name("temprature_k", known) == "temperature_k" and nearest_name("zzz", known) is None
    assert nearest("sed", known) == "did you mean 'seed'?" and nearest("zzz", known) == "see --help for the names"


def test_ranges_in_words():
    assert range_of(Inner.model_fields["length_ps"]) == "a number > 0 and <= 10 ps"
    assert range_of(Inner.model_fields["count"]) == "a number >= 1"
    assert range_of(Outer.model_fields["name"]) == ""


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
