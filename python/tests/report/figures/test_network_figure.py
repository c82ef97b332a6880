"""The drawn network: the same for the same network, with what is doubtful in its colour."""

from __future__ import annotations

import random
from xml.etree import ElementTree

import pytest

from gibbsflow.report.figures.network_figure import Line, Loop, Node, draw_network, layout
from gibbsflow.report.figures.svg import svg_file

NODES = [Node("a", "−8.10", "PASS"), Node("b<c>", "", "FAIL"), Node("c", "-7", "WARN"), Node("alone")]
LINES = [
    Line("a", "c", "1.10±0.20", "a → c", "WARN"),
    Line("b<c>", "a", "", "", "FAIL", dashed=True),
    Line("c", "b<c>"),
]
LOOPS = [Loop(("a", "b<c>", "c"), 0.42, 2.9, doubtful=True), Loop(("a", "c", "b<c>"), -0.1, -0.2)]


def test_drawn() -> None:
    svg = draw_network(NODES, LINES, LOOPS)
    root = ElementTree.fromstring(svg_file(svg))
    words = ["".join(element.itertext()) for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"a", "b<c>", "alone", "1.10±0.20", "↻ 0.42 (z 2.9)", "↻ −0.1 (z −0.2)"} <= set(words)
    assert svg.count("stroke-dasharray") == 1 and "fill:var(--warn)" in svg and "4 ligands, 3 edges, 2 cycles" in svg


def test_order_makes_no_difference() -> None:
    names = [f"n{k}" for k in range(12)]
    edges = [(names[k], names[(k + 1) % 12]) for k in range(12)] + [("n0", "n6"), ("n2", "n9")]
    plain = layout(names, edges)
    random.Random(1).shuffle(names)
    random.Random(2).shuffle(edges)
    assert layout(names, [(b, a) for a, b in edges]) == plain


@pytest.mark.parametrize("count", [1, 2, 70])
def test_every_ligand_is_within_the_picture(count: int) -> None:
    names = [f"n{k}" for k in range(count)]
    places, width, height = layout([*names, "far"], [(names[k], names[k // 2]) for k in range(1, count)])
    assert len(set(places.values())) == count + 1
    assert all(0 < x < width and 0 < y < height for x, y in places.values())
