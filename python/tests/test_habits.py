"""Files for those who work on the project: they can be read, and what they name is there."""

from __future__ import annotations

import configparser
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import gibbsflow

ROOT = Path(__file__).parents[2]
MARKDOWN = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / ".github").rglob("*.md")]


def read(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text())


def test_citation() -> None:
    cited = read("CITATION.cff")
    assert cited["cff-version"] == "1.2.0" and cited["type"] == "software"
    assert cited.keys() >= {"message", "title", "authors"}  # required by the Citation File Format 1.2.0
    assert str(cited["version"]) == gibbsflow.__version__ and cited["license"] == "MIT"
    assert all(author.keys() <= {"name", "family-names", "given-names", "orcid"} for author in cited["authors"])


def test_hooks_are_the_locked_tools() -> None:
    (local,) = read(".pre-commit-config.yaml")["repos"]
    assert local["repo"] == "local"
    hooks = {hook["id"]: hook for hook in local["hooks"]}
    assert set(hooks) == {"ruff-check", "ruff-format", "mypy", "numpydoc", "shellcheck", "hadolint", "imports"}
    for hook in hooks.values():
        assert hook["language"] == "system" and "${GIBBSFLOW_HOME:-.gibbsflow}" in hook["entry"]
        re.compile(hook.get("files", ""))


@pytest.mark.parametrize("name", ["bug_report", "feature_request"])
def test_issue_forms(name: str) -> None:
    form = read(f".github/ISSUE_TEMPLATE/{name}.yml")
    assert form.keys() >= {"name", "description", "body"}
    ids = [field["id"] for field in form["body"]]
    assert len(set(ids)) == len(ids)
    assert all(field["type"] in ("textarea", "input") and field["attributes"]["label"] for field in form["body"])


def test_editors() -> None:
    parser = configparser.ConfigParser()
    parser.read_string("[top]\n" + (ROOT / ".editorconfig").read_text())
    assert parser["top"]["root"] == "true" and parser["*.{py,pyi}"]["max_line_length"] == "120"


def test_contributing_names_what_is_there() -> None:
    text = "".join((ROOT / name).read_text() for name in ("CONTRIBUTING.md", "docs/extending.md"))
    kept = ("python/", "docs/", "tests/", "workflows/", "conf/", "bin/", "modules/", "containers/", "main.nf", ".ci/")
    named = [path for path in re.findall(r"`([\w./-]+)`", text) if path.startswith(kept)]
    assert len(named) > 40
    assert [path for path in named if not (ROOT / path).exists()] == []
    source = "\n".join(path.read_text() for path in (ROOT / "python" / "src").rglob("*.py"))
    tables = {"MdEngine", "LabelEngine", "Trainer", "Potential", "LegSpec", "StateMaker"}
    tables |= {"ENGINES", "TRAINERS", "GENERATORS", "PIPELINES", "PROTOCOLS", "MD_ENGINES", "Mode", "Method"}
    tables |= {"STATE_MAKERS", "LATER", "MODES"}
    assert [name for name in sorted(tables) if f"`{name}`" not in text] == []
    assert [name for name in sorted(tables) if not re.search(rf"^(class )?{name}\b", source, re.M)] == []


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_links(path: Path) -> None:
    targets = [target.split("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text())]
    own = [target for target in targets if target and not re.match(r"\w+:", target)]
    assert [target for target in own if not (path.parent / target).exists()] == []


def test_the_tree_in_the_readme() -> None:
    (tree,) = re.findall(r"^```\n(main\.nf .*?)^```", (ROOT / "README.md").read_text(), re.M | re.S)
    named = [word for line in tree.splitlines() for word in line[:19].split()]
    assert [name for name in named if not (ROOT / name).exists()] == []
    assert {path for path in _tracked() if not path.startswith(".")} <= {name.rstrip("/") for name in named}


def _tracked() -> set[str]:
    """Folders at the top that git knows; none where this is no checkout."""
    told = subprocess.run(["git", "ls-tree", "-d", "--name-only", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    return set(told.stdout.split())
