"""Coordinates with their box, in each format; molecules that a face of the box has cut."""

import numpy as np
import pytest
import solvated_systems as boxes

from gibbsflow.binding.forcefield.given.coordinate_files import (
    beside,
    count_atoms,
    made_whole,
    nearest_image,
    read_coordinates,
)
from gibbsflow.binding.forcefield.topology_file import bonded_pairs
from gibbsflow.errors import InputError


def read(path):
    return read_coordinates(path, field="complex_coordinates", where=str(path))


@pytest.fixture(scope="module")
def structure():
    import parmed

    folder = boxes.boxes()
    return parmed.load_file(str(folder / "solvent.prmtop"), str(folder / "solvent.inpcrd"))


@pytest.mark.parametrize("name", ["x.rst7", "x.ncrst", "x.gro", "x.pdb"])
def test_formats_hold_the_same(structure, tmp_path, name):
    import parmed

    path, of_file = tmp_path / name, read(boxes.boxes() / "solvent.inpcrd")
    if name.endswith("rst"):
        restart = parmed.amber.NetCDFRestart.open_new(str(path), len(structure.atoms), box=True, vels=False)
        restart.coordinates, restart.cell_lengths, restart.cell_angles = (
            structure.coordinates,
            structure.box[:3],
            structure.box[3:],
        )
        restart.close()
    else:
        structure.save(str(path))
    found = read(path)
    assert count_atoms(path) == len(found.positions_angstrom)
    assert np.allclose(found.positions_angstrom, of_file.positions_angstrom, atol=6e-3)  # gro: 0.001 nm
    assert found.box_angstrom == pytest.approx(of_file.box_angstrom, abs=6e-3)
    assert np.diag(found.vectors_angstrom) == pytest.approx(of_file.box_angstrom[:3], abs=6e-3)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.rst7", b"title\n"),
        ("x.gro", b"title\nmany\n"),
        ("x.pdb", b"END\n"),
        ("x.ncrst", b"CDF\x01"),
        ("x.rst7", b""),
    ],
)
def test_of_a_file_that_is_none_no_atoms_are_counted(tmp_path, name, content):
    """What is wrong with it is told by who reads it."""
    (tmp_path / name).write_bytes(content)
    assert count_atoms(tmp_path / name) is None and count_atoms(tmp_path / "absent.gro") is None


def test_gro_of_several_frames_is_refused_and_points_in_names_are_none_in_numbers(structure, tmp_path):
    path = tmp_path / "x.gro"
    structure.save(str(path))
    once, found = path.read_text(), read(path)
    path.write_text("\n".join(row[:5] + "M.H. " + row[10:] if "MOH" in row else row for row in once.split("\n")))
    assert np.array_equal(read(path).positions_angstrom, found.positions_angstrom)
    path.write_text(once + once)
    with pytest.raises(InputError, match="more than one frame"):
        read(path)


def test_velocities_are_told_from_positions_and_box(tmp_path):
    lines = (boxes.boxes() / "solvent.inpcrd").read_text().split("\n")
    whole = [line for line in lines if line.strip() or line is lines[0]]
    title, body, box = whole[:2], whole[2:-1], whole[-1]
    path = tmp_path / "v.rst7"
    path.write_text("\n".join([*title, *body, *body, box, ""]))
    found = read(path)
    assert found.velocities and np.allclose(
        found.positions_angstrom, read(boxes.boxes() / "solvent.inpcrd").positions_angstrom
    )
    for broken, said in (([*title, *body], "has no periodic box"), ([*title, *body[:-9]], "lines for")):
        path.write_text("\n".join([*broken, ""]))
        with pytest.raises(InputError, match=said):
            read(path)


def test_a_box_of_slanted_vectors_is_read_from_gro(tmp_path):
    path = tmp_path / "d.gro"
    path.write_text(
        "d\n1\n    1SOL     OW    1   1.000   2.000   3.000\n   4.0 4.0 2.8284271 0.0 0.0 0.0 0.0 2.0 2.0\n"
    )
    found = read(path)
    assert found.box_angstrom == pytest.approx((40, 40, 40, 60, 60, 90), abs=1e-4)
    assert np.allclose(found.vectors_angstrom, [[40, 0, 0], [0, 40, 0], [20, 20, 28.284271]], atol=1e-4)


def test_molecules_that_were_cut_become_whole_again():
    folder = boxes.boxes()
    given, bonds = read(folder / "complex.inpcrd"), bonded_pairs(folder / "complex.prmtop")
    vectors = given.vectors_angstrom
    cut = given.positions_angstrom.copy()
    cut[10:20] += vectors[0]
    cut[24:] -= vectors[1] + vectors[2]
    whole = made_whole(cut, vectors, bonds)
    lengths = [np.linalg.norm(np.subtract(*x[bonds.T]), axis=1) for x in (given.positions_angstrom, whole)]
    assert np.allclose(*lengths, atol=1e-6)
    assert np.allclose(nearest_image(whole - given.positions_angstrom, vectors), 0, atol=1e-6)


def test_a_ligand_comes_beside_its_receptor_by_atoms_and_not_by_centres():
    vectors = np.eye(3) * 30.0
    long = np.stack([np.linspace(0, 26, 14), np.zeros(14), np.zeros(14)], axis=1)
    ligand = np.array([[28.0, 0, 0]]) - vectors[0] * 3
    moved = beside(np.concatenate([long, ligand]), vectors, [[14]], range(14))
    assert moved[14].tolist() in ([28.0, 0, 0], [-2.0, 0, 0])
    assert np.abs(moved[:14] - long).max() == 0


def test_what_is_of_another_kind_is_told_what_it_was_read_as(tmp_path):
    for name, kind in (("x.cif", "AMBER's rst7"), ("x.gro", "gro")):
        (tmp_path / name).write_text("data_cell\n#\n_cell.length_a 30.0\n")
        with pytest.raises(InputError, match=f"not readable as {kind}") as refused:
            read(tmp_path / name)
        assert "pdb" in refused.value.problems[0].right
