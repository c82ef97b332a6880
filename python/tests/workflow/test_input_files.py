"""Files from outside: regular ones, of a stated size, in UTF-8; nothing hangs, nothing fills the memory."""

import bz2
import gzip
import os
import re
import socket
import tracemalloc
from functools import partial

import pytest

from gibbsflow.binding.alchemy.schedules import read_schedule
from gibbsflow.binding.analyse import collect
from gibbsflow.binding.prepare.protein.cofactors import read_parameters
from gibbsflow.binding.prepare.protein.protonation import read_choices
from gibbsflow.binding.prepare.receptor_file import read_receptor
from gibbsflow.binding.prepare.samplesheet import read_ligands
from gibbsflow.config.binding import BindingConfig, System
from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.errors import InputError
from gibbsflow.potential.data.formats.file_formats import read_any
from gibbsflow.potential.data.labelled_frames import read_labelled
from gibbsflow.potential.label.pseudopotentials import gth, upf
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.input_files import (
    csv_records,
    number_or_none,
    read_input,
    read_lines,
    read_table,
    read_text,
    require_file,
    unpack,
)

ROOMS = {
    "settings": (BindingConfig.read, "a.yaml"),
    "settings of a potential": (PotentialConfig.expand, "a.yaml"),
    "schedule": (lambda path: read_schedule(str(path)), "a.yaml"),
    "protonation": (read_choices, "a.yaml"),
    "protonation by lines": (read_choices, "a.csv"),
    "samplesheet": (read_ligands, "a.csv"),
    "host": (lambda path: read_receptor(path, System()), "a.sdf"),
    "protein": (lambda path: read_receptor(path, System(), complete=False), "a.pdb"),
    "packed protein": (lambda path: read_receptor(path, System(), complete=False), "a.cif.gz"),
    "parameters": (lambda path: read_parameters([path]), "a.mol2"),
    "energies of GROMACS": (lambda path: collect.read_leg([path]), "a.xvg"),
    "energies of AMBER": (lambda path: collect.read_leg([path], "amber"), "a.out"),
    "packed energies": (lambda path: collect.read_leg([path]), "a.xvg.gz"),
    "windows": (lambda path: collect.read_leg([path]), "a.parquet"),
    "labels": (read_labelled, "a.extxyz"),
    "frames": (lambda path: read_any(path, Account("a")), "a.cif"),
    "database": (lambda path: read_any(path, Account("a")), "a.db"),
    "UPF": (upf.read_header, "a.UPF"),
    "GTH": (gth.read, "a.gth"),
}


@pytest.mark.parametrize("room", ROOMS)
def test_every_reader_of_files_from_outside_holds_to_that(tmp_path, room):
    read, name = ROOMS[room]
    path = tmp_path / name
    os.mkfifo(path)
    cases = ["a pipe", "a folder", "a device", "sparse", b"", b"\0" * 64, os.urandom(4000), b"[" * 5000, b"x" * 300_000]
    cases += ["é\n".encode("utf-16") * 20, b"\xff\xfe\xfd,\xe9\n" * 20, b"1_0 \xef\xbc\x92 .inf 0x10\n" * 9]
    for case in cases:
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        elif case != "a pipe":
            path.unlink()
        if case == "a folder":
            path.mkdir()
        elif case == "a device":
            path.symlink_to("/dev/zero")
        elif case == "sparse":
            path.touch()
            os.truncate(path, 10**13)
        elif isinstance(case, bytes):
            path.write_bytes(case)
        if case == b"" and name in ("a.yaml", "a.csv"):
            continue  # no settings, or none of the lines that may be there
        with pytest.raises(InputError) as error:
            read(path)
        told = str(error.value).split("\n")
        assert all(len(line) < 1500 for line in told) and len(told) < 60
        if case in ("a pipe", "a folder", "a device"):
            assert len(told) == 1 and (f"is no regular file but {case}" in told[0] or "is a folder" in told[0])


READERS = (
    partial(read_input, right="a file", most_bytes=100),
    partial(read_text, right="a file", most_bytes=100),
    partial(require_file, right="a file", most_bytes=100),
    lambda path: list(read_lines(path, "a file", 100)),
)


@pytest.mark.parametrize("read", READERS)
def test_only_regular_files_are_read_and_none_hangs(tmp_path, read):
    os.mkfifo(tmp_path / "pipe")
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(tmp_path / "socket"))
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "large").write_bytes(b"x" * 101)
    (tmp_path / "zero").symlink_to("/dev/zero")
    words = {
        tmp_path / "pipe": "is no regular file but a pipe",
        tmp_path / "socket": "is no regular file but a socket",
        tmp_path: "is no regular file but a folder",
        tmp_path / "zero": "is no regular file but a device",
        tmp_path / "loop": "not readable: Too many levels of symbolic links",
        tmp_path / "none": "no such file",
        tmp_path / "large" / "none": "no such file",
        tmp_path / "a\0b": "not readable: embedded null byte",
        tmp_path / "large": "is too large (right: a file, of at most 0.0001 MB)",
        tmp_path / ("x" * 300): "not readable: File name too long",
    }
    for path, told in words.items():
        with pytest.raises(InputError) as error:
            read(path)
        assert told in str(error.value) and str(error.value).isprintable()
    server.close()


def test_a_file_without_a_size_is_held_to_it_too():
    with pytest.raises(InputError, match="is too large"):
        read_input("/proc/self/maps", "a file", 10)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("a,b".encode("utf-16"), "is UTF-16, not UTF-8 text"),
        ("a,b".encode("utf-32"), "is UTF-32, not UTF-8 text"),
        ("a,b".encode("utf-16-le"), "a NUL byte at byte 1"),
        (b"a\0b", "a NUL byte at byte 1"),
        ("é,".encode() + "é".encode("latin-1"), "not UTF-8 text (unexpected end of data at byte 3)"),
        (b"\xed\xa0\x80", "not UTF-8 text"),
    ],
)
def test_other_encodings_are_told(tmp_path, content, told):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(InputError) as error:
        read_text(tmp_path / "a", "a table", 100)
    assert told in str(error.value) and "(right: a table, saved as UTF-8)" in str(error.value)


def test_text_has_one_kind_of_line_end_and_no_mark(tmp_path):
    (tmp_path / "a").write_bytes("\ufeffé\r\nb\rc\n".encode())
    assert read_text(tmp_path / "a", "a", 100) == "é\nb\nc\n"
    (tmp_path / "a").write_bytes(b"REMARK \xe9\n")
    assert read_text(tmp_path / "a", "a", 100, errors="replace") == "REMARK \ufffd\n"


def test_records_have_the_line_that_they_start_on(tmp_path):
    assert list(csv_records('a,"b\nc"\n\nd\n', "x", "a table")) == [(1, ["a", "b\nc"]), (3, []), (4, ["d"])]
    for text, told in {
        "a\nb," + "x" * 140_000: "row 2: not readable as CSV: field larger than field limit",
        'a\n"b\n': "row 2: not readable as CSV: unexpected end of data",
        'a\n"b"c\n': "row 2: not readable as CSV: ',' expected",
    }.items():
        with pytest.raises(InputError) as error:
            list(csv_records(text, "x", "a table"))
        assert told in str(error.value)


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress), ("", bytes)])
def test_lines_are_read_packed_or_not(tmp_path, suffix, pack):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(pack("é 1\r\nb".encode()))
    assert list(read_lines(path, "lines")) == [(1, "é 1\n"), (2, "b")]
    path.write_bytes(pack(b"a\n\xff\n"))
    with pytest.raises(InputError, match="row 2: not UTF-8 text"):
        list(read_lines(path, "lines"))
    if suffix:
        path.write_bytes(pack(os.urandom(1000))[:-20])
        with pytest.raises(InputError, match="truncated|not UTF-8"):
            list(read_lines(path, "lines"))


def test_what_unpacks_without_end_is_not_unpacked(tmp_path):
    part = gzip.compress(b"x" * 1_000_000, 1)
    bomb = part * 200
    (tmp_path / "bomb.gz").write_bytes(bomb)
    tracemalloc.start()
    with pytest.raises(InputError, match="is too large"):
        unpack(bomb, tmp_path / "bomb.gz", "a file", 1_000_000)
    with pytest.raises(InputError, match="row 1: a line of over 10 MB"):
        list(read_lines(tmp_path / "bomb.gz", "lines"))
    assert tracemalloc.get_traced_memory()[1] < 60e6
    tracemalloc.stop()
    with pytest.raises(InputError, match="not readable as gzip"):
        unpack(bomb[:1000], tmp_path / "bomb.gz", "a file", 1_000_000_000)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "row 1: is empty"),
        ("a\n1\n", "row 1: has no column, or two, of the name b (right: a table, with the columns a, b)"),
        ("a,b,b\n1,2,3\n", "of the name b"),
        ("a,b\n", "has a header and no row"),
        ("a,b\n1,2\n3\n", "row 3: 1 cells, not 2"),
        ("a,b\n1,x\n", "row 2, b: is 'x' (right: a finite number, or empty)"),
        ("a,b\n1,nan\n", "row 2, b: is 'nan'"),
        ("a,b\n1,2\n1,2", "breaks off within its last row"),
    ],
)
def test_a_table_of_ones_own_is_whole(tmp_path, text, told):
    path = tmp_path / "t.csv"
    path.write_text("\ufeffa,b,c\nx,1.5,\n\ny,,z\n")
    whole = read_table(path, "a table", {"a": str, "b": number_or_none})
    assert whole == [{"a": "x", "b": 1.5, "c": ""}, {"a": "y", "b": None, "c": "z"}]
    path.write_text(text)
    with pytest.raises(InputError, match=re.escape(told)):
        read_table(path, "a table", {"a": str, "b": number_or_none})
