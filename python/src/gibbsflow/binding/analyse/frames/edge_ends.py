"""Both ligands of an edge in one of its legs: their atoms, the receptor's, and where all are as the leg starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from openmm import app

from gibbsflow.binding.alchemy.alchemical_leg import FILE_NAME
from gibbsflow.binding.alchemy.hybrid.hybrid_leg import new_ligand
from gibbsflow.binding.analyse.frames.pose_geometry import LigandGraph
from gibbsflow.binding.forcefield.topology_file import heavy_of
from gibbsflow.binding.geometry import superposed
from gibbsflow.engines.openmm_systems import load_topology
from gibbsflow.errors import StateError
from gibbsflow.units import Floats, Ints
from gibbsflow.workflow.files import as_written, read_arrays


@dataclass(frozen=True)
class EdgeEnds:
    """Heavy atoms of what an edge's leg is from and to, by their indices in the leg.

    Attributes
    ----------
    names
        Of both ligands, the first one first.
    ligands
        Their atoms, of the second one in the order of its own molecule.
    graphs
        The bonds of each, in its own molecule.
    receptor
        Its atoms.
    starts_nm
        Structures that the leg starts from, shape (F, N, 3), nm.
    shared
        Atoms that both have, each by its place among the heavy atoms: 2i for heavy atom i, 2i + 1 for a hydrogen on it.
    held
        Places among the heavy atoms of what ties two whole ligands by single atoms.
    topologies
        Of the leg without what is the second ligand's alone, and of the second ligand alone.
    whole
        Both ligands with their hydrogens, as `ligands`.
    """

    names: tuple[str, str]
    ligands: tuple[Ints, Ints]
    graphs: tuple[LigandGraph, LigandGraph]
    receptor: Ints
    starts_nm: Floats
    shared: tuple[tuple[int, int], ...]
    held: tuple[Ints, Ints]
    topologies: tuple[app.Topology, app.Topology]
    whole: tuple[Ints, Ints]

    @classmethod
    def read(cls, leg: Mapping[str, Any], folder: Path) -> Self:
        """Read a leg of an edge, each of its topologies once.

        Parameters
        ----------
        leg
            Content of its ``leg.json``.
        folder
            Of the leg, with its topologies and its start.

        Returns
        -------
        EdgeEnds
            Of that leg.

        Raises
        ------
        InputError
            For a topology, or a start, that is missing or damaged.
        StateError
            For a ``leg.json`` that is not as it was written, or a start of other atoms.
        """
        with as_written(folder / FILE_NAME, "`fe prepare`"):
            hybrid, own = leg["hybrid"], set(leg["ligand_atoms"])
            old = [int(atom) for atom in hybrid["old_atoms"]]
            one_name, two_name = map(str, hybrid["ligands"])
            pairs = [(int(i), int(j)) for i, j in hybrid["pairs"]]
            tether = hybrid.get("tether") or {}
            anchors = [tether[of] if tether.get("kind") == "boresch" else [] for of in ("receptor", "ligand")]
            place = new_ligand(leg["ligand_atoms"], old, hybrid["pairs"])
            receptor_atoms, start = set(leg["receptor_atoms"]), folder / leg["start"]
            files = folder / leg["topology"], folder / hybrid["other_topology"]
        surroundings, other = (load_topology(file).topology for file in files)
        heavy, second = heavy_of(surroundings), heavy_of(other)
        known = set(heavy)
        first = [atom for atom in old if atom in known]
        kinds = _kinds(surroundings, old, first), _kinds(other, range(len(place)), second)
        starts = read_arrays(start, "positions_nm")["positions_nm"]
        count = surroundings.getNumAtoms() + len(own) - len(old)
        if other.getNumAtoms() != len(place) or starts.shape[-2:] != (count, 3):
            right = f"{count} atoms, {len(place)} of them the second ligand's"
            raise StateError(f"{folder}: its files are of other atoms than its leg.json; right: {right}")
        ligands = np.array(first, dtype=np.int32), np.array([place[atom] for atom in second], dtype=np.int32)
        return cls(
            names=(one_name, two_name),
            ligands=ligands,
            graphs=(LigandGraph.of_topology(surroundings, first), LigandGraph.of_topology(other, second)),
            receptor=np.array([atom for atom in heavy if atom in receptor_atoms], dtype=np.int32),
            starts_nm=starts.reshape(-1, count, 3),
            shared=tuple((kinds[0][i], kinds[1][j]) for i, j in pairs),
            held=(_places(ligands[0], anchors[0]), _places(ligands[1], anchors[1])),
            topologies=(surroundings, other),
            whole=(np.array(old, dtype=np.int32), np.array(place, dtype=np.int32)),
        )

    @property
    def atoms(self) -> Ints:
        """All heavy atoms.

        Returns
        -------
        ndarray
            Of both ligands and the receptor.
        """
        return np.concatenate([*self.ligands, self.receptor])

    def start_angstrom(self, site: Ints) -> Floats:
        """Choose the start that stands for all.

        Parameters
        ----------
        site
            Atoms of the site, which are laid on each other.

        Returns
        -------
        ndarray
            That whose site and first ligand are nearest to their mean, as of an equilibration, shape (N, 3), Å.
        """
        seen = np.asarray(self.starts_nm[:, [*site, *self.ligands[0]]], dtype=np.float64)
        laid = superposed(seen, range(len(site)))
        nearest = int(((laid - laid.mean(axis=0)) ** 2).sum(axis=(1, 2)).argmin())
        return np.asarray(self.starts_nm[nearest], dtype=np.float64) * 10


def _kinds(topology: app.Topology, atoms: Sequence[int], heavy: Sequence[int]) -> list[int]:
    """What each atom of a molecule is: 2i for its heavy atom i, 2i + 1 for a hydrogen on it."""
    kinds = {atom: 2 * number for number, atom in enumerate(heavy)}
    own = set(atoms)
    for bond in topology.bonds():
        ends = bond[0].index, bond[1].index
        for carrier, hydrogen in (ends, ends[::-1]):
            if carrier in kinds and hydrogen in own and not kinds[carrier] % 2:
                kinds.setdefault(hydrogen, kinds[carrier] + 1)
    return [kinds[atom] for atom in atoms]


def _places(atoms: Ints, wanted: Sequence[int]) -> Ints:
    return np.flatnonzero(np.isin(atoms, wanted)).astype(np.int32)
