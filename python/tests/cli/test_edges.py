"""`gibbsflow network edges` as the pipeline calls it."""

from __future__ import annotations

import json
from pathlib import Path

from rdkit import Chem
from rdkit.Chem import AllChem
from typer.testing import CliRunner

from gibbsflow.binding.facts import PreparedFacts
from gibbsflow.binding.prepare.atom_map.aligned_pose import align_pose
from gibbsflow.binding.prepare.molecules import Molecule, write_sdf
from gibbsflow.binding.system import SimSystem
from gibbsflow.cli.gibbsflow import app


def prepared(folder: Path, name: str, smiles: str, reference: Chem.Mol | None = None) -> Chem.Mol:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    AllChem.EmbedMolecule(mol, randomSeed=7)
    mol = mol if reference is None else align_pose(mol, reference, seed=1).mol
    (folder / name).mkdir()
    write_sdf(Molecule(mol, 0), folder / name / "ligand.sdf", name)
    facts = PreparedFacts(
        receptor_kind="host", receptor_charge=0, receptor_name="host", ligand_charge=0, ligand_smiles=smiles, site=None,
        pose="given",
    )  # fmt: skip
    SimSystem(name, folder / name).with_artifacts(ligand="ligand.sdf").with_facts(facts).write()
    return mol


def test_edges_and_what_is_wrong_with_them(tmp_path: Path) -> None:
    toluene = prepared(tmp_path, "toluene", "Cc1ccccc1")
    prepared(tmp_path, "phenol", "Oc1ccccc1", toluene)
    words = ["--system", str(tmp_path / "toluene"), "--system", str(tmp_path / "phenol")]
    words += ["--state", str(tmp_path / "state"), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, ["network", "edges", *words])
    assert done.exit_code == 0, done.output
    assert "1 edges; to be run: phenol~toluene" in done.output
    edge = json.loads((tmp_path / "out" / "edges" / "phenol~toluene" / "edge.json").read_text())
    assert (edge["ligand_a"], edge["ligand_b"]) == ("phenol", "toluene") and len(edge["pairs"]) >= 12
    assert json.loads((tmp_path / "out" / "result.json").read_text())["to_be_run"] == ["phenol~toluene"]
    (tmp_path / "network.csv").write_text("ligand_a,ligand_b\ntoluene,benzene\n")
    settings = {"relative": {"network": str(tmp_path / "network.csv"), "map": str(tmp_path / "none.json")}}
    (tmp_path / "config.json").write_text(json.dumps(settings))
    wrong = CliRunner().invoke(app, ["network", "edges", *words, "--config", str(tmp_path / "config.json")])
    assert wrong.exit_code == 65 and "none.json" in wrong.output and "Traceback" not in wrong.output
