"""The molecules of a box that came solvated: its solute, waters and single ions, with where they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from gibbsflow.binding.forcefield.given.rebuilt import prmtop_text
from gibbsflow.binding.forcefield.solvation import HEAVY_ATOM_ANGSTROM3, WATER_ANGSTROM3
from gibbsflow.binding.forcefield.topology_file import AMBER_CHARGE_UNITS_PER_E, Topology
from gibbsflow.engines.openmm_systems import box_vectors_nm
from gibbsflow.units import Floats, Ints

BREATHES = 0.98
"""At constant pressure the edges of an equilibrated box shrink to this at times."""
WHOLE_E = 1e-3
"""How far from a whole number the charge of an ion may be."""


@dataclass(frozen=True)
class IonKind:
    """What ions of one kind have in common.

    Attributes
    ----------
    charge_e
        Whole.
    sigma_angstrom, epsilon_kcal_per_mol
        Lennard-Jones parameters, rounded.
    element
        Atomic number.
    """

    charge_e: int
    sigma_angstrom: float
    epsilon_kcal_per_mol: float
    element: int


@dataclass(frozen=True)
class BoxParts:
    """A box, by molecules; the atoms of each follow each other.

    Attributes
    ----------
    text
        Its AMBER topology.
    positions_angstrom
        Molecules whole, ligand and receptor beside each other, shape (N, 3), Å.
    box_angstrom
        Three lengths in Å and three angles in degrees.
    vectors_angstrom
        Reduced vectors of the box as rows, shape (3, 3), Å.
    receptor, ligand
        0-based indices of their atoms.
    """

    text: str
    positions_angstrom: Floats
    box_angstrom: tuple[float, ...]
    vectors_angstrom: Floats
    receptor: tuple[int, ...]
    ligand: tuple[int, ...]

    @classmethod
    def read(
        cls,
        prmtop: Path,
        inpcrd: Path,
        box_angstrom: Sequence[float],
        receptor: Sequence[int],
        ligand: Sequence[int],
    ) -> BoxParts:
        """Read a box as ``system_prep system`` has written it.

        Parameters
        ----------
        prmtop, inpcrd
            Its files.
        box_angstrom
            Three lengths in Å and three angles in degrees.
        receptor, ligand
            0-based indices of their atoms.

        Returns
        -------
        BoxParts
            In the order of the files.
        """
        positions = Topology.read(prmtop, inpcrd).positions_angstrom
        vectors = box_vectors_nm(inpcrd) * 10
        return cls(prmtop.read_text(), positions, tuple(box_angstrom), vectors, tuple(receptor), tuple(ligand))

    @cached_property
    def found(self) -> dict[str, str]:
        """Sections of the topology.

        Returns
        -------
        dict
            By flag.
        """
        return prmtop_text.split(self.text)

    @cached_property
    def sizes(self) -> Ints:
        """Atoms of each molecule.

        Returns
        -------
        ndarray
            Shape (molecules,).
        """
        return prmtop_text.ints(self.found["ATOMS_PER_MOLECULE"])

    @cached_property
    def starts(self) -> Ints:
        """First atom of each molecule.

        Returns
        -------
        ndarray
            Shape (molecules,).
        """
        return (np.cumsum(self.sizes) - self.sizes).astype(np.int32)

    @cached_property
    def elements(self) -> Ints:
        """Atomic numbers.

        Returns
        -------
        ndarray
            Shape (N,); 0 or less for a virtual site.
        """
        return prmtop_text.ints(self.found["ATOMIC_NUMBER"])

    @cached_property
    def charges_e(self) -> Floats:
        """Charges.

        Returns
        -------
        ndarray
            Shape (N,), e.
        """
        return prmtop_text.floats(self.found["CHARGE"]) / AMBER_CHARGE_UNITS_PER_E

    @cached_property
    def waters(self) -> Ints:
        """Molecules of one oxygen, two hydrogens and virtual sites.

        Returns
        -------
        ndarray
            Their numbers.
        """
        of = {z: np.add.reduceat(self.elements == z, self.starts) for z in (1, 8)}
        real = np.add.reduceat(self.elements > 0, self.starts)
        return np.flatnonzero((of[1] == 2) & (of[8] == 1) & (real == 3)).astype(np.int32)  # noqa: PLR2004

    @cached_property
    def oxygens(self) -> Ints:
        """Oxygens of the waters.

        Returns
        -------
        ndarray
            Atoms, in the order of `waters`.
        """
        first = np.array([np.flatnonzero(self.elements[s : s + n] == 8)[0] for s, n in self._spans(self.waters)])  # noqa: PLR2004
        return (self.starts[self.waters] + first).astype(np.int32)

    @cached_property
    def ions(self) -> dict[IonKind, list[int]]:
        """Single atoms of a charge of ±1 that are not the ligand.

        Returns
        -------
        dict
            Molecules by kind, in the order of the topology.
        """
        told: dict[IonKind, list[int]] = {}
        for molecule in self.others:
            atom = int(self.starts[molecule])
            charge = float(self.charges_e[atom])
            if self.sizes[molecule] == 1 and abs(abs(charge) - 1) < WHOLE_E:
                sigma, epsilon = self.lennard_jones(atom)
                kind = IonKind(round(charge), round(sigma, 4), round(epsilon, 5), int(self.elements[atom]))
                told.setdefault(kind, []).append(int(molecule))
        return told

    @cached_property
    def others(self) -> Ints:
        """Molecules that are neither solute nor water.

        Returns
        -------
        ndarray
            Their numbers.
        """
        solute = np.unique(self.molecule_of([*self.receptor, *self.ligand]))
        every = np.arange(len(self.sizes), dtype=np.int32)
        return every[~np.isin(every, solute) & ~np.isin(every, self.waters)]

    @property
    def filled(self) -> float:
        """What share of its edges the box keeps at its density, and when it breathes.

        Returns
        -------
        float
            By the volumes of waters and heavy atoms of the solute; `BREATHES` for one that is full.
        """
        heavy = np.count_nonzero(self.elements[[*self.receptor, *self.ligand]] > 1)
        will_be = len(self.waters) * WATER_ANGSTROM3 + heavy * HEAVY_ATOM_ANGSTROM3
        return BREATHES * float(min(1.0, (will_be / np.linalg.det(self.vectors_angstrom)) ** (1 / 3)))

    def called(self, kind: IonKind) -> str:
        """Name a kind of ion for people.

        Parameters
        ----------
        kind
            One that is in this box.

        Returns
        -------
        str
            Name of its residue.
        """
        return self.label_of(int(self.starts[self.ions[kind][0]]))

    def label_of(self, atom: int) -> str:
        """Name the residue of an atom.

        Parameters
        ----------
        atom
            Its index.

        Returns
        -------
        str
            As the topology has it.
        """
        first = prmtop_text.ints(self.found["RESIDUE_POINTER"]) - 1
        return prmtop_text.words(self.found["RESIDUE_LABEL"])[int(np.searchsorted(first, atom, side="right")) - 1]

    def molecule_of(self, atoms: Sequence[int]) -> Ints:
        """Say which molecules atoms are in.

        Parameters
        ----------
        atoms
            0-based indices.

        Returns
        -------
        ndarray
            Numbers of molecules.
        """
        return (np.searchsorted(self.starts, np.asarray(atoms), side="right") - 1).astype(np.int32)

    def atoms_of(self, molecule: int) -> Ints:
        """Atoms of a molecule.

        Parameters
        ----------
        molecule
            Its number.

        Returns
        -------
        ndarray
            0-based indices.
        """
        start = int(self.starts[molecule])
        return np.arange(start, start + int(self.sizes[molecule]), dtype=np.int32)

    def lennard_jones(self, atom: int) -> tuple[float, float]:
        """Parameters of an atom, from A and B of its pair with its own kind.

        Parameters
        ----------
        atom
            Its index.

        Returns
        -------
        sigma_angstrom
            Å.
        epsilon_kcal_per_mol
            kcal/mol.
        """
        kind = int(prmtop_text.ints(self.found["ATOM_TYPE_INDEX"])[atom]) - 1
        index = prmtop_text.ints(self.found["NONBONDED_PARM_INDEX"])
        own = int(index[kind * (round(len(index) ** 0.5) + 1)]) - 1
        a, b = (float(prmtop_text.floats(self.found[f"LENNARD_JONES_{x}COEF"])[own]) for x in "AB")
        return ((a / b) ** (1 / 6), b**2 / (4 * a)) if a > 0 and b > 0 else (0.0, 0.0)

    def _spans(self, molecules: Ints) -> list[tuple[int, int]]:
        return list(zip(self.starts[molecules].tolist(), self.sizes[molecules].tolist(), strict=True))
