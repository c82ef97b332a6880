"""Every line of a file belongs to a frame, or the file is refused by line."""

import numpy as np
import pytest
from ase.io import read, write
from labelled_sets import rattled

from gibbsflow.errors import InputError
from gibbsflow.potential.data.formats.extended_xyz import number, read_extended_xyz

HEAD = 'Lattice="4 0 0 0 4 0 0 0 4" Properties=species:S:1:pos:R:3:forces:R:3 energy=-1.5'
ATOM = "Cu 0 0 0 0.1 0.2 0.3"


def _read(tmp_path, *lines, end="\n"):
    path = tmp_path / "a.xyz"
    path.write_text("\n".join(lines) + end)
    return read_extended_xyz(path)


def test_numbers_are_those_that_ase_reads(tmp_path):
    frames = rattled(3, 0, settings_hash="abc", note='two "words"')
    write(tmp_path / "a.extxyz", frames)
    for ours, theirs in zip(read_extended_xyz(tmp_path / "a.extxyz"), read(tmp_path / "a.extxyz", ":"), strict=True):
        assert (ours.positions == theirs.positions).all() and (ours.cell.array == theirs.cell.array).all()
        assert (ours.pbc == theirs.pbc).all() and (ours.numbers == theirs.numbers).all()
        assert (ours.arrays["forces"] == theirs.get_forces()).all()
        assert float(ours.info["energy"]) == theirs.get_potential_energy()
        assert (ours.info["settings_hash"], ours.info["note"]) == ("abc", 'two "words"')


def test_values_are_kept_as_they_were_written(tmp_path):
    (frame,) = _read(tmp_path, "1", HEAD + " a='b c' d={1 2} e=[T, F] alone f=1=2", ATOM)
    assert frame.info == {"energy": "-1.5", "a": "b c", "d": "1 2", "e": "T, F", "alone": "T", "f": "1=2"}
    assert frame.pbc.all() and frame.arrays["forces"].tolist() == [[0.1, 0.2, 0.3]]


def test_what_other_programs_write_is_read(tmp_path):
    (frame,) = _read(
        tmp_path,
        "\ufeff1\r",
        HEAD.replace("species:S:1", "Z:I:1") + ' pbc="T F 1"\r',
        "29 0 0 0 1D-1 0 0",
        end="\n\n \n",
    )
    assert frame.get_chemical_formula() == "Cu" and frame.pbc.tolist() == [True, False, True]
    assert frame.arrays["forces"][0, 0] == 0.1
    (frame,) = _read(tmp_path, "1", "", "Cu 1 2 3")
    assert not frame.pbc.any() and frame.positions.tolist() == [[1, 2, 3]]


def test_blanks_may_stand_around_the_sign_of_a_value(tmp_path):
    comments = [" i =        1, time =        0.500, E =       -17.16", "a= 'b c'  alone energy =-1.5 d  = {1 2}"]
    frames = _read(tmp_path, *(line for comment in comments for line in ("1", comment, "Cu 0 0 0")))
    assert frames[0].info == {"i": "1,", "time": "0.500,", "E": "-17.16"}
    assert frames[1].info == {"a": "b c", "alone": "T", "energy": "-1.5", "d": "1 2"}


def test_fortran_numbers():
    assert [number(text) for text in ("1.0D+01", "-2.5d-3", "1e3", "7")] == [10, -0.0025, 1000, 7]
    for text in ("1_000", "D1", "T", "1,5"):
        with pytest.raises(ValueError, match="."):
            number(text)
    assert np.isnan(number("nan"))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["1", HEAD, ATOM, "", "1", HEAD, ATOM], r"row 2: line 4: blank where a frame begins; frame 1 ended"),
        (["1", HEAD, ATOM, "the end"], r"row 2: line 4: 'the end' where a frame begins"),
        (["1", HEAD, ATOM, ATOM], r"row 2: line 4: 'Cu 0 0 0 0.1 0.2 0.3' where a frame begins"),
        (["2", HEAD, ATOM], r"row 1: line 1: 2 atoms, and 1 lines up to the end"),
        (["1", HEAD, ATOM, "0", ""], r"row 2: line 4: '0' where a frame begins"),
        (["1", HEAD, "Cu 0 0 0 29 0.1 0.2 0.3"], r"row 1, Properties: line 3: 8 columns, and Properties names 7"),
        (["1", HEAD, "Cu 0 0 0 0.1 0.2"], r"row 1, Properties: line 3: 6 columns, and Properties names 7"),
        (["1", HEAD, "Cu 0 0 x 0.1 0.2 0.3"], r"row 1, pos: line 3: '0 0 x' \(right: numbers\)"),
        (["1", HEAD, "Cu1 0 0 0 0.1 0.2 0.3"], r"row 1, species: line 3: 'Cu1' is no element"),
        (["1", HEAD, "X 0 0 0 0.1 0.2 0.3"], r"row 1, species: line 3: 'X' is no element"),
        (["1", HEAD.replace("species:S", "type:I"), "1 0 0 0 1 1 1"], r"no column of elements among type, pos"),
        (["1", HEAD.replace("pos:R:3", "pos:R"), ATOM], r"Properties: line 2: 'pos:R:forces' is no column"),
        (["1", HEAD.replace("forces", "pos"), ATOM], r"two columns are named pos"),
        (["1", HEAD.replace("Lattice", "lattice"), ATOM], r"line 2: Lattice is missing \(right: Lattice=..."),
        (["1", HEAD.replace("0 0 4", "0 4"), ATOM], r"row 1, Lattice: line 2: .* \(right: nine numbers"),
        (["1", HEAD + ' pbc="T T"', ATOM], r"row 1, pbc: line 2: 'T T'"),
        (["1", HEAD + " energy=-1.6", ATOM], r"row 1, energy: line 2: given twice, as '-1.5' and '-1.6'"),
        ([""], "holds no structure"),
    ],
)
def test_what_cannot_be_read_is_refused_by_line(tmp_path, lines, message):
    with pytest.raises(InputError, match=message):
        _read(tmp_path, *lines)


def test_other_encodings_are_refused(tmp_path):
    (tmp_path / "a.xyz").write_bytes("1\nname=Å\nCu 0 0 0\n".encode("latin-1"))
    with pytest.raises(InputError, match="row 2: not UTF-8 text: byte 0xc5 in column 6"):
        read_extended_xyz(tmp_path / "a.xyz")
