"""Rows of GROMACS topologies that ParmEd would pass over."""

import pytest

from gibbsflow.binding.prepare.solvated.gromacs_rows import gromacs_rows

TOP = """[ defaults ]
1 2 Yes 0.5 0.8333
[ dihedraltypes ]
a b c d 9 180 1.0 2
a b c d 9 180 1.0 2
a b c d 9 180 1.0 1
[ moleculetype ]
LIG 3
[ atoms ]
1 a 1 LIG A 1 0.1 12.0
2 b 1 LIG B 1 -0.1 12.0
[ pairs ]
1 4 1
[ dihedrals ]
1 2 3 4 9 180 5 2
1 2 3 4 9
[ system ]
two words
[ molecules ]
LIG 1
"""


def test_rows_are_handed_on_as_gromacs_counts_them():
    found = gromacs_rows(TOP.splitlines())
    assert not (found.problems or found.restrained or found.second_states)
    changed = {"1 2 Yes 0.5 0.8333": "1 2 yes 0.5 0.8333", "1 2 3 4 9 180 5 2": "1 2 3 4 1 180 5 2"}
    assert found.text.splitlines() == [changed.get(line, line) for line in TOP.splitlines()]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("1 4 1\n", "1 4 1\n4 1 1\n", "counts the pair 1 4 of LIG twice"),
        ("a b c d 9 180 1.0 1", "d c b a 9 0 3 2", "several torsions of periodicity 2 for the types a b c d"),
        (
            "[ pairs ]\n",
            "[ bonds ]\n1 2 6 0.1 9\n1 2 5\n[ pairs ]\n",
            "[ bonds ] of LIG: the row 1 2 6 0.1 9 is of function 6, and 1",
        ),
        (
            "1 4 1\n",
            "1 4 2 1.0 0.1 0.1 0.3 0.2\n",
            "[ pairs ] of LIG: the row 1 4 2 1.0 0.1 0.1 0.3 0.2 is of function 2",
        ),
        ("1 2 3 4 9\n", "1 2 3 4 5 1 2 3 4\n", "[ dihedrals ] of LIG: the row 1 2 3 4 5 1 2 3 4 is of function 5"),
        ("[ system ]", "[ intermolecular_interactions ]\n[ system ]", r"has [ intermolecular_interactions ]"),
    ],
)
def test_what_would_be_lost_is_a_problem(old, new, expected):
    (problem,) = gromacs_rows(TOP.replace(old, new).splitlines()).problems
    assert expected in problem


TYPES = "[ atomtypes ]\na xa 6 12.0 0 A 0.30 0.4\nb xb 6 12.0 0 A 0.20 0.4\n"


def with_types(pair, types="", molecule="LIG"):
    text = TOP.replace("[ dihedraltypes ]", f"{TYPES}{types}[ dihedraltypes ]").replace("1 4 1\n", f"{pair}\n")
    return gromacs_rows(text.replace("LIG 1\n", f"{molecule} 1\n").splitlines())


def test_a_pair_has_the_length_of_its_types():
    """A depth of its own can be computed, also where lengths are rounded; another length cannot."""
    for row in ("1 2 1 0.25 0.123", "1 2 1 0.250001 0.2", "1 2 1 0 0", "1 2 1"):
        assert not with_types(row).problems
    (problem,) = with_types("1 2 1 0.26 0.2\n1 3 1\n1 1 1 0.2 0.2").problems
    told = "the row 1 2 1 0.26 0.2 has a σ of its own, where that of its types is 0.25 nm, and 1 more"
    assert problem == f"[ pairs ] of LIG: {told}"
    assert not with_types("1 2 1 0.26 0.2", molecule="SOL").problems


def test_types_of_pairs_are_found_as_gromacs_finds_them():
    """By the names of types of atoms; ParmEd would go by those of their bonds, and find none."""
    found = with_types("1 2 1", "[ pairtypes ]\nb a 1 0.25 0.3\n")
    assert not found.problems and "1 2 1 0.25 0.3" in found.lines
    (problem,) = with_types("1 2 1", "[ pairtypes ]\na b 1 0.27 0.3\n").problems
    assert "the row 1 2 1 0.27 0.3 has a σ of its own" in problem


def test_restraints_and_second_states_are_counted_of_molecules_that_are_there():
    text = TOP.replace("2 b 1 LIG B 1 -0.1 12.0", "2 b 1 LIG B 1 -0.1 12.0 a 0 12.0")
    text = text.replace("[ pairs ]", "[ position_restraints ]\n1 1 1000 1000 1000\n2 1 0 0 0\n[ pairs ]")
    found = gromacs_rows(text.splitlines())
    assert found.restrained == found.second_states == {"LIG": 1}
    other = gromacs_rows(text.replace("LIG 1\n", "SOL 1\n").splitlines())
    assert not other.restrained and not other.second_states


def test_types_without_an_atomic_number_are_told():
    types = "a a 6 12.0 0 A 1 1\nb 6 12.0 0 A 1 1\nc c 0.0 0.0 A 1 1\nd 12.0 0 A 1 1\n"
    assert gromacs_rows(("[ atomtypes ]\n" + types + TOP).splitlines()).unnumbered == {"c", "d"}


def test_an_atom_without_a_charge_has_that_of_its_type():
    """As GROMACS takes it; of type 'b' twice the last one counts."""
    types = "a a 6 12.0 0.25 A 1 1\nb 12.0 0.5 A 1 1\nb 12.0 -0.25 A 1 1\n"
    text = TOP.replace("LIG A 1 0.1 12.0", "LIG A 1").replace("LIG B 1 -0.1 12.0", "LIG B 1")
    rows = gromacs_rows(("[ atomtypes ]\n" + types + text).splitlines()).lines
    assert "1 a 1 LIG A 1 0.25" in rows and "2 b 1 LIG B 1 -0.25" in rows


@pytest.mark.parametrize(
    ("rows", "fits"),
    [
        ("X b c d 9 0 1 3\na b c X 9 0 2 3", True),
        ("d c b X 9 0 1 3\nX c b a 9 0 2 3", True),
        ("X b c d 9 0 1 3\na b c X 9 0 2 3\nd c b a 9 0 3 3", False),
        ("X b c d 9 0 1 3\na c b X 9 0 2 3", False),
        ("X b c d 9 0 1 3\nX b c X 9 0 2 3", False),
        ("X b c d 4 0 1 2\na b c X 4 0 2 2", False),
    ],
)
def test_two_rows_that_fit_one_torsion_are_a_problem(rows, fits):
    """GROMACS takes the first of them in the file, ParmEd one by where its X is."""
    found = gromacs_rows(f"[ dihedraltypes ]\n{rows}\n[ system ]\nx\n".splitlines()).problems
    assert bool(found) == fits and all("X each for torsions a b c d" in problem for problem in found)


def test_molecules_of_which_there_are_none_are_left_out():
    found = gromacs_rows(TOP.replace("LIG 1\n", "LIG 1\nNA 0\n").splitlines())
    assert found.lines[-1] == "LIG 1" and not found.problems
