"""Files about a protein, as its task finds them: staged, quoted, and a changed one is another input."""

from __future__ import annotations

import json
from pathlib import Path

from peptides import hetero, peptide
from pipeline.launcher import Launcher, Run
from rdkit import Chem
from rdkit.Chem import AllChem

COFACTOR = """@<TRIPOS>MOLECULE
MTH
 5 4 1 0 0
SMALL
USER_CHARGES
@<TRIPOS>ATOM
 1 C1 0.0 0.0 0.0 c3 1 MTH -0.4
 2 H1 0.6 0.6 0.6 hc 1 MTH 0.1
 3 H2 -0.6 -0.6 0.6 hc 1 MTH 0.1
 4 H3 -0.6 0.6 -0.6 hc 1 MTH 0.1
 5 H4 0.6 -0.6 -0.6 hc 1 MTH 0.1
@<TRIPOS>BOND
 1 1 2 1
 2 1 3 1
 3 1 4 1
 4 1 5 1
@<TRIPOS>SUBSTRUCTURE
 1 MTH 1 TEMP 0 **** **** 0 ROOT
"""


def write_inputs(folder: Path) -> str:
    """Write a peptide with methane beside it, and a pose of benzene; return the name of the file with choices."""
    beside = hetero("MTH", 201, "C1", "C", 6.0, -9.0, 6.0)
    (folder / "p.pdb").write_text(peptide("ACE ALA HIE ALA NME").replace("HIE", "HIS") + "TER\n" + beside + "END\n")
    mol = Chem.AddHs(Chem.MolFromSmiles("c1ccccc1"))
    AllChem.EmbedMolecule(mol, randomSeed=1)
    for k, (x, y, z) in enumerate(mol.GetConformer().GetPositions()):
        mol.GetConformer().SetAtomPosition(k, (float(x) + 6, float(y) + 3, float(z) + 5))
    Chem.MolToMolFile(mol, str(folder / "l.sdf"))
    (folder / "s.csv").write_text("ligand,structure,pose\nbenzene,l.sdf,given\n")
    for name, text in (("a", COFACTOR), ("b b", "terms\nMASS\n\nNONBON\n\n")):
        (folder / name).mkdir()
        (folder / name / ("methane.mol2" if name == "a" else "methane.frcmod")).write_text(text)
    return "it's $(chosen).csv"


def prepared(run: Run) -> tuple[dict, str, Path]:
    folder = run.outdir / "phases" / "benzene" / "system_prep"
    work = next(Path(task["workdir"]) for task in run.trace if "SYSTEM_PREP (" in task["name"])
    return json.loads((folder / "system.json").read_text()), (folder / "receptor.pdb").read_text(), work


def test_they_are_staged_and_their_content_counts(nextflow: Launcher, tmp_path: Path) -> None:
    chosen = write_inputs(tmp_path)
    (tmp_path / chosen).write_text("A:3,HIP\n")
    given = ("--input", "s.csv", "--receptor", "p.pdb", "--protonation", chosen, "--keep", "MTH", "--mode", "md")
    files = ("--parameters", "a/methane.mol2, b b/methane.frcmod", "--on_failure", "prune", "-resume")
    first = nextflow.pipeline(*given, *files)
    system, receptor, work = prepared(first)
    assert "HIP A   3" in receptor and system["meta"]["account"]["facts"]["receptor"]["kept_beside"] == ["MTH A:201"]
    staged = [system["artifacts"][f"receptor_parameters_{k:02d}"] for k in (1, 2)]
    assert [Path(name).name for name in staged] == ["01_methane.mol2", "02_methane.frcmod"]
    # nothing that the task reads lies outside its folder
    assert (work / "protonation" / chosen).is_symlink() and len(list(work.glob("parameters*/*"))) == 2
    assert str(tmp_path / "a") not in (work / ".command.sh").read_text() + (work / "config.json").read_text()
    assert "EQUIL_PREPARE (benzene)" in first.tasks("COMPLETED")

    (tmp_path / chosen).write_text("A:3,HID\n")
    second = nextflow.pipeline(*given, *files)
    assert "SYSTEM_PREP (benzene)" in second.tasks("COMPLETED")
    assert "HID A   3" in prepared(second)[1]
