"""How hard an edge is by its map: parts with names, each between 0 and 1, and one number for the planner."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdMolDescriptors

from gibbsflow.binding.prepare.atom_map.atom_maps import DEFAULT_RULES, AtomMap, MapRules
from gibbsflow.binding.prepare.atom_map.common_core import components
from gibbsflow.binding.prepare.atom_map.map_faults import faults
from gibbsflow.binding.prepare.atom_map.side import Side

HEAVY = 0.1
"""Per atom that appears or vanishes, as β of LOMAP (Liu et al., J. Comput.-Aided Mol. Des. 2013, 27, 755)."""
SAME_SITE_ANGSTROM = 5.0
"""Centroids of two ligands farther from each other than this are not in one place."""
_BONDI_ANGSTROM3 = {
    1: 7.24,
    6: 20.58,
    7: 15.60,
    8: 14.71,
    9: 13.31,
    15: 24.43,
    16: 24.43,
    17: 22.45,
    35: 26.52,
    53: 32.52,
}


@dataclass(frozen=True)
class MapScore:
    """Difficulty of an edge.

    Attributes
    ----------
    difficulty
        Between 0, the same molecule, and 1, of no use.
    parts
        What makes it: penalties between 0 and 1 by name; their complements are multiplied.
    figures
        The numbers behind them, by name and unit.
    faults
        What makes the map useless, in words.
    """

    difficulty: float
    parts: dict[str, float]
    figures: dict[str, float]
    faults: tuple[str, ...] = ()


def score(atom_map: AtomMap, mol_a: Chem.Mol, mol_b: Chem.Mol, rules: MapRules = DEFAULT_RULES) -> MapScore:
    """Say how hard an edge is.

    Parameters
    ----------
    atom_map
        The map.
    mol_a, mol_b
        Its two ligands as prepared.
    rules
        What a map may do.

    Returns
    -------
    MapScore
        The same for an edge and its reverse; a difficulty of 1 where the map has faults.
    """
    if wrong := faults(atom_map, mol_a, mol_b, rules):
        return MapScore(1.0, {"faults": 1.0}, {}, tuple(wrong))
    a, b = Side(mol_a), Side(mol_b)
    heavy = [(i, j) for i, j in atom_map.pairs if a.numbers[i] > 1]
    unique = (_unique(a, {i for i, _ in atom_map.pairs}), _unique(b, {j for _, j in atom_map.pairs}))
    appearing = sum(side.numbers[i] > 1 for side, atoms in zip((a, b), unique, strict=True) for i in atoms)
    elements = sum(a.numbers[i] != b.numbers[j] for i, j in heavy)
    orders = sum(
        _order(a, i, k) != _order(b, j, m) for i, j in heavy for k, m in heavy if i < k and k in a.neighbours[i]
    )
    charge = abs(Chem.GetFormalCharge(mol_a) - Chem.GetFormalCharge(mol_b))
    mean2 = float(np.mean([((a.xyz[i] - b.xyz[j]) ** 2).sum() for i, j in heavy]))
    volumes = [volume_angstrom3(mol) for mol in (mol_a, mol_b)]
    rings = sum(not ring.isdisjoint(atoms) for side, atoms in zip((a, b), unique, strict=True) for ring in side.rings)
    junctions = sum(bridging_groups(atom_map, mol_a, mol_b))
    parts = {
        "heavy_atoms": 1 - math.exp(-HEAVY * appearing),
        "element_changes": 1 - 0.95**elements,
        "bond_orders": 1 - 0.97**orders,
        "charge_change": 1 - 0.3**charge,
        "distance": 1 - math.exp(-mean2),
        "volume": 0.5 * abs(volumes[0] - volumes[1]) / max(volumes),
        "rings": 1 - 0.9**rings,
        "bridging_groups": 1 - 0.5**junctions,
    }
    figures = {
        "heavy_atoms": appearing,
        "mapped_heavy_atoms": len(heavy),
        "element_changes": elements,
        "bond_orders": orders,
        "charge_change_e": charge,
        "rmsd_angstrom": round(math.sqrt(mean2), 3),
        "volume_change_angstrom3": round(abs(volumes[0] - volumes[1]), 1),
        "rings": rings,
        "bridging_groups": junctions,
    }
    difficulty = 1 - math.prod(1 - part for part in parts.values())
    tied = tuple(_tied(a, b, atom_map))
    found = {name: round(part, 4) for name, part in parts.items()}
    return MapScore(1.0 if tied else round(difficulty, 4), found, figures, tied)


def score_whole(mol_a: Chem.Mol, mol_b: Chem.Mol, *, posed: bool) -> MapScore:
    """Say how hard an edge is on which nothing is shared: one ligand vanishes while the other appears.

    Parameters
    ----------
    mol_a, mol_b
        Its two ligands.
    posed
        Whether their places count.

    Returns
    -------
    MapScore
        On the scale of :func:`score`; with a fault where both lie apart.
    """
    heavy = sum(mol.GetNumHeavyAtoms() for mol in (mol_a, mol_b))
    charge = abs(Chem.GetFormalCharge(mol_a) - Chem.GetFormalCharge(mol_b))
    parts = {"heavy_atoms": 1 - math.exp(-HEAVY * heavy), "charge_change": 1 - 0.3**charge}
    figures: dict[str, float] = {"heavy_atoms": heavy, "mapped_heavy_atoms": 0, "charge_change_e": charge}
    wrong: tuple[str, ...] = ()
    if posed:
        centres = [mol.GetConformer().GetPositions().mean(axis=0) for mol in (mol_a, mol_b)]
        apart = float(np.linalg.norm(centres[0] - centres[1]))
        figures["apart_angstrom"] = round(apart, 2)
        if apart > SAME_SITE_ANGSTROM:
            wrong = (f"they lie {apart:.1f} Å apart, and two whole ligands are exchanged in one place",)
    easy = math.prod(1 - part for part in parts.values())
    return MapScore(round(1 - easy, 4), {name: round(part, 4) for name, part in parts.items()}, figures, wrong)


def bridging_groups(atom_map: AtomMap, mol_a: Chem.Mol, mol_b: Chem.Mol) -> tuple[int, int]:
    """Count the groups of unique atoms that are bonded to more than one atom of the core, as a ring that is fused on.

    An edge with one is of no use: the bonded terms of such a group cannot be kept without holding the core (Fleck,
    Wieder, Boresch, J. Chem. Theory Comput. 2021, 17, 4403).

    Parameters
    ----------
    atom_map
        The map.
    mol_a, mol_b
        Its two ligands as prepared.

    Returns
    -------
    tuple of int
        In a and in b.
    """
    a = len(_bridges(Side(mol_a), {i for i, _ in atom_map.pairs}))
    return a, len(_bridges(Side(mol_b), {j for _, j in atom_map.pairs}))


def _bridges(side: Side, mapped: set[int]) -> list[tuple[list[int], list[int]]]:
    """Groups of unique atoms that are bonded to several of the core, and these."""
    near = [set(neighbours) for neighbours in side.neighbours]
    groups = [sorted(group) for group in components(_unique(side, mapped), near)]
    held = [sorted({k for i in group for k in near[i] if k in mapped}) for group in groups]
    return [(group, on) for group, on in zip(groups, held, strict=True) if len(on) > 1]


def _tied(a: Side, b: Side, atom_map: AtomMap) -> Iterator[str]:
    """Say what would tie the two ends of an edge together."""
    ends = (
        (a, {i for i, _ in atom_map.pairs}, atom_map.ligand_a),
        (b, {j for _, j in atom_map.pairs}, atom_map.ligand_b),
    )
    for side, mapped, name in ends:
        for group, on in _bridges(side, mapped):
            heavy = [i for i in group if side.numbers[i] > 1] or group
            what = f"{_named(side, heavy)} of {name} hang on {' and '.join(_named(side, [k]) for k in on)}"
            yield f"{what} of what is shared: no edge grows a ring that is fused on, or bridges what there is"


def _named(side: Side, atoms: list[int]) -> str:
    return ", ".join(f"{side.mol.GetAtomWithIdx(i).GetSymbol()}{i + 1}" for i in atoms)


def volume_angstrom3(mol: Chem.Mol) -> float:
    """Estimate the van der Waals volume of a molecule (Zhao et al., J. Org. Chem. 2003, 68, 7368).

    Parameters
    ----------
    mol
        With all hydrogens; coordinates are not looked at.

    Returns
    -------
    float
        In Å³.
    """
    atoms = sum(_BONDI_ANGSTROM3.get(atom.GetAtomicNum(), 25.0) for atom in mol.GetAtoms())
    aromatic = rdMolDescriptors.CalcNumAromaticRings(mol)
    other = rdMolDescriptors.CalcNumRings(mol) - aromatic
    return float(atoms - 5.92 * mol.GetNumBonds() - 14.7 * aromatic - 3.8 * other)


def _unique(side: Side, mapped: set[int]) -> list[int]:
    return [i for i in range(side.mol.GetNumAtoms()) if i not in mapped]


def _order(side: Side, i: int, j: int) -> float:
    return float(side.mol.GetBondBetweenAtoms(i, j).GetBondTypeAsDouble())
