"""What a map of atoms is, and by which rules it is found and judged."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from rdkit import Chem


@dataclass(frozen=True)
class MapRules:
    """What a map may do.

    Attributes
    ----------
    element_changes
        Whether a heavy atom may become one of another element.
    max_distance_angstrom
        Heavy atoms of the two poses that are farther apart are not the same atom.
    fewest_heavy
        Heavy atoms that a usable map has at the least.
    most_steps
        Steps of the search; where it is stopped, the map says so. A number of steps, as seconds would make the map
        depend on the machine.
    """

    element_changes: bool = True
    max_distance_angstrom: float = 1.0
    fewest_heavy: int = 4
    most_steps: int = 4000


DEFAULT_RULES = MapRules()


@dataclass(frozen=True)
class AtomMap:
    """Which atom of ligand a is which of ligand b.

    Attributes
    ----------
    ligand_a, ligand_b
        Names of the ligands.
    pairs
        Indices (from 0) of atoms in the two prepared molecules with hydrogens, sorted by those of a.
    notes
        What is to be known of how it was found.
    """

    ligand_a: str
    ligand_b: str
    pairs: tuple[tuple[int, int], ...]
    notes: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pairs", tuple(sorted((int(i), int(j)) for i, j in self.pairs)))

    def reversed(self) -> AtomMap:
        """Give the map from b to a.

        Returns
        -------
        AtomMap
            The same pairs, turned round.
        """
        return AtomMap(self.ligand_b, self.ligand_a, tuple((j, i) for i, j in self.pairs), self.notes)

    def unique_a(self, n: int) -> tuple[int, ...]:
        """List the atoms of a that vanish.

        Parameters
        ----------
        n
            Number of atoms of a.

        Returns
        -------
        tuple of int
            Their indices, ascending.
        """
        mapped = {i for i, _ in self.pairs}
        return tuple(i for i in range(n) if i not in mapped)

    def unique_b(self, n: int) -> tuple[int, ...]:
        """List the atoms of b that appear.

        Parameters
        ----------
        n
            Number of atoms of b.

        Returns
        -------
        tuple of int
            Their indices, ascending.
        """
        return self.reversed().unique_a(n)

    def without(self, atoms_a: Collection[int]) -> AtomMap:
        """Take pairs out, such as hydrogens whose constrained bond has another length in b.

        Parameters
        ----------
        atoms_a
            Their atoms of a.

        Returns
        -------
        AtomMap
            With the other pairs.
        """
        return replace(self, pairs=tuple(pair for pair in self.pairs if pair[0] not in atoms_a))


def name_of(mol: Chem.Mol, otherwise: str) -> str:
    """Give the name that a molecule carries.

    Parameters
    ----------
    mol
        The molecule; an SDF's title is its name.
    otherwise
        Name of one that has none.

    Returns
    -------
    str
        The name.
    """
    return str(mol.GetProp("_Name")).strip() or otherwise if mol.HasProp("_Name") else otherwise
