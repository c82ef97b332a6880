"""What a topology holds of a small molecule, held against the molecule that was meant: elements and bonds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rdkit import Chem

_SECTIONS = ("BONDS_INC_HYDROGEN", "BONDS_WITHOUT_HYDROGEN")


def topology_differences(prmtop: Path, mol: Chem.Mol, first: int = 0) -> list[str]:
    """Say where a topology is not the molecule that was parametrised.

    Parameters
    ----------
    prmtop
        AMBER topology.
    mol
        The molecule with all hydrogens, atoms in the order of the topology.
    first
        Index of its first atom there.

    Returns
    -------
    list of str
        Elements and bonds that differ; empty where all is the same.
    """
    sections = {
        part.split(None, 1)[0]: part.split("%FORMAT", 1)[1].split("\n", 1)[1]
        for part in prmtop.read_text().split("%FLAG ")[1:]
    }
    numbers = [int(n) for n in sections["ATOMIC_NUMBER"].split()][first : first + mol.GetNumAtoms()]
    wanted = [atom.GetAtomicNum() for atom in mol.GetAtoms()]
    if numbers != wanted:
        return [f"elements are {numbers} instead of {wanted}"]
    there: set[frozenset[int]] = set()
    for section in _SECTIONS:
        triples = np.array(sections[section].split(), dtype=int).reshape(-1, 3)
        there |= {frozenset((int(a) // 3 - first, int(b) // 3 - first)) for a, b, _ in triples}
    own = set(range(mol.GetNumAtoms()))
    there = {pair for pair in there if pair & own}
    meant = {frozenset((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx())) for bond in mol.GetBonds()}
    names = [f"{atom.GetSymbol()}{atom.GetIdx() + 1}" for atom in mol.GetAtoms()]
    said = [f"no bond {'-'.join(names[i] for i in sorted(pair))}" for pair in meant - there]
    said += [f"a bond of atoms {' and '.join(str(i + 1) for i in sorted(pair))}" for pair in there - meant]
    return sorted(said)
