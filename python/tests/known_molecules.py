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
