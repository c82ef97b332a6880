"""Plans: small total difficulty, every edge in a cycle, the same whatever the order of the ligands."""

from __future__ import annotations

import itertools
import random

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import ligand_names, scattered

from gibbsflow.binding.network.design import connectivity
from gibbsflow.binding.network.design.links import Candidates, candidates_from
from gibbsflow.binding.network.design.planning import figures, plan, text
from gibbsflow.errors import InputError

TABLES = st.integers(3, 9).flatmap(
    lambda n: st.lists(st.integers(0, 100), min_size=n * (n - 1) // 2, max_size=n * (n - 1) // 2).map(
        lambda values: Candidates(
            tuple(ligand_names(n)),
            {pair: v / 100 for pair, v in zip(itertools.combinations(ligand_names(n), 2), values, strict=True)},
        )
    )
)


@settings(max_examples=15, deadline=None)
@given(TABLES)
def test_redundant_networks(candidates: Candidates) -> None:
    network = plan(candidates)
    graph = network.graph
    assert nx.is_connected(graph) and not connectivity.bridges(graph)
    assert min(dict(graph.degree).values()) >= 2
    assert connectivity.diameter(graph) <= 6
    # no edge is there for nothing
    for edge in graph.edges if connectivity.diameter(graph) < 6 else ():
        less = graph.copy()
        less.remove_edge(*edge)
        assert connectivity.bridges(less)
    tree, star = plan(candidates, "mst"), plan(candidates, "star")
    assert len(tree.edges) == len(candidates.ligands) - 1 == len(star.edges)
    known = nx.Graph()
    known.add_weighted_edges_from((a, b, d) for (a, b), d in candidates.difficulty.items())
    weighed = [(d["weight"] >= 0.8, d["weight"]) for _, _, d in nx.minimum_spanning_edges(known)]
    assert tree.difficulty == pytest.approx(sum(weight for _, weight in weighed))
    assert (tree.difficulty or 0) <= (star.difficulty or 0) + 1e-9


@pytest.mark.parametrize("seed", range(2))
def test_near_the_easiest_that_there_is(seed: int) -> None:
    candidates = scattered(5, seed, hardest=1.01)
    best = min(
        sum(candidates.difficulty[pair] for pair in some)
        for count in range(5, 8)
        for some in itertools.combinations(candidates.ranked(), count)
        if nx.is_connected(graph := nx.Graph(list(some))) and len(graph) == 5 and not connectivity.bridges(graph)
    )
    assert best - 1e-9 <= (plan(candidates).difficulty or 0) <= 1.3 * best


@pytest.mark.parametrize("kind", ["star", "mst", "redundant"])
def test_order_makes_no_difference(kind) -> None:
    known = scattered(14, 3)
    names, pairs = list(known.ligands), list(known.difficulty.items())
    random.Random(1).shuffle(names)
    random.Random(2).shuffle(pairs)
    assert plan(Candidates(tuple(names), dict(pairs)), kind).edges == plan(known, kind).edges


def test_star_has_the_best_centre_or_the_one_asked_for() -> None:
    candidates = scattered(8, 4, hardest=1.01)
    total = {name: sum(d for pair, d in candidates.difficulty.items() if name in pair) for name in candidates.ligands}
    star = plan(candidates, "star")
    assert star.difficulty == pytest.approx(min(total.values()))
    assert all("L03" in edge.pair for edge in plan(candidates, "star", hub="L03").edges)


def test_a_star_of_edges_that_are_all_hard_is_one() -> None:
    hard = scattered(6, 4, hardest=0.0)
    assert all("L03" in edge.pair for edge in plan(hard, "star", hub="L03").edges)
    assert connectivity.diameter(plan(hard, "star").graph) == 2
    table = {("a", "b"): 0.1, ("a", "c"): 0.2, ("b", "c"): 0.3, ("a", "d"): 0.9, ("b", "d"): 0.95, ("c", "d"): 0.95}
    told = plan(Candidates(("a", "b", "c", "d"), table), "star", hub="d").warnings
    assert told[-1] == "not from d, the hub, since easier from elsewhere or by no other edge: b, c"


def test_ways_are_kept_short() -> None:
    ring = candidates_from(ligand_names(16), lambda a, b: 0.1 if (int(a[1:]) - int(b[1:])) % 16 in (1, 15) else 0.7)
    assert connectivity.diameter(plan(ring, most=16).graph) == 8  # the ring itself
    short = plan(ring, most=5)
    assert connectivity.diameter(short.graph) <= 5 and len(short.edges) <= 20


def test_hard_edges_are_the_last_choice_and_said() -> None:
    table = {("a", "b"): 0.1, ("b", "c"): 0.2, ("a", "c"): 0.3, ("c", "d"): 0.95, ("b", "d"): 0.9}
    network = plan(Candidates(("a", "b", "c", "d"), table))
    assert len(network.edges) == 4 or len(network.edges) == 5
    assert "difficulty 0.8 or more" in network.warnings[0] and "b~d (0.90)" in network.warnings[0]
    del table["b", "d"]
    loose = plan(Candidates(("a", "b", "c", "d"), table))
    assert "no cycle checks these edges" in loose.notes[0] and "c~d" in loose.notes[0]
    easy = plan(Candidates(("a", "b", "c", "d"), table).without([], ["d"]))
    assert not easy.notes and not easy.warnings and "a~c" in text(easy)


def test_parts_that_nothing_connects() -> None:
    network = plan(Candidates(("a", "b", "c", "x"), {("a", "b"): 0.1, ("b", "c"): 0.1}))
    assert "2 parts" in network.warnings[0] and figures(network)["parts"] == 2
    assert len(network.edges) == 2


def test_what_cannot_be_planned() -> None:
    with pytest.raises(InputError, match="two or more"):
        plan(Candidates(("a",), {}))
    with pytest.raises(InputError, match="'z' is none of the ligands"):
        plan(scattered(4, 1), "star", hub="z")
