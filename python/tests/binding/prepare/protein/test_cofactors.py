"""What stands beside a protein: kept with parameters, refused by name without, warned of near the site."""

import numpy as np
import pytest

from gibbsflow.binding.prepare.protein.cofactors import (
    GivenResidue,
    choose_kept,
    ion_name,
    is_polymer,
    read_parameters,
    tell_left_out,
    warn_of_near,
)
from gibbsflow.binding.prepare.protein.residues import Residue
from gibbsflow.errors import InputError
from gibbsflow.workflow.account import Account

MOL2 = """@<TRIPOS>MOLECULE
COF
@<TRIPOS>ATOM
 1 C1 0.0 0.0 0.0 c3 1 COF -0.3
 2 H1 1.0 0.0 0.0 hc 1 COF 0.3
@<TRIPOS>BOND
"""


def one(name: str, number: int, element: str, x: float = 0.0, atom: str = "") -> Residue:
    return Residue("A", str(number), name, True, {atom or name: (element, (x, 0.0, 0.0))})


ZINC, WATER, COFACTOR = one("ZN", 201, "ZN"), one("HOH", 301, "O", 5, "O"), one("COF", 401, "C", 9, "C1")
BESIDE = [ZINC, WATER, COFACTOR]
GIVEN = {"COF": GivenResidue("COF", frozenset({"C1"}), -1.0, False)}


def test_kept_by_name_and_by_number():
    account = Account("p.pdb")
    assert choose_kept(BESIDE, "ZN,A:301,COF", GIVEN, account) == BESIDE
    assert not account.of_weight("refuse") and "ZN A:201 (charge +2), COF A:401 (charge -1)" in str(account.doubts[1])
    assert choose_kept(BESIDE, None, GIVEN, account) == []


@pytest.mark.parametrize(
    ("keep", "given", "told"),
    [
        ("COF", {}, "COF A:401 is to be kept, and there are no parameters for it"),
        ("HEM", {}, "keep names HEM, which is not beside the protein"),
        ("COF", {"COF": GivenResidue("COF", frozenset({"C7"}), 0.0, False)}, "atoms that its parameters lack: C1"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_name(keep, given, told):
    account = Account("p.pdb")
    choose_kept(BESIDE, keep, given, account)
    assert told in str(account.of_weight("refuse")[0])


@pytest.mark.parametrize(
    ("name", "element", "ion"),
    [
        ("SOD", "NA", "NA"), ("Na+", "NA", "NA"), ("Cl", "CL", "CL"), ("CLA", "CL", "CL"), ("ZN2", "ZN", "ZN"),
        ("CLA", "C", "CLA"), ("CAL", "CA", "CA"), ("MG2", "MG", "MG"), ("FE2", "FE", "FE2"), ("XE", "XE", "XE"),
    ],
)  # fmt: skip
def test_ions_by_the_names_of_other_programs(name, element, ion):
    assert ion_name(one(name, 1, element)) == ion
    assert ion_name(Residue("A", "1", name, True, {"A": (element, (0, 0, 0)), "B": ("C", (1, 0, 0))})) == name


def test_too_many_waters():
    account = Account("p.pdb")
    choose_kept([one("HOH", k, "O") for k in range(21)], "HOH", {}, account)
    assert "21 waters" in str(account.of_weight("refuse")[0])


@pytest.mark.parametrize("explicit", [False, True])
def test_what_is_said_of_implicit_solvent_is_said_in_it_alone(explicit):
    account = Account("p.pdb")
    choose_kept([ZINC, WATER], "ZN,HOH", {}, account, explicit=explicit)
    choose_kept([one("HOH", k, "O") for k in range(21)], "HOH", {}, account, explicit=explicit)
    told = " ".join(str(doubt) for doubt in account.doubts)
    assert "1 water kept" in told and "no bonds hold them" in told and "21 waters" in told
    assert told.count("implicit") == (0 if explicit else 3)


@pytest.mark.parametrize(("x", "warned"), [(5.9, True), (6.1, False)])
def test_a_metal_near_the_ligand(x, warned):
    account = Account("p.pdb")
    warn_of_near([one("ZN", 201, "ZN", x), one("CL", 202, "CL", 1)], np.zeros((1, 3)), account)
    assert bool(account.of_weight("warn")) == warned


def test_the_ligand_itself_is_no_cofactor():
    atoms = {f"C{k}": ("C", (1.4 * k, 0.0, 0.0)) for k in range(6)}
    account = Account("p.pdb")
    warn_of_near([Residue("A", "1", "LIG", True, atoms)], np.array([xyz for _, xyz in atoms.values()]), account)
    assert not account.doubts


def test_what_is_left_out_is_told():
    account = Account("p.pdb")
    tell_left_out(BESIDE, [], None, account)
    assert [p.what for p in account.of_weight("note")] == ["1 waters removed", "removed: COF A:401, ZN A:201"]


def test_parameter_files(tmp_path):
    (tmp_path / "c.mol2").write_text(MOL2)
    (tmp_path / "c.frcmod").write_text("remark\n")
    found = read_parameters([tmp_path / "c.mol2", tmp_path / "c.frcmod"])
    assert found == {"COF": GivenResidue("COF", frozenset({"C1"}), 0.0, False)}
    (tmp_path / "bad.mol2").write_text("@<TRIPOS>MOLECULE\n")
    with pytest.raises(InputError, match="no residue with parameters"):
        read_parameters([tmp_path / "bad.mol2"])
    with pytest.raises(InputError, match="no such file"):
        read_parameters([tmp_path / "none.lib"])


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("COF", "ALA", "ALA is the name of something else"),
        ("COF", "LIG", "LIG is the name of something else"),
        ("COF", "COFX", "COFX is too long a name for tleap"),
        ("COF", "A;B", "A;B is no name in tleap's scripts"),
        ("COF", "#AB", "#AB is no name in tleap's scripts"),
        ("COF", "Set", "Set is no name in tleap's scripts"),
        (" 0.3\n", " 0.5\n", r"charges that sum to \+0.2000 e"),
        ("c3", "C.3", "SYBYL's atom types: C.3"),
        ("-0.3", "zero", "a table of atoms not readable"),
    ],
)
def test_parameters_that_cannot_be_meant(tmp_path, old, new, told):
    (tmp_path / "c.mol2").write_text(MOL2.replace(old, new))
    with pytest.raises(InputError, match=told):
        read_parameters([tmp_path / "c.mol2"])


def test_one_residue_in_two_files_and_line_ends_of_another_system(tmp_path):
    for name in ("a.mol2", "b.mol2"):
        (tmp_path / name).write_bytes(MOL2.replace("\n", "\r\n").encode())
    assert "COF" in read_parameters([tmp_path / "a.mol2"])
    with pytest.raises(InputError, match="b.mol2, parameters: COF is defined twice"):
        read_parameters([tmp_path / "a.mol2", tmp_path / "b.mol2"])


def test_a_library_of_amber():
    """AMBER's own library of phosphorylated residues is one of the form that is asked for."""
    from gibbsflow.engines.process import find_program

    lib = next(p for p in [__import__("pathlib").Path(find_program("tleap")).resolve().parents[1]] if p.exists())
    found = read_parameters([lib / "dat" / "leap" / "lib" / "phosaa14SB.lib"])
    assert found["SEP"].connects and found["SEP"].charge_e == pytest.approx(-2, abs=1e-3)
    assert {"P", "O1P", "CA"} <= found["SEP"].atoms


def test_members_of_a_chain():
    glutamate = Residue("A", "1", "GLU", True, {})
    assert is_polymer(glutamate, {}, joined=True) and not is_polymer(glutamate, {}, joined=False)
    assert is_polymer(COFACTOR, GIVEN, joined=True) and not is_polymer(COFACTOR, {}, joined=True)
