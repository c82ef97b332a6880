"""A network of ligands, drawn: its edges with their values and verdicts, and how its cycles close."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import networkx as nx
import numpy as np

from gibbsflow.report.figures.svg import svg_element, tick_text

_CAREFUL = 60
"""Ligands up to which distances are laid out as the network has them, which takes their cube."""
_LABELLED_EDGES = 60
_LABELLED_CYCLES = 24
_WIDE, _MARGIN = 140.0, 70.0
_LABEL = (90.0, 12.0)
"""Pixels that a label of a cycle takes."""
_LEGEND = (("pass", "PASS"), ("warn", "WARN"), ("fail", "FAIL"), ("muted", "no verdict"))


@dataclass(frozen=True)
class Node:
    """A ligand.

    Attributes
    ----------
    name
        Of the ligand.
    text
        Below its name.
    verdict
        ``PASS``, ``WARN``, ``FAIL`` or empty.
    """

    name: str
    text: str = ""
    verdict: str = ""


@dataclass(frozen=True)
class Line:
    """An edge.

    Attributes
    ----------
    ligand_a, ligand_b
        From which to which.
    text
        At its middle.
    tip
        Shown when it is pointed at.
    verdict
        As of :class:`Node`.
    dashed
        Whether ligands do not rest on it.
    """

    ligand_a: str
    ligand_b: str
    text: str = ""
    tip: str = ""
    verdict: str = ""
    dashed: bool = False


@dataclass(frozen=True)
class Loop:
    """A cycle.

    Attributes
    ----------
    ligands
        Around it.
    closure, z
        What its ΔΔG add up to, kcal/mol, and that in units of its error.
    doubtful
        Whether it does not close.
    """

    ligands: tuple[str, ...]
    closure: float
    z: float
    doubtful: bool = False


def draw_network(nodes: Sequence[Node], lines: Sequence[Line], loops: Sequence[Loop] = ()) -> str:
    """Draw a network; the same network is always drawn alike, whatever the order of its parts.

    Parameters
    ----------
    nodes, lines, loops
        Ligands, edges and cycles.

    Returns
    -------
    str
        SVG.
    """
    where, width, height = layout([node.name for node in nodes], [(line.ligand_a, line.ligand_b) for line in lines])
    drawn = [_line(line, where, len(lines) <= _LABELLED_EDGES) for line in lines]
    if len(loops) <= _LABELLED_CYCLES:
        taken: list[tuple[float, float]] = []
        drawn += [_loop(loop, where, taken) for loop in loops]
    drawn += [_node(node, *where[node.name]) for node in nodes]
    x = 12.0
    for colour, word in _LEGEND:
        drawn.append(f'<circle class="dot" style="fill:var(--{colour})" cx="{x:.1f}" cy="14" r="4"/>')
        drawn.append(f'<text x="{x + 8:.1f}" y="18">{word}</text>')
        x += 34 + 6.5 * len(word)
    title = f"Network of {len(nodes)} ligands, {len(lines)} edges, {len(loops)} cycles"
    return svg_element("".join(drawn), width, height, title)


def layout(
    names: Sequence[str], edges: Sequence[tuple[str, str]]
) -> tuple[dict[str, tuple[float, float]], float, float]:
    """Find a place for each ligand.

    Distances are those of the network (Kamada and Kawai) or, of many ligands, by springs from a fixed start; parts that
    no edge connects lie side by side.

    Parameters
    ----------
    names, edges
        Of the ligands and their edges.

    Returns
    -------
    places
        Pixels from the left and top, by name.
    width, height
        Of the picture.
    """
    graph = nx.Graph()
    graph.add_nodes_from(sorted(names))
    graph.add_edges_from(sorted((min(edge), max(edge)) for edge in edges))
    places: dict[str, tuple[float, float]] = {}
    left, height = 0.0, 2 * _MARGIN + 40
    for part in sorted(map(sorted, nx.connected_components(graph)), key=lambda part: (-len(part), part)):
        own = nx.Graph()  # in this order: a subgraph has one of its own
        own.add_nodes_from(part)
        own.add_edges_from(sorted(tuple(sorted(edge)) for edge in graph.subgraph(part).edges))
        at = nx.kamada_kawai_layout(own) if len(own) <= _CAREFUL else nx.spring_layout(own, seed=1)
        xy = np.array([at[name] for name in part]).reshape(len(part), 2)
        xy = xy - xy.mean(axis=0)
        side = _WIDE * math.sqrt(len(part))
        xy = xy / max(float(np.abs(xy).max()), 1e-9) * side / 2 if len(part) > 1 else xy
        xy = xy - xy.min(axis=0) + [left + _MARGIN, _MARGIN]
        places |= {name: (round(float(x), 1), round(float(y), 1)) for name, (x, y) in zip(part, xy, strict=True)}
        left, height = float(xy[:, 0].max()) + 0.4 * _MARGIN, max(height, float(xy[:, 1].max()) + _MARGIN)
    return places, max(left + 0.6 * _MARGIN, 320.0), height


def _colour(verdict: str) -> str:
    return verdict.lower() or "muted"


def _text(x: float, y: float, words: str, kind: str, colour: str = "") -> str:
    style = f' style="fill:var(--{colour})"' if colour else ""
    return f'<text class="{kind}"{style} x="{x:.1f}" y="{y:.1f}">{escape(words)}</text>'


def _node(node: Node, x: float, y: float) -> str:
    tip = f"<title>{escape(f'{node.name} {node.text} {node.verdict}'.strip())}</title>"
    style = f"fill:var(--panel);stroke:var(--{_colour(node.verdict)})"
    circle = f'<circle class="dot" style="{style}" cx="{x:.1f}" cy="{y:.1f}" r="6">{tip}</circle>'
    return circle + _text(x, y - 10, node.name, "mid strong") + _text(x, y + 18, node.text, "mid small")


def _line(line: Line, where: dict[str, tuple[float, float]], labelled: bool) -> str:
    (ax, ay), (bx, by) = where[line.ligand_a], where[line.ligand_b]
    colour = f"var(--{_colour(line.verdict)})"
    dash = ' stroke-dasharray="5 4"' if line.dashed else ""
    tip = f"<title>{escape(line.tip)}</title>" if line.tip else ""
    parts = [f'<path class="edge" style="stroke:{colour}"{dash} d="M{ax:.1f} {ay:.1f}L{bx:.1f} {by:.1f}">{tip}</path>']
    length = math.hypot(bx - ax, by - ay)
    if length > 30:  # an arrow at the middle
        ux, uy = (bx - ax) / length, (by - ay) / length
        mx, my = (ax + bx) / 2, (ay + by) / 2
        corners = [(mx + 5 * ux, my + 5 * uy), (mx - 4 * ux - 4 * uy, my - 4 * uy + 4 * ux)]
        corners.append((mx - 4 * ux + 4 * uy, my - 4 * uy - 4 * ux))
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in corners)
        parts.append(f'<path style="fill:{colour}" d="M{path}z"/>')
        if labelled and line.text:
            parts.append(_text(mx + 7 * abs(uy), my - 6 * abs(ux), line.text, "small ink" + " mid" * (abs(ux) > 0.5)))
    return "".join(parts)


def _loop(loop: Loop, where: dict[str, tuple[float, float]], taken: list[tuple[float, float]]) -> str:
    """The words of a cycle at its middle, below those that are there already."""
    x, y = map(float, np.mean([where[name] for name in loop.ligands], axis=0))
    while any(abs(x - other) < _LABEL[0] and abs(y - height) < _LABEL[1] for other, height in taken):
        y += _LABEL[1]
    taken.append((x, y))
    words = f"↻ {tick_text(round(loop.closure, 2))} (z {tick_text(round(loop.z, 1))})"
    return _text(x, y, words, "mid small", "warn" if loop.doubtful else "muted")
