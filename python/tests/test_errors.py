"""Errors: each leaf with its exit code, its cause and what to do; problems that say where, what and what is right."""

import pytest

from gibbsflow import errors
from gibbsflow.errors import (
    EngineError,
    GibbsflowError,
    InputError,
    NumericalError,
    Problem,
    StoppedEarly,
    during,
    first_few,
    one_line,
    shown,
)


def leaves(cls):
    return {cls} | {leaf for below in cls.__subclasses__() for leaf in leaves(below)}


CODES = {
    65: {"InputError", "MissingProgramError"},
    74: {"StorageError"},
    75: {"StoppedEarly"},
    78: {"MachineError", "GpuMemoryError"},
}


def test_exit_codes_are_those_of_the_contract():
    own = {cls for cls in leaves(GibbsflowError) if cls.__module__ == errors.__name__}
    assert len(own) == len({cls.__name__ for cls in own}) > 12
    for cls in own:
        code = next((code for code, names in CODES.items() if cls.__name__ in names), 70)
        assert cls.exit_code == code and cls.what_to_do.endswith((".", "done")), cls
    # circumstances leave no FAILED: the item may be as good as any
    assert {cls.__name__ for cls in own if not cls.of_item} == {
        "StorageError", "MachineError", "GpuMemoryError", "LockedError", "StoppedEarly",
    }  # fmt: skip


def test_the_cause_is_the_class_without_its_ending():
    assert errors.UnboundError("x").cause == "Unbound"
    assert errors.StoppedEarly("x").cause == "StoppedEarly"


def test_what_to_do_can_be_said_anew_for_one_error():
    assert errors.StateError("x", what_to_do="Look.").what_to_do == "Look."
    assert errors.StateError("x").what_to_do == errors.StateError.what_to_do != "Look."
    error = EngineError("pw.x ended", code=-9)
    assert (error.code, str(error), error.exit_code) == (-9, "pw.x ended", 70)


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem("a.csv", "empty"), "a.csv: empty"),
        (Problem("a.csv", "empty", "a name", row=3, field="ligand"), "a.csv, row 3, ligand: empty (right: a name)"),
        (Problem("a/B.SDF", "empty", row=91), "a/B.SDF, line of the file 91: empty"),
        (Problem("--ph", "15 is not usable", "<= 14"), "--ph: 15 is not usable (right: <= 14)"),
    ],
)
def test_a_problem_says_where_what_and_what_is_right(problem, text):
    assert str(problem) == text == str(InputError(problem))


def test_all_problems_come_at_once():
    two = [Problem("a", "x"), Problem("b", "y")]
    error = InputError(two)
    assert error.problems == two
    assert str(error) == "2 problems in the input:\n  a: x\n  b: y"
    assert str(InputError(two[:1])) == "a: x"
    assert InputError("in words").problems == [] and str(InputError("in words")) == "in words"


def test_values_are_shown_shortened_and_on_one_line():
    assert shown("b2") == "'b2'" and shown(2.5) == "2.5" and shown([0, 1, "a"]) == "[0, 1, 'a']"
    for value in (
        "x" * 10**6,
        "\x1b[31m\n\u202e" * 99,
        ["y" * 99] * 10**5,
        {"k": ["z" * 99] * 99},
        10**4000,
        [[[[[[[[]]]]]]]],
    ):
        assert len(shown(value)) < 700 and shown(value).isprintable()
    assert len(one_line("x" * 100)) == 80 and one_line("a\tb\u202e") == "a\\tb\\u202e"


def test_a_problem_is_one_line_and_many_are_counted():
    problem = Problem("a\nb.csv" * 999, "x\r" * 9999, "\x00" * 9999, field="f" * 999)
    assert str(problem).isprintable() and len(str(problem)) < 6000
    told = str(InputError([Problem("a.csv", str(number)) for number in range(60)])).split("\n")
    assert told[0] == "60 problems in the input:" and told[-1] == "  and 10 more" and len(told) == 52


def test_what_was_being_done_comes_first():
    with pytest.raises(NumericalError) as caught, during("heating"):
        raise NumericalError("Particle coordinate is NaN")
    assert str(caught.value) == "heating: Particle coordinate is NaN"


def test_errors_that_are_no_numbers_pass():
    with pytest.raises(StoppedEarly, match="^enough$"), during("heating"):
        raise StoppedEarly("enough")


def test_of_many_names_a_message_gives_the_first_and_how_many_there_are_beside():
    """Also of none, and where they just fit."""
    assert first_few([]) == ""
    assert first_few(["a", "b"], 2) == "a, b"
    assert first_few(["a", "b", "c", "d"], 2, between="; ") == "a; b and 2 more"
