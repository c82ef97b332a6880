"""Records of atoms: elements, models, gzip, mmCIF, and lines that cannot be read."""

import gzip

import pytest
from peptides import hetero, moved, peptide

from gibbsflow.binding.prepare.protein.atom_records import element_of, is_metal, read_structure
from gibbsflow.errors import InputError

PEPTIDE = "NALA HID CGLY"


@pytest.mark.parametrize(
    ("field", "column", "residue", "element"),
    [
        (" CA ", "", "ALA", "C"),
        ("CA  ", "", "CA", "CA"),
        ("ZN  ", "", "ZN", "ZN"),
        ("HD11", "", "LEU", "H"),
        (" DG ", "", "SER", "D"),
        (" N  ", "N1+", "LYS", "N"),
        ("1HB ", "", "ALA", "H"),
    ],
)
def test_elements(field, column, residue, element):
    assert element_of(field, column, residue) == element


def test_metals():
    assert is_metal("ZN") and not is_metal("C") and not is_metal("SE")


def test_the_first_model_and_deuterium(tmp_path):
    one = peptide(PEPTIDE)
    path = tmp_path / "m.pdb"
    deuterium = hetero("DOD", 9, "D1", "D", 30)
    path.write_text(f"MODEL 1\n{one}{deuterium}ENDMDL\nMODEL 2\n{moved(one, by=9)}ENDMDL\nEND\n")
    found = read_structure(path)
    assert found.models == 2 and len(found.atoms) == len(one.splitlines()) + 1
    assert found.deuterium == 1 and found.atoms[-1].element == "H"


def test_blocks_between_ends_are_not_guessed(tmp_path):
    one = peptide(PEPTIDE)
    (tmp_path / "m.pdb").write_text(f"{one}END\n{moved(one, by=40)}END\n")
    with pytest.raises(InputError, match="behind END .* have the names and numbers of those before it"):
        read_structure(tmp_path / "m.pdb")


def test_mmcif_says_the_same_as_pdb(tmp_path):
    from openmm.app import PDBFile, PDBxFile

    (tmp_path / "m.pdb").write_text(peptide(PEPTIDE) + "TER\nEND\n")
    pdb = PDBFile(str(tmp_path / "m.pdb"))
    with open(tmp_path / "m.cif", "w") as file:
        PDBxFile.writeFile(pdb.topology, pdb.positions, file, keepIds=True)
    (tmp_path / "m.cif.gz").write_bytes(gzip.compress((tmp_path / "m.cif").read_bytes()))
    right = {(a.chain, a.number, a.name, a.xyz) for a in read_structure(tmp_path / "m.pdb").atoms}
    for name in ("m.cif", "m.cif.gz"):
        found = read_structure(tmp_path / name)
        assert {(a.chain, a.number, a.name, tuple(round(x, 3) for x in a.xyz)) for a in found.atoms} == right


def test_what_the_file_lists(tmp_path):
    lines = [
        "REMARK 465   M RES C SSSEQI",
        "REMARK 465     GLY A    12",
        "REMARK 465     SER B   -3A",
        "SSBOND   1 CYS A    6    CYS A   11                          1555   1555  2.03",
        "SSBOND   2 CYS A    7    CYS A   17                          1555   2555  2.03",
    ]
    (tmp_path / "m.pdb").write_text("\n".join(lines) + "\n" + peptide(PEPTIDE))
    found = read_structure(tmp_path / "m.pdb")
    assert found.missing == ["A:12", "B:-3A"] and found.bonded_sulfurs == [("A:6", "A:11")]


@pytest.mark.parametrize("bad", ["  *****", "    nan"])
def test_coordinates_that_are_none(tmp_path, bad):
    lines = peptide(PEPTIDE).splitlines()
    lines[2] = f"{lines[2][:30]} {bad}{lines[2][38:]}"
    (tmp_path / "m.pdb").write_text("\n".join(lines))
    with pytest.raises(InputError, match=r"m.pdb, row 3, receptor: coordinates not readable"):
        read_structure(tmp_path / "m.pdb")
