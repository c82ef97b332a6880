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
        ("HG  ", "", "SER", "H"),
        ("CD  ", "", "GLU", "C"),
        ("SE  ", "", "MSE", "SE"),
        ("HG  ", "", "HG", "HG"),
        ("SOD ", "", "SOD", "NA"),
        ("POT ", "", "POT", "K"),
        (" SOD", "", "XYZ", "S"),
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


@pytest.mark.parametrize(
    ("text", "models", "beside"),
    [
        ("MODEL 1\n{one}ENDMDL\nMODEL 2\n{near}ENDMDL\n", 2, 0),
        ("{one}ENDMDL\n{near}ENDMDL\nEND\n", 2, 0),
        ("{one}ENDMDL\n{near}", 2, 0),
        ("MODEL 1\n{one}TER\nENDMDL\nMODEL 2\n{far}TER\nENDMDL\n", 2, 1),
        ("MODEL 1\n{one}ENDMDL\nMODEL 2\n{one}{ion}ENDMDL\nMODEL 3\n{near}ENDMDL\n", 3, 1),
        ("MODEL 1\n{one}TER\nEND\n", 1, 0),
    ],
)
def test_models_and_what_lies_beside_the_first(tmp_path, text, models, beside):
    one = peptide(PEPTIDE)
    ion = hetero("ZN", 9, "ZN", "ZN", 30)
    (tmp_path / "m.pdb").write_text(text.format(one=one, near=moved(one, by=1), far=moved(one, by=40), ion=ion))
    found = read_structure(tmp_path / "m.pdb")
    assert (found.models, found.beside, len(found.atoms)) == (models, beside, len(one.splitlines()))


@pytest.mark.parametrize("text", ["MODEL 1\n{one}ENDMDL\n{ion}END\n", "{ion}MODEL 1\n{one}ENDMDL\n"])
def test_atoms_that_stand_in_no_model(tmp_path, text):
    (tmp_path / "m.pdb").write_text(text.format(one=peptide(PEPTIDE), ion=hetero("ZN", 9, "ZN", "ZN", 30)))
    with pytest.raises(InputError, match=r"1 atoms, from line \d+ on, stand in no model"):
        read_structure(tmp_path / "m.pdb")


@pytest.mark.parametrize(
    ("written", "number"),
    [("A000 ", "10000"), ("A00ZB", "10035B"), ("a000 ", str(10000 + 26 * 36**3)), ("12345", "12345"), (" -3A ", "-3A")],
)
def test_numbers_beyond_9999(tmp_path, written, number):
    line = peptide(PEPTIDE).splitlines()[0]
    (tmp_path / "m.pdb").write_text(f"{line[:22]}{written}{line[27:]}\n")
    assert read_structure(tmp_path / "m.pdb").atoms[0].number == number


@pytest.mark.parametrize("written", ["**** ", "     ", "27b1 "])
def test_numbers_that_are_none(tmp_path, written):
    line = peptide(PEPTIDE).splitlines()[0]
    (tmp_path / "m.pdb").write_text(f"{line[:22]}{written}{line[27:]}\n")
    with pytest.raises(InputError, match=r"m.pdb, row 1, receptor: residue number not readable"):
        read_structure(tmp_path / "m.pdb")


CIF = """data_{name}
loop_
_pdbx_unobs_or_zero_occ_residues.polymer_flag
_pdbx_unobs_or_zero_occ_residues.occupancy_flag
_pdbx_unobs_or_zero_occ_residues.auth_asym_id
_pdbx_unobs_or_zero_occ_residues.auth_seq_id
_pdbx_unobs_or_zero_occ_residues.PDB_ins_code
Y 1 A 12 ?
Y 0 A 13 ?
N 1 A 14 ?
Y 1 B -3 A
#
loop_
_struct_conn.conn_type_id
_struct_conn.ptnr1_auth_asym_id
_struct_conn.ptnr1_auth_seq_id
_struct_conn.ptnr1_symmetry
_struct_conn.ptnr2_auth_asym_id
_struct_conn.ptnr2_auth_seq_id
_struct_conn.ptnr2_symmetry
disulf A 6 1_555 A 11 1_555
disulf A 7 1_555 A 17 2_555
metalc A 8 1_555 A 18 1_555
#
loop_
_atom_site.group_PDB
_atom_site.type_symbol
_atom_site.label_atom_id
_atom_site.label_comp_id
_atom_site.label_asym_id
_atom_site.label_seq_id
_atom_site.occupancy
_atom_site.Cartn_x
_atom_site.Cartn_y
_atom_site.Cartn_z
ATOM C CA ALA A 1 abc 0.0 0.0 0.0
#
"""


def test_what_mmcif_lists(tmp_path):
    (tmp_path / "m.cif").write_text(CIF.format(name="X"))
    found = read_structure(tmp_path / "m.cif")
    assert found.missing == ["A:12", "B:-3A"] and found.bonded_sulfurs == [("A:6", "A:11")]
    assert found.atoms[0].occupancy == 1
    (tmp_path / "m.cif").write_text(CIF.format(name="X") + CIF.format(name="Y"))
    with pytest.raises(InputError, match="2 data blocks with atoms"):
        read_structure(tmp_path / "m.cif")
