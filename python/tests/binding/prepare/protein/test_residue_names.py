"""Names of residues and atoms: states, side chains, and what other programs call them."""

import pytest

from gibbsflow.binding.prepare.protein.residue_names import (
    amber_name_of,
    heavy_atoms_of,
    hydrogens_of,
    parent_of,
    side_chain,
    standard_atom,
)


def test_parents():
    names = ("HIP", "ASH", "LYN", "CYX", "MSE", "ALA", "ZN")
    assert [parent_of(n) for n in names] == ["HIS", "ASP", "LYS", "CYS", "MET", "ALA", "ZN"]


@pytest.mark.parametrize(
    ("name", "amber"),
    [("HSD", "HID"), ("NALA", "ALA"), ("CHIE", "HIE"), ("LYP", "LYS"), ("NMA", "NME"), ("NAG", "NAG"), ("CA", "CA")],
)
def test_names_of_other_programs(name, amber):
    assert amber_name_of(name) == amber


def test_side_chains():
    assert side_chain("GLH") == side_chain("GLU") == {"CB", "CG", "CD", "OE1", "OE2"}
    assert side_chain("GLY") == frozenset() == side_chain("ZN")
    assert heavy_atoms_of("NME") == {"N", "C"} and heavy_atoms_of("XYZ") is None
    assert "P" in heavy_atoms_of("SEP") and {"OG1", "P"} <= heavy_atoms_of("T1P") and "OG" in heavy_atoms_of("Y1P")


@pytest.mark.parametrize(
    ("residue", "atom", "element", "name"),
    [
        ("ALA", "1HB", "H", "HB1"),
        ("SER", "DG", "H", "HG"),
        ("LYS", "2DZ", "H", "HZ2"),
        ("CYS", "HG1", "H", "HG"),
        ("THR", "HG1", "H", "HG1"),
        ("ILE", "CD", "C", "CD1"),
        ("VAL", "OT2", "O", "OXT"),
        ("NME", "CH3", "C", "C"),
        ("MSE", "SE", "SE", "SD"),
        ("HEM", "O1", "O", "O1"),
    ],
)
def test_atoms(residue, atom, element, name):
    assert standard_atom(residue, atom, element) == name


@pytest.mark.parametrize(
    ("residue", "atom", "element", "name"),
    [
        ("ACE", "C1", "C", "C"),
        ("ACE", "C2", "C", "CH3"),
        ("ACE", "O1", "O", "O"),
        ("ACE", "H2_3", "H", "H3"),
        ("NME", "C1", "C", "C"),
        ("NME", "N1", "N", "N"),
        ("NME", "H1_1", "H", "H1"),
        ("ALA", "O1", "O", "O"),
    ],
)
def test_caps_whose_atoms_are_counted(residue, atom, element, name):
    """As the prepared proteins of published benchmarks have them."""
    assert standard_atom(residue, atom, element) == name


@pytest.mark.parametrize(
    ("parent", "names", "right"),
    [
        ("ND1", ["H07"], ["HD1"]),
        ("NZ", ["H11", "H12"], ["HZ1", "HZ2"]),
        ("CB", ["HB1", "HB2"], ["HB1", "HB2"]),
        ("N", ["HN"], ["HN"]),
        ("N", ["H05", "H06", "H07"], ["H1", "H2", "H3"]),
        ("OXT", ["HO"], ["HXT"]),
    ],
)
def test_hydrogens_by_the_atom_that_they_are_at(parent, names, right):
    assert hydrogens_of(parent, names) == right
