"""What an AMBER topology says of its atoms and terms, as arrays: enough to tell what is what, and if it can be run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from openmm import app
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gibbsflow.binding.forcefield.topology_file import AMBER_CHARGE_UNITS_PER_E, residue_labels, sections
from gibbsflow.errors import InputError, Problem
from gibbsflow.units import Floats, Ints

_SIGMA_OF_R = 2 ** (-1 / 6)
_FOREIGN = {
    "LENNARD_JONES_CCOEF": "12-6-4 terms of ions",
    "LENNARD_JONES_DCOEF": "12-6-4 terms of ions",
    "POLARIZABILITY": "polarizable atoms",
    "ADDPOLE_LIST": "multipoles",
    "AMOEBA_FORCEFIELD": "AMOEBA",
    "LES_NTYP": "copies of locally enhanced sampling (LES)",
    "CHARMM_UREY_BRADLEY": "terms of CHARMM (chamber)",
    "FORCE_FIELD_TYPE": "terms of CHARMM (chamber)",
}
"""Sections of what neither the engine nor the soft core of the alchemy knows."""
_POINTERS = {"ATOM_TYPES": 1, "HBONDS": 19, "PERTURBED": 20, "BOX": 27, "CAP": 29}
_TERMS = (
    ("BONDS", 2, "BOND_FORCE_CONSTANT", "BOND_EQUIL_VALUE"),
    ("ANGLES", 3, "ANGLE_FORCE_CONSTANT", "ANGLE_EQUIL_VALUE"),
)
BONDS, TORSIONS, PAIRS, EXCLUSIONS = "bonds", "torsions", "1-4 pairs", "exclusions"
_SCALES = (("SCEE_SCALE_FACTOR", 1.2), ("SCNB_SCALE_FACTOR", 2.0))
"""What 1-4 energies of charges and Lennard-Jones are divided by, and of a file that does not say (AMBER before 11)."""
MASS_OFF_AMU = 0.1
"""How near a mass has to be to that of its element."""
_HYDROGEN_AMU, _DEUTERIUM_AMU, _HEAVIEST_HYDROGEN_AMU = 1.008, 2.014, 5.0
_NOBLE = ("He", "Ne", "Ar")
_RIGHT = "a prmtop of pairs with 12-6 Lennard-Jones, as tleap and ParmEd write it"


@dataclass(frozen=True)
class PrmtopTerms:
    """Atoms and terms of a topology.

    Attributes
    ----------
    names
        Of the atoms.
    labels
        Of the residues.
    residue_of
        Residue of each atom, shape (N,).
    elements
        Atomic numbers, shape (N,); 0 or less for a virtual site.
    charges_e, masses_amu
        Shape (N,).
    sigma_angstrom, epsilon_kcal_per_mol
        Lennard-Jones parameters, shape (N,).
    bonds
        Pairs of atoms, shape (M, 2).
    bonded
        By kind atoms, shape (T, 2 to 4), and numbers, shape (T, P): bonds, angles and torsions with their parameters,
        1-4 pairs with what their charges and Lennard-Jones energies are divided by, and exclusions without a number.
    """

    names: tuple[str, ...]
    labels: tuple[str, ...]
    residue_of: Ints
    elements: Ints
    charges_e: Floats
    masses_amu: Floats
    sigma_angstrom: Floats
    epsilon_kcal_per_mol: Floats
    bonds: Ints
    bonded: dict[str, tuple[Ints, Floats]]

    @cached_property
    def molecule_of(self) -> Ints:
        """Molecule of each atom, as bonds connect them.

        Returns
        -------
        ndarray
            Counted from 0 in the order of their first atoms, shape (N,).
        """
        ones, count = np.ones(len(self.bonds)), len(self.elements)
        graph = coo_array((ones, (self.bonds[:, 0], self.bonds[:, 1])), shape=(count, count))
        _, labels = connected_components(graph, directed=False)
        _, first = np.unique(labels, return_index=True)
        rank = np.empty(len(first), dtype=int)
        rank[np.argsort(first)] = np.arange(len(first))
        return np.asarray(rank[labels])

    def called(self, atom: int) -> str:
        """Name an atom for people.

        Parameters
        ----------
        atom
            Its index.

        Returns
        -------
        str
            Such as ``C1 of MOL 2``, the residue counted from 1.
        """
        residue = int(self.residue_of[atom])
        return f"{self.names[atom]} of {self.labels[residue]} {residue + 1}"

    def terms_of(self, atoms: Sequence[int]) -> dict[str, Floats]:
        """Give the terms within some atoms as they act, in an order that does not depend on the file's.

        Formats differ in what does nothing: the force constants of bonds to hydrogen, which are constrained, and
        torsions of none beside others of the same atoms.

        Parameters
        ----------
        atoms
            0-based indices, in the order in which they are counted.

        Returns
        -------
        dict
            Rows of atoms, counted anew, and parameters, by kind.
        """
        place = np.full(len(self.elements), -1)
        place[list(atoms)] = np.arange(len(atoms))
        found = {}
        for kind, (indices, numbers) in self.bonded.items():
            counted = place[indices]
            inside = (counted >= 0).all(axis=1)
            rows = counted[inside]
            turned = rows[:, 0] > rows[:, -1]
            rows[turned] = rows[turned, ::-1]
            table = np.concatenate([rows, np.round(numbers[inside], 5)], axis=1)
            if kind == BONDS:  # those to hydrogen are rigid
                table[(self.elements[indices[inside]] == 1).any(axis=1), 2] = 0
            if kind == TORSIONS:
                table = _without_idle(table)
            if kind == PAIRS:  # what is nothing is divided by anything
                for column, own in ((2, self.charges_e), (3, self.epsilon_kcal_per_mol)):
                    table[(own[indices[inside]] == 0).any(axis=1), column] = 0
            if kind in (PAIRS, EXCLUSIONS):  # rings have several torsions between two atoms
                table = np.unique(table, axis=0)
            found[kind] = table[np.lexsort(table.T[::-1])]
        return found


def read_terms(prmtop: Path, *, where: str) -> PrmtopTerms:
    """Read a topology, and refuse what it has that cannot be computed here.

    Parameters
    ----------
    prmtop
        AMBER topology.
    where
        What messages call it.

    Returns
    -------
    PrmtopTerms
        In the order of the file.

    Raises
    ------
    InputError
        Where it cannot be read, has no box, or has terms that the engine or the alchemy does not know; all at once.
    """
    try:
        found = sections(prmtop)
        pointers = [int(value) for value in found["POINTERS"].split()]
        if problems := _foreign(found, pointers, where):
            raise InputError(problems)
        return _terms(prmtop, found, pointers[_POINTERS["ATOM_TYPES"]], where)
    except (KeyError, ValueError, IndexError, UnicodeDecodeError) as error:
        said = f"lacks {error}" if isinstance(error, KeyError) else str(error)
        raise InputError(Problem(where, f"not readable as an AMBER topology ({said})", _RIGHT)) from error


def _foreign(found: dict[str, str], pointers: Sequence[int], where: str) -> list[Problem]:
    told = [text for flag, text in _FOREIGN.items() if flag in found and found[flag].strip()]
    if pointers[_POINTERS["HBONDS"]] and any(map(_nonzero, (found.get("HBOND_ACOEF"), found.get("HBOND_BCOEF")))):
        told.append("10-12 terms of hydrogen bonds")
    if _nonzero(found.get("IPOL")):
        told.append("polarizable atoms")
    if pointers[_POINTERS["PERTURBED"]]:
        told.append("AMBER's old perturbation")
    if pointers[_POINTERS["CAP"]]:
        told.append("a cap of water")
    problems = [Problem(where, f"has {text}", _RIGHT) for text in dict.fromkeys(told)]
    if not pointers[_POINTERS["BOX"]]:
        what = "has no periodic box (IFBOX 0)"
        problems.append(Problem(where, what, "a solvated topology with its box, as solvateOct and solvateBox make it"))
    return problems


def _nonzero(text: str | None) -> bool:
    return any(float(value) != 0 for value in (text or "").split())


def _terms(prmtop: Path, found: dict[str, str], types: int, where: str) -> PrmtopTerms:
    count = int(found["POINTERS"].split()[0])
    starts = _ints(found, "RESIDUE_POINTER") - 1
    charges, masses = _floats(found, "CHARGE") / AMBER_CHARGE_UNITS_PER_E, _floats(found, "MASS")
    kinds = _ints(found, "ATOM_TYPE_INDEX") - 1
    names = _words(found["ATOM_NAME"])
    numbers = _ints(found, "ATOMIC_NUMBER") if "ATOMIC_NUMBER" in found else np.zeros(count, dtype=np.int32)
    lengths = {"ATOMIC_NUMBER": len(numbers), "CHARGE": len(charges), "MASS": len(masses)}
    lengths |= {"ATOM_TYPE_INDEX": len(kinds), "ATOM_NAME": len(names)}
    if short := [name for name, length in lengths.items() if length != count]:
        raise ValueError(f"cut short: {', '.join(short)}")
    sigma, epsilon = _lennard_jones(found, types, where)
    bonded = _bonded(found)
    elements = elements_of(numbers, masses, names, bonded[BONDS][0])
    return PrmtopTerms(
        names=tuple(names),
        labels=tuple(residue_labels(prmtop)),
        residue_of=(np.searchsorted(starts, np.arange(count), side="right") - 1).astype(np.int32),
        elements=elements,
        charges_e=charges,
        masses_amu=masses,
        sigma_angstrom=sigma[kinds],
        epsilon_kcal_per_mol=epsilon[kinds],
        bonds=bonded[BONDS][0],
        bonded=bonded,
    )


def _without_idle(torsions: Floats) -> Floats:
    """One row without a force for atoms that no torsion turns, as their 1-4 pair may hang on it, and no other such."""
    idle = torsions[:, 4] == 0
    turned = {tuple(row) for row in torsions[~idle, :4].tolist()}
    alone = sorted({tuple(row) for row in torsions[idle, :4].tolist()} - turned)
    return np.concatenate([torsions[~idle], np.array([[*row, 0, 0, 0] for row in alone]).reshape(-1, 7)])


def elements_of(numbers: Ints, masses: Floats, names: Sequence[str], bonds: Ints) -> Ints:
    """Atomic numbers; of an atom that has a mass and no number (AMBER before 12 wrote none) the element of its mass.

    Names alone tell nothing: CA is carbon or calcium. They tell a hydrogen that has taken mass of its neighbour, as one
    of 4.03 amu would pass for helium; the neighbour is taken with what it gave.

    Parameters
    ----------
    numbers
        As given, 0 or less where unknown, shape (N,).
    masses
        In amu, shape (N,).
    names
        Of the atoms.
    bonds
        Pairs of atoms, shape (M, 2).

    Returns
    -------
    ndarray
        Shape (N,); 0 or less of an atom without a mass.

    Raises
    ------
    ValueError
        For a mass that is that of no element.
    """
    unknown = (numbers <= 0) & (masses > 0)
    if not unknown.any():
        return numbers
    own, bonded = masses.copy(), np.isin(np.arange(len(masses)), bonds)
    called = np.array([name.lstrip("0123456789").upper().startswith(("H", "D")) for name in names])
    hydrogen = unknown & bonded & called & (masses < _HEAVIEST_HYDROGEN_AMU)
    own[hydrogen] = _HYDROGEN_AMU
    for pair in bonds[hydrogen[bonds].sum(axis=1) == 1]:
        light, heavy = pair if hydrogen[pair[0]] else pair[::-1]
        if abs(masses[light] - _DEUTERIUM_AMU) > 1e-3:  # noqa: PLR2004  # one of twice its mass has 2.016
            own[heavy] += masses[light] - _HYDROGEN_AMU
    found = numbers.copy()
    for mass in np.unique(own[unknown]):
        which = unknown & (own == mass)
        nearest = app.element.Element.getByMass(float(mass))
        far = nearest is None or abs(nearest.mass._value - mass) > MASS_OFF_AMU
        if far or (nearest.symbol in _NOBLE and bonded[which].any()):
            atom = int(np.flatnonzero(which)[0])
            what = f"{names[atom]}, atom {atom + 1} of {masses[atom]:g} amu, has no atomic number"
            raise ValueError(f"{what}, and its mass is that of no element")
        found[which] = nearest.atomic_number
    return found


def _lennard_jones(found: dict[str, str], types: int, where: str) -> tuple[Floats, Floats]:
    """σ and ε of each type, from A and B of its pair with itself; refuses what is not Lorentz and Berthelot's."""
    index = _ints(found, "NONBONDED_PARM_INDEX").reshape(types, types)
    a, b = _floats(found, "LENNARD_JONES_ACOEF"), _floats(found, "LENNARD_JONES_BCOEF")
    own = np.diag(index) - 1
    a_own, b_own = np.where(own >= 0, a[own], 0.0), np.where(own >= 0, b[own], 0.0)
    alive = (a_own > 0) & (b_own > 0)
    safe_b, safe_a = np.where(alive, b_own, 1.0), np.where(alive, a_own, 1.0)
    sigma = np.where(alive, (safe_a / safe_b) ** (1 / 6), 0.0)
    epsilon = np.where(alive, safe_b**2 / (4 * safe_a), 0.0)
    mixed = 0.5 * (sigma[:, None] + sigma[None, :])
    depth = np.sqrt(epsilon[:, None] * epsilon[None, :])
    both = (index > 0) & alive[:, None] & alive[None, :]
    wanted = np.where(both, 4 * depth * mixed**12, 0.0), np.where(both, 4 * depth * mixed**6, 0.0)
    given = [np.where(index > 0, coefficient[index - 1], 0.0) for coefficient in (a, b)]
    for told, expected in zip(given, wanted, strict=True):
        scale = np.maximum(np.abs(expected), 1e-8)
        if (np.abs(told - expected) > 1e-3 * scale).any():
            pair = np.argwhere(np.abs(told - expected) > 1e-3 * scale)[0] + 1
            what = f"pairs of the types {pair[0]} and {pair[1]} have Lennard-Jones terms of their own (NBFIX)"
            raise InputError(Problem(where, what, "pairs by Lorentz and Berthelot's rules, which the soft core has"))
    return sigma, epsilon


def _bonded(found: dict[str, str]) -> dict[str, tuple[Ints, Floats]]:
    told: dict[str, tuple[Ints, Floats]] = {}
    for kind, width, *columns in _TERMS:
        rows = _listed(found, kind, width)
        parameters = np.stack([_floats(found, column) for column in columns], axis=1)
        told[kind.lower()] = rows[:, :width] // 3, parameters[rows[:, width] - 1] if len(rows) else np.empty((0, 2))
    rows = _listed(found, "DIHEDRALS", 4)
    names = ("FORCE_CONSTANT", "PERIODICITY", "PHASE")
    parameters = np.stack([_floats(found, f"DIHEDRAL_{name}") for name in names], axis=1)
    told[TORSIONS] = np.abs(rows[:, :4]) // 3, parameters[rows[:, 4] - 1] if len(rows) else np.empty((0, 3))
    apart = rows[(rows[:, 2] > 0) & (rows[:, 3] > 0)]  # as OpenMM reads it; the others have their 1-4 pair elsewhere
    kinds = len(parameters)
    scales = np.stack([_floats(found, flag) if flag in found else np.full(kinds, s) for flag, s in _SCALES], axis=1)
    told[PAIRS] = apart[:, [0, 3]] // 3, scales[apart[:, 4] - 1] if len(apart) else np.empty((0, 2))
    listed = _ints(found, "EXCLUDED_ATOMS_LIST")
    owner = np.repeat(np.arange(len(counts := _ints(found, "NUMBER_EXCLUDED_ATOMS"))), counts)
    if len(owner) != len(listed):
        raise ValueError(f"{len(owner)} excluded atoms are counted, and {len(listed)} listed")
    excluded = np.stack([owner, listed - 1], axis=1)[listed > 0]
    excluded = np.concatenate([excluded, told[PAIRS][0]])
    told[EXCLUSIONS] = excluded.astype(np.int32), np.empty((len(excluded), 0))
    return told


def _listed(found: dict[str, str], kind: str, width: int) -> Ints:
    lists = [_ints(found, f"{kind}_{which}").reshape(-1, width + 1) for which in ("INC_HYDROGEN", "WITHOUT_HYDROGEN")]
    return np.concatenate(lists)


def _ints(found: dict[str, str], flag: str) -> Ints:
    return np.array(found[flag].split(), dtype=np.int32)


def _floats(found: dict[str, str], flag: str) -> Floats:
    values = np.array(found[flag].split(), dtype=float)
    if not np.isfinite(values).all():
        raise ValueError(f"{flag} holds what is no number")
    return values


def _words(text: str) -> list[str]:
    """Names of four letters each, which may stand without blanks between them."""
    return [line[i : i + 4].strip() for line in text.split("\n") for i in range(0, len(line.rstrip()), 4)]
