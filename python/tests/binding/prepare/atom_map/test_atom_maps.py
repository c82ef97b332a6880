"""A map knows its reverse, what is unique on each side, and the names of its ligands."""

from posed_ligands import posed

from gibbsflow.binding.prepare.atom_map.atom_maps import AtomMap, name_of

MAP = AtomMap("a", "b", ((3, 0), (0, 2), (1, 4)))


def test_pairs_are_sorted_and_turned_round():
    assert MAP.pairs == ((0, 2), (1, 4), (3, 0))
    assert MAP.reversed() == AtomMap("b", "a", ((0, 3), (2, 0), (4, 1)))
    assert MAP.reversed().reversed() == MAP


def test_what_is_unique():
    assert MAP.unique_a(5) == (2, 4) and MAP.unique_b(6) == (1, 3, 5)
    assert MAP.without({1}).unique_a(5) == (1, 2, 4)


def test_notes_make_no_other_map():
    assert AtomMap("a", "b", MAP.pairs, ("said",)) == MAP
    assert AtomMap("a", "b", MAP.pairs, ("said",)).reversed().notes == ("said",)


def test_names():
    mol = posed("C", "methane")
    assert name_of(mol, "x") == "methane"
    mol.ClearProp("_Name")
    assert name_of(mol, "x") == "x"
