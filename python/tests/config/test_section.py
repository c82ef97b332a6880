"""What all settings share: how a key is declared, checked, read from files, and named where it is wrong."""

from pathlib import Path
from typing import Literal

import pytest
from pydantic import Field

from gibbsflow.config.section import Section, nearest, nearest_name, range_of, read_section, setting
from gibbsflow.errors import InputError


class Inner(Section):
    length_ps: float = setting(1.0, "Length.", unit="ps", gt=0, le=10)
    count: int = setting(2, "Repeats.", ge=1)


class Outer(Section):
    name: str = Field(description="What it is called.")
    inner: Inner = Inner()
    code: str = setting("x", "Letters alone.", pattern="^[a-z]+$")


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


def test_a_list_whose_only_item_is_wrong_is_one_problem():
    class Listed(Section):
        colours: tuple[Literal["red", "blue"], ...] = setting(("red",), "Colours.", min_length=1)

    for given in (["grey"], []):
        with pytest.raises(InputError) as error:
            read_section(Listed, {"colours": given}, where="x")
        assert len(error.value.problems) == 1 and error.value.problems[0].field.startswith("colours")


def test_the_nearest_name_or_none():
    known = ("temperature_k", "timestep_fs", "seed")
    assert nearest_name("temprature_k", known) == "temperature_k" and nearest_name("zzz", known) is None
    assert nearest("sed", known) == "did you mean 'seed'?"
    assert nearest("zzz", known) == "one of temperature_k, timestep_fs, seed"
    assert nearest("zzz", map(str, range(100))) == "see --help for the names"


@pytest.mark.parametrize(
    ("values", "right"),
    [
        ({"name": 3}, "text, in quotes"),
        ({"inner": 5}, "keys with values"),
        ({"code": "x y"}, "Letters alone."),
    ],
)
def test_what_is_right_is_said_in_words_of_the_file(values, right):
    with pytest.raises(InputError) as error:
        read_section(Outer, {"name": "b2"} | values, where="run.yaml")
    assert error.value.problems[0].right == right


def test_ranges_in_words():
    assert range_of(Inner.model_fields["length_ps"]) == "a number > 0 and <= 10 ps"
    assert range_of(Inner.model_fields["count"]) == "a number >= 1"
    assert range_of(Outer.model_fields["name"]) == ""


@pytest.mark.parametrize("word", [True, False])
def test_yes_and_no_are_no_numbers(word):
    with pytest.raises(InputError) as error:
        read_section(Outer, {"name": "b2", "inner": {"count": word}}, where="x")
    assert f"x, inner.count: {word} is not usable (right: a number >= 1)" in str(error.value)


@pytest.mark.parametrize("text", ["3", "\uff13", "1_0", "0x10", "010", " 3", ".inf"])
def test_a_text_is_no_number_whatever_python_would_read(text):
    with pytest.raises(InputError) as error:
        read_section(Inner, {"count": text}, where="x")
    assert "right: a number >= 1, in decimal digits and without quotes" in str(error.value)


def test_switches_and_lists_are_asked_for_in_words():
    class Asked(Section):
        switch: bool = True
        names: tuple[str, ...] = ()

    with pytest.raises(InputError) as error:
        read_section(Asked, {"switch": "maybe", "names": "Si"}, where="x")
    assert "x, switch: 'maybe' is not usable (right: true or false, without quotes)" in str(error.value)
    assert "x, names: 'Si' is not usable (right: a list, in brackets)" in str(error.value)


def test_texts_and_switches_within_a_value_are_looked_at_too():
    class Mixed(Section):
        pair: tuple[float, ...] = (1.0, 2.0)
        by_name: dict[str, float] | None = setting(None, "Numbers.")
        either: float | list[str] = 1.0
        path: Path | None = None
        choice: Literal["a", 2] = "a"

    good = {"pair": [1, 2], "by_name": {"Si": 1}, "either": ["2"], "path": "2", "choice": "a"}
    assert read_section(Mixed, good, where="x").by_name == {"Si": 1.0}
    for key, value in {"pair": [1, "2"], "by_name": {"Si": "1"}, "either": "2"}.items():
        with pytest.raises(InputError, match=f"x, {key}.*without quotes"):
            read_section(Mixed, {key: value}, where="x")


def test_a_value_is_never_printed_whole():
    with pytest.raises(InputError) as error:
        read_section(Outer, {"name": "b2", "inner": {"count": "9\x1b[31m" * 100_000}}, where="x\n")
    assert len(str(error.value)) < 300 and str(error.value).isprintable()


def test_a_switch_takes_yes():
    class Switches(Section):
        on: bool = False
        pair: tuple[float, float] = (1.0, 2.0)
        by_name: dict[str, float] = setting({}, "Numbers.")

    assert read_section(Switches, {"on": True}, where="x").on
    for values in ({"pair": [1.0, True]}, {"by_name": {"Si": False}}):
        with pytest.raises(InputError, match="neither numbers nor words"):
            read_section(Switches, values, where="x")
