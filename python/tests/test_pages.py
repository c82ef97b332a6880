"""The pages of docs/: anchors are there, and troubleshooting has an entry for each cause, exit code and reason."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from gibbsflow import errors
from gibbsflow.potential.data import known_labels, labels
from gibbsflow.potential.loop.screening.screened_state import CAUSES
from gibbsflow.potential.validate.labels.label_audit import CHECKS

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "python" / "src" / "gibbsflow"
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
TROUBLE = ROOT / "docs" / "troubleshooting.md"


@cache
def source() -> str:
    return "\n".join(path.read_text() for path in sorted(SOURCE.rglob("*.py")))


def first_cells(section: str, header: str) -> set[str]:
    """What stands in backticks in the first column of a table."""
    text = re.split(r"^## ", TROUBLE.read_text(), flags=re.M)
    (body,) = [part for part in text if part.startswith(section + "\n")]
    (table,) = re.findall(rf"^\| {re.escape(header)} \|.*\n((?:\|.*\n)+)", body, re.M)
    return {name for line in table.splitlines() for name in re.findall(r"`([^`]+)`", line.split("|")[1])}


def anchors(path: Path) -> set[str]:
    text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.M | re.S)
    titles = re.findall(r"^#+ +(.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_anchors(path: Path) -> None:
    links = re.findall(r"\]\(([^)\s#:]*)#([^)\s]+)\)", path.read_text())
    assert [f"{page}#{name}" for page, name in links if name not in anchors(path.parent / page if page else path)] == []


def test_every_page_is_in_the_index_and_in_the_menu_of_the_site() -> None:
    pages = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")} - {"index.md"}
    index = (ROOT / "docs" / "index.md").read_text()
    assert [page for page in sorted(pages) if f"({page})" not in index] == []
    menu = re.findall(r"^ +- (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.M)
    assert sorted(menu) == sorted({*pages, "index.md"})


def test_exit_codes() -> None:
    codes = {str(value) for name, value in vars(errors).items() if name.startswith("EXIT_")}
    assert first_cells("Exit codes", "code") == codes and len(codes) == 6


def test_causes() -> None:
    classes = re.findall(r"^class (\w+)\(([\w.]+)\):", source(), re.M)
    known = {"GibbsflowError"}
    while more := {name for name, above in classes if above.split(".")[-1] in known} - known:
        known |= more
    # the root is never raised, and what has failed before has the cause of that
    causes = {name.removesuffix("Error") for name in known - {"GibbsflowError", "FailedBeforeError"}}
    causes |= set(re.findall(r"""\bcause"?\s*[=:]\s*f?"([A-Z][A-Za-z]+)[":]""", source()))
    (ends,) = re.findall(r"cause = (\{.*?\})\.get\(last\.end", source())
    causes |= set(ast.literal_eval(ends).values())
    causes |= set(re.findall(r'LegOutcome\([^"()]*"(\w+)"', source()))
    assert len(causes) > 25
    assert first_cells("Causes", "cause") == causes


def test_reasons_of_a_verdict() -> None:
    texts = [path.read_text() for path in sorted((SOURCE / "binding").rglob("*.py"))]
    trees = [ast.parse(text) for text in texts if "Finding(" in text or "Doubted(" in text]
    checks = set()
    for call in (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args):
        place = {"Finding": 1, "_add": 1, "Doubted": 0}.get(ast.unparse(call.func))
        # a name or attribute hands on what another call has named
        if place is not None and not isinstance(call.args[place], ast.Name | ast.Attribute):
            checks.add(words(call.args[place]))
    assert len(checks) > 20
    assert first_cells("Reasons of a verdict", "check") == checks


def test_words_are_those_of_the_code() -> None:
    text = TROUBLE.read_text()
    quoted = set(re.findall(r'"([^"]+)"', text[text.index("## Reasons of a verdict") :]))
    assert len(quoted) > 30
    assert [one for one in sorted(quoted) if one not in source()] == []


def test_what_an_extension_touches_is_there() -> None:
    """Files by their paths, names by the code: in the text, since blocks are run."""
    text = re.sub(r"^```.*?^```", "", (ROOT / "docs" / "extending.md").read_text(), flags=re.M | re.S)
    quoted = set(re.findall(r"`([^`\n]+)`", text))
    paths = {
        one for one in quoted if re.fullmatch(r"(python|docs|modules|subworkflows|workflows|containers)/[\w/.-]+", one)
    }
    assert len(paths) > 40
    assert [one for one in sorted(paths) if not (ROOT / one).exists()] == []
    names = {one for one in quoted if re.fullmatch(r"[A-Z_]{3,}|[A-Z]\w+[a-z]\w*|\w+_\w+", one)}
    assert len(names) > 20
    code = source() + (ROOT / "subworkflows" / "launch" / "main.nf").read_text()
    assert [one for one in sorted(names) if not re.search(rf"\b{one}\b", code)] == []


def test_labels() -> None:
    told = {value for name, value in vars(labels).items() if re.fullmatch(r"[A-Z_]+", name) and value == name}
    causes = told | set(CAUSES.values()) | {known_labels.AUDIT.upper(), labels.crash(1).partition("(")[0]}
    assert first_cells("Labels", "cause") == causes and len(told) == 5
    assert first_cells("Labels", "check of the audit") == set(CHECKS)


def words(node: ast.expr) -> str:
    """A check's name as the page writes it: what goes by an estimator is OTHER, what is numbered N."""
    text = ast.unparse(node)
    known = {
        "other.upper()": "OTHER",
        "f'{name.upper()} of the result'": "OTHER of the result",
        "f'input {number}'": "input N",
    }
    return str(node.value) if isinstance(node, ast.Constant) else known.get(text, text)
