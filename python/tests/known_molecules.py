"""Molecules that several tests share: CB7 of the demo, the CB7·B2 complex and T4 lysozyme of openmmtools."""

from importlib.resources import files
from pathlib import Path

import numpy as np
from rdkit import Chem
from rdkit.Geometry import Point3D

CB7 = Path(__file__).resolve().parents[2] / "assets" / "demo" / "cb7.sdf"
OPENMMTOOLS = Path(str(files("openmmtools"))) / "data"
B2 = OPENMMTOOLS / "cb7-b2" / "b2_tripos.mol2"
LYSOZYME = OPENMMTOOLS / "T4-lysozyme-L99A-implicit"
SMILES = {"b2": "OCC12CCC(CC1)(CC2)CO", "adamantanol": "OC12CC3CC(CC(C3)C1)C2"}


def shifted(source: Path, target: Path, shift: tuple[float, float, float]) -> Path:
    """Write a MOL2 as SDF, moved by some Å."""
    mol = Chem.MolFromMol2File(str(source), removeHs=False)
    conformer = mol.GetConformer()
    for i, xyz in enumerate(np.asarray(conformer.GetPositions()) + shift):
        conformer.SetAtomPosition(i, Point3D(*map(float, xyz)))
    target.write_text(Chem.MolToMolBlock(mol) + "$$$$\n")
    return target


def write_raw_protein(path: Path) -> Path:
    """Write a protein as the PDB has them: residues 1 to 40 of lysozyme in chain B from number 101 on.

    Without hydrogens; with a truncated side chain (GLU 111), a lost residue (120), an alternate location, a water and a
    chloride.
    """
    lines = []
    for line in (LYSOZYME / "receptor.pdb").read_text().splitlines():
        number, atom = int(line[22:26]) if line.startswith("ATOM") else 99, line[12:16].strip()
        if number > 40 or atom.lstrip("123").startswith("H"):
            continue
        if number == 20 or (number == 11 and atom in ("CG", "CD", "OE1", "OE2")):
            continue
        line = f"{line[:21]}B{number + 100:4d}{line[26:54]}  1.00  0.00          {atom[0]:>2s}"
        lines.append(line)
        if number == 5 and atom == "CA":
            lines[-1] = f"{line[:16]}A{line[17:]}"
            lines.append(f"{line[:16]}B{line[17:30]}{float(line[30:38]) + 1:8.3f}{line[38:]}")
    lines.append("HETATM 9001  O   HOH A 901      10.000  10.000  10.000  1.00  0.00           O")
    lines.append("HETATM 9002 CL    CL A 902      80.000  10.000  10.000  1.00  0.00          CL")
    path.write_text("\n".join([*lines, "END", ""]))
    return path
