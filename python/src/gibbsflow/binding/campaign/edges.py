"""Edges of a campaign: its ligands compared two by two, and the network of what is to be run.

A network that was planned before is kept as far as its ligands are left: what was run is not run again, and ligands
that are new, or have lost an edge, get others. An edge that was begun goes on by the atoms that it was planned with.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import networkx as nx

from gibbsflow.binding.alchemy.hybrid.edge_legs import prepare_edge
from gibbsflow.binding.alchemy.prepare_fe import prepare_legs
from gibbsflow.binding.facts import ENDS, PreparedFacts
from gibbsflow.binding.network.design import connectivity
from gibbsflow.binding.network.design.begun_edges import BegunEdges, begun_edges, constitutions
from gibbsflow.binding.network.design.comparison import Comparison, Posed, Ways, compare, given_maps
from gibbsflow.binding.network.design.links import Candidates, Edge, Network, kind_of
from gibbsflow.binding.network.design.network_files import listed, read_network, write_network
from gibbsflow.binding.network.design.planning import plan
from gibbsflow.binding.network.design.replanning import replan
from gibbsflow.binding.prepare.molecules import read_sdf
from gibbsflow.binding.prepare.small_molecule.sdf_records import ligand_name
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import BindingConfig
from gibbsflow.config.binding_parts import Relative
from gibbsflow.errors import InputError, Problem, StateError
from gibbsflow.workflow.files import as_written, read_json, write_json
from gibbsflow.workflow.result import Result

log = logging.getLogger(__name__)

EDGE = "edge.json"
NETWORK = "network.json"
EDGES = "edges"
MOLECULES = "molecules.json"
"""In the state beside the network: what its ligands were."""


def ligands_of(systems: Iterable[SimSystem]) -> dict[str, Posed]:
    """Read the ligands of prepared systems.

    Parameters
    ----------
    systems
        As left by any phase from ``system_prep`` on.

    Returns
    -------
    dict
        By name, in alphabetical order.

    Raises
    ------
    StateError
        For a system that holds no ligand, such as one that came solvated.
    """
    found = {}
    for system in sorted(systems, key=lambda one: one.name):
        known = system.find(PreparedFacts)
        if known is None or "ligand" not in system.artifacts:
            raise StateError(f"{system.root}: no ligand of `system_prep system`, so there is nothing to compare")
        molecule = read_sdf(system.path("ligand"), known.ligand_charge)
        found[system.name] = Posed(molecule.mol, known.ligand_charge, given=known.pose not in (None, "place"))
    return found


def planned(
    settings: Relative, comparison: Comparison, before: Network | None = None, *, whole: bool = True
) -> Network:
    """Plan the network that is asked for.

    Parameters
    ----------
    settings
        Kind or file of the network.
    comparison
        Of the ligands that are left.
    before
        What was planned earlier; its edges between ligands that are left stay.
    whole
        Whether every edge of a file between ligands that are left has to be possible. Otherwise one whose ligands turn
        out to lie otherwise is kept with its cause, as one that has lost a ligand is in any case.

    Returns
    -------
    Network
        Each edge with its difficulty and its map, or with the cause why it cannot be run.

    Raises
    ------
    InputError
        For fewer than two ligands, a file that cannot be used, or edges that cannot be transformed.
    """
    if (kind := kind_of(settings.network)) is not None:
        candidates = comparison.candidates()
        hub = settings.hub if settings.hub in comparison.ligands else None  # it may be lost, the others are not
        if before is None or before.kind != kind or not _is_hub(hub, before, candidates):
            found = plan(candidates, kind, hub=hub)
        else:
            gone = set(before.ligands) - comparison.ligands.keys()
            possible = candidates.difficulty
            # a ligand or a map may be another one by now
            lost = [edge.pair for edge in before.edges if not gone & set(edge.pair) and edge.pair not in possible]
            found = replan(before, candidates, lost_ligands=gone, lost_edges=lost, hub=hub)
        if kind == "star" and settings.hub != hub:
            found = replace(found, warnings=(*found.warnings, f"the hub {settings.hub} is lost: another in its place"))
    else:
        found = read_network(Path(settings.network), whole=False)
        every = tuple(
            replace(e, ligand_a=ligand_name(e.ligand_a), ligand_b=ligand_name(e.ligand_b)) for e in found.edges
        )
        found = replace(found, ligands=tuple(sorted(comparison.ligands)), edges=every)
    problems: list[Problem] = []
    edges = []
    for edge in found.edges:
        try:
            edges.append(comparison.edge(edge.ligand_a, edge.ligand_b))
        except InputError as error:
            edges.append(replace(edge, atoms=None, cause="; ".join(problem.what for problem in error.problems)))
            problems += error.problems if set(edge.pair) <= comparison.ligands.keys() else ()
    if problems and (whole or kind_of(settings.network)):
        raise InputError(problems)
    told = tuple(f"{edge} cannot be run: {edge.cause}" for edge in edges if edge.cause)
    left = replace(found, edges=tuple(edge for edge in edges if not edge.cause)).graph.subgraph(comparison.ligands)
    if told and len(apart := connectivity.parts(nx.Graph(left))) > 1:
        told += (f"without them {len(apart)} parts, each with a scale of its own: {listed(apart)}",)
    found = replace(found, edges=tuple(edges), warnings=(*found.warnings, *told))
    return _told_of_maps(found, comparison)


def _told_of_maps(network: Network, comparison: Comparison) -> Network:
    """Note which edges share no atoms, and why; and which have another map than the one that was given."""
    told = [f"{e}: dual topology ({comparison.why_whole(e.pair)})" for e in network.edges if e.topology == "dual"]
    told += [f"{e}: {comparison.replaced[e.pair]}" for e in network.edges if e.pair in comparison.replaced]
    return replace(network, notes=(*network.notes, *(text for text in told if text not in network.notes)))


def _is_hub(hub: str | None, before: Network, candidates: Candidates) -> bool:
    """Whether a network has the centre that is asked for, or is what comes of asking; one that is no star has."""
    degree = dict(before.graph.degree)
    if before.kind != "star" or hub is None or degree.get(hub) == max(degree.values(), default=None):
        return True
    if hub not in degree:
        return False
    asked = plan(candidates.without((), set(candidates.ligands) - degree.keys()), "star", hub=hub)
    return {edge.pair for edge in asked.edges} == {edge.pair for edge in before.edges}


def plan_edges(
    systems: Sequence[SimSystem],
    settings: Relative,
    seed: int,
    out: Path,
    result: Result,
    *,
    state: Path | None = None,
    before: Path | None = None,
    records: Sequence[Path] = (),
    ways: Ways = Ways(),
) -> Network:
    """Plan which edges are to be run: ``network edges``.

    Parameters
    ----------
    systems
        Ligands that are left.
    settings
        Kind or file of the network, and of atom maps.
    seed
        Of the campaign.
    out
        Folder to write into: ``network.json`` and, of each edge that is to be run, ``edges/<name>/edge.json``.
    result
        Filled with figures.
    state
        State folder, which remembers the network, or what was added to `before`, for the next run; None for none.
    before
        Output of an earlier call whose edges have been run; None for the first.
    records
        Records of its edges that came through. The others are lost, and others are sought in their place.
    ways
        How ligands may be turned into each other.

    Returns
    -------
    Network
        All edges: those of `before`, what was lost among them, then those that are new.

    Raises
    ------
    InputError
        For a network or maps that cannot be used.
    """
    ligands = ligands_of(systems)
    given, remembered = given_maps(settings, ligands, ways=ways), _remembered(state)
    begun = BegunEdges()
    if state is not None and remembered is not None:
        known = read_json(state / MOLECULES) if (state / MOLECULES).exists() else {}
        home = state.parent.parent  # `network/plan` lies beside the folders of the edges
        begun = begun_edges(remembered.edges, home, ligands, given, molecules=known, seed=seed, ways=ways)
    comparison = begun.rated(compare(ligands, replace(given, maps=(*given.maps, *begun.maps)), seed=seed, ways=ways))
    if before is not None:
        earlier = read_network(before / NETWORK, whole=False)
        network, fresh = _around_what_is_lost(earlier, records, settings, comparison, remembered)
    elif len(ligands) < 2 and kind_of(settings.network):  # noqa: PLR2004 - a pair
        network = Network(settings.network, tuple(ligands), (), warnings=(f"{len(ligands)} ligands left: no edge",))
        fresh = ()
    else:
        network = planned(settings, comparison, remembered, whole=False)
        fresh = tuple(edge for edge in network.edges if not edge.cause)
    network = replace(network, notes=(*network.notes, *begun.notes))
    out.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(out / EDGES, ignore_errors=True)  # of an earlier plan
    (out / EDGES).mkdir()
    for edge in fresh:
        write_json(out / EDGES / str(edge) / EDGE, _told(edge, comparison))
    write_network(network, out)
    if state is not None and before is None:
        write_network(network, state)
    elif state is not None and fresh:  # those alone: what else was planned may be planned otherwise next time
        write_network(replace(network, edges=fresh), state)
    if state is not None:
        write_json(state / MOLECULES, constitutions(ligands))
    for text in (*network.warnings, *network.notes):
        log.info("%s", text)
    result.seed = seed
    result.figures |= {
        "ligands": len(ligands), "edges": len(network.edges), "to_be_run": [str(edge) for edge in fresh],
        "difficulty": network.difficulty, "notes": list(network.notes), "warnings": list(network.warnings),
    }  # fmt: skip
    return network


def _remembered(state: Path | None) -> Network | None:
    path = None if state is None else state / NETWORK
    return read_network(path, whole=False) if path is not None and path.exists() else None


def _ends_of(record: Path) -> tuple[str, str]:
    content = read_json(record)
    with as_written(record, "`analysis transformation`"):
        ligand_a, ligand_b = map(str, content["ligands"])
        return ligand_a, ligand_b


def _around_what_is_lost(
    before: Network,
    records: Sequence[Path],
    settings: Relative,
    comparison: Comparison,
    remembered: Network | None,
) -> tuple[Network, tuple[Edge, ...]]:
    """Plan around edges without a record; what is new, or was when it was planned around before, comes second."""
    done = {_ends_of(path / "record.json") for path in records}
    lost = [edge for edge in before.edges if (edge.ligand_a, edge.ligand_b) not in done]
    if kind_of(settings.network) is None:
        lately = [edge for edge in lost if not edge.cause]
        why = tuple(f"{edge} is lost, and the network is as it was given" for edge in lately)
        return replace(before, warnings=(*before.warnings, *why)), ()
    known, candidates = {edge.pair: edge for edge in before.edges}, comparison.candidates()
    more = _made_up_for(before, remembered, candidates)
    if not lost and not more:
        return before, ()
    gone = set(before.ligands) - comparison.ligands.keys()
    there = replace(before, edges=(*before.edges, *more))
    hub = settings.hub if settings.hub in comparison.ligands else None
    again = replan(there, candidates, lost_edges=[edge.pair for edge in lost], lost_ligands=gone, hub=hub)
    fresh = tuple(comparison.edge(e.ligand_a, e.ligand_b) for e in again.edges if e.pair not in known)
    text = tuple(f"{edge} is lost" for edge in lost)
    network = replace(again, edges=(*before.edges, *fresh), warnings=(*text, *again.warnings))
    return _told_of_maps(network, comparison), fresh


def _made_up_for(before: Network, remembered: Network | None, candidates: Candidates) -> list[Edge]:
    """Edges that took the place of others in an earlier run: they stay, whether or not those come through by now."""
    if remembered is None or remembered.kind != before.kind:
        return []
    known = {edge.pair for edge in before.edges}
    return [e for e in remembered.edges if e.pair not in known and e.pair in candidates.difficulty]


def _told(edge: Edge, comparison: Comparison) -> dict[str, Any]:
    """Content of ``edge.json``."""
    whole = comparison.wholes.get(edge.pair)
    found = whole or comparison.scores[edge.pair]
    notes = [f"dual topology: {comparison.why_whole(edge.pair)}"]
    if whole is None:
        notes = list(comparison.maps[edge.pair].notes)
    if (why := comparison.replaced.get(edge.pair)) is not None:
        notes.append(why)
    return {
        "name": str(edge),
        "ligand_a": edge.ligand_a,
        "ligand_b": edge.ligand_b,
        "topology": edge.topology,
        "pairs": [list(pair) for pair in edge.atoms or ()],
        "difficulty": found.difficulty,
        "parts": found.parts,
        "figures": found.figures,
        "notes": notes,
    }


@dataclass(frozen=True)
class PlannedEdge:
    """An edge as its folder tells.

    Attributes
    ----------
    name
        ``a~b``.
    ligand_a, ligand_b
        From which ligand to which.
    pairs
        Atoms that correspond, 0-based.
    dual
        Whether none do, and both ligands are there as a whole.
    difficulty
        Of this map; None where it is not known.
    notes
        What is to be known of how its atoms were found.
    """

    name: str
    ligand_a: str
    ligand_b: str
    pairs: tuple[tuple[int, int], ...]
    dual: bool = False
    difficulty: float | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def read(cls, folder: Path) -> PlannedEdge:
        """Read ``edge.json``.

        Parameters
        ----------
        folder
            Of the edge.

        Returns
        -------
        PlannedEdge
            As it was planned.

        Raises
        ------
        InputError
            Where there is none, or it is of another form.
        """
        path = Path(folder) / EDGE
        try:
            content = read_json(path)
            pairs = tuple((int(i), int(j)) for i, j in content["pairs"])
            name, a, b = (str(content[key]) for key in ("name", "ligand_a", "ligand_b"))
            difficulty = None if content.get("difficulty") is None else float(content["difficulty"])
            notes = tuple(map(str, content.get("notes", ())))
            return cls(name, a, b, pairs, content.get("topology", "hybrid") == "dual", difficulty, notes)
        except (StateError, OSError, KeyError, TypeError, ValueError) as error:
            right = "a folder edges/<edge> of `gibbsflow network edges`"
            raise InputError(Problem(str(path), f"not usable ({error})", right, field="--edge")) from error


def prepare_legs_of(
    system: SimSystem, partner: Path | None, edge: Path | None, config: BindingConfig, out: Path, result: Result
) -> SimSystem:
    """Write the legs of a ligand, or of a planned edge: ``fe prepare``.

    Parameters
    ----------
    system
        As left by ``equil analyse``; of an edge, the ligand that it begins with.
    partner
        Folder of the system that an edge ends with, and
    edge
        of the edge; None for a ligand alone.
    config
        Sections `fe` and `run`.
    out
        Folder of the system that is returned.
    result
        Filled with what the legs are.

    Returns
    -------
    SimSystem
        With its legs.

    Raises
    ------
    InputError
        For one of the two folders alone, an edge of other ligands, and as
        :func:`~gibbsflow.binding.alchemy.prepare_fe.prepare_legs` and
        :func:`~gibbsflow.binding.alchemy.hybrid.edge_legs.prepare_edge` do.
    """
    if (partner is None) != (edge is None):
        raise InputError(Problem("fe prepare", "one of --partner and --edge", "both, or neither"))
    if partner is None or edge is None:
        return prepare_legs(system, config, out, result)
    planned_edge, other = PlannedEdge.read(edge), SimSystem.read(partner)
    if (system.name, other.name) != (planned_edge.ligand_a, planned_edge.ligand_b):
        what = f"{planned_edge.name}, and the systems are {system.name} and {other.name}"
        raise InputError(Problem(str(edge), what, "--system of its first ligand, --partner of its second"))
    prepared = prepare_edge(
        system,
        other,
        planned_edge.pairs,
        config,
        out,
        result,
        name=planned_edge.name,
        dual=planned_edge.dual,
        difficulty=planned_edge.difficulty,
        notes=planned_edge.notes,
    )
    for role, end in zip(ENDS, (system, other), strict=True):
        target = out / f"{role}.sdf"
        shutil.copyfile(end.path("ligand"), target)
        prepared = prepared.with_artifacts(**{role: target})
    prepared.write()
    return prepared
