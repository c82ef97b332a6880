"""SMILES of a molecule that is known by its elements, bonds and coordinates alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdDetermineBonds
from rdkit.Geometry import Point3D

from gibbsflow.binding.forcefield.given.prmtop_terms import PrmtopTerms
from gibbsflow.binding.prepare.molecules import rdkit_messages
from gibbsflow.units import Floats

MOST_ATOMS = 150
"""Bond orders of larger molecules are not looked for."""


def smiles_of(terms: PrmtopTerms, atoms: Sequence[int], positions_angstrom: Floats, charge: int) -> str:
    """Give the SMILES of a molecule, for people: nothing is computed from it.

    Parameters
    ----------
    terms
        Topology that it is in.
    atoms
        Its atoms.
    positions_angstrom
        Where they are, shape (n, 3), Å.
    charge
        Its net charge in e.

    Returns
    -------
    str
        With bond orders where they can be found; else with single bonds; empty where it is none of either.
    """
    mol = _bare(terms, atoms)
    conformer = Chem.Conformer(len(atoms))
    for k, place in enumerate(positions_angstrom):
        conformer.SetAtomPosition(k, Point3D(*map(float, place)))
    mol.AddConformer(conformer)
    bare = Chem.Mol(mol)
    try:
        with rdkit_messages():
            if len(atoms) > 1 and len(atoms) <= MOST_ATOMS:
                rdDetermineBonds.DetermineBondOrders(mol, charge=charge, maxIterations=10_000)
            found = Chem.RemoveHs(mol) if len(atoms) > 1 else mol
            return str(Chem.MolToSmiles(found))
    except (ValueError, RuntimeError):  # no bond orders carry that charge
        return str(Chem.MolToSmiles(bare))


def constitution_of(terms: PrmtopTerms, atoms: Sequence[int]) -> str:
    """Give what a molecule is by elements and bonds alone, as a topology has them.

    Parameters
    ----------
    terms
        Topology that it is in.
    atoms
        Its atoms.

    Returns
    -------
    str
        The same for the same atoms bonded in the same way, whatever their order (:func:`constitution`).
    """
    return constitution(_bare(terms, atoms))


def constitution(mol: Chem.Mol) -> str:
    """Give what a molecule is by elements and bonds alone: no charges, bond orders, isotopes, isomers in space.

    Parameters
    ----------
    mol
        With all hydrogens.

    Returns
    -------
    str
        A canonical SMILES of single bonds.
    """
    bare = Chem.RWMol()
    for atom in mol.GetAtoms():
        bare.AddAtom(Chem.Atom(atom.GetAtomicNum()))
    for bond in mol.GetBonds():
        bare.AddBond(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx(), Chem.BondType.SINGLE)
    for atom in bare.GetAtoms():
        atom.SetNoImplicit(True)
    return str(Chem.MolToSmiles(bare))


def _bare(terms: PrmtopTerms, atoms: Sequence[int]) -> Chem.RWMol:
    """Build a molecule with single bonds."""
    place = {atom: k for k, atom in enumerate(atoms)}
    mol = Chem.RWMol()
    for atom in atoms:
        mol.AddAtom(Chem.Atom(int(terms.elements[atom])))
    for a, b in terms.bonds[np.isin(terms.bonds, list(place)).all(axis=1)].tolist():
        mol.AddBond(place[a], place[b], Chem.BondType.SINGLE)
    for atom in mol.GetAtoms():
        atom.SetNoImplicit(True)
    return mol
