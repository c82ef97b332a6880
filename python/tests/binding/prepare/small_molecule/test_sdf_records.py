"""Records of an SDF by name, and the charges that they bring."""

import math

import pytest
from posed_ligands import posed
from rdkit import Chem

from gibbsflow.binding.prepare.small_molecule.faults import MoleculeError
from gibbsflow.binding.prepare.small_molecule.sdf_records import (
    CHARGES,
    SdfCharges,
    charges_of,
    digest_of_record,
    ligand_name,
    read_record,
    record_of,
    records_of,
)


def record(title: str, smiles: str = "CO", charges: str = "") -> str:
    block = Chem.MolToMolBlock(posed(smiles, title))
    return block + (f">  <{CHARGES}>  (1) \n{charges}\n\n" if charges else "") + "$$$$\n"


def test_titles_become_names():
    assert ligand_name(" meta methyl ethyl benzene ") == "meta_methyl_ethyl_benzene"
    assert ligand_name("CHEMBL-1.a_b") == "CHEMBL-1.a_b"


def test_a_record_is_found_by_its_title(tmp_path):
    path = tmp_path / "f.sdf"
    text = record("one") + record("two words", "CCO") + record("three")
    assert len(records_of(text)) == 3
    path.write_text(text)
    for name, title in (("one", "one"), ("two_words", "two words"), ("two words", "two words")):
        found, label = record_of(path, name, "structure")
        assert found.startswith(title + "\n") and label.startswith(f"{path}, record ") and name in label
    path.write_text(record("anything"))
    assert record_of(path, "x", "structure")[1] == str(path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no molecules"),
        (record("a") + record("b"), "holds 2 molecules, none of them called x; their titles are a, b"),
        (record("1-Ol, roh") + record("b"), "their titles are '1-Ol, roh' (as a name 1-Ol__roh), b"),
        (record("x") + record("b") + record("x"), "records 1, 3 are all called x"),
        (record("x y") + record("x_y") + record("x y"), "none of them called x"),
    ],
)
def test_what_has_no_record(tmp_path, text, words):
    (tmp_path / "f.sdf").write_text(text)
    with pytest.raises(MoleculeError) as caught:
        record_of(tmp_path / "f.sdf", "x", "structure")
    assert words in str(caught.value)


def test_charges_over_several_lines_and_of_no_other_property():
    text = record("a", charges="0.1 -0.2\n0.05 0.05")
    assert charges_of(text).values_e == (0.1, -0.2, 0.05, 0.05)
    assert charges_of(text.replace(CHARGES, "atom.dprop.Other")) is None
    assert charges_of(record("a")) is None
    later = text.replace("$$$$", ">  <name>\n0.7\n\n$$$$")
    assert charges_of(later).values_e == (0.1, -0.2, 0.05, 0.05)
    assert math.isnan(charges_of(text.replace("-0.2", "x")).values_e[1])


@pytest.mark.parametrize(
    ("values", "atoms", "charge", "words"),
    [
        ((0.5, -0.505), 2, 0, ""),
        ((0.5, 0.5), 2, 1, ""),
        ((0.5, -0.485), 2, 0, "they sum up to +0.0150 e, the formal charge is +0"),
        ((0.5, -0.5), 2, -1, "they sum up to +0.0000 e, the formal charge is -1"),
        ((0.5, -0.5), 3, 0, "2 charges for 3 atoms with hydrogens"),
        ((0.5, math.nan), 2, 0, "that of atom 2 is no number"),
        ((math.inf, 0.0), 2, 0, "that of atom 1 is no number"),
    ],
)
def test_charges_are_those_of_the_molecule(values, atoms, charge, words):
    found = SdfCharges(values).faults("structure", atoms, charge)
    assert [words in f.what for f in found] == ([True] if words else [])


def test_a_record_counts_alone_where_there_are_several(tmp_path):
    path = tmp_path / "f.sdf"
    path.write_text(record("a") + record("b", charges="0 0"))
    known = digest_of_record(path, "a")
    assert known[0] and not known[1] and digest_of_record(path, "b")[1]
    path.write_text(record("new") + record("a"))
    assert digest_of_record(path, "a") == known
    path.write_text(record("a", "CCO") + record("b"))
    assert digest_of_record(path, "a")[0] != known[0]
    path.write_text(record("a", charges="0"))
    assert digest_of_record(path, "a") == (None, True), "of one record the file counts, as ever"
    assert digest_of_record(tmp_path / "none.sdf", "a") == digest_of_record(tmp_path / "a.mol2", "a") == (None, False)
    assert read_record(path, None) == read_record(path, "other") == records_of(path.read_text())[0]
