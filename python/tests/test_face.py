"""`import gibbsflow`: ten functions and the nouns, imported where they are used."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import gibbsflow as gf

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "python" / "src" / "gibbsflow"
HOMES: dict[str, str] = vars(gf)["_HOMES"]
FUNCTIONS = [name for name, home in HOMES.items() if home.endswith(".verbs")]


def test_every_name_is_there() -> None:
    for name, home in HOMES.items():
        found = getattr(gf, name)
        assert found.__module__ == f"gibbsflow.{home}" and found.__name__ == name
    assert set(gf.__all__) == {"__version__", *HOMES} and set(gf.__all__) <= set(dir(gf))


def test_ten_functions_and_nouns() -> None:
    assert len(FUNCTIONS) == 10
    assert all(inspect.isfunction(getattr(gf, name)) for name in FUNCTIONS)
    assert all(inspect.isclass(getattr(gf, name)) for name in HOMES if name not in FUNCTIONS)


def test_unknown_name() -> None:
    with pytest.raises(AttributeError, match="module 'gibbsflow' has no attribute 'sample_leg'"):
        gf.sample_leg  # noqa: B018


def test_stub_says_the_same() -> None:
    tree = ast.parse((PACKAGE / "__init__.pyi").read_text())
    told = {
        alias.asname: str(node.module).removeprefix("gibbsflow.")
        for node in tree.body if isinstance(node, ast.ImportFrom)
        for alias in node.names if alias.asname == alias.name
    }  # fmt: skip
    assert told == {**HOMES, "__version__": "version"}
    assert (PACKAGE / "py.typed").is_file()


def test_docs_list_every_name() -> None:
    listed = re.findall(r"^\| `(\w+)", (ROOT / "docs" / "python.md").read_text(), re.M)
    assert sorted(listed) == sorted(HOMES)


def test_import_is_cheap() -> None:
    code = """
        import sys, time
        begin = time.process_time()  # not by the clock: other tests run beside this one
        import gibbsflow
        print(time.process_time() - begin)
        print(*(name for name in sys.modules if name.startswith("gibbsflow.")))
        print(*sys.modules.keys() & {"numpy", "openmm", "ase", "pydantic", "rdkit"})
    """
    runs = [
        subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True).stdout
        for _ in range(3)
    ]
    took, own, heavy = zip(*(told.split("\n")[:3] for told in runs), strict=True)
    assert set(own) == {"gibbsflow.version"} and set(heavy) == {""}
    assert min(map(float, took)) < 0.05


@pytest.mark.parametrize("name", FUNCTIONS)
def test_examples(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copyfile(ROOT / "assets" / "demo" / "cb7.sdf", tmp_path / "cb7.sdf")
    monkeypatch.chdir(tmp_path)
    function = getattr(gf, name)
    module = importlib.import_module(function.__module__)
    (case,) = doctest.DocTestFinder(recurse=False).find(function, name, module=module, globs={})
    assert any(name in example.source for example in case.examples)
    assert doctest.DocTestRunner().run(case).failed == 0
