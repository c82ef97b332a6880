"""Networks of small total difficulty: a star, a minimum spanning tree, or one in which every edge lies in a cycle.

The last one is what LOMAP asks for (Liu et al., J. Comput.-Aided Mol. Des. 2013, 27, 755): each ligand in a cycle, so
in two edges at least, and no two ligands more than a few edges apart. The cheapest such network is NP-hard to find.
Here a minimum spanning tree is closed by the edges that cover most bridges for their difficulty (greedy tree
augmentation), edges that are no longer needed are taken out, hardest first, and each that is left is exchanged while an
easier one does as well. Nothing is random, and ties go by name: the order of the ligands makes no difference.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Set
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np

from gibbsflow.binding.network.design import connectivity
from gibbsflow.binding.network.design.links import Candidates, Edge, Kind, Network, Pair, pair_of
from gibbsflow.errors import InputError, Problem, first_few, shown

DIAMETER = 6
"""Most edges between two ligands, as in LOMAP."""
_LOOKED_AT = 2000
"""Edges that are weighed against each other where ways shall become shorter, the easiest first."""


def plan(candidates: Candidates, kind: Kind = "redundant", *, hub: str | None = None, most: int = DIAMETER) -> Network:
    """Plan a network.

    Parameters
    ----------
    candidates
        Ligands, and the difficulty of each pair that can be transformed.
    kind
        ``star``: all from one ligand; ``mst``: the tree of least difficulty; ``redundant``: every edge in a cycle.
    hub
        Centre of a star; None for the ligand that gives the easiest one.
    most
        Most edges between two ligands, of ``redundant``.

    Returns
    -------
    Network
        Edges in alphabetical order. Its notes and warnings name edges that are too hard and yet needed, and ligands
        that no edge reaches, or only one.

    Raises
    ------
    InputError
        For fewer than two ligands, or a hub that is none of them.
    """
    if len(candidates.ligands) < 2:
        raise InputError(Problem("ligands", f"{len(candidates.ligands)} of them", "two or more"))
    if hub is not None and hub not in candidates.ligands:
        raise InputError(Problem("hub", f"{shown(hub)} is none of the ligands", "one of them"))
    graph = nx.Graph()
    graph.add_nodes_from(candidates.ligands)
    if kind == "star":
        graph.add_edges_from(star(candidates, hub))
    connect(graph, candidates)
    if kind == "redundant":
        close(graph, candidates, set())
        shorten(graph, candidates, most, set())
    return described(kind, graph, candidates, most=most, hub=hub)


def unconnected(network: Network, ligands: Path | None, difficulties: Path | None) -> InputError:
    """Say that no possible edge connects all ligands, and what would.

    Parameters
    ----------
    network
        As planned, in several parts.
    ligands, difficulties
        What it was planned from.

    Returns
    -------
    InputError
        To be raised.
    """
    right = "difficulties of pairs between them"
    if difficulties is None:
        right = "a ligand with four or more heavy atoms in common with two parts, in its pose where others are "
        right += "(whole ligands are exchanged up to 5 Å apart); or a network of each part alone"
    return InputError(Problem(str(ligands or difficulties), network.warnings[0], right))


def connect(graph: nx.Graph, candidates: Candidates) -> list[Pair]:
    """Connect the parts of a network by the easiest edges (Kruskal's algorithm), too hard ones only where need be.

    Parameters
    ----------
    graph
        Changed in place.
    candidates
        Edges to choose from.

    Returns
    -------
    list of tuple of str
        What was added.
    """
    part = {name: number for number, names in enumerate(nx.connected_components(graph)) for name in names}
    added = []
    for a, b in (*candidates.ranked(), *candidates.ranked(hard=True)):
        if (old := part[a]) != (new := part[b]):
            part = {name: new if number == old else number for name, number in part.items()}
            graph.add_edge(a, b)
            added.append((a, b))
    return added


def close(graph: nx.Graph, candidates: Candidates, fixed: Set[Pair]) -> None:
    """Close cycles until no ligand hangs on one edge alone, by edges that are too hard only where no other does.

    Parameters
    ----------
    graph
        Changed in place.
    candidates
        Edges to choose from.
    fixed
        Edges that stay in any case.
    """
    for free in (candidates.ranked(), candidates.ranked(hard=True)):
        while closing := _closing(graph, candidates, free):
            graph.add_edge(*closing)
    while _improve(graph, candidates, candidates.ranked(hard=True), fixed):
        pass


def _closing(graph: nx.Graph, candidates: Candidates, free: tuple[Pair, ...]) -> Pair | None:
    """Find the edge that covers most bridges for its difficulty."""
    block = connectivity.blocks(graph)
    between = connectivity.block_distances(graph, block)
    covering = ((pair, between[block[pair[0]]].get(block[pair[1]], 0)) for pair in free if not graph.has_edge(*pair))
    worth = [(candidates.difficulty[pair] / covered, -covered, pair) for pair, covered in covering if covered]
    return min(worth)[2] if worth else None


def _improve(graph: nx.Graph, candidates: Candidates, free: tuple[Pair, ...], fixed: Set[Pair]) -> bool:
    """Take out, or exchange for an easier one, each edge of which that can be said; tell whether there was one."""
    worth = candidates.difficulty
    own = [pair for edge in graph.edges if (pair := pair_of(*edge)) not in fixed and pair in worth]
    before, changed = len(connectivity.bridges(graph)), False
    for pair in sorted(own, key=lambda pair: (-worth[pair], pair)):
        graph.remove_edge(*pair)
        block = connectivity.blocks(graph)
        if len(connectivity.bridges(graph)) == before and nx.has_path(graph, *pair):
            changed = True
            continue
        # without it, a row of blocks lies between its ligands: one edge from the first to the last closes it again
        ends = {block[pair[0]], block[pair[1]]}
        easier = free[: bisect_left(free, worth[pair], key=worth.__getitem__)]
        instead = next((p for p in easier if {block[p[0]], block[p[1]]} == ends and not graph.has_edge(*p)), None)
        bridge = not nx.has_path(graph, *pair)
        changed |= instead is not None and not bridge
        graph.add_edge(*(pair if instead is None or bridge else instead))
    return changed


def shorten(graph: nx.Graph, candidates: Candidates, most: int, fixed: Set[Pair]) -> None:
    """Add edges until no two ligands of a part are more than so many edges apart; take out what then has no use.

    Parameters
    ----------
    graph
        Changed in place.
    candidates
        Edges to choose from, those that are too hard left out.
    most
        Edges between two ligands.
    fixed
        Edges that stay in any case.
    """
    before = graph.number_of_edges()
    while (pair := _shortcut(graph, candidates, most)) is not None:
        graph.add_edge(*pair)
    if graph.number_of_edges() == before:
        return
    loose, width = len(connectivity.bridges(graph)), max(most, connectivity.diameter(graph))
    own = [pair for edge in graph.edges if (pair := pair_of(*edge)) not in fixed and pair in candidates.difficulty]
    for pair in sorted(own, key=lambda pair: (-candidates.difficulty[pair], pair)):
        graph.remove_edge(*pair)
        if (
            not nx.has_path(graph, *pair)
            or len(connectivity.bridges(graph)) > loose
            or connectivity.diameter(graph) > width
        ):
            graph.add_edge(*pair)


def _shortcut(graph: nx.Graph, candidates: Candidates, most: int) -> Pair | None:
    """Find the edge that gains most, for its difficulty, where ligands are too far apart; None where none does."""
    place = {name: number for number, name in enumerate(graph)}
    apart = connectivity.steps(graph)
    over = np.triu(np.isfinite(apart) & (apart > most)).nonzero()
    far = [pair for pair in candidates.ranked() if 2 < apart[place[pair[0]], place[pair[1]]] < np.inf]
    for start in range(0, len(far) if over[0].size else 0, _LOOKED_AT):
        worth = []
        for a, b in far[start : start + _LOOKED_AT]:
            from_a, from_b = apart[place[a]], apart[place[b]]
            by_way = 1 + np.minimum(from_a[over[0]] + from_b[over[1]], from_b[over[0]] + from_a[over[1]])
            if gain := (apart[over] - np.maximum(np.minimum(apart[over], by_way), most)).sum():
                worth.append((candidates.difficulty[a, b] / gain, (a, b)))
        if worth:
            return min(worth)[1]
    return None


def described(
    kind: str,
    graph: nx.Graph,
    candidates: Candidates,
    *,
    most: int = DIAMETER,
    known: dict[Pair, Edge] | None = None,
    hub: str | None = None,
) -> Network:
    """Make a network of a graph, and say what is not as one would expect.

    Parameters
    ----------
    kind
        Of the network.
    graph
        Its ligands and edges.
    candidates
        Difficulties, and from where on an edge is too hard.
    most
        Most edges between two ligands, of ``redundant``.
    known
        Edges that are taken over as they are.
    hub
        Centre that a star was asked to have.

    Returns
    -------
    Network
        Edges in alphabetical order.
    """
    pairs = sorted(pair_of(*edge) for edge in graph.edges)
    edges = [(known or {}).get(pair) or Edge(*pair, candidates.difficulty.get(pair)) for pair in pairs]
    notes, warnings = [], []
    found = connectivity.parts(graph)
    if len(found) > 1:
        listed = "; ".join(first_few(part) for part in found)
        warnings.append(f"{len(found)} parts that no possible edge connects, so each has a scale of its own: {listed}")
    hard = [f"{edge} ({edge.difficulty:.2f})" for edge in edges if (edge.difficulty or 0) >= candidates.hardest]
    if hard:
        text = (
            f"difficulty {candidates.hardest:g} or more, and nothing easier connects their ligands or closes a cycle: "
        )
        warnings.append(text + ", ".join(hard))
    if kind == "star" and hub is not None and (far := [name for name in graph if name not in {hub, *graph[hub]}]):
        warnings.append(f"not from {hub}, the hub, since easier from elsewhere or by no other edge: {first_few(far)}")
    if kind == "redundant" and (loose := connectivity.bridges(graph)) and len(candidates.ligands) > 2:
        text = "no cycle checks these edges, as no other possible edge closes one: "
        notes.append(text + ", ".join("~".join(pair) for pair in loose))
    if kind == "redundant" and (width := connectivity.diameter(graph)) > most:
        notes.append(f"{width} edges between the two ligands farthest apart; {most} cannot be reached")
    centre = [name for name in graph if kind == "star" and graph.degree[name] > 1]
    if len(centre) > 1:
        notes.append(f"no ligand is easily transformed into all others: {', '.join(centre)} have several edges")
    return Network(kind, tuple(graph), tuple(edges), tuple(notes), tuple(warnings))


def star(candidates: Candidates, hub: str | None = None) -> list[Pair]:
    """List the edges of the easiest star: the one that reaches most ligands without a hard edge, then the easiest.

    Parameters
    ----------
    candidates
        Edges to choose from, those that are too hard left out.
    hub
        Its centre; None for the best.

    Returns
    -------
    list of tuple of str
        The easiest first.
    """
    easy = candidates.ranked()

    def _worth(name: str) -> tuple[int, float, str]:
        own = [pair for pair in easy if name in pair]
        return -len(own), sum(candidates.difficulty[pair] for pair in own), name

    centre = hub if hub is not None else min(candidates.ligands, key=_worth)
    return [pair for pair in easy if centre in pair]


def figures(network: Network) -> dict[str, Any]:
    """Figures of a plan, for ``result.json``.

    Parameters
    ----------
    network
        The plan.

    Returns
    -------
    dict
        What it is made of, how hard it is, and what is to be said of it.
    """
    graph = network.graph
    return {
        "network": network.kind,
        "ligands": len(network.ligands),
        "edges": len(network.edges),
        "difficulty": network.difficulty,
        "diameter": connectivity.diameter(graph),
        "parts": len(connectivity.parts(graph)),
        "independent_cycles": len(network.edges) - len(network.ligands) + len(connectivity.parts(graph)),
        "unchecked_edges": ["~".join(pair) for pair in connectivity.bridges(graph)],
        "notes": list(network.notes),
        "warnings": list(network.warnings),
    }


def text(network: Network) -> str:
    """Lay a plan out for a terminal.

    Parameters
    ----------
    network
        The plan.

    Returns
    -------
    str
        A line an edge, then what is to be said of it.
    """
    longest = max((len(str(edge)) for edge in network.edges), default=0)
    lines = [
        f"{edge!s:{longest}}" + ("" if edge.difficulty is None else f"  {edge.difficulty:.2f}")
        for edge in network.edges
    ]
    told = figures(network)
    head = f"{told['network']}: {told['ligands']} ligands, {told['edges']} edges, {told['independent_cycles']} cycles"
    head += "" if told["difficulty"] is None else f", total difficulty {told['difficulty']:.2f}"
    lines.append(f"{head}, at most {told['diameter']} edges between two ligands")
    return "\n".join([*lines, *network.notes, *(f"warning: {said}" for said in network.warnings)])
