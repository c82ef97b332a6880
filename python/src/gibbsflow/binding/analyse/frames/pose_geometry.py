"""RMSD of a ligand whose equivalent atoms may change places, between frames of one complex or of two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from openmm import app
from rdkit import Chem

from gibbsflow.engines.openmm_systems import load_topology
from gibbsflow.units import Floats, Ints

MOST_MAPPINGS = 500
"""Ways to lay a molecule's atoms on each other that are tried; few drugs have as many."""


@dataclass(frozen=True)
class LigandGraph:
    """Heavy atoms of a ligand and the bonds between them.

    Attributes
    ----------
    elements
        Atomic numbers, one an atom.
    hydrogens
        Hydrogens on each atom.
    bonds
        Pairs of places in `elements`.
    """

    elements: tuple[int, ...]
    hydrogens: tuple[int, ...]
    bonds: tuple[tuple[int, int], ...]

    @classmethod
    def read(cls, prmtop: Path, heavy: Sequence[int]) -> LigandGraph:
        """Read it from a topology.

        Parameters
        ----------
        prmtop
            AMBER topology.
        heavy
            Indices of the ligand's heavy atoms, in the order that is wanted.

        Returns
        -------
        LigandGraph
            Without bond orders, which a topology does not hold.
        """
        return cls.of_topology(load_topology(prmtop).topology, heavy)

    @classmethod
    def of_topology(cls, topology: app.Topology, heavy: Sequence[int]) -> LigandGraph:
        """Take it from a topology that was read.

        Parameters
        ----------
        topology
            The topology.
        heavy
            As for :meth:`read`.

        Returns
        -------
        LigandGraph
            The same.
        """
        atoms = list(topology.atoms())
        place = {index: number for number, index in enumerate(heavy)}
        hydrogens, bonds = [0] * len(place), []
        for one, other in topology.bonds():
            ends = one.index in place, other.index in place
            if all(ends):
                bonds.append((place[one.index], place[other.index]))
            elif any(ends):
                hydrogens[place[one.index if ends[0] else other.index]] += 1
        elements = [atoms[index].element.atomic_number if atoms[index].element else 0 for index in heavy]
        return cls(tuple(elements), tuple(hydrogens), tuple(bonds))

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> LigandGraph:
        """Read it from a record.

        Parameters
        ----------
        content
            From :meth:`as_dict`.

        Returns
        -------
        LigandGraph
            The same.
        """
        bonds = tuple((one, other) for one, other in content["bonds"])
        return cls(tuple(content["elements"]), tuple(content["hydrogens"]), bonds)

    def as_dict(self) -> dict[str, Any]:
        """Give it for a record.

        Returns
        -------
        dict
            JSON-serialisable.
        """
        return {"elements": [*self.elements], "hydrogens": [*self.hydrogens], "bonds": [[*pair] for pair in self.bonds]}

    def mappings(self, other: LigandGraph) -> Ints:
        """Find the ways in which another copy's atoms lie on these.

        Parameters
        ----------
        other
            Of the same molecule, in any order.

        Returns
        -------
        ndarray
            Place in `other` of each atom here, shape (M, n); M is 0 for another molecule, `MOST_MAPPINGS` at most.
        """
        if sorted(zip(self.elements, self.hydrogens, strict=True)) != sorted(
            zip(other.elements, other.hydrogens, strict=True)
        ) or len(self.bonds) != len(other.bonds):
            return np.zeros((0, len(self.elements)), dtype=np.int32)
        found = other._mol().GetSubstructMatches(self._mol(), uniquify=False, maxMatches=MOST_MAPPINGS)
        return np.array(found, dtype=np.int32).reshape(-1, len(self.elements))

    def _mol(self) -> Chem.Mol:
        """The graph as RDKit matches it: hydrogens as isotopes, all bonds single."""
        mol = Chem.RWMol()
        for element, hydrogens in zip(self.elements, self.hydrogens, strict=True):
            atom = Chem.Atom(element)
            atom.SetIsotope(1 + hydrogens)
            atom.SetNoImplicit(True)
            mol.AddAtom(atom)
        for one, other in self.bonds:
            mol.AddBond(one, other, Chem.BondType.SINGLE)
        return mol.GetMol()


def closest_rmsd(
    frames: Floats, reference: Floats, graph: LigandGraph, of_reference: LigandGraph | None = None
) -> Floats:
    """RMSD of frames from a structure, without superposition, by the mapping of equivalent atoms that is nearest.

    Parameters
    ----------
    frames
        Heavy atoms, shape (F, n, 3).
    reference
        Shape (n, 3), in the same unit and frame of reference.
    graph
        Bonds of the atoms in `frames`.
    of_reference
        Bonds of those in `reference`, where they are in another order; default: the same.

    Returns
    -------
    ndarray
        Shape (F,), in the same unit; infinite for another molecule.
    """
    best = np.full(len(frames), np.inf)
    for mapping in graph.mappings(of_reference or graph):
        best = np.minimum(best, ((frames - reference[mapping]) ** 2).sum(axis=-1).mean(axis=-1))
    nearest: Floats = np.sqrt(best)
    return nearest
