"""Small ligands in poses for maps of atoms: embedded, laid on one another, moved and renumbered."""

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers
from scipy.spatial.transform import Rotation

from gibbsflow.binding.prepare.atom_map.aligned_pose import align_pose
from gibbsflow.binding.prepare.atom_map.atom_maps import AtomMap


def posed(smiles: str, name: str = "a", seed: int = 7) -> Chem.Mol:
    """One conformer of a ligand, all hydrogens."""
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    mol.SetProp("_Name", name)
    rdDistGeom.EmbedMolecule(mol, randomSeed=seed, useRandomCoords=True)
    rdForceFieldHelpers.MMFFOptimizeMolecule(mol)
    return mol


def laid_on(smiles: str, reference: Chem.Mol, heavy: Mapping[int, int] | None = None, name: str = "b") -> Chem.Mol:
    """A ligand on the pose of another, by the largest common graph or by the heavy atoms named."""
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    mol.SetProp("_Name", name)
    given = None if heavy is None else AtomMap(name, "reference", tuple(heavy.items()))
    return align_pose(mol, reference, given, seed=3).mol


def moved(mol: Chem.Mol, turn: Sequence[float] = (0, 0, 0), shift: Sequence[float] = (0, 0, 0)) -> Chem.Mol:
    """The same, turned about the origin (rotation vector) and shifted (Å)."""
    copy = Chem.Mol(mol)
    xyz = Rotation.from_rotvec(turn).apply(copy.GetConformer().GetPositions()) + np.asarray(shift)
    for i, place in enumerate(xyz):
        copy.GetConformer().SetAtomPosition(i, place)
    return copy


def renumbered(mol: Chem.Mol, order: Sequence[int]) -> Chem.Mol:
    """The same with atom `order[k]` as atom k."""
    return Chem.RenumberAtoms(mol, [int(i) for i in order])


def heavy_pairs(mol: Chem.Mol, atom_map: AtomMap) -> dict[int, int]:
    return {i: j for i, j in atom_map.pairs if mol.GetAtomWithIdx(i).GetAtomicNum() > 1}


def fullerane() -> Chem.Mol:
    """The sixty carbons of a truncated icosahedron, joined by single bonds."""
    phi = (1 + 5**0.5) / 2
    corners = {
        tuple(round(side * sign, 9) + 0.0 for side, sign in zip(base[k:] + base[:k], signs, strict=True))
        for base in ((0, 1, 3 * phi), (1, 2 + phi, 2 * phi), (phi, 2, 2 * phi + 1))
        for k in range(3)
        for signs in product((1, -1), repeat=3)
    }
    xyz = np.array(sorted(corners))
    mol, conformer = Chem.RWMol(), Chem.Conformer(len(xyz))
    conformer.Set3D(True)
    for i, place in enumerate(xyz):
        mol.AddAtom(Chem.Atom(6))
        conformer.SetAtomPosition(i, 0.72 * place)
    near = np.linalg.norm(xyz[:, None] - xyz[None], axis=-1)
    for i, j in np.argwhere(np.triu(near < 2.1, 1)):
        mol.AddBond(int(i), int(j), Chem.BondType.SINGLE)
    mol.AddConformer(conformer)
    Chem.SanitizeMol(mol)
    return mol.GetMol()
