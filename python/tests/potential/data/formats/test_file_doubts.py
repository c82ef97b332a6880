from __future__ import annotations

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
