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
    place = {atom: k for k, atom in enumerate(atoms)}
    mol = Chem.RWMol()
    conformer = Chem.Conformer(len(place))
    for k, atom in enumerate(atoms):
        mol.AddAtom(Chem.Atom(int(terms.elements[atom])))
        conformer.SetAtomPosition(k, Point3D(*map(float, positions_angstrom[k])))
    for a, b in terms.bonds[np.isin(terms.bonds, list(place)).all(axis=1)].tolist():
        mol.AddBond(place[a], place[b], Chem.BondType.SINGLE)
    mol.AddConformer(conformer)
    for atom in mol.GetAtoms():
        atom.SetNoImplicit(True)
    bare = Chem.Mol(mol)
    try:
        with rdkit_messages():
            if len(place) > 1 and len(place) <= MOST_ATOMS:
                rdDetermineBonds.DetermineBondOrders(mol, charge=charge, maxIterations=10_000)
            found = Chem.RemoveHs(mol) if len(place) > 1 else mol
            return str(Chem.MolToSmiles(found))
    except (ValueError, RuntimeError):  # no bond orders carry that charge
        return str(Chem.MolToSmiles(bare))
