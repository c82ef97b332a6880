"""`train validate` as a command."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from ase.build import bulk
from ase.io import write
from labelled_sets import fitted_copper
from typer.testing import CliRunner

from gibbsflow.cli.train import app

SETTINGS = """
elements: [Cu]
structure: fcc
engine: tblite
validation: {supercell_angstrom: 3.0, phonon_mesh_angstrom: 10, md_steps: 50, md_atoms_min: 4}
"""


def call(tmp_path: Path, *words: str) -> tuple[int, str]:
    (tmp_path / "c.yaml").write_text(SETTINGS)
    potential = str(fitted_copper()[0] / "potential")
    given = ["validate", "--potential", potential, "--out", str(tmp_path / "o"), "--state", str(tmp_path / "s")]
    done = CliRunner().invoke(app, [*given, *words])
    return done.exit_code, done.output


def test_a_battery_from_files_to_a_page(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text(
        "references:\n- {property: lattice_a, value: 0.36, unit: nm, source: <book>}\n"
        "- {property: c11, value: 1, unit: GPa, source: b}\n"
    )
    words = ["--config", str(tmp_path / "c.yaml"), "--references", str(tmp_path / "r.yaml")]
    code, said = call(tmp_path, *words, "--only", "eos")
    assert code == 0, said
    result = json.loads((tmp_path / "o/result.json").read_text())
    assert set(result["properties"]) == {"cell", "eos"} and result["structure"] == "Cu, Fm-3m"
    assert any("references of properties that were not measured: c11" in note for note in result["notes"])
    with open(tmp_path / "o/validation.csv") as file:
        rows = {row["quantity"]: row for row in csv.DictReader(file)}
    assert float(rows["lattice_a"]["reference"]) == pytest.approx(3.6) and rows["lattice_a"]["source"] == "<book>"
    page = (tmp_path / "o/validation.html").read_text()
    assert "&lt;book&gt;" in page and "Equation of state" in page and "<script" not in page and 'src="' not in page
    assert json.loads((tmp_path / "o/validation.json").read_text())["properties"]["eos"]["potential"]["values"]
    code, _ = call(tmp_path, *words, "--only", "eos")
    assert json.loads((tmp_path / "o/result.json").read_text())["reused"] == 2


def test_cost_before_anything_is_labelled(tmp_path: Path) -> None:
    code, said = call(tmp_path, "--config", str(tmp_path / "c.yaml"), "--dry-run", "--only", "eos")
    assert code == 0, said
    cost = json.loads((tmp_path / "o/result.json").read_text())["cost"]
    assert cost["engine"] == "tblite" and cost["core_hours"] is None
    assert {row["property"]: row["labels"] for row in cost["of"]}["eos"] == 7
    assert not (tmp_path / "s/labels").exists() and "of unknown time" in said


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--only", "colour", "--config", "c.yaml"], "validation.*properties|properties"),
        ([], "no structure is named"),
        (["--config", "c.yaml", "--only", "modes"], "modes of a crystal"),
        (["--structure", "au.extxyz"], "holds Au, which the potential does not know"),
        (["--structure", "au.extxyz", "--data", "au.extxyz"], "--structure and --data"),
        (["--config", "c.yaml", "--references", "c.yaml"], "references"),
        (["--config", "c.yaml", "--potential", "."], "train fit"),
    ],
)
def test_what_is_wrong_is_refused_at_once(tmp_path: Path, words: list[str], told: str) -> None:
    write(tmp_path / "au.extxyz", bulk("Au"))
    given = [str(tmp_path / word) if word.endswith((".yaml", ".extxyz")) or word == "." else word for word in words]
    code, said = call(tmp_path, *given)
    assert code == 65 and told.split("|")[-1] in said, said
    assert "Traceback" not in said
