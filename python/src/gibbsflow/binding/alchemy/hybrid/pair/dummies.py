"""Bonded terms of dummies that leave no trace.

At an end of the edge the atoms of the other ligand are dummies: they interact by bonded terms alone. Their free
energy drops out of two legs if it does not depend on the rest, that is if all dummies on an anchor P1 see nothing but
their own places in a frame of three physical atoms: P1 its origin, P1→P2 its axis, P3 its half-plane. A term is kept
where it is a function of these places:

* of dummies and P1 alone;
* angles D–P1–P2, and torsions in which P1–P2 is the axis, or P2 the end next to P1: of P2 they know its direction;
* torsions about P1–P2 against P3: the azimuth of a dummy.

All others (a second angle or azimuth at the anchor, torsions against a second P3, whatever reaches two anchors) go with
λ, so that the ligand has them where it is physical. These are the conditions of Fleck, Wieder and Boresch, J. Chem.
Theory Comput. 17, 4403 (2021), who call an anchor's junction terminal, dual or triple by its physical neighbours. At a
dual or triple one that leaves the azimuth loose; there a torsion D–P1–P2–P3 with one minimum, of the size that the
angles at P1 ask for, is on where the atom is a dummy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

from gibbsflow.binding.alchemy.hybrid.pair.ends import EndState, Term
from gibbsflow.binding.geometry import dihedral_deg
from gibbsflow.units import Floats

STRAIGHT = math.radians(150)
"""Angles beyond this do not carry a frame: the azimuth about a straight line is none."""
PLANAR = math.radians(170)
HOLD_KJ_PER_MOL = 200.0
"""Of the torsion that holds an azimuth; per rad² as stiff as the angle that it stands for."""
JUNCTIONS = ("lone", "terminal", "dual", "triple")


@dataclass(frozen=True)
class DummySet:
    """The atoms without partner that hang on one shared atom.

    Attributes
    ----------
    end
        The ligand that they are of; all numbers are in it.
    atoms
        The dummies.
    frame
        P1, P2, P3 as far as there are such: physical atoms, P1 the anchor; none of a whole ligand.
    neighbours
        Physical neighbours of the anchor.
    kept
        Terms that stay in full at all λ.
    dropped
        Terms that go where the atoms are dummies.
    added
        Terms that are on where the atoms are dummies.
    """

    end: EndState
    atoms: tuple[int, ...]
    frame: tuple[int, ...]
    neighbours: int
    kept: tuple[Term, ...]
    dropped: tuple[Term, ...]
    added: tuple[Term, ...]

    @property
    def junction(self) -> str:
        """Name the junction.

        Returns
        -------
        str
            One of `JUNCTIONS`.
        """
        return JUNCTIONS[min(self.neighbours, 3)]

    def words(self) -> list[str]:
        """Say what becomes of each term.

        Returns
        -------
        list of str
            One line for the junction, then one for each term that is not purely the dummies' own.
        """
        label = self.end.labels
        if not self.frame:
            return [f"{self.end.name}: whole in all states, with all of its bonded terms"]
        names = ", ".join(label[atom] for atom in self.atoms)
        frame = "–".join(label[atom] for atom in self.frame)
        lines = [
            f"{self.end.name}: {names} as dummies on {label[self.frame[0]]}: {self.junction} junction, frame {frame}"
        ]
        constrained = [pair for pair in self.end.constraints if set(pair) & set(self.atoms)]
        lines += [f"kept: length {'–'.join(label[atom] for atom in pair)}, constrained" for pair in sorted(constrained)]
        for verb, terms in (("kept", self.kept), ("dropped", self.dropped), ("added", self.added)):
            seen = dict.fromkeys((term.kind, term.atoms) for term in terms)
            lines += [f"{verb}: {kind} {'–'.join(label[atom] for atom in atoms)}" for kind, atoms in seen]
        return lines


def whole_ligand(end: EndState) -> DummySet:
    """Take a ligand of which no atom is shared: it keeps all of its terms.

    Parameters
    ----------
    end
        The ligand.

    Returns
    -------
    DummySet
        Of all its atoms.
    """
    return DummySet(end, tuple(range(end.size)), (), 0, end.terms, (), ())


def dummy_sets(
    end: EndState,
    unique: Collection[int],
    positions_nm: Floats,
    elsewhere: Callable[[int, int, int], float | None] = lambda *_: None,
) -> list[DummySet]:
    """Sort the atoms without partner by their anchors, and their terms into those that stay and those that go.

    Parameters
    ----------
    end
        The ligand.
    unique
        Its atoms without partner, each tied to one shared atom, directly or not.
    positions_nm
        Of the ligand's atoms, shape (n, 3), nm: from them the side on which an atom is, and nothing else but where the
        force field has no angle.
    elsewhere
        The other ligand's angle of least energy (rad) between three atoms, if it has it: where these atoms are dummies
        the molecule has its shape.

    Returns
    -------
    list of DummySet
        By anchor. Terms of two sets are among those that the first drops.
    """
    unique = set(unique)
    anchored: dict[int, set[int]] = {}
    for anchor in sorted(set(range(end.size)) - unique):
        reached, todo = set(), [n for n in end.bonds.neighbors(anchor) if n in unique]
        while todo:
            atom = todo.pop()
            if atom not in reached:
                reached.add(atom)
                todo += [n for n in end.bonds.neighbors(atom) if n in unique]
        if reached:
            anchored[anchor] = reached

    def _straight(a: int, b: int, c: int) -> bool:
        return max(_angle(end, a, b, c, positions_nm), elsewhere(a, b, c) or 0.0) >= STRAIGHT

    taken: set[int] = set()
    return [_one_set(end, anchor, atoms, unique, positions_nm, _straight, taken) for anchor, atoms in anchored.items()]


def _one_set(
    end: EndState,
    anchor: int,
    atoms: set[int],
    unique: set[int],
    positions_nm: Floats,
    straight: Callable[[int, int, int], bool],
    taken: set[int],
) -> DummySet:
    physical = sorted(n for n in end.bonds.neighbors(anchor) if n not in unique)
    first = sorted(n for n in end.bonds.neighbors(anchor) if n in atoms)
    frame = _frame(end, anchor, physical, first, unique, straight)
    kept: list[Term] = []
    dropped: list[Term] = []
    for number, term in enumerate(end.terms):
        if set(term.atoms) & atoms and number not in taken:
            whole = set(term.atoms) <= atoms | set(frame) and _in_frame(term.atoms, atoms, frame)
            (kept if whole else dropped).append(term)
            taken.add(number)
    added = []
    if len(physical) > 1 and len(frame) == 3:
        added = [_held_azimuth(end, atom, frame, positions_nm) for atom in first]
    return DummySet(end, tuple(sorted(atoms)), frame, len(physical), tuple(kept), tuple(dropped), tuple(added))


def _frame(
    end: EndState,
    anchor: int,
    physical: Sequence[int],
    first: Sequence[int],
    unique: set[int],
    straight: Callable[[int, int, int], bool],
) -> tuple[int, ...]:
    """P1, P2 and P3: heavy atoms rather than hydrogens, the lowest numbers first, none on a line."""

    def best(atoms: Sequence[int]) -> list[int]:
        return sorted(atoms, key=lambda atom: (not end.heavy(atom), atom))

    ordered = best(physical)
    axes = [p2 for p2 in ordered if not any(straight(atom, anchor, p2) for atom in first)] or ordered
    for p2 in axes:
        beside = best([n for n in physical if n != p2 and not straight(p2, anchor, n)])
        further = [n for n in end.bonds.neighbors(p2) if n != anchor and n not in unique]
        behind = best([n for n in further if not straight(anchor, p2, n)])
        if beside or behind:
            return (anchor, p2, (beside or behind)[0])
    return (anchor, *axes[:1])


def _in_frame(atoms: tuple[int, ...], dummies: set[int], frame: tuple[int, ...]) -> bool:
    """Whether a term of dummies and atoms of the frame knows nothing but places in the frame."""
    outside = [atom for atom in atoms if atom not in dummies]
    p1, p2, p3 = (*frame, None, None)[:3]
    if set(outside) <= {p1}:
        return True
    if len(atoms) == 3:
        return atoms[1] == p1 and p2 in atoms and p3 not in atoms
    if len(atoms) != 4 or p1 not in outside or p2 not in outside:
        return False
    if {atoms[1], atoms[2]} == {p1, p2}:
        return True
    return p3 not in outside and (atoms[:2] == (p2, p1) or atoms[2:] == (p1, p2))


def _held_azimuth(end: EndState, atom: int, frame: tuple[int, ...], positions_nm: Floats) -> Term:
    """A torsion D–P1–P2–P3 with its minimum where the angles at P1, or at P1 and P2, put the atom."""
    p1, p2, p3 = frame
    here = math.radians(dihedral_deg(*(positions_nm[i] for i in (atom, p1, p2, p3))))
    azimuth = here
    if end.bonds.has_edge(p1, p3):
        to_2, to_3 = _angle(end, atom, p1, p2, positions_nm), _angle(end, atom, p1, p3, positions_nm)
        between = _angle(end, p2, p1, p3, positions_nm)
        cosine = (math.cos(to_3) - math.cos(to_2) * math.cos(between)) / (math.sin(to_2) * math.sin(between))
        size = math.acos(max(-1.0, min(1.0, cosine)))
        azimuth = math.pi if size > PLANAR else math.copysign(size, here)
    return Term((atom, p1, p2, p3), (1.0, azimuth - math.pi, HOLD_KJ_PER_MOL))


def _angle(end: EndState, a: int, b: int, c: int, positions_nm: Floats) -> float:
    """The force field's angle, or else the one that there is, rad."""
    found = end.rest_angle(a, b, c)
    if found is not None:
        return found
    one, other = positions_nm[a] - positions_nm[b], positions_nm[c] - positions_nm[b]
    cosine = one @ other / (np.linalg.norm(one) * np.linalg.norm(other))
    return math.acos(max(-1.0, min(1.0, float(cosine))))
