"""Two boxes of one ligand held against each other: what differs makes their difference no free energy, or a doubt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from gibbsflow.binding.forcefield.given.components import Components
from gibbsflow.binding.forcefield.given.prmtop_terms import BONDS, PAIRS, TORSIONS, PrmtopTerms
from gibbsflow.binding.forcefield.given.water_models import recognised, same_water
from gibbsflow.units import Floats, Ints

_SAME = {"charge (e)": 2e-4, "σ (Å)": 1e-4, "ε (kcal/mol)": 1e-5}
_ION = (1e-3, 2e-3, 2e-4)
"""How near charge (e), σ (Å) and ε (kcal/mol) of ions have to be: tables round them otherwise."""


def ligand_differences(one: PrmtopTerms, atoms: Sequence[int], other: PrmtopTerms, others: Sequence[int]) -> list[str]:
    """Say how the ligand of one topology is not that of another, atom by atom and term by term.

    Parameters
    ----------
    one, atoms
        A topology, and the ligand in it.
    other, others
        Another one.

    Returns
    -------
    list of str
        Empty where they are the same, but for what :func:`improper_differences` tells.
    """
    if len(atoms) != len(others):
        return [f"{len(atoms)} atoms and {len(others)}"]
    i, j = np.asarray(atoms), np.asarray(others)
    told = []
    for k in np.flatnonzero(one.elements[i] != other.elements[j])[:3]:
        told.append(f"atom {k + 1} is {one.names[i[k]]} of element {one.elements[i[k]]}, and {other.elements[j[k]]}")
    values = {
        "charge (e)": (one.charges_e[i], other.charges_e[j]),
        "σ (Å)": (_alive(one, i), _alive(other, j)),
        "ε (kcal/mol)": (one.epsilon_kcal_per_mol[i], other.epsilon_kcal_per_mol[j]),
    }
    for what, (a, b) in values.items():
        for k in np.flatnonzero(np.abs(a - b) > _SAME[what])[:2]:
            told.append(f"{what} of {one.names[i[k]]} is {a[k]:.5g}, and {b[k]:.5g}")
    if told:
        return told
    mine, theirs = one.terms_of(atoms), other.terms_of(others)
    for kind, table in mine.items():
        if table.shape != theirs[kind].shape:
            told.append(f"{len(table)} {kind} and {len(theirs[kind])}")
        elif not (same := _near(table, theirs[kind])).all():
            if kind == TORSIONS and _near(*(_by_centres(terms) for terms in (mine, theirs))).all():
                continue
            scaled = kind == PAIRS and same[:, :2].all()
            told.append(_scales(one, i, table, theirs[kind]) if scaled else f"{kind} of other atoms or parameters")
    return told


def improper_differences(
    one: PrmtopTerms, atoms: Sequence[int], other: PrmtopTerms, others: Sequence[int]
) -> list[str]:
    """Name the centres of improper torsions that two topologies have with the outer atoms in another order.

    tleap orders them by what else is in the system. The angle is another one then, of the same three planes: in a plane
    it is the same, and out of it nearly so.

    Parameters
    ----------
    one, atoms
        A topology, and the ligand in it.
    other, others
        Another one with the same ligand.

    Returns
    -------
    list of str
        Names of atoms; empty where all are the same.
    """
    tables = [terms.terms_of(places) for terms, places in ((one, atoms), (other, others))]
    rows = [{tuple(row) for row in table[TORSIONS][:, :4].astype(int).tolist()} for table in tables]
    centres = {_centre(row, _bonded(tables[0])) for row in rows[0] - rows[1]} - {None}
    return [one.names[atoms[place]] for place in sorted(place for place in centres if place is not None)]


def _near(one: Floats, other: Floats) -> npt.NDArray[np.bool_]:
    return np.isclose(one, other, atol=2e-3, rtol=1e-4)


def _bonded(terms: Mapping[str, Floats]) -> set[frozenset[int]]:
    return {frozenset(pair) for pair in terms[BONDS][:, :2].astype(int).tolist()}


def _centre(row: Sequence[int], bonded: set[frozenset[int]]) -> int | None:
    """The inner atom of an improper torsion that is bonded to the three others; None for atoms in a chain."""
    if all(frozenset(pair) in bonded for pair in pairwise(row)):
        return None
    return next((c for c in row[1:3] if all(frozenset((c, atom)) in bonded for atom in row if atom != c)), None)


def _by_centres(terms: Mapping[str, Floats]) -> Floats:
    """Torsions, the improper ones with their centre first and the other atoms in order."""
    table, bonded = terms[TORSIONS].copy(), _bonded(terms)
    for row in table:
        atoms = row[:4].astype(int).tolist()
        if (centre := _centre(atoms, bonded)) is not None:
            row[:4] = [centre, *sorted(set(atoms) - {centre})]
    return np.asarray(table[np.lexsort(table.T[::-1])])


def _scales(terms: PrmtopTerms, atoms: Ints, mine: Floats, theirs: Floats) -> str:
    """How the first 1-4 pair that differs is scaled in two topologies."""
    k = int(np.flatnonzero(~_near(mine, theirs).all(axis=1))[0])
    pair = "–".join(terms.names[atoms[int(place)]] for place in mine[k, :2])
    said = [f"{coulomb:.5g} and {jones:.5g}" for coulomb, jones in (mine[k, 2:], theirs[k, 2:])]
    return f"charges and Lennard-Jones of the 1-4 pair {pair} are divided by {said[0]}, and by {said[1]}"


def _alive(terms: PrmtopTerms, atoms: Ints) -> Floats:
    """σ, which means nothing where ε is 0."""
    return np.where(terms.epsilon_kcal_per_mol[atoms] > 0, terms.sigma_angstrom[atoms], 0.0)


def water_difference(
    one: PrmtopTerms, parts: Components, other: PrmtopTerms, others: Components
) -> tuple[str, str] | None:
    """Say how the water of one box is not that of another.

    Parameters
    ----------
    one, parts
        A topology, and what is in it.
    other, others
        Another one.

    Returns
    -------
    tuple of str or None
        Both by their models, or by their parameters where one has no name here; None where they are the same.
    """
    known = [recognised(t, np.asarray(p.first_water)) for t, p in ((one, parts), (other, others))]
    (mine, own), (theirs, given) = known
    if mine != theirs and mine is not None and theirs is not None:
        return mine, theirs
    if (mine is not None and mine == theirs) or same_water(own, given):
        return None
    told = [f"{model or 'unknown'} ({_water(figures)})" for model, figures in known]
    return told[0], told[1]


def _water(figures: dict[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in figures.items())


def ion_differences(one: PrmtopTerms, parts: Components, other: PrmtopTerms, others: Components) -> list[str]:
    """Say which ions two boxes have with other parameters.

    Parameters
    ----------
    one, parts
        A topology, and what is in it.
    other, others
        Another one.

    Returns
    -------
    list of str
        One for each element that both have as an ion; empty where these are the same.
    """
    mine, theirs = _ions(one, parts), _ions(other, others)
    return [
        f"{name}: {_ion(mine[key][1])}, and {_ion(theirs[key][1])}"
        for key, (name, values) in sorted(mine.items())
        if key in theirs and not all(abs(a - b) <= o for a, b, o in zip(values, theirs[key][1], _ION, strict=True))
    ]


def _ions(terms: PrmtopTerms, parts: Components) -> dict[tuple[int, int], tuple[str, tuple[float, ...]]]:
    """Name and parameters of the first ion of each element and charge, of those that are no part of the solutes."""
    alone = np.bincount(terms.molecule_of)[terms.molecule_of] == 1
    alone[[*parts.ligand, *parts.receptor]] = False
    found: dict[tuple[int, int], tuple[str, tuple[float, ...]]] = {}
    for atom in np.flatnonzero(alone).tolist():
        charge = float(terms.charges_e[atom])
        values = charge, float(_alive(terms, np.array([atom]))[0]), float(terms.epsilon_kcal_per_mol[atom])
        # charges may be scaled: 0.75 e is of the same ion
        found.setdefault((int(terms.elements[atom]), int(np.sign(charge))), (terms.names[atom], values))
    return found


def _ion(values: tuple[float, ...]) -> str:
    return "{:+.3g} e, σ {:.4g} Å, ε {:.4g} kcal/mol".format(*values)
