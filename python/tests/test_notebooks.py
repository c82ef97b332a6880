"""The notebooks of docs/: their code cells run in their order, in a folder of their own."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT / "docs" / "notebooks"


def cells(name: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads((NOTEBOOKS / name).read_text())["cells"]
    return found


def run(name: str, folder: Path) -> str:
    """Run a notebook as it would run beside the assets; returns what it prints."""
    place = folder / "docs" / "notebooks"
    place.mkdir(parents=True)
    shutil.copytree(ROOT / "assets" / "demo", folder / "assets" / "demo")
    code = "\n\n".join("".join(cell["source"]) for cell in cells(name) if cell["cell_type"] == "code")  # type: ignore[arg-type]
    (place / "notebook.py").write_text(code)
    environment = {"PYTHONPATH": str(ROOT / "python" / "src"), "OMP_NUM_THREADS": "1", **os.environ}
    told = subprocess.run(
        [sys.executable, "notebook.py"], cwd=place, env=environment, capture_output=True, text=True, timeout=600
    )
    assert told.returncode == 0, told.stderr[-3000:]
    return told.stdout


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_short_and_without_outputs(path: Path) -> None:
    code = [cell for cell in cells(path.name) if cell["cell_type"] == "code"]
    assert sum(len(cell["source"]) for cell in code) < 45  # type: ignore[arg-type]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert len({cell["id"] for cell in cells(path.name)}) == len(cells(path.name))


@pytest.mark.slow
def test_binding_free_energy(tmp_path: Path) -> None:
    told = run("abfe.ipynb", tmp_path)
    found = re.search(r"ΔG° = (-?[\d.]+) ± ([\d.]+) kcal/mol: (\w+)", told)
    # the demo, 28 times as long, gives -12.0; what 1 ps a window gives must be near, and must not be thought well of
    assert found and abs(float(found[1]) + 12.0) < 4.0 and found[3] in ("WARN", "FAIL"), told
    assert "sample longer" in told


@pytest.mark.slow
def test_learning_loop(tmp_path: Path) -> None:
    told = run("learning_loop.ipynb", tmp_path)
    found = re.findall(r"generation (\d): (\d+) labels, force error ([\d.]+) eV/Å; MD ended after (\d+) steps", told)
    assert [int(generation) for generation, *_ in found] in ([0], [0, 1], [0, 1, 2]), told
    labels = [int(count) for _, count, *_ in found]
    # each generation learns from what the one before met, but for candidates that no label comes of
    assert labels == sorted(labels) and (len(labels) == 1 or labels[0] < labels[-1]), told
    # of the seven labels of the first fit five have no forces, and how far its search comes is a matter of the machine
    first, *later = [float(error) for *_, error, _ in found]
    assert first < 0.3 and all(error < 0.2 for error in later), told
