"""Edges that have been begun go on by the atoms that they were planned with, whatever a later plan would take.

A plan is made anew each time. A later version, or other ligands beside them, may find other atoms in common, or take
two whole ligands where atoms were shared: all that was sampled would be set aside for it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from rdkit import Chem

from gibbsflow.binding.network.design.comparison import Comparison, GivenMaps, Posed, Ways, compare
from gibbsflow.binding.network.design.links import Edge, Pair
from gibbsflow.binding.prepare.atom_map.atom_maps import AtomMap
from gibbsflow.binding.prepare.atom_map.map_files import find_map
from gibbsflow.errors import InputError


@dataclass(frozen=True)
class BegunEdges:
    """What of earlier plans stays.

    Attributes
    ----------
    edges
        By pair, as they were planned.
    notes
        Which of them would be planned otherwise today, and which are, in words.
    """

    edges: Mapping[Pair, Edge] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def maps(self) -> list[AtomMap]:
        """Atom maps of these edges.

        Returns
        -------
        list of AtomMap
            Without a pair for two whole ligands.
        """
        return [_map(edge) for edge in self.edges.values()]

    def rated(self, comparison: Comparison) -> Comparison:
        """Give edges the difficulty that they were planned with: λ windows depend on it.

        Parameters
        ----------
        comparison
            With :attr:`maps` among the maps that it was given.

        Returns
        -------
        Comparison
            The same but for that.
        """
        known = {pair: edge.difficulty for pair, edge in self.edges.items() if edge.difficulty is not None}
        scores, wholes = (
            {pair: replace(one, difficulty=known.get(pair, one.difficulty)) for pair, one in table.items()}
            for table in (comparison.scores, comparison.wholes)
        )
        return replace(comparison, scores=scores, wholes=wholes)


def begun_edges(
    planned: Iterable[Edge],
    home: Path,
    ligands: Mapping[str, Posed],
    given: GivenMaps,
    *,
    molecules: Mapping[str, str],
    seed: int,
    ways: Ways,
) -> BegunEdges:
    """Tell which edges have been begun and can go on as they were planned.

    A map that the user gives goes before, and so does a topology that is asked for by its name.

    Parameters
    ----------
    planned
        Edges of earlier plans, with their atoms.
    home
        Folder of state with one of each transformation that was begun.
    ligands
        As they are today.
    given
        Maps of today's settings.
    molecules
        What ligands were, by :func:`constitutions`; of an earlier version none.
    seed, ways
        As for :func:`~.comparison.compare`.

    Returns
    -------
    BegunEdges
        Those whose ligands and ways allow it.
    """
    edges: dict[Pair, Edge] = {}
    notes: list[str] = []
    for edge in planned:
        if edge.atoms is None or not _sampled(home / str(edge)) or not set(edge.pair) <= ligands.keys():
            continue
        both = {name: ligands[name] for name in edge.pair}
        if any(molecules.get(name, here) != here for name, here in constitutions(both).items()):
            continue  # another molecule of that name: nothing of it was sampled
        today = _planned(both, edge, given, seed, ways)
        why = f"{edge}: begun with {_told(edge)}"
        if _keeps(today, edge):
            edges[edge.pair] = edge
        elif find_map(given.maps, *edge.pair) is not None:
            notes.append(f"{why}, and planned anew by the map that is given")
        elif _names_atoms(edge, both) and _keeps(_planned(both, edge, GivenMaps((_map(edge),)), seed, ways), edge):
            edges[edge.pair] = edge
            notes.append(f"{why}, and goes on so; planned today it would have {_told(today)}")
        else:
            notes.append(f"{why}, which is not possible any more: planned anew, it has {_told(today)}")
    return BegunEdges(edges, tuple(notes))


def constitutions(ligands: Mapping[str, Posed]) -> dict[str, str]:
    """Tell molecules apart whose atoms an atom map could not name alike.

    Parameters
    ----------
    ligands
        By name.

    Returns
    -------
    dict
        By name, hash of elements, formal charges and bonds in the order of the atoms; not of places.
    """
    return {name: _constitution(ligand.mol) for name, ligand in ligands.items()}


def _constitution(mol: Chem.Mol) -> str:
    atoms = [(atom.GetAtomicNum(), atom.GetFormalCharge()) for atom in mol.GetAtoms()]
    bonds = sorted(sorted((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx())) for bond in mol.GetBonds())
    return hashlib.sha256(json.dumps([atoms, bonds]).encode()).hexdigest()


def _sampled(state: Path) -> bool:
    """Whether a leg of an edge was begun: its preparation leaves no folder in a folder."""
    return any(path.is_dir() for path in state.glob("*/*"))


def _map(edge: Edge) -> AtomMap:
    return AtomMap(edge.ligand_a, edge.ligand_b, edge.atoms or ())


def _names_atoms(edge: Edge, both: Mapping[str, Posed]) -> bool:
    """Whether all atoms of an edge are there."""
    counts = (both[edge.ligand_a].mol.GetNumAtoms(), both[edge.ligand_b].mol.GetNumAtoms())
    return all(atom < count for pair in edge.atoms or () for atom, count in zip(pair, counts, strict=True))


def _planned(both: Mapping[str, Posed], edge: Edge, given: GivenMaps, seed: int, ways: Ways) -> Edge | None:
    """An edge as it would be planned; None where it could not be."""
    try:
        return compare(both, given, seed=seed, ways=ways).edge(edge.ligand_a, edge.ligand_b)
    except InputError:
        return None


def _keeps(found: Edge | None, edge: Edge) -> bool:
    return found is not None and found.atoms == edge.atoms


def _told(edge: Edge | None) -> str:
    if edge is None:
        return "none"
    return "dual topology" if not edge.atoms else f"{len(edge.atoms)} atoms shared"
