"""Types of atoms, and what a table of types alone can say: Lennard-Jones of pairs, and maps of torsions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

Lj = tuple[float, float]
"""σ (nm) and ε (kJ/mol)."""
NOTHING: Lj = (0.3, 0.0)
_NEXT_TO_NOTHING: Lj = (0.05, 1e-12)
"""In place of nothing where there is to be no soft core: GROMACS leaves alone what has Lennard-Jones at both ends."""


@dataclass(frozen=True)
class TorsionMap:
    """Energies over two torsions (CMAP), periodic, on as many points along the one as along the other.

    Attributes
    ----------
    size
        Points along each, from 0° on.
    energies
        kJ/mol, the first torsion's point running fastest, as OpenMM has them.
    """

    size: int
    energies: tuple[float, ...]

    def rows(self) -> list[str]:
        """Write the energies as GROMACS has them: from -180° on, the second torsion's point running fastest.

        Returns
        -------
        list of str
            A row for each point of the first torsion.
        """
        turned = np.roll(np.reshape(self.energies, (self.size, self.size)).T, self.size // 2, axis=(0, 1))
        return [" ".join(f"{value:.9g}" for value in row) for row in turned]


@dataclass(frozen=True)
class TwoEnded:
    """Lennard-Jones of an atom of a molecule that turns into another one.

    Attributes
    ----------
    ends
        At either end; None where the atom is a dummy.
    group
        Of an atom that is a dummy at one end: those of one group have their Lennard-Jones with each other at both.
    shielded
        Of an atom that is a dummy at one end: whether it lies within the Lennard-Jones of a neighbour that stays, so
        that its charges may go without a soft core.
    """

    ends: tuple[Lj | None, Lj | None]
    group: int | None = None
    shielded: bool = False

    @property
    def stays(self) -> bool:
        """Whether it is there at both ends.

        Returns
        -------
        bool
            False for an atom that is a dummy.
        """
        return None not in self.ends

    @property
    def own(self) -> Lj:
        """Its parameters where it is no dummy.

        Returns
        -------
        tuple of float
            Those of the first end, if it is there.
        """
        found = self.ends[0] or self.ends[1]
        assert found is not None
        return found

    def beside(self, other: TwoEnded) -> bool:
        """Say whether two atoms are dummies of one group.

        Parameters
        ----------
        other
            The other atom.

        Returns
        -------
        bool
            False where one stays.
        """
        return self.group is not None and self.group == other.group


class AtomTypes:
    """Types of atoms by σ and ε; one that is switched off acts on others of its kind as before, on nothing else.

    Maps of torsions go by the types of their five atoms. So that these tell one map from another, an atom in the middle
    of one has a type of its own.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[float, float, TorsionMap | None], str] = {}
        self._off: dict[str, Lj] = {}
        self._maps: dict[TorsionMap, int] = {}
        self._mapped: dict[tuple[str, ...], TorsionMap] = {}
        self._two_ended: dict[TwoEnded, str] = {}

    def name(self, sigma: float, epsilon: float, middle_of: TorsionMap | None = None) -> str:
        """Name the type of an atom.

        Parameters
        ----------
        sigma, epsilon
            In nm and kJ/mol.
        middle_of
            Map in whose middle the atom is.

        Returns
        -------
        str
            The same for the same.
        """
        if middle_of is None:
            count = sum(of is None for *_, of in self._known)
            return self._known.setdefault((sigma, epsilon, None), f"t{count}")
        number = self._maps.setdefault(middle_of, len(self._maps))
        return self._known.setdefault((sigma, epsilon, middle_of), f"{self.name(sigma, epsilon)}m{number}")

    def name_off(self, sigma: float, epsilon: float) -> str:
        """Name the type of an atom that is switched off.

        Parameters
        ----------
        sigma, epsilon
            Of the atom where it is on, nm and kJ/mol.

        Returns
        -------
        str
            The same for the same.
        """
        name = f"{self.name(sigma, epsilon)}off"
        self._off[name] = (sigma, epsilon)
        return name

    def names_two_ended(self, atom: TwoEnded) -> tuple[str, str]:
        """Name the types of an atom at both ends.

        Parameters
        ----------
        atom
            Of a molecule that turns into another one.

        Returns
        -------
        first, second
            The same for the same.
        """
        name = self._two_ended.setdefault(atom, f"e{len(self._two_ended)}")
        return f"{name}a", f"{name}b"

    def map_five(self, names: Sequence[str], torsion_map: TorsionMap) -> None:
        """Note a map of two torsions.

        Parameters
        ----------
        names
            Types of its five atoms.
        torsion_map
            Its energies.
        """
        self._mapped[tuple(names)] = torsion_map

    def text(self) -> str:
        """Write the types.

        Returns
        -------
        str
            Sections of a ``.top``.
        """
        lines = ["[ atomtypes ]"]
        lines += [f"{name} 0 0.0 0.0 A {sigma:.12g} {eps:.12g}" for (sigma, eps, _), name in self._known.items()]
        lines += [f"{name} 0 0.0 0.0 A 0.3 0.0" for name in self._off]
        for atom in self._two_ended:
            for name, lj in zip(self.names_two_ended(atom), atom.ends, strict=True):
                sigma, eps = lj or NOTHING
                lines.append(f"{name} 0 0.0 0.0 A {sigma:.12g} {eps:.12g}")
        if self._off or self._two_ended:
            lines += ["", "[ nonbond_params ]"]
        names = list(self._off)
        for a, one in enumerate(names):
            for other in names[a:]:
                sigma, eps = mixed(self._off[one], self._off[other])
                lines.append(f"{one} {other} 1 {sigma:.12g} {eps:.12g}")
        lines += [f"{one} {other} 1 {sigma:.12g} {eps:.12g}" for one, other, (sigma, eps) in self._pairs()]
        if self._mapped:
            lines += ["", "[ cmaptypes ]"]
        for five, torsion_map in self._mapped.items():
            head = f"{' '.join(five)} 1 {torsion_map.size} {torsion_map.size}"
            lines += ["\\\n".join([head, *torsion_map.rows()])]
        return "\n".join(lines)

    def _pairs(self) -> Iterator[tuple[str, str, Lj]]:
        """Pairs of types of which at least one has two ends."""
        atoms = list(self._two_ended)
        for a, one in enumerate(atoms):
            here = self.names_two_ended(one)
            for other in atoms[a:]:
                values = pair_at_both_ends(one, other)
                yield from zip(here, self.names_two_ended(other), values, strict=True)
            for (sigma, eps, _), name in self._known.items():
                values = pair_at_both_ends(one, TwoEnded(((sigma, eps), (sigma, eps))))
                yield from zip(here, (name, name), values, strict=True)


def mixed(one: Lj, other: Lj) -> Lj:
    """Mix the parameters of two atoms (Lorentz, Berthelot).

    Parameters
    ----------
    one, other
        Of the atoms.

    Returns
    -------
    tuple of float
        Mean of σ, geometric mean of ε.
    """
    return (one[0] + other[0]) / 2, math.sqrt(one[1] * other[1])


def pair_at_both_ends(one: TwoEnded, other: TwoEnded) -> tuple[Lj, Lj]:
    """Give the Lennard-Jones of a pair at both ends.

    Parameters
    ----------
    one, other
        Its atoms.

    Returns
    -------
    first, second
        ε is 0 where one of them is a dummy that the other one does not see.
    """
    together = one.beside(other)
    first, second = (
        mixed(one.own, other.own) if together else NOTHING if a is None or b is None else mixed(a, b)
        for a, b in zip(one.ends, other.ends, strict=True)
    )
    return hard_or_soft(one, other, first, second)


def hard_or_soft(one: TwoEnded, other: TwoEnded, first: Lj, second: Lj) -> tuple[Lj, Lj]:
    """Keep the soft core off a pair that needs none.

    GROMACS's soft core is on for all pairs without Lennard-Jones at one of the ends, and softens their charges as well:
    also of atoms that stay with hydrogens that have none, whose hydrogen bonds it would weaken.

    Parameters
    ----------
    one, other
        Its atoms.
    first, second
        Its parameters at both ends.

    Returns
    -------
    first, second
        As they are where an atom comes or goes, but for one that is shielded; else with so small an ε in place of
        nothing that it has no energy.
    """
    hard = (one.shielded and other.stays) or (other.shielded and one.stays)
    if not first[1] and not second[1]:
        hard |= one.beside(other) or (one.stays and other.stays)
    if not hard:
        return first, second
    return first if first[1] else _NEXT_TO_NOTHING, second if second[1] else _NEXT_TO_NOTHING
