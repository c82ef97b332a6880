"""The program system_prep, run as users and the pipeline run it."""

import json
from pathlib import Path

import pytest
from known_molecules import B2, CB7, LYSOZYME, SMILES, shifted
from rdkit import Chem
from rdkit.Chem import rdDepictor
from typer.testing import CliRunner

from gibbsflow.binding.system import SimSystem
from gibbsflow.cli.system_prep import app

EXIT_INPUT = 65


def run(*arguments) -> tuple[int, str, str]:
    outcome = CliRunner().invoke(app, [str(a) for a in arguments])
    return outcome.exit_code, outcome.stdout, outcome.stderr


def check(folder: Path, sheet: str, *more, receptor: Path = CB7) -> tuple[int, str]:
    path = folder / "ligands.csv"
    path.write_text(sheet)
    code, _, told = run("check", "--input", path, "--receptor", receptor, *more)
    return code, told


def test_demo_input_is_right():
    code, out, _ = run("check", "--input", CB7.parent / "ligands.csv", "--receptor", CB7, "--json")
    result = json.loads(out)
    assert code == 0 and result["problems"] == [] and result["warnings"] == []
    assert {r["ligand"]: (r["smiles"], r["experimental_dg_kcal_per_mol"], r["pose"]) for r in result["rows"]} == {
        "b2": (SMILES["b2"], -13.4, "place"),
        "adamantanol": (SMILES["adamantanol"], -14.1, "place"),
    }


@pytest.mark.parametrize(
    ("sheet", "expected"),
    [
        ("ligand,smile\na,C\n", "ligands.csv, row 1: unknown column 'smile' (right: did you mean 'smiles'?)"),
        ("smiles\nC\n", "ligands.csv, row 1: column 'ligand' is missing"),
        ("ligand,smiles\na,C\na,CC\n", "ligands.csv, row 3, ligand: 'a' is already the ligand of row 2"),
        ("ligand,smiles\na b,C\n", "ligands.csv, row 2, ligand: 'a b' is not usable (right: at most 100"),
        ("ligand,smiles\n../a,C\n", "ligands.csv, row 2, ligand: '../a' is not usable"),
        ("ligand,smiles\na;b,C\n", "ligands.csv, row 2, ligand: 'a;b' is not usable"),
        ("ligand,smiles\na,c1cccc1x\n", "ligands.csv, row 2, smiles: a: 'c1cccc1x' is no valid SMILES: SMILES Parse"),
        ("ligand,smiles\na,CC(=O)O.CCO\n", "row 2, smiles: a: 2 separate fragments"),
        ("ligand,smiles\na,[Zn+2]\n", "row 2, smiles: a: GAFF has no parameters for Zn (right: elements among H, C"),
        ("ligand,smiles\na,C[CH]C\n", "row 2, smiles: a: 25 electrons, 1 of them unpaired (right: a closed shell"),
        ("ligand,smiles,charge\na,CCO,1\n", "row 2, charge: a: 1 given, but the smiles has a net charge of 0 ("),
        ("ligand,structure\na,bad.sdf\n", "bad.sdf: not readable: "),
        ("ligand,structure\na,flat.sdf\n", "row 2, structure: a: no 3-D coordinates: all atoms lie in one plane"),
        ("ligand,structure\na,out.sdf\n", "row 2, pose: a: the ligand is outside the cavity (15.0 Å from its centre"),
        ("ligand,structure\na,clash.sdf\n", "heavy atoms clash with the receptor (nearest "),
        ("ligand,smiles,pose\na,CCO,out.sdf\n", "row 2, pose: a: "),
    ],
)  # fmt: skip
def test_one_clear_error(tmp_path, sheet, expected):
    (tmp_path / "bad.sdf").write_text("no\nmolecule\nhere\n")
    mol = Chem.MolFromSmiles("CC(C)CO")
    rdDepictor.Compute2DCoords(mol)
    (tmp_path / "flat.sdf").write_text(Chem.MolToMolBlock(mol))
    shifted(B2, tmp_path / "out.sdf", (0.0, 15.0, 0.0))
    shifted(B2, tmp_path / "clash.sdf", (0.0, 3.0, 0.0))
    code, told = check(tmp_path, sheet)
    assert code == EXIT_INPUT
    assert expected in told and "what to do" in told and told.count("ligands.csv") == 1, told


def test_all_problems_of_a_campaign_at_once(tmp_path):
    (tmp_path / "c.yaml").write_text("system: {sit: A}\nfe: {window_ps: -1}\n")
    (tmp_path / "file").touch()
    sheet = "ligand,smiles\na,c1cc\nb!,C\n"
    code, told = check(tmp_path, sheet, "--config", tmp_path / "c.yaml", "--outdir", tmp_path / "file" / "out")
    assert code == EXIT_INPUT
    for words in (
        "5 problems in the input",
        "system.sit: unknown parameter (right: did you mean 'site'?)",
        "fe.window_ps: -1 is not usable (right: a number > 0",
        "row 2, smiles",
        "row 3, ligand",
        "out, outdir: ",
    ):
        assert words in told, told


def test_a_note_is_no_problem(tmp_path):
    code, told = check(tmp_path, "ligand,smiles\na,CCC(C)O\n")
    assert code == 0 and "row 2, smiles: a: stereochemistry left open (centre C3): CC[C@@H](C)O is taken" in told


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("nix.sdf", None, "nix.sdf, receptor: no such file"),
        ("r.xyz", "1\n\nC 0 0 0\n", "a receptor of unknown kind '.xyz' (right: a file: a host (SDF or MOL2"),
        ("r.pdb", "", "no amino acid in it (it has no atoms)"),
        (
            "r.pdb",
            "HETATM    1  C1  CB8 A   1       1.000   0.000   0.000  1.00  0.00           C\nEND\n",
            "no amino acid in it (it has CB8) (right: a protein; a host as SDF or MOL2, with bonds",
        ),
        (
            "r.pdb",
            "ATOM      1  N   ALA A   1      xx.xxx   0.000   0.000\n",
            "r.pdb, row 1, receptor: coord",
        ),
        ("r.sdf", "", "r.sdf, receptor: holds no molecules"),
    ],
)
def test_bad_receptors(tmp_path, name, content, expected):
    if content is not None:
        (tmp_path / name).write_text(content)
    code, told = check(tmp_path, "ligand,smiles\na,C\n", receptor=tmp_path / name)
    assert code == EXIT_INPUT and expected in told, told


@pytest.mark.parametrize(
    ("receptor", "settings", "expected"),
    [
        (CB7, "site: XYZ", "site: no residue XYZ (right: the residues of this host (CB7)"),
        (CB7, "receptor_charge: 2", "receptor_charge: +2 given, but the host has +0 by its formal charges (right: 0"),
        (CB7, "receptor_charge: 50", "system.receptor_charge: 50 is not usable (right: a number >= -20 and <= 20"),
        (CB7, "receptor_kind: protein", "receptor_kind: .sdf holds a host, but receptor_kind is protein"),
        (
            LYSOZYME / "receptor.pdb",
            "site: 'A:999'",
            "site: no residue A:999 (right: residues as CHAIN:NUMBER",
        ),
        (LYSOZYME / "receptor.pdb", "site: PTR", "site: no residue PTR"),
    ],
)
def test_bad_settings_of_a_receptor(tmp_path, receptor, settings, expected):
    (tmp_path / "c.yaml").write_text(f"system: {{{settings}}}\n")
    sheet = f"ligand,structure\na,{LYSOZYME / 'ligand.tripos.mol2' if receptor != CB7 else B2}\n"
    code, told = check(tmp_path, sheet, "--config", tmp_path / "c.yaml", receptor=receptor)
    assert code == EXIT_INPUT and expected in told, told


def test_a_protein_needs_a_pose(tmp_path):
    code, told = check(tmp_path, "ligand,smiles\na,Cc1ccccc1\n", receptor=LYSOZYME / "receptor.pdb")
    assert code == EXIT_INPUT and "row 2, pose: a: 'place' with a protein, which needs a known pose" in told


def test_system_from_smiles(tmp_path):
    code, _, told = run("system", "--receptor", CB7, "--ligand", "b2", "--smiles", SMILES["b2"], "--out", tmp_path)
    assert code == 0, told
    system = SimSystem.read(tmp_path)
    assert set(system.artifacts) == {"receptor", "ligand"}
    meta = dict(system.meta)
    account = meta.pop("account")
    assert (account["notes"], account["warnings"]) == ([], [])
    assert account["facts"]["ligand"]["as_written"]["formula"] == "C10H18O2"
    assert meta == {
        "receptor_kind": "host",
        "receptor_charge": 0,
        "receptor_name": "cb7",
        "ligand_charge": 0,
        "ligand_smiles": "OCC12CCC(CO)(CC1)CC2",
        "site": None,
        "pose": "place",
    }
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["status"] == "finished" and len(result["inputs_hash"]) == 64 and result["seed"] == 2026
    assert result["ligand_centre_offset_angstrom"] < 1.0 and result["ligand_buried_share"] > 0.6


def test_system_with_a_pose_from_a_file(tmp_path):
    """SMILES for the chemistry, a file for the coordinates: heavy atoms where the file has them."""
    arguments = ["--ligand", "b2", "--smiles", SMILES["b2"], "--pose", B2, "--charge", 0, "--out", tmp_path]
    code, _, told = run("system", "--receptor", CB7, *arguments)
    assert code == 0, told
    ours = Chem.MolFromMolFile(str(tmp_path / "ligand.sdf"), removeHs=False)
    known = Chem.MolFromMol2File(str(B2))
    assert ours.GetNumAtoms() == 30
    there = {tuple(xyz.round(3)) for xyz in known.GetConformer().GetPositions()}
    heavy = [i for i, a in enumerate(ours.GetAtoms()) if a.GetAtomicNum() > 1]
    assert {tuple(ours.GetConformer().GetPositions()[i].round(3)) for i in heavy} == there


def test_system_fails_with_one_error_and_its_record(tmp_path):
    pose = shifted(B2, tmp_path / "far.sdf", (0.0, 20.0, 0.0))
    arguments = ["--ligand", "b2", "--structure", pose, "--out", tmp_path / "out", "--state", tmp_path / "state"]
    code, _, told = run("system", "--receptor", CB7, *arguments)
    assert code == EXIT_INPUT and "b2, pose: the ligand is outside the cavity" in told
    assert json.loads((tmp_path / "out" / "result.json").read_text())["cause"] == "Input"
    assert json.loads((tmp_path / "state" / "FAILED").read_text())["cause"] == "Input"
    assert not (tmp_path / "out" / "system.json").exists()


def test_options_are_held_to_the_rules_of_the_sheet(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, told = run(
        "system", "--receptor", CB7, "--ligand", "a b", "--smiles", "C", "--pose", "given", "--out", "out"
    )
    assert code == EXIT_INPUT
    assert "command line, ligand: 'a b' is not usable" in told and "command line, pose: 'given' with smiles" in told


def test_the_pose_of_a_complex_and_what_is_kept(tmp_path):
    """The ligand is no part of the receptor, the zinc is, and a metal left out is a warning in the result."""
    from peptides import hetero, peptide

    mol = Chem.AddHs(Chem.MolFromSmiles("c1ccccc1O"))
    rdDepictor.Compute2DCoords(mol)
    mol = Chem.RemoveHs(mol)
    places = zip(mol.GetAtoms(), mol.GetConformer().GetPositions(), strict=True)
    ligand = "".join(
        hetero("PHL", 500, f"{a.GetSymbol()}{a.GetIdx()}", a.GetSymbol(), *(p + [6, 3, 4])) for a, p in places
    )
    complex_pdb = tmp_path / "complex.pdb"
    zinc = hetero("ZN", 201, "ZN", "ZN", 6.0, 3.0, 8.0)
    complex_pdb.write_text(peptide("NALA SER CGLY") + "TER\n" + ligand + zinc + "END\n")
    given = ("--receptor", complex_pdb, "--ligand", "phenol", "--smiles", "c1ccccc1O", "--ligand_residue", "PHL")
    for name, more, residues in (("kept", ("--keep", "ZN"), 4), ("left", (), 3)):
        code, _, told = run("system", *given, *more, "--out", tmp_path / name)
        assert code == 0, told
        result = json.loads((tmp_path / name / "result.json").read_text())
        assert result["account"]["receptor"]["residues_written"] == residues
        assert [("ZN A:201" in w) for w in result["warnings"]] == [True]
        assert "PHL" not in (tmp_path / name / "receptor.pdb").read_text()
        ligand_sdf = Chem.MolFromMolFile(str(tmp_path / name / "ligand.sdf"))
        assert Chem.MolToSmiles(ligand_sdf) == Chem.CanonSmiles("c1ccccc1O")


def test_options_of_the_receptor_are_checked(tmp_path):
    (tmp_path / "l.csv").write_text("A:1,XYZ\n")
    sheet = f"ligand,structure\na,{LYSOZYME / 'ligand.tripos.mol2'}\n"
    code, told = check(tmp_path, sheet, "--keep", "HEM", receptor=LYSOZYME / "receptor.pdb")
    assert code == EXIT_INPUT and "keep: keep names HEM, which is not beside the protein" in told
    code, told = check(tmp_path, sheet, "--protonation", tmp_path / "l.csv", receptor=LYSOZYME / "receptor.pdb")
    assert code == EXIT_INPUT and "l.csv, row 1, protonation: not usable: A:1,XYZ" in told
