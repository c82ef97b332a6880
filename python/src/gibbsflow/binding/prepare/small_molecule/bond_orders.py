"""Bond orders and formal charges of a molecule whose atoms, hydrogens and neighbours are known.

Each atom takes one of a few states (valence and formal charge) that its element has in closed shells; the orders of its
bonds add up to its valence, and the formal charges to the net charge. Of all ways the one with the least penalty is
taken, an integer programme, as in the bond perception of antechamber (Wang et al., J. Mol. Graph. Model. 2006, 25,
247) but solved exactly. Orders that a file gives break ties.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from rdkit import Chem
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import lil_array

from gibbsflow.binding.prepare.small_molecule.faults import Fault

STATES: dict[int, tuple[tuple[int, int, float], ...]] = {
    1: ((1, 0, 0.0),),
    6: ((4, 0, 0.0), (3, -1, 5.0), (3, 1, 6.0)),
    7: ((3, 0, 0.0), (4, 1, 2.0), (2, -1, 3.0)),
    8: ((2, 0, 0.0), (1, -1, 2.0), (3, 1, 4.5)),
    9: ((1, 0, 0.0),),
    15: ((3, 0, 0.0), (5, 0, 0.0), (4, 1, 2.0)),
    16: ((2, 0, 0.0), (1, -1, 2.0), (3, 1, 3.0), (4, 0, 0.5), (6, 0, 0.5)),
    17: ((1, 0, 0.0), (7, 0, 4.0)),
    35: ((1, 0, 0.0),),
    53: ((1, 0, 0.0), (3, 0, 4.0), (5, 0, 4.0)),
}
"""By atomic number: valence, formal charge in e, and penalty of the states of a closed shell."""
_NO_BOND_TO_HYDROGEN = ("H", "F", "Cl", "Br", "I")  # neither GAFF nor GAFF2 has one, nor a type of hydrogen for it
MARGIN = 1.5
"""A reading may lie this much above the best one and still be a matter of how one draws it."""
FAR = 2.5
"""A net charge that costs this much more penalty than the best one is a mistake, not a molecule."""
_TIE = 0.1
_NET_CHARGE = 0.3
_MOST_ORDER = 3
_SMALL_RING = 8
_SINGLE_CC_ANGSTROM = 1.45


def perceive(
    skeleton: Chem.Mol,
    orders: Sequence[tuple[int, ...]],
    *,
    charge: int | None = None,
    fixed: Mapping[int, int] | None = None,
) -> Chem.Mol | None:
    """Find the bond orders and formal charges of a molecule with all hydrogens.

    Parameters
    ----------
    skeleton
        Atoms and bonds, whose types and charges do not count; its conformers are kept.
    orders
        For each bond the orders that the file leaves it, which break ties.
    charge
        Net charge in e; None to take the one of least penalty.
    fixed
        Formal charges in e by atom index that must hold.

    Returns
    -------
    Chem.Mol or None
        A sanitised copy; None where no closed shell fits, or an element has no known states.
    """
    atoms, bonds = list(skeleton.GetAtoms()), list(skeleton.GetBonds())
    fixed = fixed or {}
    choices = [_states(atom, fixed.get(atom.GetIdx())) for atom in atoms]
    if not all(choices):
        return None
    small = _small_ring_bonds(skeleton)
    long = _too_long_for_double(skeleton)
    starts = np.cumsum([0, *(len(c) for c in choices)])
    first_bond = int(starts[-1])
    size = first_bond + _MOST_ORDER * len(bonds) + 1  # the last is the size of the net charge
    cost, upper = np.zeros(size), np.ones(size)
    cost[-1], upper[-1] = _NET_CHARGE, np.inf
    net = lil_array((2, size))
    net[0, size - 1] = net[1, size - 1] = 1
    equal = lil_array((2 * len(atoms) + len(bonds) + 1, size))
    right = np.zeros(equal.shape[0])
    in_ring = lil_array((len(atoms), size))  # no two double bonds at one atom of a small ring, or they are cumulated
    for i, states in enumerate(choices):
        for k, (valence, formal, penalty) in enumerate(states):
            column = int(starts[i]) + k
            cost[column] = penalty
            equal[2 * i, column] = 1
            equal[2 * i + 1, column] = -valence
            equal[equal.shape[0] - 1, column] = formal
            net[0, column], net[1, column] = formal, -formal
        right[2 * i] = 1
    for b, bond in enumerate(bonds):
        ends = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        row = 2 * len(atoms) + b
        right[row] = 1
        for order in range(1, _MOST_ORDER + 1):
            column = first_bond + _MOST_ORDER * b + order - 1
            equal[row, column] = 1
            for end in ends:
                equal[2 * end + 1, column] = order
            cost[column] = _TIE * min((abs(order - told) for told in orders[b]), default=0)
            if b in small:
                for end in ends:
                    in_ring[end, column] = order - 1 if atoms[end].GetDegree() < 4 else 0
            if order == _MOST_ORDER and b in small or order > 1 and b in long:
                upper[column] = 0
    rows = equal.tocsr()
    if charge is None:
        rows, right = rows[:-1], right[:-1]
    else:
        right[-1] = charge
    limits = [LinearConstraint(rows, right, right), LinearConstraint(in_ring.tocsr(), -np.inf, 1)]
    limits.append(LinearConstraint(net.tocsr(), 0, np.inf))
    found = milp(cost, integrality=np.ones(size), bounds=Bounds(0, upper), constraints=limits)
    if found.x is None:
        return None
    taken = np.round(found.x).astype(int)
    mol = Chem.RWMol(skeleton)
    types = {1: Chem.BondType.SINGLE, 2: Chem.BondType.DOUBLE, 3: Chem.BondType.TRIPLE}
    for b, bond in enumerate(mol.GetBonds()):
        column = first_bond + _MOST_ORDER * b
        bond.SetBondType(types[1 + int(taken[column : column + _MOST_ORDER].argmax())])
        bond.SetIsAromatic(False)
    for i, atom in enumerate(mol.GetAtoms()):
        state = choices[i][int(taken[starts[i] : starts[i + 1]].argmax())]
        atom.SetFormalCharge(state[1])
        atom.SetIsAromatic(False)
        atom.SetNoImplicit(True)
        atom.SetNumExplicitHs(0)
        atom.SetNumRadicalElectrons(0)
    try:
        Chem.SanitizeMol(mol)
    except Chem.MolSanitizeException:
        return None
    return mol.GetMol()


def penalty(mol: Chem.Mol) -> float:
    """Judge bond orders and formal charges as they stand, on the scale of :func:`perceive`.

    Parameters
    ----------
    mol
        Sanitised, with all hydrogens.

    Returns
    -------
    float
        Infinite where an atom is in none of the known states, double bonds are cumulated in a small ring, or one
        between carbons is as long as a single bond.
    """
    drawn = Chem.Mol(mol)
    Chem.Kekulize(drawn, clearAromaticFlags=True)
    small, long = _small_ring_bonds(drawn), _too_long_for_double(drawn)
    for atom in drawn.GetAtoms():
        double = [
            b
            for b in atom.GetBonds()
            if b.GetBondTypeAsDouble() > 1 and not mol.GetBondWithIdx(b.GetIdx()).GetIsAromatic()
        ]
        if any(b.GetIdx() in long for b in double):
            return float(np.inf)
        if (
            atom.GetDegree() < 4
            and sum(b.GetBondTypeAsDouble() - 1 for b in atom.GetBonds() if b.GetIdx() in small) > 1
        ):
            return float(np.inf)
    total = 0.0
    for atom in drawn.GetAtoms():
        valence = round(sum(bond.GetBondTypeAsDouble() for bond in atom.GetBonds())) + atom.GetTotalNumHs()
        costs = [p for v, q, p in _states(atom, None, valence) if (v, q) == (valence, atom.GetFormalCharge())]
        total += costs[0] if costs else np.inf
    return total


def _small_ring_bonds(mol: Chem.Mol) -> set[int]:
    """Bonds of rings of less than eight atoms, which hold neither a triple bond nor an allene."""
    rings = [list(ring) for ring in Chem.GetSymmSSSR(mol) if len(ring) < _SMALL_RING]
    pairs = [pair for ring in rings for pair in pairwise([*ring, ring[0]])]
    return {mol.GetBondBetweenAtoms(a, b).GetIdx() for a, b in pairs}


def _too_long_for_double(mol: Chem.Mol) -> set[int]:
    """Bonds between carbons that are longer than any double or aromatic one."""
    if mol.GetNumConformers() == 0:
        return set()
    xyz = np.asarray(mol.GetConformer().GetPositions())
    carbon = [b for b in mol.GetBonds() if b.GetBeginAtom().GetAtomicNum() == b.GetEndAtom().GetAtomicNum() == 6]
    ends = {b.GetIdx(): (b.GetBeginAtomIdx(), b.GetEndAtomIdx()) for b in carbon}
    return {k for k, (i, j) in ends.items() if np.linalg.norm(xyz[i] - xyz[j]) > _SINGLE_CC_ANGSTROM}


def _states(atom: Chem.Atom, formal: int | None, least: int | None = None) -> list[tuple[int, int, float]]:
    degree = atom.GetDegree() if least is None else least
    states = [s for s in STATES.get(atom.GetAtomicNum(), ()) if s[0] >= degree and formal in (None, s[1])]
    if atom.GetAtomicNum() == 7 and atom.GetDegree() == 1:
        # the outer nitrogen of an azide or a diazo group carries its charge
        states = [(v, q, p - 0.5 if q < 0 else p) for v, q, p in states]
    return states


def hydrogen_faults(mol: Chem.Mol, field: str) -> list[Fault]:
    """Say which bonds of hydrogens GAFF does not know: those of H2 and hydrogen halides, and bridges drawn as bonds.

    Parameters
    ----------
    mol
        With all hydrogens.
    field
        Column that messages name.

    Returns
    -------
    list of Fault
        At most one.
    """
    pairs = [sorted((b.GetBeginAtom().GetSymbol(), b.GetEndAtom().GetSymbol()), key="H".__ne__) for b in mol.GetBonds()]
    unknown = sorted({f"H-{other}" for first, other in pairs if first == "H" and other in _NO_BOND_TO_HYDROGEN})
    what = f"{Chem.MolToSmiles(mol)}: GAFF has no parameters for a bond {', '.join(unknown)}"
    return [Fault(field, what, "hydrogens on C, N, O, S or P")] if unknown else []
