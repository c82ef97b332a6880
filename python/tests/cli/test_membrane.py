"""The verb that builds a membrane: what cannot be had is one clear refusal, before anything is read or computed."""

import json

import pytest
from typer.testing import CliRunner

from gibbsflow.binding.facts import PreparedFacts
from gibbsflow.binding.system import SimSystem
from gibbsflow.cli import system_prep


@pytest.fixture
def host(tmp_path):
    (tmp_path / "system").mkdir()
    known = PreparedFacts(
        receptor_kind="host", receptor_charge=0, receptor_name="CB7", ligand_charge=0, ligand_smiles="CO", site=None,
        pose="given",
    )  # fmt: skip
    SimSystem("moh", tmp_path / "system").with_facts(known).write()
    return tmp_path


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--membrane_lipid", "POPC:POPE"], "membrane_ratio"),
        (["--membrane_pdb", "x.pdb", "--membrane_lipid", "DOPC"], "membrane_pdb says it already"),
        (["--membrane_padding_angstrom", "1"], "membrane_padding_angstrom"),
        (["--membrane_orientation", "opm"], "membrane_orientation"),
        ([], "no protein to put into a membrane"),
    ],
)
def test_what_cannot_be_had_is_refused(host, options, said):
    words = ["membrane", "--system", str(host / "system"), "--out", str(host / "out"), *options]
    found = CliRunner().invoke(system_prep.app, words)
    assert found.exit_code == 65
    assert said in json.loads((host / "out" / "result.json").read_text())["message"]
