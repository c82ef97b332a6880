"""Whether the coordinates of a file can be those of the molecule that it draws."""

from __future__ import annotations

import numpy as np
from rdkit import Chem

from gibbsflow.binding.prepare.small_molecule.faults import Fault
from gibbsflow.units import Floats

_PLANE_ANGSTROM = 1e-3
SAME_PLACE_ANGSTROM = 0.5
"""No two nuclei are nearer: 0.74 Å in hydrogen."""
STRETCHED, STRETCHED_TO_HYDROGEN, SQUEEZED = 1.5, 1.35, 0.6
"""Bond lengths in units of the sum of covalent radii (Cordero et al., Dalton Trans. 2008, 2832), beyond which they are
no bonds: coordinates in nm have 0.1, in bohr 1.9, hydrogens of a drawing 1.4."""


def coordinate_faults(mol: Chem.Mol, field: str) -> list[Fault]:
    """Say where a molecule from a file has no usable 3-D coordinates.

    Parameters
    ----------
    mol
        As it was read.
    field
        Column that messages name.

    Returns
    -------
    list of Fault
        At most one; empty where the coordinates are usable.
    """
    right = "3-D coordinates (a drawing has none; give smiles instead, or embed it)"
    if mol.GetNumConformers() == 0:
        return [Fault(field, "no coordinates", right)]
    conformer = mol.GetConformer()
    xyz = np.asarray(conformer.GetPositions())
    if not np.isfinite(xyz).all():
        return [Fault(field, "coordinates that are no finite numbers", right)]
    if len(xyz) > 1 and np.ptp(xyz, axis=0).max() < _PLANE_ANGSTROM:
        return [Fault(field, "all atoms at one point", right)]
    flat = np.ptp(xyz, axis=0).min() < _PLANE_ANGSTROM
    tetrahedral = any(
        a.GetHybridization() == Chem.HybridizationType.SP3 and a.GetTotalDegree() > 2 for a in mol.GetAtoms()
    )
    implicit = any(a.GetTotalNumHs() for a in mol.GetAtoms())
    # a flat molecule may be flat; a drawing has sp3 centres in the plane, or leaves out its hydrogens
    if flat and (tetrahedral or (implicit and not conformer.Is3D())):
        return [Fault(field, "no 3-D coordinates: all atoms lie in one plane", right)]
    return _impossible(mol, xyz, field)


def _impossible(mol: Chem.Mol, xyz: Floats, field: str) -> list[Fault]:
    """Atoms at one place, and bonds that are far too long or short."""
    names = [f"{atom.GetSymbol()}{atom.GetIdx() + 1}" for atom in mol.GetAtoms()]
    away = np.linalg.norm(xyz[:, None] - xyz[None], axis=-1) + np.diag(np.full(len(xyz), np.inf))
    table, odd = Chem.GetPeriodicTable(), []
    for bond in mol.GetBonds():
        ends = (bond.GetBeginAtom(), bond.GetEndAtom())
        numbers = [atom.GetAtomicNum() for atom in ends]
        i, j = (atom.GetIdx() for atom in ends)
        if 0 in numbers:
            continue  # refused by its elements
        ratio = away[i, j] / sum(table.GetRcovalent(number) for number in numbers)
        if not SQUEEZED < ratio < (STRETCHED_TO_HYDROGEN if 1 in numbers else STRETCHED):
            odd.append((abs(np.log(ratio)), f"{names[i]}-{names[j]} ({away[i, j]:.2f} Å)"))
    if odd:
        worst = ", ".join(said for _, said in sorted(odd, reverse=True)[:3])
        what = f"{len(odd)} of {mol.GetNumBonds()} bonds have no length of a bond: {worst}"
        return [Fault(field, what, "3-D coordinates in Å, of the atoms that are bonded")]
    if len(xyz) > 1 and away.min() < SAME_PLACE_ANGSTROM:
        i, j = (int(k) for k in np.unravel_index(int(away.argmin()), away.shape))
        what = f"atoms {names[i]} and {names[j]} are at one place ({away[i, j]:.2f} Å apart)"
        return [Fault(field, what, "3-D coordinates of every atom")]
    return []
