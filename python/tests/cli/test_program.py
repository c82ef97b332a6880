"""One style of all verbs: their options, units, examples; one JSON document; completion of the programs in bin/."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from gibbsflow.cli.examples import EXAMPLES
from gibbsflow.cli.program import Program
from gibbsflow.cli.verb import verb
from gibbsflow.errors import InputError, Problem

BIN = Path(__file__).parents[3] / "bin"
PROGRAMS = sorted(path.name for path in BIN.iterdir())
UNITS = r"Å|\bps\b|\bK\b|\beV\b|meV|GPa|kcal|degrees|seconds|\be\b"
COUNTS = (
    r"[Nn]umber|at a time|[Ss]eed|[Mm]ost|\b[Ss]teps\b|poses|from 0|[Rr]eplicate|[Dd]ifficulty|Distance of neighbours"
    "|[Tt]ag|resampling|sample that is|Generation|Structures"
)


def verbs_of(program: str) -> Iterator[tuple[str, Any]]:
    """All verbs that are shown, by their words after `bin/`; a program within another is named as itself."""

    def walk(command: Any, words: list[str]) -> Iterator[tuple[str, Any]]:
        for name, one in getattr(command, "commands", {}).items():
            yield from walk(one, [*words, name])
        if not hasattr(command, "commands") and not command.hidden:
            yield " ".join(words), command

    yield from walk(typer.main.get_command(import_module(f"gibbsflow.cli.{program}").app), [program])


VERBS = dict(pair for program in PROGRAMS for pair in verbs_of(program))


def key_of(words: str) -> str:
    return re.sub(r"^gibbsflow (?=(network|dft) )", "", words)


def test_there_are_verbs() -> None:
    assert len(VERBS) > 60 and {key_of(words) for words in VERBS} == EXAMPLES.keys()


@pytest.mark.parametrize("words", VERBS)
def test_a_verb_in_the_style_of_the_house(words: str) -> None:
    command = VERBS[words]
    options = [option for one in command.params for option in one.opts]
    assert {"--json", "--quiet", "--verbose", "--debug"} <= set(options) and len(set(options)) == len(options)
    assert command.help and [one.name for one in command.params if not (one.help or "").strip()] == []
    numbers = [one for one in command.params if re.search(r"\b(int|float)\b", str(one.type_descriptor))]
    vague = [one.opts[0] for one in numbers if not re.search(f"{UNITS}|{COUNTS}", one.help)]
    assert vague == [], "numbers without a unit, or what they count"
    example = EXAMPLES[key_of(words)]
    assert command.epilog == f"\b\nExample:\n  {example}" and len(example) <= 118
    program, *rest = shlex.split(example)
    with typer.main.get_command(import_module(f"gibbsflow.cli.{program}").app).make_context(program, rest) as context:
        left = [*context._protected_args, *context.args] if hasattr(context, "_protected_args") else context.args
        for name in words.replace("gibbsflow dft", "dft").split()[1:-1] if program != "gibbsflow" else ():
            assert left.pop(0) == name
        if program == "gibbsflow" and left[0] == "network":
            left.pop(0)
        assert left.pop(0) == words.split()[-1]
        command.make_context(words, left, parent=context).close()  # refuses unknown options and missing ones


@pytest.fixture
def little() -> Program:
    """A program of two verbs: one with a JSON of its own, and one without."""
    app = Program("little", rich_markup_mode=None)

    @app.command()
    def tell(wrong: bool = False) -> None:
        with verb(None) as result:
            typer.echo("a line")
            result.figures["found_k"] = 3
            if wrong:
                raise InputError(Problem("a.csv", "wrong", "right"))

    @app.command()
    def own(broken: bool = False, as_json: bool = False) -> None:
        if broken:
            raise KeyError("outside of its body")
        with verb(None, as_json=as_json):
            pass

    return app


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ("tell --json", 0, {"status": "finished", "printed": ["a line"], "found_k": 3}),
        ("tell --json --wrong", 65, {"status": "failed", "cause": "Input", "printed": ["a line"]}),
        ("own --as-json", 0, {"status": "finished"}),
        ("own --as-json --broken", 70, {"status": "failed", "cause": "KeyError", "message": "'outside of its body'"}),
        ("tell --json --no-such-option", 2, {"status": "failed", "cause": "Usage"}),
        ("tell --json --quiet --verbose", 2, {"cause": "Usage"}),
    ],
)
def test_one_document(little: Program, words: str, code: int, told: dict[str, Any]) -> None:
    done = CliRunner().invoke(little, words.split())
    found = json.loads(done.stdout)
    assert done.exit_code == code and {key: found.get(key) for key in told} == told
    assert "Traceback" not in done.stderr and ("error: " in done.stderr) == (code != 0)


def test_without_json_there_is_text(little: Program) -> None:
    done = CliRunner().invoke(little, ["tell"])
    assert (done.exit_code, done.stdout) == (0, "a line\n")
    assert "Traceback" in CliRunner().invoke(little, ["tell", "--wrong", "--debug"]).stderr
    quiet = CliRunner().invoke(little, ["tell", "--wrong"], env={"GIBBSFLOW_DEBUG": "1"})
    assert "Traceback" in quiet.stderr and quiet.exit_code == 65


@pytest.mark.parametrize(("name", "begun", "ends"), [("fe", "ru", ["run"]), ("train", "export la", ["lammps"])])
def test_completion_by_the_shell(name: str, begun: str, ends: list[str]) -> None:
    count = str(len(begun.split()))
    asked = {f"_{name.upper()}_COMPLETE": "complete_bash", "COMP_WORDS": f"{name} {begun}", "COMP_CWORD": count}
    done = subprocess.run([BIN / name], env=os.environ | asked, capture_output=True, text=True)
    assert done.stdout.split() == ends, done.stderr
