from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from ase.build import bulk
from ase.io import write

from gibbsflow.errors import InputError
from gibbsflow.potential.data.formats.file_formats import read_any
from gibbsflow.workflow.account import Account

CIF = """data_x
_cell_length_a 5.4
_cell_length_b 5.4
_cell_length_c 5.4
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
"""
SITES = """loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
"""
P1 = "_symmetry_space_group_name_H-M 'P 1'\n"
TWO = "Si1 Si 0 0 0\nSi2 Si 0.25 0.25 0.25\n"
ABINIT = """acell 10 10 10 angstrom
rprim 1 0 0 0 1 0 0 0 1
natom 1
ntypat 1
typat 1
znucl 26
xred 0 0 0
"""
ESPRESSO = """&control
/
&system
 ibrav=0, nat=1, ntyp=1{}
/
ATOMIC_SPECIES
Si 28 Si.UPF
CELL_PARAMETERS angstrom
4 0 0
0 4 0
0 0 4
ATOMIC_POSITIONS crystal
Si 0 0 0
"""
CJSON = """{"chemical json": 0, "atoms": {"elements": {"number": [8, 1]}, "coords": {"3d": [0, 0, 0, 0.96, 0, 0]}},
 "properties": {"totalCharge": CHARGE, "totalSpinMultiplicity": 1}}"""


def said(path: Path, text: str) -> tuple[str, list[str]]:
    """Refusal in words, empty where there is none, and notes."""
    path.write_text(text)
    account = Account(path.name)
    try:
        read_any(path, account)
        account.settle()
    except InputError as error:
        return str(error), account.as_dict()["notes"]
    return "", account.as_dict()["notes"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (CIF + P1 + SITES + TWO, ""),
        (CIF + P1 + SITES + "Si1 Si 0 0 0\nGe1 Ge 1.0 0 0\n", "sites Si1 and Ge1 are at one place"),
        (CIF + P1 + SITES + "Si1 Si 0 0 0\nSi2 Si 1.0 0 0\n", ""),
        (CIF + P1 + SITES + "Si1 Si 0 0 0\nSi2 Si ? ? ?\n", "site Si2 has no coordinates"),
        (CIF + P1 + SITES + "_atom_site_calc_flag\nSi1 Si 0 0 0 d\nSi2 Si .5 .5 .5 dum\n", "1 sites are dummies"),
        (CIF + P1 + SITES + "_atom_site_disorder_group\nSi1 Si 0 0 0 1\nSi2 Si .5 .5 .5 2\n", "groups 1, 2 are alt"),
        (CIF + P1 + SITES + "_atom_site_disorder_group\nSi1 Si 0 0 0 .\nSi2 Si .5 .5 .5 1\n", ""),
        (CIF + P1 + SITES.replace("_atom_site_type_symbol\n", "") + "CA1 0 0 0\n", "'CA1' may be C or Ca"),
        (CIF + P1 + SITES.replace("_atom_site_type_symbol\n", "") + "Fe1A 0 0 0\n", ""),
        (CIF + P1.replace("P 1", "F d -3 m") + "_symmetry_Int_Tables_number 225\n" + SITES + TWO, "has the number 227"),
        (CIF + P1.replace("P 1", "F d -3 m") + "_symmetry_Int_Tables_number 227\n" + SITES + TWO, ""),
    ],
)
def test_a_cif_is_what_it_says_or_refused(tmp_path: Path, text: str, words: str) -> None:
    refusal, _ = said(tmp_path / "s.cif", text)
    assert words in refusal
    assert bool(refusal) == bool(words)


def test_what_a_cif_leaves_open_is_noted(tmp_path: Path) -> None:
    assert said(tmp_path / "s.cif", CIF + SITES + TWO) == ("", ["no symmetry is given: its sites are all atoms (P 1)"])
    deuterated = CIF + P1 + SITES + "O1 O 0 0 0\nD1 D 0.2 0 0\n"
    assert said(tmp_path / "s.cif", deuterated) == ("", ["deuterium is computed as hydrogen"])
    assert said(tmp_path / "s.cif", CIF + P1 + SITES + TWO) == ("", [])


def test_a_poscar_has_a_position_for_each_atom(tmp_path: Path) -> None:
    write(tmp_path / "POSCAR", bulk("Si"), format="vasp", direct=True)
    text = (tmp_path / "POSCAR").read_text()
    assert said(tmp_path / "POSCAR", text) == ("", [])
    assert "2 atoms, and 3 positions" in said(tmp_path / "POSCAR", text + "0.5 0.5 0.5\n")[0]
    assert "2 atoms, and 1 positions" in said(tmp_path / "POSCAR", "\n".join(text.splitlines()[:-1]) + "\n")[0]
    # velocities, as VASP writes them
    assert said(tmp_path / "CONTCAR", text + "\n0 0 0\n0 0 0\n") == ("", [])
    assert said(tmp_path / "CONTCAR", text + "Lattice velocities and vectors\n1\n0 0 0\n") == ("", [])


MOL = """
  x

  2  1  0  0  0  0  0  0  0  0999 V2000
    0.0000    0.0000    0.0000 N   0  {0}  0  0  0  0  0  0  0  0  0  0
    1.0000    0.0000    0.0000 H   0  0  0  0  0  0  0  0  0  0  0  0
  1  2  1  0
{1}M  END
"""
PDB = "ATOM      1 {0:<4} MOL A   1       1.000   1.000   1.000  1.00  0.00          {1:>2}{2}\n"
PWI = """&SYSTEM
ibrav=0, nat=2, ntyp=2, ecutwfc=10, {0}
/
ATOMIC_SPECIES
Fe1 55 Fe.UPF
Fe2 55 Fe.UPF
CELL_PARAMETERS angstrom
2.87 0 0
0 2.87 0
0 0 2.87
ATOMIC_POSITIONS crystal
Fe1 0 0 0
Fe2 .5 .5 .5
"""


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("s.mol", MOL.format(0, ""), ""),
        ("s.mol", MOL.format(3, ""), "charges of +1 e together"),
        ("s.mol", MOL.format(0, "M  CHG  2   1  -2   2   1\n"), "charges of -1 e together"),
        ("s.mol", MOL.format(0, "M  CHG  2   1  -1   2   1\n"), ""),
        ("s.mol", MOL.format(0, "M  RAD  1   1   2\n"), "a radical"),
        ("s.sdf", 2 * (MOL.format(0, "") + "$$$$\n"), "holds 2 molecules, of which one would be read"),
        ("s.pdb", PDB.format(" CA", "C", ""), ""),
        ("s.pdb", PDB.format(" CA", "", ""), "have a name and no element, such as CA"),
        ("s.pdb", PDB.format("ZN", "ZN", "2+"), "charges of +2 e together"),
        ("s.gro", "t\n    1\n    1MOL     SI    1   0.100   0.100   0.100\n   1.0   1.0   1.0\n", "no elements"),
        ("s.pwi", PWI.format("nspin=1, tot_charge=0.d0"), ""),
        ("s.pwi", PWI.format("tot_charge = 1"), "tot_charge: 1, which is not read"),
        ("s.pwi", PWI.format("nspin=2, starting_magnetization(2)=-5d-1"), "starting_magnetization(2): -5d-1, which"),
        ("s.gjf", "#p B3LYP/6-31G\n\nt\n\n1 2\nN 0. 0. 0.\nH 0. 0. 1.\n\n", "charge +1 and multiplicity 2"),
        ("s.gjf", "#p B3LYP/6-31G\n\nt\n\n0 1\nN 0. 0. 0.\nH 0. 0. 1.\n\n", ""),
    ],
)
def test_charges_spins_and_elements_that_are_not_read_are_refused(
    tmp_path: Path, name: str, text: str, words: str
) -> None:
    refusal, _ = said(tmp_path / name, text)
    assert words in refusal
    assert bool(refusal) == bool(words)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("coord", "$coord\n 0 0 0 o\n 1.8 0 0 h\n$eht charge=1 unpaired=0\n$end\n", "charge: 1, which is not read"),
        ("coord", "$coord\n 0 0 0 o\n 1.8 0 0 h\n$eht charge=0 unpaired=1\n$end\n", "unpaired: 1, which"),
        ("coord", "$coord\n 0 0 0 o\n 1.8 0 0 h\n$eht charge=0 unpaired=0\n$end\n", ""),
        ("a.abi", ABINIT + "charge -1.0d0\n", "charge: -1.0d0, which is not read"),
        ("a.abi", ABINIT + "charge 0.0d1 # 1 by default\n", ""),
        ("a.pwi", ESPRESSO.format(", tot_charge=+1.0d0"), "tot_charge: "),
        ("a.pwi", ESPRESSO.format(", noncolin=.true."), "noncolin: .true., which is not read"),
        ("a.pwi", ESPRESSO.format(", tot_charge=0.d1, noncolin=.false. ! tot_charge=2"), ""),
        ("a.cjson", CJSON.replace("CHARGE", "-1"), "charge -1 and multiplicity 1"),
        ("a.cjson", CJSON.replace("CHARGE", "0"), ""),
    ],
)
def test_charge_and_spin_of_inputs_of_programs_are_not_passed_over(
    tmp_path: Path, name: str, text: str, words: str
) -> None:
    refusal, _ = said(tmp_path / name, text)
    assert words in refusal if words else not refusal


@pytest.mark.parametrize(
    ("symbols", "counts", "words"),
    [
        ("Si Ge", "1", "2 symbols (Si Ge), and 1 numbers of atoms (1)"),
        ("Si", "1 1", "1 symbols (Si), and 2 numbers of atoms (1 1)"),
        ("Si ! the host", "1 ! one", ""),
    ],
)
def test_symbols_of_a_poscar_have_a_number_each(tmp_path: Path, symbols: str, counts: str, words: str) -> None:
    places = "0 0 0\n0.5 0.5 0.5\n" if "1 1" in counts else "0 0 0\n"
    refusal, _ = said(tmp_path / "POSCAR", f"x\n1\n4 0 0\n0 4 0\n0 0 4\n{symbols}\n{counts}\nDirect\n{places}")
    assert words in refusal if words else not refusal


ORIENTATION = """                         {} orientation:
 ---------------------------------------------------------------------
 Center     Atomic      Atomic             Coordinates (Angstroms)
 Number     Number       Type             X           Y           Z
 ---------------------------------------------------------------------
      1          1           0        {} {}    0.000000
      2          1           0        {} {}    0.000000
 ---------------------------------------------------------------------
"""
ALONG_X, ALONG_Z = ORIENTATION.format("{}", 0.0, 0.0, 0.8, 0.0), ORIENTATION.format("{}", 0.0, 0.0, 0.0, 0.8)
GAUSSIAN = """ Entering Gaussian System, Link 0=g16
 SCF Done:  E(RB3LYP) =  -1.10000000     A.U. after    8 cycles
 Center     Atomic                   Forces (Hartrees/Bohr)
 Number     Number              X              Y              Z
 -------------------------------------------------------------------
      1        1          -0.010000000    0.000000000    0.000000000
      2        1           0.010000000    0.000000000    0.000000000
 -------------------------------------------------------------------
"""


def test_forces_of_gaussian_are_those_of_the_coordinates(tmp_path: Path) -> None:
    head, body = GAUSSIAN.split("\n", 1)
    whole = f"{head}\n{ALONG_X.format('Input')}{ALONG_Z.format('Standard')}{body}"
    assert said(tmp_path / "a.log", whole) == ("", [])
    assert read_any(tmp_path / "a.log", Account(""))[0].positions[1, 0] == pytest.approx(0.8)
    alone = f"{head}\n{ALONG_Z.format('Standard')}{body}"
    refusal, _ = said(tmp_path / "b.log", alone)
    assert "standard orientation" in refusal and "nosymm" in refusal
    # of an optimisation the steps after the first as well
    assert "standard orientation" in said(tmp_path / "c.log", whole + ALONG_Z.format("Standard") + body)[0]


def test_packed_files_are_looked_through_as_well(tmp_path: Path) -> None:
    number = "_symmetry_space_group_name_H-M 'F d -3 m'\n_symmetry_Int_Tables_number 225\n"
    path = tmp_path / "a.cif.gz"
    path.write_bytes(gzip.compress((CIF + number + SITES + TWO).encode()))
    with pytest.raises(InputError, match="has the number 227, and 225 is given"):
        read_any(path, Account(path.name))


ONE = "Si1 Si 0.1 0.2 0.3\n"
HEXAGONAL = CIF.replace("length_c 5.4", "length_c 15").replace("gamma 90", "gamma 120")
MONOCLINIC = CIF.replace("beta 90", "beta 100")
R3M, P21N, FD3M = (f"_symmetry_space_group_name_H-M '{name}'\n" for name in ("R -3 m", "P 1 21/n 1", "F d -3 m:2"))
CENTRE = "loop_\n_symmetry_equiv_pos_as_xyz\n'x, y, z'\n'-x, -y, -z'\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        # rhombohedral operations in hexagonal axes
        (HEXAGONAL + R3M + "_symmetry_cell_setting trigonal\n" + SITES + ONE, "does not keep the cell"),
        (CIF.replace("90", "60") + R3M + SITES + ONE, "does not keep the cell"),
        (CIF.replace("length_c 5.4", "length_c 6") + FD3M.replace(":2", "") + SITES + ONE, "does not keep the cell"),
        # a setting that is not the first of its number, without operations
        (
            MONOCLINIC + P21N + "_symmetry_Int_Tables_number 14\n" + SITES + ONE,
            "not the first setting of its number 14",
        ),
        (CIF + FD3M + "_symmetry_Int_Tables_number 227\n" + SITES + ONE, "not the first setting of its number 227"),
        (CIF + CENTRE + SITES + ONE, "operations of no space group"),
        # atoms that are on no site
        (CIF + P1 + "_chemical_formula_sum 'H2 Si2'\n" + SITES + TWO, "H of the formula H2 Si2 is on no site"),
        (CIF + P1 + SITES + "_atom_site_attached_hydrogens\nO1 O 0 0 0 2\n", "hydrogens of 1 sites, such as O1"),
        (CIF + P1 + "_cell_modulation_dimension 1\n" + SITES + TWO, "modulated"),
    ],
)
def test_a_cif_whose_symmetry_or_atoms_are_read_otherwise_is_refused(tmp_path: Path, text: str, words: str) -> None:
    assert words in said(tmp_path / "a.cif", text)[0]


@pytest.mark.parametrize(
    ("text", "atoms"),
    [
        (HEXAGONAL + R3M + SITES + "Si1 Si 0 0 0.2\n", 6),
        (CIF + P1 + "_symmetry_cell_setting cubic\n" + SITES + TWO, 2),
        (MONOCLINIC + P21N + "_symmetry_Int_Tables_number 14\n" + CENTRE + SITES + ONE, 2),
        (MONOCLINIC + P21N.replace("1 21/n 1", "21/c") + "_symmetry_Int_Tables_number 14\n" + SITES + ONE, 4),
        (MONOCLINIC + P21N.replace(" 1 21/n 1", "1_2_1") + "_symmetry_Int_Tables_number 3\n" + SITES + ONE, 2),
        (CIF + "_symmetry_space_group_name_H-M 'C m c a'\n_symmetry_Int_Tables_number 64\n" + SITES + ONE, 16),
        (CIF + "_symmetry_space_group_name_H-M Fd-3m\n_symmetry_Int_Tables_number 227\n" + SITES + "Si1 Si 0 0 0\n", 8),
        (CIF + P1 + "_chemical_formula_sum 'Si2'\n" + SITES + "_atom_site_attached_hydrogens\nSi1 Si 0 0 0 0\n", 1),
    ],
)
def test_a_cif_of_one_meaning_is_read(tmp_path: Path, recwarn: pytest.WarningsRecorder, text: str, atoms: int) -> None:
    assert said(tmp_path / "a.cif", text)[0] == ""
    assert len(read_any(tmp_path / "a.cif", Account(""))[0]) == atoms
    assert not recwarn.list


LAMMPS = """{}

1 atoms
1 atom types
0 5.4 xlo xhi
0 5.4 ylo yhi
0 5.4 zlo zhi

Masses

1 {}

Atoms # atomic

1 1 0 0 0
"""
DUMP = """ITEM: UNITS
{}
ITEM: TIMESTEP
0
ITEM: NUMBER OF ATOMS
1
ITEM: BOX BOUNDS pp pp pp
0 5.4
0 5.4
0 5.4
ITEM: ATOMS id element x y z
1 Si 0 0 0
"""
WRITTEN = "LAMMPS data file via write_data, version 2 Aug 2023, timestep = 0, units = "
CRYST1 = "CRYST1   10.000   10.000   10.000  90.00  90.00  90.00 {}   4\n"
OXYGEN = "HETATM    1  O   HOH A   1       0.000   0.000   0.000  1.00  0.00           O\n"
RES = "TITL a\nCELL 0.7 5.4 5.4 5.4 90 90 90\nLATT {}\nSFAC Si\n{}\nEND\n"


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.data", LAMMPS.format(WRITTEN + "electron", "28.0855"), "is in units electron"),
        ("a.data", LAMMPS.format("", "28.0855 # Ge"), "is named Ge"),
        ("a.data", LAMMPS.format("", "14.027 # CH2"), "is named CH2"),
        ("a.data", LAMMPS.format("", "72.6"), ""),
        ("a.data", LAMMPS.format("", "76.0"), "no element has a mass of 76.0"),
        ("a.data", LAMMPS.format(WRITTEN + "real", "28.0855 # Si"), ""),
        ("a.data", LAMMPS.format("a metal", "12.011 # CA"), ""),
        ("a.lammpstrj", DUMP.format("electron"), "is in units electron"),
        ("a.lammpstrj", DUMP.format("metal"), ""),
        ("a.pdb", CRYST1.format("P 21 21 21 ") + OXYGEN + "END\n", "its symmetry is P 21 21 21"),
        ("a.pdb", CRYST1.format("P 1        ") + OXYGEN + "END\n", ""),
        ("a.pdb", CRYST1.replace("10.000", " 1.000").format("P 21 21 21 ") + OXYGEN + "END\n", ""),
        ("a.res", RES.format("-1", "Si 1 0.1 0.2 0.3 0.5"), "occupancy of 0.5"),
        ("a.res", RES.format("-1\nSYMM -x, -y, -z", "Si 1 0.1 0.2 0.3 1.0"), "SYMM -x, -y, -z"),
        ("a.res", RES.format("1", "Si 1 0.1 0.2 0.3 1.0"), "LATT 1"),
        ("a.res", RES.format("-1", "Si 1 0.1 0.2 0.3 11.00000 0.02"), ""),
    ],
)
def test_units_masses_and_symmetry_of_structure_files(tmp_path: Path, name: str, text: str, words: str) -> None:
    refusal, _ = said(tmp_path / name, text)
    assert words in refusal and bool(words) == bool(refusal)


def test_the_end_of_a_pdb_of_models_is_no_structure(tmp_path: Path) -> None:
    path = tmp_path / "a.pdb"
    path.write_text("".join(f"MODEL {k}\n{OXYGEN}ENDMDL\n" for k in (1, 2)) + "END\n")
    assert [len(frame) for frame in read_any(path, Account(""))] == [1, 1]
