"""The plan of the house: layers by import-linter, circles and sizes of rooms by the graph of its imports, its tests."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Set
from pathlib import Path

import grimp
import networkx as nx
import pytest

import gibbsflow

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
SOURCE = Path(gibbsflow.__file__).parent
MOST_MODULES, MOST_ROOM_LINES, MOST_LINES, MOST_CLI_LINES = 11, 3000, 500, 150
HALVES = ("binding", "potential")
TESTS = Path(__file__).parent
UNTESTED = {
    "binding/sample/sampler.py": "the arrays and the protocol of samplers: test_exchange and test_independent ask them",
}
"""Modules with functions or classes that have no test file of their own, and why."""


def imports(package: str) -> nx.DiGraph:
    """Which module imports which, those within functions and under TYPE_CHECKING included."""
    found = grimp.build_graph(package, cache_dir=None)
    graph = nx.DiGraph()
    for module in found.modules:
        graph.add_node(module)
        graph.add_edges_from((module, other) for other in found.find_modules_directly_imported_by(module))
    return graph


def folders(graph: nx.DiGraph, packages: Set[str]) -> nx.DiGraph:
    """The same between folders, subfolders not counted; each edge knows the imports that it stands for."""
    home = {module: module if module in packages else module.rpartition(".")[0] for module in graph}
    found = nx.DiGraph()
    for a, b in graph.edges:
        if home[a] != home[b]:
            found.add_edge(home[a], home[b])
            found.edges[home[a], home[b]].setdefault("imports", []).append(f"{a} -> {b}")
    return found


def circles(graph: nx.DiGraph) -> list[list[str]]:
    return sorted(sorted(circle) for circle in nx.strongly_connected_components(graph) if len(circle) > 1)


def packages_of(source: Path) -> set[str]:
    return {".".join((source.name, *path.parent.relative_to(source).parts)) for path in source.rglob("__init__.py")}


def sizes(source: Path) -> Mapping[str, int]:
    """Lines of each module, by its path below the package."""
    return {str(path.relative_to(source)): len(path.read_text().splitlines()) for path in source.rglob("*.py")}


def crowded(lines: Mapping[str, int]) -> list[str]:
    """Say which rooms and modules are larger than a reader can hold."""
    rooms: dict[str, dict[str, int]] = {}
    for module, count in lines.items():
        rooms.setdefault(str(Path(module).parent), {})[Path(module).name] = count
    found = []
    for room, modules in rooms.items():
        number = len(modules.keys() - {"__init__.py"})
        if room != "cli" and (number > MOST_MODULES or sum(modules.values()) >= MOST_ROOM_LINES):
            found.append(f"{room}: {number} modules, {sum(modules.values())} lines")
        bound = MOST_CLI_LINES if room == "cli" else MOST_LINES
        found += [f"{room}/{module}: {count} lines" for module, count in modules.items() if count > bound]
    return sorted(found)


def namesakes(modules: Iterable[str]) -> list[str]:
    """Module names that occur more than once in one half."""
    names = Counter(
        (Path(module).parts[0], Path(module).stem)
        for module in modules
        if Path(module).parts[0] in HALVES and Path(module).stem != "__init__"
    )
    return sorted(f"{half}: {name}" for (half, name), count in names.items() if count > 1)


def without_tests(source: Path, tests: Path) -> list[str]:
    """Modules with a function or a class and without ``ROOM/test_MODULE.py``."""
    found = []
    for path in source.rglob("*.py"):
        module = path.relative_to(source)
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        logic = any(isinstance(node, kinds) for node in ast.walk(ast.parse(path.read_text())))
        if path.name != "__init__.py" and logic and not (tests / module.parent / f"test_{path.name}").exists():
            found.append(str(module))
    return sorted(found)


def lint(path: Path) -> subprocess.CompletedProcess[str]:
    """Run the contracts of pyproject.toml on the package that lies in a folder."""
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo", PYPROJECT]
    environment = {**os.environ, "PYTHONPATH": str(path), "COLUMNS": "200"}
    return subprocess.run(command, cwd=path, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def graph() -> nx.DiGraph:
    return imports("gibbsflow")


def test_layers() -> None:
    told = lint(SOURCE.parent)
    assert told.returncode == 0, told.stdout + told.stderr


def test_no_circle_of_modules(graph: nx.DiGraph) -> None:
    assert circles(graph) == []


def test_no_circle_of_folders(graph: nx.DiGraph) -> None:
    between = folders(graph, packages_of(SOURCE))
    for circle in circles(between):
        inside = between.subgraph(circle).edges.data("imports")
        pytest.fail("\n".join([f"circle of {', '.join(circle)}:", *(text for *_, texts in inside for text in texts)]))


def test_no_room_imports_the_face(graph: nx.DiGraph) -> None:
    assert list(graph.predecessors("gibbsflow")) == []


def test_rooms_are_small() -> None:
    assert crowded(sizes(SOURCE)) == []


def test_one_name_one_module() -> None:
    assert namesakes(sizes(SOURCE)) == []


def test_tests_mirror_the_tree() -> None:
    assert without_tests(SOURCE, TESTS) == sorted(UNTESTED)


# --- what the checks above would say of a house that is built badly ---------------------------------------------------


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of two rooms, each with one module that imports nothing."""
    source = tmp_path / "tinyhouse"
    for room in (".", "upper", "lower"):
        (source / room).mkdir(exist_ok=True)
        (source / room / "__init__.py").touch()
    (source / "upper" / "verbs.py").write_text("from tinyhouse.lower import nouns\n")
    (source / "lower" / "nouns.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    return source


def test_a_sound_house(house: Path) -> None:
    graph = imports("tinyhouse")
    assert ("tinyhouse.upper.verbs", "tinyhouse.lower.nouns") in graph.edges
    assert circles(graph) == circles(folders(graph, packages_of(house))) == []


@pytest.mark.parametrize(
    "text",
    [
        "from tinyhouse.upper.verbs import x\n",
        "def late():\n    from tinyhouse.upper import verbs\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from tinyhouse.upper.verbs import x\n",
    ],
    ids=["plain", "in a function", "for types"],
)
def test_a_circle_of_modules_is_seen(house: Path, text: str) -> None:
    (house / "lower" / "nouns.py").write_text(text)
    graph = imports("tinyhouse")
    assert circles(graph) == [["tinyhouse.lower.nouns", "tinyhouse.upper.verbs"]]
    assert circles(folders(graph, packages_of(house))) == [["tinyhouse.lower", "tinyhouse.upper"]]


def test_a_circle_of_folders_without_one_of_modules_is_seen(house: Path) -> None:
    (house / "lower" / "more.py").write_text("from tinyhouse.upper import words\n")
    (house / "upper" / "words.py").touch()
    graph = imports("tinyhouse")
    assert circles(graph) == []
    assert circles(folders(graph, packages_of(house))) == [["tinyhouse.lower", "tinyhouse.upper"]]


def test_what_is_too_large_is_seen() -> None:
    twelve = {f"binding/prepare/m{number}.py": 10 for number in range(12)} | {"binding/prepare/__init__.py": 1}
    assert crowded(twelve) == ["binding/prepare: 12 modules, 121 lines"]
    del twelve["binding/prepare/m0.py"]
    assert crowded(twelve) == []
    assert crowded({f"report/m{number}.py": 500 for number in range(6)}) == ["report: 6 modules, 3000 lines"]
    assert crowded({"report/page.py": 501, "cli/fe.py": 151, "units.py": 500}) == [
        "cli/fe.py: 151 lines", "report/page.py: 501 lines",
    ]  # fmt: skip
    assert crowded({f"cli/m{number}.py": 150 for number in range(30)}) == []


def test_namesakes_are_seen() -> None:
    modules = ["binding/campaign/run_local.py", "potential/loop/run_local.py", "potential/__init__.py"]
    assert namesakes([*modules, "report/table.py", "report/figures/table.py", "potential/label/__init__.py"]) == []
    assert namesakes([*modules, "potential/train/run_local.py"]) == ["potential: run_local"]


def test_a_module_without_its_test_is_seen(house: Path) -> None:
    (house / "lower" / "sums.py").write_text("def two() -> int:\n    return 2\n")
    tests = house.parent / "tests"
    assert without_tests(house, tests) == ["lower/sums.py"]  # the others hold no logic
    (tests / "lower").mkdir(parents=True)
    (tests / "lower" / "test_sums.py").touch()
    assert without_tests(house, tests) == []


ARROWS = {
    "gibbsflow.binding.system": "gibbsflow.report.page",
    "gibbsflow.binding.prepare.ligands": "gibbsflow.binding.sample.energies",
    "gibbsflow.potential.data.labels": "gibbsflow.binding.system",
    "gibbsflow.potential.generators.strains": "gibbsflow.potential.label.engines",
    "gibbsflow.report.page": "gibbsflow.cli.options",
    "gibbsflow.workflow.files": "gibbsflow.config.section",
}


def test_arrows_upwards_are_seen(tmp_path: Path) -> None:
    shutil.copytree(SOURCE, tmp_path / "gibbsflow", ignore=shutil.ignore_patterns("__pycache__"))
    for module, higher in ARROWS.items():
        with open((tmp_path / module.replace(".", "/")).with_suffix(".py"), "a") as file:
            file.write(f"\n\ndef late() -> None:\n    import {higher}\n")
    told = lint(tmp_path)
    assert told.returncode == 1
    assert [f"{a} -> {b}" for a, b in ARROWS.items() if f"{a} -> {b} " not in told.stdout] == [], told.stdout


def test_a_room_without_a_place_is_seen(tmp_path: Path) -> None:
    shutil.copytree(SOURCE, tmp_path / "gibbsflow", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "gibbsflow" / "utils.py").touch()
    told = lint(tmp_path)
    assert told.returncode == 1 and "utils" in told.stdout, told.stdout
