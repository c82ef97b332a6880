"""Edges, networks and candidates."""

from __future__ import annotations

import pytest

from gibbsflow.binding.network.design.links import Candidates, Edge, Network, candidates_from, pair_of


def test_pairs_and_networks() -> None:
    assert pair_of("b", "a") == pair_of("a", "b") == Edge("b", "a").pair == ("a", "b")
    network = Network("file", ("a", "b", "c"), (Edge("b", "a", 0.25), Edge("b", "c", 0.5, ((0, 1),))))
    assert network.difficulty == 0.75 and list(network.graph.edges) == [("a", "b"), ("b", "c")]
    assert network.as_dict()["edges"][1] == {"ligand_a": "b", "ligand_b": "c", "difficulty": 0.5, "atoms": [[0, 1]]}
    assert Network("file", ("a", "b"), (Edge("a", "b"),)).difficulty is None


def test_candidates_are_ranked_and_cut() -> None:
    found = candidates_from(["c", "a", "b", "d"], lambda a, b: {"ab": 0.9, "ac": 0.1, "bc": 0.1, "cd": None}.get(a + b))
    assert found.ligands == ("a", "b", "c", "d") and set(found.difficulty) == {("a", "b"), ("a", "c"), ("b", "c")}
    assert found.ranked() == (("a", "c"), ("b", "c"))
    assert found.ranked(hard=True)[-1] == ("a", "b")
    left = found.without([("a", "c")], ["d"])
    assert left.ligands == ("a", "b", "c") and left.ranked() == (("b", "c"),)
    assert Candidates(("b", "a"), {}).ligands == ("a", "b")
    with pytest.raises(ValueError, match=r"no ligand: \['x'\]"):
        Candidates(("a",), {("a", "x"): 0.1})
