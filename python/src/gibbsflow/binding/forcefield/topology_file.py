"""AMBER topology files, as far as they are read here."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from openmm import app
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from gibbsflow.engines.openmm_systems import load_topology
from gibbsflow.units import Floats, Ints

AMBER_CHARGE_UNITS_PER_E = 18.2223
"""Charges in a prmtop are in units whose products over Å are energies in kcal/mol (ambermd.org/FileFormats.php)."""
_STAMP = re.compile(r"DATE = .{18}")
_NO_DATE = "DATE = 01/01/00  00:00:00 "


def without_date(prmtop: str) -> str:
    """Take the date out of a topology, so that the same input gives the same bytes.

    Parameters
    ----------
    prmtop
        Content of the file.

    Returns
    -------
    str
        The same, dated to the turn of the century.
    """
    return _STAMP.sub(_NO_DATE, prmtop, count=1)


class Topology:
    """What is needed of an AMBER prmtop and inpcrd: elements, residues, charges and coordinates.

    Parameters
    ----------
    elements
        Atomic numbers, shape (atoms,).
    residue_of
        Residue index of each atom, shape (atoms,).
    charges_e
        Partial charges in e, shape (atoms,).
    positions_angstrom
        Shape (atoms, 3).
    """

    def __init__(
        self, elements: np.ndarray, residue_of: np.ndarray, charges_e: np.ndarray, positions_angstrom: np.ndarray
    ) -> None:
        self.elements, self.residue_of = elements, residue_of
        self.charges_e, self.positions_angstrom = charges_e, positions_angstrom

    @classmethod
    def read(cls, prmtop: Path, inpcrd: Path) -> Topology:
        """Read topology and coordinates.

        Parameters
        ----------
        prmtop, inpcrd
            As tleap writes them.

        Returns
        -------
        Topology
            In the atom order of the files.
        """
        lines = inpcrd.read_text().splitlines()[2:]
        numbers = [float(line[i : i + 12]) for line in lines for i in range(0, len(line.rstrip()), 12)]
        count = int(inpcrd.read_text().splitlines()[1].split()[0])
        return cls.read_prmtop(prmtop, np.array(numbers[: 3 * count]).reshape(-1, 3))

    @classmethod
    def read_prmtop(cls, prmtop: Path, positions_angstrom: Floats) -> Topology:
        """Read the three sections that are needed.

        Parameters
        ----------
        prmtop
            As tleap writes it.
        positions_angstrom
            Where its atoms are, shape (N, 3), Å.

        Returns
        -------
        Topology
            In the atom order of the file.
        """
        found = sections(prmtop)
        elements = np.array(found["ATOMIC_NUMBER"].split(), dtype=int)
        starts = np.array(found["RESIDUE_POINTER"].split(), dtype=int) - 1
        residue_of = np.searchsorted(starts, np.arange(len(elements)), side="right") - 1
        charges = np.array(found["CHARGE"].split(), dtype=float) / AMBER_CHARGE_UNITS_PER_E
        return cls(elements, residue_of, charges, positions_angstrom)


def residue_labels(prmtop: Path) -> list[str]:
    """Read the names of the residues of a topology.

    Parameters
    ----------
    prmtop
        AMBER topology.

    Returns
    -------
    list of str
        In order; AMBER keeps no mark of the ends of chains in them.
    """
    section = prmtop.read_text().split("%FLAG RESIDUE_LABEL", 1)[1].split("%FLAG", 1)[0]
    lines = section.split("%FORMAT", 1)[1].split("\n")[1:]
    return [label for line in lines for i in range(0, len(line), 4) if (label := line[i : i + 4].strip())]


def sections(prmtop: Path) -> dict[str, str]:
    """Split a topology into its sections.

    Parameters
    ----------
    prmtop
        AMBER topology.

    Returns
    -------
    dict
        Lines of data by flag, as one text each.
    """
    return {
        part.split(None, 1)[0]: part.split("%FORMAT", 1)[1].split("\n", 1)[1]
        for part in prmtop.read_text().split("%FLAG ")[1:]
    }


def is_periodic(prmtop: Path) -> bool:
    """Say whether a topology has a box.

    Parameters
    ----------
    prmtop
        AMBER topology.

    Returns
    -------
    bool
        True in explicit solvent.
    """
    return "ATOMS_PER_MOLECULE" in sections(prmtop)


def molecules(prmtop: Path, first: int = 0) -> Ints:
    """Say which molecule each atom of a topology is in: what bonds hold together.

    The file's own ``ATOMS_PER_MOLECULE`` knows blocks of atoms alone: of chains that a disulfide joins across another
    one tleap writes blocks that cut through chains and bonds.

    Parameters
    ----------
    prmtop
        AMBER topology.
    first
        Atom whose molecule is to be number 0, in place of the one that the file begins with.

    Returns
    -------
    ndarray
        Counted from 0 in the order of their first atoms, shape (atoms,).
    """
    bonds, atoms = bonded_pairs(prmtop), int(sections(prmtop)["POINTERS"].split()[0])
    graph = csr_array((np.ones(len(bonds), dtype=np.int8), (bonds[:, 0], bonds[:, 1])), shape=(atoms, atoms))
    _, found = connected_components(graph, directed=False)
    _, begins, found = np.unique(found, return_index=True, return_inverse=True)
    order = np.argsort(np.where(begins == begins[found[first]], -1, begins))
    return np.argsort(order)[found].astype(np.int32)


def in_blocks(molecules_of: Ints) -> Ints:
    """Make blocks of atoms, one after another, of molecules: those that lie within each other are one.

    Parameters
    ----------
    molecules_of
        Which molecule each atom is in, shape (N,).

    Returns
    -------
    ndarray
        Which block, counted from 0 and never falling, shape (N,).
    """
    last = np.zeros(int(molecules_of.max()) + 1, dtype=np.int64)
    np.maximum.at(last, molecules_of, np.arange(len(molecules_of)))
    reach = np.maximum.accumulate(last[molecules_of])
    return np.concatenate([[0], np.cumsum(np.arange(1, len(reach)) > reach[:-1])]).astype(np.int32)


def masses_amu(prmtop: Path) -> Floats:
    """Read the masses of the atoms of a topology, as they are without repartitioning.

    Parameters
    ----------
    prmtop
        AMBER topology.

    Returns
    -------
    ndarray
        Shape (atoms,), amu.
    """
    return np.array(sections(prmtop)["MASS"].split(), dtype=float)


def bonded_pairs(prmtop: Path) -> Ints:
    """Read the bonds of a topology.

    Parameters
    ----------
    prmtop
        AMBER topology.

    Returns
    -------
    ndarray
        Pairs of atoms, shape (M, 2).
    """
    found = sections(prmtop)
    rows = [
        np.array(found[f"BONDS_{kind}_HYDROGEN"].split(), dtype=np.int32).reshape(-1, 3) for kind in ("INC", "WITHOUT")
    ]
    return np.concatenate(rows)[:, :2] // 3


def water_oxygens(prmtop: Path) -> Ints:
    """Find the oxygens of the waters of a topology: molecules of one oxygen and two hydrogens.

    Parameters
    ----------
    prmtop
        AMBER topology.

    Returns
    -------
    ndarray
        Their indices.
    """
    elements, of_molecule = np.array(sections(prmtop)["ATOMIC_NUMBER"].split(), dtype=int), molecules(prmtop)
    count = int(of_molecule.max()) + 1
    real = np.bincount(of_molecule[elements > 0], minlength=count)
    hydrogens = np.bincount(of_molecule[elements == 1], minlength=count)
    water = (real == 3) & (hydrogens == 2)  # noqa: PLR2004
    return np.flatnonzero((elements == 8) & water[of_molecule]).astype(np.int32)  # noqa: PLR2004


def heavy_atoms(prmtop: Path) -> list[int]:
    """Find the atoms of a topology that are not hydrogen.

    Parameters
    ----------
    prmtop
        AMBER topology.

    Returns
    -------
    list of int
        Their indices.
    """
    return heavy_of(load_topology(prmtop).topology)


def heavy_of(topology: app.Topology) -> list[int]:
    """Find the same in a topology that was read.

    Parameters
    ----------
    topology
        The topology.

    Returns
    -------
    list of int
        Their indices.
    """
    return [a.index for a in topology.atoms() if a.element is None or a.element.symbol != "H"]
