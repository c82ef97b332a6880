from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms
from ase.db import connect
from ase.io import read as ase_read
from ase.io import write
from database_writer import result_of
from silicon import si2

from gibbsflow.errors import InputError
from gibbsflow.potential.data.database import DatabaseManager
from gibbsflow.potential.data.formats.file_formats import read_any
from gibbsflow.potential.data.structures import structure_id
from gibbsflow.workflow.account import Account

CIF = """data_own
_cell_length_a 5.5
_cell_length_b 5.5
_cell_length_c 5.5
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'P 1'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
"""


def read(path: Path) -> tuple[list[Atoms], Account]:
    account = Account(str(path))
    return read_any(path, account), account


def refusals(path: Path) -> str:
    return "; ".join(str(problem) for problem in read(path)[1].of_weight("refuse"))


@pytest.mark.parametrize(
    ("sites", "words"),
    [
        ("Si1 Si 0 0 0 0.7\nGe1 Ge 0 0 0 0.3\n", "site 1 is occupied by Si 0.7, Ge 0.3"),
        ("Si1 Si 0 0 0 1\nSi2 Si 0.25 0.25 0.25 0.5\n", "site 2 is occupied by Si 0.5"),
        ("Si1 Si 0 0 0 1\nSi2 Si 0.25 0.25 0.25 1.0\n", ""),
        ("Si1 Si 0 0 0 .\nSi2 Si 0.25 0.25 0.25 ?\n", ""),
        ("Si1 Si 0 0 0 1.5\n", "site 1 is occupied by Si 1.5"),
    ],
)
def test_sites_of_a_cif_hold_one_whole_atom(tmp_path: Path, sites: str, words: str) -> None:
    (tmp_path / "s.cif").write_text(CIF + sites)
    said = refusals(tmp_path / "s.cif")
    assert words in said
    assert bool(said) == bool(words)


def test_moments_of_a_cif_are_not_passed_over(tmp_path: Path) -> None:
    moments = "loop_\n_atom_site_moment_label\n_atom_site_moment_crystalaxis_z\nSi1 2.0\n"
    (tmp_path / "s.cif").write_text(CIF + "Si1 Si 0 0 0 1\n" + moments)
    with pytest.raises(InputError, match="a magnetic CIF, whose moments are not read"):
        read(tmp_path / "s.cif")


def test_atoms_of_a_pdb_are_whole(tmp_path: Path) -> None:
    line = "ATOM  {0:>5}  O   HOH A   1    {1:8.3f}   0.000   0.000  {2:4.2f}  0.00           O\n"
    for occupancies, refused in (((1, 1), False), ((1, 0.5), True), ((0, 0), False)):
        (tmp_path / "s.pdb").write_text("".join(line.format(n, 3.0 * n, o) for n, o in enumerate(occupancies)))
        assert bool(refusals(tmp_path / "s.pdb")) == refused


def test_atoms_have_elements(tmp_path: Path) -> None:
    (tmp_path / "s.extxyz").write_text('2\nProperties=type:I:1:pos:R:3 pbc="F F F"\n1 0 0 0\n1 0 0 2\n')
    with pytest.raises(InputError, match="no column of elements among type, pos"):
        read(tmp_path / "s.extxyz")
    write(tmp_path / "s.traj", Atoms("XSi", [[0, 0, 0], [0, 0, 2]]))
    assert "frame 0: atom 0 is of no element" in refusals(tmp_path / "s.traj")
    dump = "ITEM: TIMESTEP\n0\nITEM: NUMBER OF ATOMS\n1\nITEM: BOX BOUNDS pp pp pp\n0 3\n0 3\n0 3\nITEM: ATOMS id "
    (tmp_path / "s.dump").write_text(dump + "type x y z\n1 1 0 0 0\n")
    with pytest.raises(InputError, match=r"ITEM: ATOMS: atoms have a type and no element"):
        read(tmp_path / "s.dump")
    (tmp_path / "s.dump").write_text(dump + "element x y z\n1 Cu 0 0 0\n")
    assert read(tmp_path / "s.dump")[0][0].get_chemical_symbols() == ["Cu"]


def test_a_data_file_of_lammps_is_one_by_its_head(tmp_path: Path) -> None:
    alloy = bulk("CuAu", "cesiumchloride", a=3.2)
    for style, masses in (("charge", True), ("atomic", False)):
        data = tmp_path / f"{style}.data"
        write(data, alloy, format="lammps-data", specorder=["Au", "Cu"], atom_style=style, masses=masses)
    frame = read(tmp_path / "charge.data")[0][0]
    assert frame.get_chemical_symbols() == ["Cu", "Au"] and frame.cell.lengths() == pytest.approx([3.2] * 3)
    with pytest.raises(InputError, match="no masses to tell the elements by"):
        read(tmp_path / "atomic.data")
    write(tmp_path / "runner.data", alloy)
    assert read(tmp_path / "runner.data")[0][0].get_chemical_symbols() == ["Cu", "Au"]


def poscar(path: Path, first: str, symbols: str | None) -> Path:
    write(path, bulk("Si", cubic=True), format="vasp", direct=True)
    lines = path.read_text().splitlines()
    lines[0] = first
    lines[5:6] = [symbols] if symbols else []
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_poscar_without_symbols_takes_them_from_its_first_line_or_is_refused(tmp_path: Path) -> None:
    for first in ("my crystal", "Si in a box", "diamond"):
        with pytest.raises(InputError, match="row 6, symbols: no symbols for 1 kinds of atoms"):
            read(poscar(tmp_path / "POSCAR", first, None))
    frames, account = read(poscar(tmp_path / "POSCAR", "Si", None))
    assert set(frames[0].symbols) == {"Si"}
    assert "Si, as its first line says" in account.as_dict()["notes"][0]
    assert not read(poscar(tmp_path / "POSCAR", "whatever", "Si"))[1].doubts


def test_constraints_are_dropped_and_noted(tmp_path: Path) -> None:
    fixed = bulk("Si", cubic=True)
    fixed.set_constraint(FixAtoms([0, 1]))
    write(tmp_path / "POSCAR", fixed, format="vasp")
    frames, account = read(tmp_path / "POSCAR")
    assert not frames[0].constraints
    assert "1 of 1 structures fix atoms" in account.as_dict()["notes"][0]


def test_the_frame_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    write(tmp_path / "s.extxyz", [si2(1), si2(2)])
    lines = (tmp_path / "s.extxyz").read_text().splitlines()
    lines[-1] = "Si 0.0 oops 0.0"
    (tmp_path / "s.extxyz").write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError, match=r"s\.extxyz, row 2, pos: line 8: '0.0 oops 0.0'"):
        read(tmp_path / "s.extxyz")
    with pytest.raises(InputError, match="is a folder"):
        read(tmp_path)


def test_odd_names_are_names(tmp_path: Path) -> None:
    path = tmp_path / "s@1 ü.extxyz"
    write(str(tmp_path / "plain.extxyz"), [si2(1), si2(2)])
    (tmp_path / "plain.extxyz").rename(path)
    assert len(read(path)[0]) == 2


def test_a_database_is_read_and_left_as_it_is(tmp_path: Path) -> None:
    atoms = molecule("H2O")
    atoms.calc = EMT()
    energy = atoms.get_potential_energy()
    atoms.get_forces()
    connect(tmp_path / "plain.db").write(atoms)
    before = (tmp_path / "plain.db").read_bytes()
    (frame,) = read(tmp_path / "plain.db")[0]
    assert frame.get_potential_energy() == pytest.approx(energy)
    assert np.any(frame.get_forces())
    assert (tmp_path / "plain.db").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["plain.db"]


def test_ones_own_database_gives_tags_charge_and_label(tmp_path: Path) -> None:
    atoms = si2()
    atoms.info["charge"] = 1
    atoms.info["gibbsflow_id"] = structure_id(atoms)
    manager = DatabaseManager(tmp_path / "own.db")
    manager.add([atoms])
    manager.record([result_of(atoms, -2.0)])
    (frame,) = read(tmp_path / "own.db")[0]
    assert (frame.info["charge"], frame.info["config_type"]) == (1, "rattle")
    assert frame.get_potential_energy() == -2.0


def test_what_is_no_database_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.db") as connection:
        connection.execute("CREATE TABLE a (b)")
    with pytest.raises(InputError, match="no ase.db"):
        read(tmp_path / "other.db")
    (tmp_path / "text.db").write_text("this is no database, but it is long enough to have a header\n" * 20)
    with pytest.raises(InputError, match=r"text\.db"):
        read(tmp_path / "text.db")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1\n\nSi 0 0 0\n\n1\n\nSi 0 0 1\n", "row 2: line 4: blank where a frame begins"),
        ('1\nlattice="5 0 0 0 5 0 0 0 5"\nSi 0 0 0\n', "Lattice is missing"),
        ('1\nLattice="5 0 0 0 5 0 0 0 5" PBC="F F F"\nSi 0 0 0\n', "PBC: line 2: pbc is missing"),
        ('1\nLattice="5 0 0 0 5 0 0 0 5" pbc="maybe"\nSi 0 0 0\n', "'maybe'"),
        ('1\nLattice="5 0 0 0 5 0 0 0 5" periodic=F\nSi 0 0 0\n', "pbc is missing"),
        ("1\nProperties=species:S:1:pos:R:3\nSi 0 0 0 9\n", "5 columns, and Properties names 4"),
        ("1\nProperties=species:S:1:pos:R:3:Z:I:1\nSi 0 0 0 32\n", "name two elements"),
        ("1\n\nFe2+ 0 0 0\n", "'Fe2\\+' is no element"),
    ],
)
def test_extended_xyz_is_read_whole_or_refused_by_line(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "s.xyz").write_text(text)
    with pytest.raises(InputError, match=words):
        read(tmp_path / "s.xyz")


def test_extended_xyz_means_what_ase_says_that_it_means(tmp_path: Path) -> None:
    atoms = si2(3)
    atoms.info.update(name="a b", charge=1, flag=True, vector=np.arange(3), settings_hash="x-1")
    atoms.set_initial_magnetic_moments([1.0, -1.0])
    atoms.set_initial_charges([0.5, 0.5])
    atoms.new_array("label", np.array(["a", "b"]))
    atoms.calc = SinglePointCalculator(atoms, energy=-1.5, forces=np.ones((2, 3)), magmoms=np.array([2.0, -2.0]))
    write(tmp_path / "s.extxyz", [atoms, molecule("H2O")])
    ours, theirs = read(tmp_path / "s.extxyz")[0], ase_read(tmp_path / "s.extxyz", ":")
    assert len(ours) == len(theirs) == 2
    for mine, his in zip(ours, theirs, strict=True):
        assert mine == his
        assert mine.info.keys() == his.info.keys()
        assert mine.arrays.keys() == his.arrays.keys()
        assert all(np.array_equal(mine.arrays[key], his.arrays[key]) for key in his.arrays)
    expected = {"name": "a b", "charge": 1, "flag": True, "settings_hash": "x-1", "config_type": "rattle"}
    assert {key: ours[0].info[key] for key in expected} == expected
    assert ours[0].info["vector"].tolist() == [0, 1, 2]
    results = ours[0].calc.results
    assert (results["energy"], results["magmoms"].tolist()) == (-1.5, [2.0, -2.0])
    assert structure_id(ours[0]) == structure_id(theirs[0])


def test_byte_order_marks_and_fortran_numbers_are_read(tmp_path: Path) -> None:
    (tmp_path / "s.xyz").write_bytes(b"\xef\xbb\xbf1\r\n\r\nSi 1.5D+00 0 0\r\n")
    assert read(tmp_path / "s.xyz")[0][0].positions.tolist() == [[1.5, 0.0, 0.0]]
