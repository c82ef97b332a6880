"""Sections of a topology: what is read and written again is the same."""

import numpy as np
import solvated_systems as boxes

from gibbsflow.binding.forcefield.given.rebuilt import prmtop_text


def test_a_topology_taken_apart_and_joined_is_the_same():
    text = (boxes.boxes() / "complex.prmtop").read_text()
    found = prmtop_text.split(text)
    assert prmtop_text.joined(found) == text
    assert prmtop_text.words(found["RESIDUE_LABEL"])[:4] == ["ACE", "ALA", "NME", "MOH"]
    assert prmtop_text.ints(found["POINTERS"])[0] == len(prmtop_text.floats(found["CHARGE"]))


def test_sections_are_read_as_they_were_written():
    values = np.array([1.5, -2.25e-9, 1e7, 0.0, 3.0, 7.0])
    np.testing.assert_array_equal(prmtop_text.floats(prmtop_text.section("E", values)), values)
    assert prmtop_text.ints(prmtop_text.section("I", range(23))).tolist() == list(range(23))
    assert prmtop_text.words(prmtop_text.section("a", ["Na+", "WAT", "C1"])) == ["Na+", "WAT", "C1"]
    assert prmtop_text.ints(prmtop_text.section("I", [])).tolist() == []
