"""A network planned anew when something is lost or added: what there is stays, as little as possible is added."""

from __future__ import annotations

from collections.abc import Iterable

import networkx as nx

from gibbsflow.binding.network.design.links import Candidates, Network, Pair, pair_of
from gibbsflow.binding.network.design.planning import DIAMETER, close, connect, described, shorten, star
from gibbsflow.errors import InputError, Problem, shown


def replan(
    network: Network,
    candidates: Candidates,
    *,
    lost_edges: Iterable[Pair] = (),
    lost_ligands: Iterable[str] = (),
    hub: str | None = None,
    most: int = DIAMETER,
) -> Network:
    """Plan around what is lost, and towards ligands that are new.

    Every edge that is not lost stays as it is, so that nothing that has been run is run again or thrown away. Parts are
    connected by the easiest edges; a ``redundant`` network is then closed as :func:`~.planning.plan` closes one. Edges
    that were lost are not taken again.

    Parameters
    ----------
    network
        What there is.
    candidates
        Edges that could be taken, of all ligands; those of the network and any that are new.
    lost_edges
        Pairs of ligands, in either order.
    lost_ligands
        Ligands that are given up, with all their edges.
    hub
        Centre of a star, for ligands that are new or alone; None for the one that it has.
    most
        Most edges between two ligands, of ``redundant``.

    Returns
    -------
    Network
        Edges that there were first, in their order; then those that are new, in alphabetical order. Its warnings name
        ligands that nothing reaches any more.

    Raises
    ------
    InputError
        For lost edges and ligands that the network does not have, all at once.
    """
    gone, given_up = {pair_of(*pair) for pair in lost_edges}, set(lost_ligands)
    there = {edge.pair for edge in network.edges}
    right = "what the network has"
    problems = [Problem("lost edge", f"{shown('~'.join(p))} is none of its edges", right) for p in sorted(gone - there)]
    strangers = sorted(given_up - set(network.ligands))
    problems += [Problem("lost ligand", f"{shown(name)} is none of its ligands", right) for name in strangers]
    if hub is not None and hub not in {*network.ligands, *candidates.ligands} - given_up:
        problems.append(Problem("hub", f"{shown(hub)} is none of the ligands that are left", "one of them"))
    if problems:
        raise InputError(problems)
    kept = [edge for edge in network.edges if edge.pair not in gone and not given_up & set(edge.pair)]
    fixed = {edge.pair for edge in kept}
    graph = nx.Graph()
    graph.add_nodes_from(sorted({*network.ligands, *candidates.ligands} - given_up))
    graph.add_edges_from(sorted(fixed))
    left, asked = candidates.without(gone, given_up), hub
    if network.kind == "star":
        if hub is None and kept:
            hub = max(sorted(graph), key=graph.degree)
        alone = set(nx.isolates(graph))
        graph.add_edges_from(pair for pair in star(left, hub) if alone & set(pair))
    connect(graph, left)
    if network.kind == "redundant":
        close(graph, left, fixed)
        shorten(graph, left, most, fixed)
    known = {edge.pair: edge for edge in kept}
    new = described(network.kind, graph, left, most=most, known=known, hub=asked)
    fresh = tuple(edge for edge in new.edges if edge.pair not in fixed)
    return Network(new.kind, new.ligands, (*kept, *fresh), new.notes, new.warnings)
