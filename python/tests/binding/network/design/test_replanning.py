"""Planned anew: what there is stays, and no ligand drops off while another way exists."""

from __future__ import annotations

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import scattered

from gibbsflow.binding.network.design import connectivity
from gibbsflow.binding.network.design.links import Candidates, Network
from gibbsflow.binding.network.design.planning import plan
from gibbsflow.binding.network.design.replanning import replan
from gibbsflow.errors import InputError


@settings(max_examples=12, deadline=None)
@given(
    st.integers(4, 12), st.integers(0, 999), st.sampled_from(["star", "mst", "redundant"]), st.integers(1, 3), st.data()
)
def test_lost_edges(count: int, seed: int, kind, losses: int, data) -> None:
    candidates = scattered(count, seed)
    before = plan(candidates, kind)
    lost = data.draw(st.lists(st.sampled_from(before.edges), min_size=1, max_size=losses, unique=True))
    pairs = [(edge.ligand_b, edge.ligand_a) for edge in lost]
    after = replan(before, candidates, lost_edges=pairs)
    kept = [edge for edge in before.edges if edge not in lost]
    assert list(after.edges[: len(kept)]) == kept
    assert not {edge.pair for edge in lost} & {edge.pair for edge in after.edges}
    possible = nx.Graph(list(candidates.without(edge.pair for edge in lost).difficulty))
    possible.add_nodes_from(candidates.ligands)
    assert nx.number_connected_components(after.graph) == nx.number_connected_components(possible)
    if kind == "redundant":
        assert connectivity.bridges(after.graph) == connectivity.bridges(possible)
    else:
        assert len(after.edges) - len(kept) <= len(lost)  # no more than was lost


def test_a_ligand_that_is_lost() -> None:
    candidates = scattered(10, 1)
    before = plan(candidates)
    after = replan(before, candidates, lost_ligands=["L03"])
    assert "L03" not in after.ligands and not any("L03" in edge.pair for edge in after.edges)
    assert nx.is_connected(after.graph) and not connectivity.bridges(after.graph)
    easy = scattered(10, 1, hardest=1.01)
    hub = max(before.ligands, key=plan(easy, "star").graph.degree)
    star = replan(plan(easy, "star"), easy, lost_ligands=[hub])
    assert nx.is_connected(star.graph) and max(dict(star.graph.degree).values()) == len(star.ligands) - 1 == 8


def test_new_ligands_get_new_edges_only() -> None:
    everyone = scattered(12, 5)
    first = everyone.without([], ["L10", "L11"])
    for kind in ("star", "mst", "redundant"):
        before = plan(first, kind)
        after = replan(before, everyone)
        fresh = after.edges[len(before.edges) :]
        assert after.edges[: len(before.edges)] == before.edges
        assert all({"L10", "L11"} & set(edge.pair) for edge in fresh) and nx.is_connected(after.graph)
        assert len(fresh) == 2 if kind != "redundant" else not connectivity.bridges(after.graph)


def test_nothing_lost_nothing_new() -> None:
    candidates = scattered(9, 2)
    before = plan(candidates)
    assert replan(before, candidates).edges == before.edges


def test_a_ligand_without_another_way_is_named() -> None:
    table = {("a", "b"): 0.1, ("b", "c"): 0.1, ("a", "c"): 0.1, ("c", "d"): 0.1}
    candidates = Candidates(("a", "b", "c", "d"), table)
    after = replan(plan(candidates), candidates, lost_edges=[("c", "d")])
    assert "2 parts" in after.warnings[0] and after.warnings[0].endswith("a, b, c; d")


def test_what_was_never_there() -> None:
    network = Network("mst", ("a", "b"), ())
    with pytest.raises(InputError, match="2 problems") as caught:
        replan(network, Candidates(("a", "b"), {}), lost_edges=[("b", "a")], lost_ligands=["x"])
    assert "'a~b' is none of its edges" in str(caught.value) and "'x' is none of its ligands" in str(caught.value)
