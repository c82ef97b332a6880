"""What goes to standard error and output in each style, and that a style ends with its verb."""

from __future__ import annotations

import pytest

from gibbsflow.cli.style import Style, program_runs, remark, say, speaking, style, tell_of_defect
from gibbsflow.workflow.progress import Progress


def test_a_style_ends_with_its_verb() -> None:
    with pytest.raises(ZeroDivisionError), speaking(Style(quiet=True)):
        assert style().quiet and Progress.quiet
        raise ZeroDivisionError
    assert not style().quiet and not Progress.quiet and not program_runs()


def test_remarks_and_findings(capsys: pytest.CaptureFixture[str]) -> None:
    remark("a note")
    say("a table", False)
    say("the same beside JSON", True)
    with speaking(Style(quiet=True)):
        remark("never shown")
        say("a table all the same", False)
        say("nor this", True)
    told = capsys.readouterr()
    assert told.out == "a table\na table all the same\n" and told.err == "a note\nthe same beside JSON\n"


@pytest.mark.parametrize("debug", [False, True])
def test_a_defect_is_one_line_and_its_traceback_on_request(debug: bool, capsys: pytest.CaptureFixture[str]) -> None:
    with speaking(Style(debug=debug)):
        try:
            raise KeyError("two\nlines")
        except KeyError as error:
            tell_of_defect(error)
    told = capsys.readouterr().err
    assert "error: KeyError: 'two\\nlines'\nwhat to do: " in told and "--debug" in told
    assert ("Traceback" in told) == debug and (len(told.splitlines()) == 2) != debug
