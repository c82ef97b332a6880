"""Faults of a map in words, each by what is wrong with it alone."""

import pytest
from posed_ligands import laid_on, posed

from gibbsflow.binding.prepare.atom_map.atom_maps import AtomMap, MapRules
from gibbsflow.binding.prepare.atom_map.common_core import map_atoms
from gibbsflow.binding.prepare.atom_map.map_faults import faults

TOLUENE = posed("Cc1ccccc1", "toluene")
PICOLINE = laid_on("Cc1ccncc1", TOLUENE, name="picoline")
PENTANE, CYCLOPENTANE = posed("CCCCC", "pentane"), posed("C1CCCC1", "cyclopentane")


def told(pairs, a=TOLUENE, b=TOLUENE, rules=MapRules()):
    return faults(AtomMap(a.GetProp("_Name"), b.GetProp("_Name"), tuple(pairs)), a, b, rules)


def same(*indices):
    return [(i, i) for i in indices]


def test_a_map_without_fault():
    assert told(same(*range(TOLUENE.GetNumAtoms()))) == []
    assert faults(map_atoms(TOLUENE, PICOLINE), TOLUENE, PICOLINE) == []


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ([*same(*range(7)), (40, 7)], ["toluene has 15 atoms (0 to 14), and the map names 40"]),
        ([*same(*range(7)), (-1, 7)], ["toluene has 15 atoms (0 to 14), and the map names -1"]),
        ([*same(*range(7)), (7, 6)], ["C7 of toluene is mapped more than once"]),
        (same(0), ["the common core has 1 heavy atoms, at least 4 are needed"]),
        ([*same(*range(7)), (7, 7), (8, 9)], []),
        ([*same(*range(6)), (6, 7)], ["a hydrogen is mapped on another element", "is broken in", "2 parts"]),
        (same(*range(6)), ["rings are mapped whole or not at all"]),
        ([*same(*range(1, 7)), *same(7)], ["the common core falls into 2 parts: H8 of toluene"]),
    ],
)
def test_what_is_wrong_with_a_map(pairs, words):
    found = told(pairs)
    assert bool(found) == bool(words)
    for text in words:
        assert any(text in line for line in found), (text, found)


def test_a_bond_and_a_ring_that_are_broken():
    (bond,) = told([(0, 0), (1, 1), (2, 2), (3, 3), (4, 4)], CYCLOPENTANE, PENTANE)
    assert bond == "the bond C1-C5 of cyclopentane is broken in pentane (a ring is opened)"
    (reverse,) = told([(0, 0), (1, 1), (2, 2), (3, 3), (4, 4)], PENTANE, CYCLOPENTANE)
    assert reverse == bond, "said of the ligand that has it"


def test_an_element_that_may_not_change():
    found = map_atoms(TOLUENE, PICOLINE)
    (words,) = faults(found, TOLUENE, PICOLINE, MapRules(element_changes=False))
    assert words.startswith("C5 to N") and words.endswith("change their element, which the settings do not allow")


def test_chirality_and_double_bonds():
    r, s = posed("C[C@H](N)c1ccccc1", "r"), posed("C[C@@H](N)c1ccccc1", "s")
    assert told(same(*range(r.GetNumAtoms())), r, s) == ["the chirality at C2 to C2 is inverted"]
    e, z = posed("CC/C=C/CC", "e"), posed(r"CC/C=C\CC", "z")
    assert told(same(*range(e.GetNumAtoms())), e, z) == [
        "the double bond C3=C4 of e is E in one of the ligands and Z in the other"
    ]


def test_a_centre_that_is_made_and_a_hydrogen_that_would_turn_it():
    """Benzylamine to an R amine: of the two hydrogens that may stay, one gives the S amine."""
    a, b = posed("NCc1ccccc1", "a"), posed("N[C@H](C)c1ccccc1", "b")
    back = {0: 0, 1: 1} | {i: i + 1 for i in range(2, 8)}
    two = [n.GetIdx() for n in a.GetAtomWithIdx(1).GetNeighbors() if n.GetSymbol() == "H"]
    (one,) = [n.GetIdx() for n in b.GetAtomWithIdx(1).GetNeighbors() if n.GetSymbol() == "H"]
    wrong = [told([*back.items(), (h, one)], a, b) for h in two]
    assert sorted(map(len, wrong)) == [0, 1]
    assert max(wrong) == ["the chirality at C2 to C2 is inverted"]
