"""Options of systems that come solvated, as `system_prep system` takes them."""

import json

import pytest
import solvated_systems as boxes
from typer.testing import CliRunner

from gibbsflow.cli.param import app as param
from gibbsflow.cli.solvated_options import given_boxes
from gibbsflow.cli.system_prep import app
from gibbsflow.errors import InputError

MISSING = {"a.top": "topology", "a.gro": "coordinates", "x.itp": "includes"}


def test_half_a_box_and_contradictions_are_refused(tmp_path):
    both = (tmp_path / "a.top", tmp_path / "a.gro", [tmp_path / "x.itp"])
    with pytest.raises(InputError) as told:
        given_boxes(both, (None, None, None), {})
    named = [f"{tmp_path / name}, complex_{what}: no such file" for name, what in MISSING.items()]
    assert all(line in str(told.value) for line in named), told.value
    for name in MISSING:
        (tmp_path / name).touch()
    (box,) = given_boxes(both, (None, None, None), {"smiles": None})
    assert (box.role, box.includes) == ("complex", (tmp_path / "x.itp",))
    assert given_boxes((None, None, None), (None, None, None), {"smiles": "C"}) == []
    with pytest.raises(InputError, match="solvent_coordinates go together"):
        given_boxes(both, (tmp_path / "b.top", None, None), {})
    with pytest.raises(InputError, match="smiles: given with topologies"):
        given_boxes(both, (None, None, None), {"smiles": "C"})


def test_a_system_goes_as_far_as_its_parameters(tmp_path):
    folder, out = boxes.boxes(), tmp_path / "out"
    words = ["system", "--ligand", "moh", "--out", str(out), "--symmetry_number", "2"]
    for role in ("complex", "solvent"):
        words += [f"--{role}_topology", str(folder / f"{role}.prmtop")]
        words += [f"--{role}_coordinates", str(folder / f"{role}.inpcrd")]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    told = json.loads((out / "result.json").read_text())
    assert told["account"]["solvated"]["complex"]["ligand_residue"] == "MOH" and len(told["inputs_hash"]) == 64
    done = CliRunner().invoke(
        param, ["ligand", "--system", str(out), "--cache", str(tmp_path), "--out", str(tmp_path / "param")]
    )
    assert done.exit_code == 0, done.output
    meta = json.loads((tmp_path / "param" / "system.json").read_text())["meta"]
    assert meta["param"]["ligand_ff"] == meta["protein_ff"] == "given" and meta["symmetry_number"] == 2
