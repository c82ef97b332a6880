"""A molecule that turns into another one, in the words of GROMACS: every atom and term with both its ends, A and B."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from gibbsflow.engines.gromacs.atom_types import AtomTypes, TwoEnded, hard_or_soft
from gibbsflow.errors import InputError, Problem

PerEnd = tuple[float, float]


@dataclass(frozen=True)
class TurningAtom:
    """An atom at both ends.

    Attributes
    ----------
    mass_amu
        The same at both.
    charges_e
        0 where it is a dummy.
    lennard_jones
        Its parameters, and those that it keeps as a dummy.
    """

    mass_amu: float
    charges_e: PerEnd
    lennard_jones: TwoEnded


@dataclass(frozen=True)
class TurningTerm:
    """A bonded term.

    Attributes
    ----------
    atoms
        Two (bond), three (angle) or four (torsion).
    parameters
        Length (nm) or angle (rad) and force constant; periodicity, phase (rad), barrier.
    weights
        How much of it there is at either end.
    """

    atoms: tuple[int, ...]
    parameters: tuple[float, ...]
    weights: PerEnd = (1.0, 1.0)


@dataclass(frozen=True)
class TurningMolecule:
    """A molecule with two ends, atoms counted from 0 within it.

    Attributes
    ----------
    atoms
        In order.
    terms
        Bonded terms.
    constraints
        Length (nm) by pair of atoms.
    exceptions
        By pair, the smaller number first: product of charges (e²), σ (nm) and ε (kJ/mol) at either end, in place of
        what the atoms say.
    together
        Pairs of atoms by which parts that no bond connects stay in one image of the box.
    """

    atoms: tuple[TurningAtom, ...]
    terms: tuple[TurningTerm, ...]
    constraints: Mapping[tuple[int, int], float]
    exceptions: Mapping[tuple[int, int], tuple[tuple[float, float, float], tuple[float, float, float]]]
    together: tuple[tuple[int, int], ...] = ()

    def fudges(self) -> list[float]:
        """List what its 1–4 products of charges are scaled by.

        Returns
        -------
        list of float
            One for each end of each pair that has charges.
        """
        return [
            values[0] / own
            for pair, ends in self.exceptions.items()
            for values, own in zip(ends, self._products(*pair), strict=True)
            if values[0] and abs(own) > 1e-6
        ]

    def body(self, types: AtomTypes, fudge: float) -> str:
        """Write what follows the head of a molecule type.

        Parameters
        ----------
        types
            Of the topology; gets those of this molecule.
        fudge
            What 1–4 products of charges are scaled by.

        Returns
        -------
        str
            Sections of a ``.top``.

        Raises
        ------
        InputError
            For 1–4 charges that are scaled otherwise.
        """
        sections: dict[str, list[str]] = defaultdict(list)
        for number, atom in enumerate(self.atoms, start=1):
            first, second = types.names_two_ended(atom.lennard_jones)
            mass, (charge_a, charge_b) = f"{atom.mass_amu:.6f}", atom.charges_e
            line = f"{number} {first} 1 M X {number} {charge_a:.12g} {mass} {second} {charge_b:.12g} {mass}"
            sections["atoms"].append(line)
        for term in self.terms:
            name, line = _bonded(term)
            sections[name].append(line)
        sections["bonds"] += [f"{i + 1} {j + 1} 5" for i, j in self.together]
        for (i, j), length in sorted(self.constraints.items()):
            sections["constraints"].append(f"{i + 1} {j + 1} 1 {length:.12g} {length:.12g}")
        excluded: dict[int, list[int]] = defaultdict(list)
        for (i, j), ends in sorted(self.exceptions.items()):
            excluded[i].append(j)
            if any(product or epsilon for product, _, epsilon in ends):
                sections["pairs"].append(self._near(i, j, ends, fudge))
        sections["exclusions"] = [" ".join(str(a + 1) for a in (i, *others)) for i, others in excluded.items()]
        return "\n\n".join(f"[ {name} ]\n" + "\n".join(lines) for name, lines in sections.items() if lines)

    def _products(self, i: int, j: int) -> PerEnd:
        one, other = self.atoms[i].charges_e, self.atoms[j].charges_e
        return one[0] * other[0], one[1] * other[1]

    def _near(
        self, i: int, j: int, ends: tuple[tuple[float, float, float], tuple[float, float, float]], fudge: float
    ) -> str:
        """A 1–4 pair."""
        for (product, _, _), own in zip(ends, self._products(i, j), strict=True):
            if abs(product - fudge * own) > 1e-6 * abs(fudge * own) + 1e-9:
                what = f"the 1-4 charges of atoms {i} and {j} of the ligands are scaled otherwise than the rest"
                raise InputError(Problem("topology", what, "--engine openmm", field="engine"))
        one, other = self.atoms[i].lennard_jones, self.atoms[j].lennard_jones
        values = hard_or_soft(one, other, ends[0][1:], ends[1][1:])
        words = " ".join(f"{sigma:.12g} {epsilon:.12g}" for sigma, epsilon in values)
        return f"{i + 1} {j + 1} 1 {words}"


def _bonded(term: TurningTerm) -> tuple[str, str]:
    """Section and line of a term: its constant goes from the one end's to the other's, the rest is the same at both."""
    atoms, (*rest, constant) = " ".join(str(atom + 1) for atom in term.atoms), term.parameters
    constants = [constant * weight for weight in term.weights]
    if len(term.atoms) == 4:
        periodicity, phase = rest
        words = " ".join(f"{math.degrees(phase):.12g} {one:.12g} {periodicity:.0f}" for one in constants)
        return "dihedrals", f"{atoms} 9 {words}"
    (place,) = rest
    place = math.degrees(place) if len(term.atoms) == 3 else place
    words = " ".join(f"{place:.12g} {one:.12g}" for one in constants)
    return ("angles" if len(term.atoms) == 3 else "bonds"), f"{atoms} 1 {words}"
