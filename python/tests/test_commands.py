"""Commands in README and docs/: each block says how it is run, what it names is there, and quick and slow ones run."""

from __future__ import annotations

import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer
from command_blocks import COMMANDS, MADE, PAGES, ROOT, Block, blocks_of, commands, holds_commands, run_page

BLOCKS = [block for page in PAGES for block in blocks_of(page)]
LEGS = set(re.findall(r"^leg_(\w+)\(\)", (ROOT / ".ci" / "run").read_text(), re.M))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
PARAMETERS = {
    name
    for part in json.loads((ROOT / "nextflow_schema.json").read_text())["$defs"].values()
    for name in part["properties"]
}


def pages_with(what: str) -> list[Path]:
    return [page for page in PAGES if any(block.kind == "run" and block.what == what for block in blocks_of(page))]


def fault(block: Block) -> str | None:
    """What is wrong with the mark of a block, in words."""
    if not block.mark or not block.kind:
        return None if not (block.language in COMMANDS or holds_commands(block)) else "does not say how it is run"
    what, _, name = block.what.partition(" ")
    if block.kind == "run" and block.what not in ("test", "slow"):
        if what == "leg":
            return None if name.replace("-", "_") in LEGS else f"{name} is no leg of .ci/run"
        return None if what == "by" and (ROOT / name).is_file() else f"{block.what} is no way to run it"
    lost = [name for name, path in block.given.items() if not ((ROOT / path).is_file() if path else name in MADE)]
    return f"{', '.join(lost)} cannot be given" if lost else None


def test_every_block_of_commands_says_how_it_is_run() -> None:
    assert [f"{block}: {said}" for block in BLOCKS if (said := fault(block))] == []
    assert sum(block.kind == "run" for block in BLOCKS) > 20


def test_a_block_has_no_language_only_where_it_holds_no_commands() -> None:
    assert [str(block) for block in BLOCKS if not block.language and holds_commands(block)] == []


@pytest.mark.parametrize(
    ("mark", "language", "words"),
    [
        ("", "bash", "does not say how it is run"),
        ("", "yaml", None),
        ("", "", "does not say how it is run"),
        ("run: leg slurm-apptainer", "bash", None),
        ("run: leg moon", "bash", "moon is no leg of .ci/run"),
        ("run: by tests/pipeline/test_real.py", "bash", None),
        ("run: by tests/none.py", "bash", "by tests/none.py is no way to run it"),
        ("run: often", "bash", "often is no way to run it"),
        ("not run: needs a GPU", "bash", None),
        ("run: test; with ligands.sdf host.sdf=assets/demo/cb7.sdf", "bash", None),
        ("run: test; with host.sdf=assets/none.sdf", "bash", "host.sdf cannot be given"),
        ("run: test; with unheard-of.csv", "bash", "unheard-of.csv cannot be given"),
    ],
)
def test_what_is_said_of_a_mark(mark: str, language: str, words: str | None) -> None:
    assert fault(Block(PAGES[0], 1, language, "bin/fe --help\n", mark)) == words


def test_commands_name_verbs_options_and_targets_that_there_are() -> None:
    """Whether they are run or not: a block for a GPU names nothing that was renamed."""
    wrong = []
    for block in BLOCKS:
        if block.language not in ("bash", "console"):
            continue
        text = re.sub(r"#.*$", "", block.text.replace("\\\n", " "), flags=re.M)
        for line in text.splitlines():
            wrong += [f"{block}: make {name}" for name in re.findall(r"\bmake ([a-z-]+)", line) if name not in TARGETS]
            if "main.nf" in line:
                wrong += [f"{block}: --{name}" for name in re.findall(r" --([a-z]\w*)", line) if name not in PARAMETERS]
            wrong += [f"{block}: {said}" for said in unknown_words(line)]
    assert wrong == []


def unknown_words(line: str) -> list[str]:
    """Verbs and options of the project's own commands in a line that these do not have."""
    found = []
    for part in re.split(r"[;&|()]+", line):
        words = part.split()
        name = words[0].removeprefix("bin/") if words else ""
        if name not in commands() and not (words and words[0].startswith("bin/")):
            continue
        if name not in commands():
            found.append(words[0])
            continue
        verb: Any = typer.main.get_command(importlib.import_module(f"gibbsflow.cli.{name}").app)
        context = [name]
        for word in words[1:]:
            if hasattr(verb, "commands") and not word.startswith("-"):
                context.append(word)
                if word not in verb.commands:
                    found.append(" ".join(context))
                    break
                verb = verb.commands[word]
        else:
            known = {option for parameter in verb.params for option in parameter.opts} | {"--help"}
            found += [f"{' '.join(context)} {word}" for word in words if word.startswith("--") and word not in known]
    return found


def test_what_a_command_does_not_have_is_told() -> None:
    line = "(bin/fe run --leg a --moon 1 && analysis stars) | bin/none | wc --lines"
    assert unknown_words(line) == ["fe run --moon", "analysis stars", "bin/none"]


def test_a_block_that_fails_is_told_with_its_page_and_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "A page.\n\n<!-- run: test -->\n```bash\ntrue\n```\n\n<!-- run: test -->\n```bash\ncat none | wc -c\n```\n"
    )
    monkeypatch.setattr(Block, "__str__", lambda block: f"{block.page.name}:{block.line}")
    (tmp_path / "run").mkdir()
    with pytest.raises(AssertionError, match=r"page.md:9: exit 1\ncat none"):
        run_page(page, tmp_path / "run", ("test",))


@pytest.mark.parametrize("page", pages_with("test"), ids=lambda page: str(page.relative_to(ROOT)))
def test_quick_blocks(page: Path, tmp_path: Path) -> None:
    assert run_page(page, tmp_path, ("test",))


@pytest.mark.slow
@pytest.mark.parametrize("page", pages_with("slow"), ids=lambda page: str(page.relative_to(ROOT)))
def test_slow_blocks(page: Path, tmp_path: Path) -> None:
    assert run_page(page, tmp_path, ("test", "slow"))
