"""Ligands compared two by two: which atoms correspond, and how hard it would be to turn one into the other."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Self

from rdkit import Chem

from gibbsflow.binding.alchemy.protocols import ions_drop_out, protocol_of
from gibbsflow.binding.network.design.difficulty import common_difficulty
from gibbsflow.binding.network.design.links import HARDEST, Candidates, Edge, Pair, candidates_from, pair_of
from gibbsflow.binding.network.design.network_files import called_as
from gibbsflow.binding.prepare.atom_map.aligned_pose import align_pose
from gibbsflow.binding.prepare.atom_map.atom_maps import AtomMap
from gibbsflow.binding.prepare.atom_map.common_core import map_atoms
from gibbsflow.binding.prepare.atom_map.map_files import find_map, read_maps
from gibbsflow.binding.prepare.atom_map.map_score import MapScore, score, score_whole
from gibbsflow.binding.prepare.molecules import MoleculeError, rdkit_messages
from gibbsflow.config.binding import BindingConfig
from gibbsflow.config.binding_parts import Relative
from gibbsflow.errors import InputError, Problem, shown
from gibbsflow.workflow.progress import Progress


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
class Ways:
    """How ligands may be turned into each other.

    Attributes
    ----------
    topology
        Sharing atoms (``hybrid``), as a whole (``dual``), or as whole ones where they cannot share atoms, or where
        that is as hard (``auto``).
    charge_changes
        Whether the net charge may change.
    ions
        Whether ions could make up for it in a box: their own work drops out between two legs in water.
    """

    topology: Literal["auto", "hybrid", "dual"] = "hybrid"
    charge_changes: bool = False
    ions: bool = True

    @classmethod
    def of(cls, settings: BindingConfig) -> Self:
        """Take them from settings: without a box nothing depends on its size.

        Parameters
        ----------
        settings
            Of a campaign.

        Returns
        -------
        Ways
            As they are asked for.
        """
        ions = ions_drop_out(protocol_of(settings.run.mode, explicit=True))
        charge_changes = not settings.md.explicit or (ions and settings.fe.charge_correction == "counter_ion")
        return cls(settings.relative.edge_topology, charge_changes, ions)

    @property
    def remedy(self) -> str:
        """Name the setting with which the net charge may change.

        Returns
        -------
        str
            In words of the settings.
        """
        return "charge_correction counter_ion" if self.ions else "solvent obc2"

    def refusal(self, one: Posed, other: Posed) -> str | None:
        """Say why two ligands have no edge whatever their atoms are.

        Parameters
        ----------
        one, other
            The ligands.

        Returns
        -------
        str or None
            None where nothing speaks against it.
        """
        if self.charge_changes or one.charge == other.charge:
            return None
        made_up_for = f"nothing makes up for it in a box: {self.remedy}"
        return f"net charges {one.charge:+d} and {other.charge:+d} e, and {made_up_for}"

    def possible(self, one: Posed, other: Posed) -> bool:
        """Say whether two ligands that are yet to be placed have an edge, sooner than how hard it is.

        Parameters
        ----------
        one, other
            The ligands.

        Returns
        -------
        bool
            As :func:`foretold` gives a difficulty.
        """
        if self.topology != "hybrid":  # whole ligands always may
            return self.refusal(one, other) is None
        return self.foretold(one, other) is not None

    def foretold(self, one: Posed, other: Posed) -> float | None:
        """Judge two ligands that are yet to be placed by their molecules alone.

        Parameters
        ----------
        one, other
            The ligands.

        Returns
        -------
        float or None
            Difficulty; None where they have no edge.
        """
        if self.refusal(one, other) is not None:
            return None
        shared = None if self.topology == "dual" else common_difficulty(one.mol, other.mol)
        whole = None if self.topology == "hybrid" else _lifted(score_whole(one.mol, other.mol, posed=False)).difficulty
        return min((found for found in (shared, whole) if found is not None), default=None)


def _lifted(found: MapScore) -> MapScore:
    """Two whole ligands are taken where nothing easier is there: never below the hardest edges that are."""
    return replace(found, difficulty=round(HARDEST + (1 - HARDEST) * found.difficulty, 4))


def without_isotopes(mol: Chem.Mol) -> str:
    """Write a molecule by its elements alone, as it is computed: isotopologues are one ligand.

    Parameters
    ----------
    mol
        The molecule.

    Returns
    -------
    str
        Canonical SMILES, hydrogens implicit.
    """
    plain = Chem.Mol(mol)
    for atom in plain.GetAtoms():
        atom.SetIsotope(0)
    Chem.AssignStereochemistry(plain, cleanIt=True, force=True)
    return str(Chem.MolToSmiles(Chem.RemoveHs(plain)))


def foretell(ligands: Mapping[str, Posed], ways: Ways, hardest: float = HARDEST) -> Candidates:
    """Judge every pair by its molecules alone, seconds each for large ones: how far it is, is told now and then.

    Parameters
    ----------
    ligands
        By name.
    ways
        How they may be turned into each other.
    hardest
        As in :class:`~.links.Candidates`.

    Returns
    -------
    Candidates
        Of all ligands.
    """
    pairs = len(ligands) * (len(ligands) - 1) // 2
    progress = Progress("common substructures of ligands without poses", pairs, "pairs")

    def _difficulty(a: str, b: str) -> float | None:
        found = ways.foretold(ligands[a], ligands[b])
        if progress.done + 1 < pairs or progress.shown > progress.start:  # what is done soon is not told of
            progress.add(1)
        return found

    return candidates_from(ligands, _difficulty, hardest)


@dataclass(frozen=True)
class GivenMaps:
    """Atom maps of a file, held against the ligands.

    Attributes
    ----------
    maps
        Those that can be used.
    replaced
        By pair in alphabetical order: that theirs is replaced by what is found, and why, in words.
    """

    maps: tuple[AtomMap, ...] = ()
    replaced: Mapping[Pair, str] = field(default_factory=dict)


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
    wholes
        Scores of pairs that are exchanged as a whole, because they have no map or because theirs is as hard.
    topology
        As that of the :class:`Ways` that they were compared by.
    replaced
        As that of the :class:`GivenMaps`.
    """

    ligands: Mapping[str, Posed]
    maps: Mapping[Pair, AtomMap] = field(default_factory=dict)
    scores: Mapping[Pair, MapScore] = field(default_factory=dict)
    causes: Mapping[Pair, str] = field(default_factory=dict)
    wholes: Mapping[Pair, MapScore] = field(default_factory=dict)
    topology: str = "hybrid"
    replaced: Mapping[Pair, str] = field(default_factory=dict)

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
        usable |= {pair: found.difficulty for pair, found in self.wholes.items()}
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
        if (whole := self.wholes.get(pair)) is not None:
            return Edge(ligand_a, ligand_b, whole.difficulty, ())
        known = self.scores.get(pair)
        if known is None or known.faults:
            why = self.causes.get(pair) or "; ".join(known.faults if known else ()) or "nothing in common"
            right = "a pair with a usable atom map"
            if known is not None and self.topology == "hybrid":
                right += ", or both as a whole: edge_topology auto"
            raise InputError(Problem(f"{ligand_a}~{ligand_b}", why, right, field="network"))
        atom_map = self.maps[pair]
        turned = atom_map if atom_map.ligand_a == ligand_a else atom_map.reversed()
        return Edge(ligand_a, ligand_b, known.difficulty, turned.pairs)

    def why_whole(self, pair: Pair) -> str:
        """Say why a pair of whole ligands shares no atoms.

        Parameters
        ----------
        pair
            In alphabetical order.

        Returns
        -------
        str
            In words.
        """
        known = self.scores.get(pair)
        if known is None:
            return self.causes.get(pair, "as it was asked for")
        return "; ".join(known.faults) or f"a map of difficulty {known.difficulty:.2f}, which is as hard"


def compare(
    ligands: Mapping[str, Posed], given: GivenMaps = GivenMaps(), *, seed: int, ways: Ways = Ways()
) -> Comparison:
    """Map and score every pair of ligands.

    Parameters
    ----------
    ligands
        By name.
    given
        Maps that go before those that would be found.
    seed
        Of embedding, where ligands without poses of their own are laid on one another.
    ways
        How they may be turned into each other.

    Returns
    -------
    Comparison
        Of all pairs.
    """
    wholes: dict[Pair, MapScore] = {}
    maps: dict[Pair, AtomMap] = {}
    scores: dict[Pair, MapScore] = {}
    causes: dict[Pair, str] = {}
    names = sorted(ligands)
    for place, a in enumerate(names):
        for b in names[place + 1 :]:
            one, other = _named(ligands[a], a), _named(ligands[b], b)
            if (refused := ways.refusal(one, other)) is not None:
                causes[a, b] = refused
                continue
            if ways.topology != "hybrid":
                wholes[a, b] = _lifted(score_whole(one.mol, other.mol, posed=one.given and other.given))
                if wholes[a, b].faults:
                    causes[a, b] = "; ".join(wholes.pop((a, b)).faults)
            if ways.topology == "dual":
                continue
            try:
                with rdkit_messages():
                    known = find_map(given.maps, a, b)
                    if known is not None and not known.pairs and (a, b) in wholes:
                        continue  # the map says that nothing is shared
                    laid = _laid(one, other, known, seed)
                    found = known or map_atoms(one.mol, laid)
                    maps[a, b], scores[a, b] = found, score(found, one.mol, laid)
            except MoleculeError as error:
                causes[a, b] = "; ".join(fault.what for fault in error.faults)
                continue
            shared = scores[a, b] = _usable(scores[a, b])
            asked = known is not None
            if not shared.faults and (a, b) in wholes and (asked or shared.difficulty < wholes[a, b].difficulty):
                del wholes[a, b]
    return Comparison(ligands, maps, scores, causes, wholes, ways.topology, given.replaced)


def _usable(found: MapScore) -> MapScore:
    """A map whose unique atoms bridge the core cannot be carried out: they would tie both ends of the edge together."""
    count = found.figures.get("bridging_groups", 0)
    if found.faults or not count:
        return found
    what = f"a ring is shared in part: {count:g} group{'s' * (count > 1)} of unique atoms bridge the common core"
    return replace(found, faults=(what,))


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
    settings: Relative,
    ligands: Mapping[str, Posed],
    everyone: Collection[str] | None = None,
    ways: Ways = Ways(),
) -> GivenMaps:
    """Read atom maps, and hold them against the ligands.

    Parameters
    ----------
    settings
        File of maps, which may call ligands by the names of their records, with blanks and the like where those of
        rows have ``_``, or none; and what becomes of maps that cannot be used.
    ligands
        By name, with conformers.
    everyone
        All ligands there are; None where some may have been lost, so that nobody is a stranger.
    ways
        How ligands may be turned into each other: a map without atoms is one of two whole ligands.

    Returns
    -------
    GivenMaps
        Of these ligands; maps of others are left out.

    Raises
    ------
    InputError
        For a file that cannot be read, maps of strangers, and maps that cannot be used unless they are to be replaced,
        all at once.
    """
    path = settings.map
    if path is None:
        return GivenMaps()
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
    maps: dict[Pair, AtomMap] = {}
    for one in called:
        pair = pair_of(one.ligand_a, one.ligand_b)
        if maps.setdefault(pair, one) is not one:  # under the names of records
            what = f"{one.ligand_a} and {one.ligand_b} have a map already"
            wrong.append(Problem(str(path), what, "one map for an edge", field="map"))
    maps = {pair: one for pair, one in maps.items() if set(pair) <= ligands.keys()}
    faults = {
        pair: found
        for pair, one in maps.items()
        if one.pairs or ways.topology == "hybrid"
        if (found := _usable(score(one, ligands[one.ligand_a].mol, ligands[one.ligand_b].mol)).faults)
    }
    if settings.unusable_maps == "refuse":
        right = "another map of these two, or none: for all such maps at once by unusable_maps replace"
        right += "" if ways.topology == "hybrid" else "; one without atoms for both as a whole"
        wrong += [
            Problem(str(path), f"{maps[pair].ligand_a} and {maps[pair].ligand_b}: {fault}", right, field="map")
            for pair, found in faults.items()
            for fault in found
        ]
    if wrong:
        raise InputError(wrong)
    usable = tuple(one for pair, one in maps.items() if pair not in faults)
    return GivenMaps(
        usable,
        {
            pair: f"the given map cannot be used, and what is found takes its place ({'; '.join(found)})"
            for pair, found in faults.items()
        },
    )
