"""The drawing of a map: mapped atoms numbered alike on both sides, the page's colours, what changes in words."""

import re
from xml.etree import ElementTree

from posed_ligands import laid_on, posed

from gibbsflow.binding.prepare.atom_map.atom_maps import AtomMap
from gibbsflow.binding.prepare.atom_map.common_core import map_atoms
from gibbsflow.report.figures.atom_map_figure import PANEL, draw_atom_map
from gibbsflow.report.figures.svg import svg_file


def test_both_sides_have_the_same_numbers():
    a = posed("CCc1ccccc1", "ethyl <b>")
    b = laid_on("Cc1ccncc1", a, name="picoline")
    found = map_atoms(a, b)
    svg = draw_atom_map(found, a, b)
    ElementTree.fromstring(svg)
    panels = svg.split("<g transform")[1:]
    numbers = ["".join(re.findall(r">([0-9])</text>", panel)) for panel in panels]
    assert sorted(numbers[0]) == sorted(numbers[1]) == list("1234567")
    assert "ethyl &lt;b&gt;: 5 atoms vanish" in svg and "picoline: 1 atom appears" in svg
    assert [panel.count("var(--s0)") for panel in panels] == [6, 6], "mapped"
    assert [panel.count("var(--warn)") for panel in panels] == [1, 1], "the element that changes"
    assert panels[0].count("var(--fail)") >= 1 and panels[1].count("var(--fail)") == 1
    assert f"translate({PANEL} 0)" in svg and len(svg) < 40_000
    assert "#FF0000" not in svg and "#000000" not in svg and "<style>" in svg_file(svg)


def test_two_whole_ligands_are_drawn_beside_each_other():
    a, b = posed("CCc1ccccc1", "one"), posed("NCCO", "other")
    svg = draw_atom_map(AtomMap("one", "other", ()), a, b)
    ElementTree.fromstring(svg)
    panels = svg.split("<g transform")[1:]
    assert [panel.count("var(--fail)") for panel in panels] == [8, 4] and "0 heavy atoms mapped" in svg
    assert "one: 18 atoms vanish" in svg and "other: 11 atoms appear" in svg
