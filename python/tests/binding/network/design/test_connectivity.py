"""What holds a network together."""

from __future__ import annotations

import networkx as nx
import numpy as np

from gibbsflow.binding.network.design import connectivity

GRAPH = nx.Graph(["ab", "bc", "ca", "cd", "de", "ef", "fd"])
GRAPH.add_node("x")


def test_parts_bridges_and_blocks() -> None:
    assert connectivity.parts(GRAPH) == [tuple("abcdef"), ("x",)]
    assert connectivity.bridges(GRAPH) == [("c", "d")]
    block = connectivity.blocks(GRAPH)
    assert block["a"] == block["b"] == block["c"] != block["d"] == block["e"] == block["f"]
    between = connectivity.block_distances(GRAPH, block)
    assert between[block["a"]][block["f"]] == 1 and block["x"] not in between[block["a"]]


def test_steps_and_diameter() -> None:
    steps = connectivity.steps(GRAPH)
    order = list(GRAPH)
    assert steps[order.index("a"), order.index("f")] == 3 == connectivity.diameter(GRAPH)
    assert np.isinf(steps[order.index("a"), order.index("x")])
    lonely = nx.Graph()
    lonely.add_nodes_from("ab")
    assert connectivity.diameter(lonely) == 0 and np.isinf(connectivity.steps(lonely)[0, 1])
