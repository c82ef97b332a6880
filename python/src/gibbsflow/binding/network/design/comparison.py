"""Ligands compared two by two: which atoms correspond, and how hard it would be to turn one into the other."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from rdkit import Chem

from gibbsflow.binding.network.design.links import HARDEST, Candidates, Edge, Pair, candidates_from, pair_of
from gibbsflow.binding.network.design.network_files import called_as
from gibbsflow.binding.prepare.atom_map.aligned_pose import align_pose
from gibbsflow.binding.prepare.atom_map.atom_maps import AtomMap
from gibbsflow.binding.prepare.atom_map.common_core import map_atoms
from gibbsflow.binding.prepare.atom_map.map_files import find_map, read_maps
from gibbsflow.binding.prepare.atom_map.map_score import MapScore, score
from gibbsflow.binding.prepare.molecules import MoleculeError, rdkit_messages
from gibbsflow.errors import InputError, Problem, shown


@dataclass(frozen=True)
class Posed:
    """A ligand to be compared with others.

    Attributes
    ----------
    mol
        With all hydrogens; with a conformer unless it is yet to be placed.
    charge
        Net charge, e.
    given
        Whether its pose was given, so that its place tells which atoms correspond.
    """

    mol: Chem.Mol
    charge: int
    given: bool


@dataclass(frozen=True)
class Comparison:
    """Every pair of ligands, and how hard it would be to turn one into the other.

    Attributes
    ----------
    ligands
        By name.
    maps, scores
        Of each pair in alphabetical order; none where there is nothing in common.
    causes
        Why a pair has none, in words.
    """

    ligands: Mapping[str, Posed]
    maps: Mapping[Pair, AtomMap] = field(default_factory=dict)
    scores: Mapping[Pair, MapScore] = field(default_factory=dict)
    causes: Mapping[Pair, str] = field(default_factory=dict)

    def candidates(self, hardest: float = HARDEST) -> Candidates:
        """Pairs that can be transformed, with their difficulty.

        Parameters
        ----------
        hardest
            As in :class:`~.links.Candidates`.

        Returns
        -------
        Candidates
            Those whose map can be used.
        """
        usable = {pair: found.difficulty for pair, found in self.scores.items() if not found.faults}
        return candidates_from(self.ligands, lambda a, b: usable.get((a, b)), hardest)

    def edge(self, ligand_a: str, ligand_b: str) -> Edge:
        """Make an edge of a pair, with its map.

        Parameters
        ----------
        ligand_a, ligand_b
            From which ligand to which.

        Returns
        -------
        Edge
            With difficulty and atoms.

        Raises
        ------
        InputError
            Where the two cannot be transformed.
        """
        pair = pair_of(ligand_a, ligand_b)
        if gone := [name for name in pair if name not in self.ligands]:
            raise InputError(Problem(f"{ligand_a}~{ligand_b}", f"{gone[0]} is lost", "ligands that are left"))
        known = self.scores.get(pair)
        if known is None or known.faults:
            why = self.causes.get(pair) or "; ".join(known.faults if known else ()) or "nothing in common"
            raise InputError(Problem(f"{ligand_a}~{ligand_b}", why, "a pair with a usable atom map", field="network"))
        atom_map = self.maps[pair]
        turned = atom_map if atom_map.ligand_a == ligand_a else atom_map.reversed()
        return Edge(ligand_a, ligand_b, known.difficulty, turned.pairs)


def compare(ligands: Mapping[str, Posed], given: Sequence[AtomMap] = (), *, seed: int) -> Comparison:
    """Map and score every pair of ligands.

    Parameters
    ----------
    ligands
        By name.
    given
        Maps that go before those that would be found; a fault in one is left to the caller.
    seed
        Of embedding, where ligands without poses of their own are laid on one another.

    Returns
    -------
    Comparison
        Of all pairs; those of different net charge have no map.
    """
    maps: dict[Pair, AtomMap] = {}
    scores: dict[Pair, MapScore] = {}
    causes: dict[Pair, str] = {}
    names = sorted(ligands)
    for place, a in enumerate(names):
        for b in names[place + 1 :]:
            one, other = _named(ligands[a], a), _named(ligands[b], b)
            if one.charge != other.charge:
                causes[a, b] = f"net charges {one.charge:+d} and {other.charge:+d} e: no edge changes the net charge"
                continue
            try:
                with rdkit_messages():
                    known = find_map(given, a, b)
                    laid = _laid(one, other, known, seed)
                    found = known or map_atoms(one.mol, laid)
                    maps[a, b], scores[a, b] = found, score(found, one.mol, laid)
            except MoleculeError as error:
                causes[a, b] = "; ".join(fault.what for fault in error.faults)
    return Comparison(ligands, maps, scores, causes)


def _named(ligand: Posed, name: str) -> Posed:
    mol = Chem.Mol(ligand.mol)
    mol.SetProp("_Name", name)
    return replace(ligand, mol=mol)


def _laid(one: Posed, other: Posed, known: AtomMap | None, seed: int) -> Chem.Mol:
    """The other ligand where it lies; where one of the two was placed by us, as it would lie on the one."""
    if one.given and other.given:
        return other.mol
    laid = align_pose(other.mol, one.mol, None if known is None else known.reversed(), seed=seed).mol
    laid.SetProp("_Name", other.mol.GetProp("_Name"))
    return laid


def given_maps(
    path: Path | None, ligands: Mapping[str, Posed], everyone: Collection[str] | None = None
) -> list[AtomMap]:
    """Read atom maps, and hold them against the ligands.

    Parameters
    ----------
    path
        File of maps, which may call ligands by the names of their records, with blanks and the like where those of
        rows have ``_``; None for none.
    ligands
        By name, with conformers.
    everyone
        All ligands there are; None where some may have been lost, so that nobody is a stranger.

    Returns
    -------
    list of AtomMap
        Of these ligands; maps of others are left out.

    Raises
    ------
    InputError
        For a file that cannot be read, maps of strangers, and maps that cannot be used, all at once.
    """
    if path is None:
        return []
    known = ligands.keys() if everyone is None else everyone
    called = [
        replace(one, ligand_a=called_as(one.ligand_a, known), ligand_b=called_as(one.ligand_b, known))
        for one in read_maps(path)
    ]
    named = dict.fromkeys(name for one in called for name in (one.ligand_a, one.ligand_b))
    wrong = [
        Problem(str(path), f"{shown(name)} is none of the ligands", "their names", field="map")
        for name in named
        if everyone is not None and name not in everyone
    ]
    maps = [one for one in called if {one.ligand_a, one.ligand_b} <= ligands.keys()]
    wrong += [
        Problem(str(path), f"{one.ligand_a} and {one.ligand_b}: {fault}", "a map of these two", field="map")
        for one in maps
        for fault in score(one, ligands[one.ligand_a].mol, ligands[one.ligand_b].mol).faults
    ]
    if wrong:
        raise InputError(wrong)
    return maps
