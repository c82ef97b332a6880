"""What holds a network together: parts, bridges, blocks without a bridge, and the way between its farthest ligands."""

from __future__ import annotations

from collections.abc import Hashable

import networkx as nx
import numpy as np
from scipy.sparse.csgraph import shortest_path

from gibbsflow.binding.network.design.links import Pair, pair_of
from gibbsflow.units import Floats


def parts(graph: nx.Graph) -> list[tuple[str, ...]]:
    """List the parts of a graph that no edge connects.

    Parameters
    ----------
    graph
        Of names.

    Returns
    -------
    list of tuple of str
        Names of each part in alphabetical order; the largest part first.
    """
    found = [tuple(sorted(part)) for part in nx.connected_components(graph)]
    return sorted(found, key=lambda part: (-len(part), part))


def bridges(graph: nx.Graph) -> list[Pair]:
    """List the edges without which the graph falls apart: no cycle checks them.

    Parameters
    ----------
    graph
        Of names.

    Returns
    -------
    list of tuple of str
        In alphabetical order.
    """
    return sorted(pair_of(*edge) for edge in nx.bridges(graph))


def blocks(graph: nx.Graph) -> dict[str, int]:
    """Number the blocks that hold together without any one edge (2-edge-connected components).

    Parameters
    ----------
    graph
        Of names.

    Returns
    -------
    dict
        Number of the block by name.
    """
    kept = graph.copy()
    kept.remove_edges_from(list(nx.bridges(graph)))
    return {name: number for number, block in enumerate(nx.connected_components(kept)) for name in block}


def block_distances(graph: nx.Graph, block: dict[str, int]) -> dict[Hashable, dict[Hashable, int]]:
    """Count the bridges between any two blocks.

    Parameters
    ----------
    graph
        Of names.
    block
        As :func:`blocks` numbers them.

    Returns
    -------
    dict
        By both numbers; those in other parts of the graph are absent.
    """
    tree = nx.Graph()
    tree.add_nodes_from(block.values())
    tree.add_edges_from((block[a], block[b]) for a, b in nx.bridges(graph))
    return dict(nx.all_pairs_shortest_path_length(tree))


def steps(graph: nx.Graph) -> Floats:
    """Count the edges on the shortest way between any two ligands.

    Parameters
    ----------
    graph
        Of names.

    Returns
    -------
    ndarray
        In the order of its nodes, shape (ligands, ligands); infinite between parts that no edge connects.
    """
    if not graph.number_of_edges():
        return np.where(np.eye(len(graph), dtype=bool), 0.0, np.inf)
    found: Floats = shortest_path(nx.to_scipy_sparse_array(graph, format="csr"), directed=False, unweighted=True)
    return found


def diameter(graph: nx.Graph) -> int:
    """Count the edges between the two ligands that are farthest apart.

    Parameters
    ----------
    graph
        Of names.

    Returns
    -------
    int
        The largest of all parts; 0 without edges.
    """
    found = steps(graph)
    return int(found[np.isfinite(found)].max(initial=0))
