"""Files cut short or broken on their way from one step to the next: one clear refusal, which names the file."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from pathlib import Path

import host_guest as hg
import pytest
from ase.build import bulk
from ase.io import write
from faults import small
from faults.child import Ended, run
from labelled_sets import fitted_copper
from silicon import si8

from gibbsflow.config.binding import Equil
from gibbsflow.potential.data.structures import write_frames


def one_refusal(ended: Ended, *told: str) -> None:
    """A failure in one line that names what is wrong, and no traceback."""
    assert ended.code in (65, 70), ended.text
    assert "Traceback" not in ended.text, ended.text
    (error,) = [line for line in ended.text.splitlines() if line.startswith("error:")]
    assert all(word in ended.text for word in told), ended.text
    assert "what to do:" in ended.text and len(error) < 2000


def cut(path: Path, share: float) -> None:
    """Leave the first part of a file."""
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])


@pytest.fixture(scope="module")
def equilibrated(tmp_path_factory):
    """The output of a short equilibration."""
    root = tmp_path_factory.mktemp("equil")
    settings = Equil(minimise_steps=20, heat_ps=0, equil_ps=0.2, equil_segment_ps=0.1)
    system = hg.prepare_equil(root / "system", settings)
    ended = run("equil", "run", "--system", system, "--state", root / "state", "--out", root / "out")
    assert ended.code == 0, ended.text
    return root / "out"


@pytest.mark.parametrize("share", [0, 0.4, 0.97])
def test_energies_of_a_window(exchange, tmp_path, share):
    (_, whole), name = exchange, "window_01.parquet"
    shutil.copytree(whole / "out", tmp_path / "out")
    cut(tmp_path / "out" / name, share)
    files = [word for path in sorted((tmp_path / "out").glob("*.parquet")) for word in ("--input", path)]
    one_refusal(run("analysis", "leg", *files, "--out", tmp_path / "leg"), name)


@pytest.mark.parametrize("share", [0.5, 0.97])
@pytest.mark.parametrize("name", ["leg.json", "start.npz", "topology.prmtop"])
def test_files_of_a_leg(exchange, tmp_path, name, share):
    own = small.make_leg(tmp_path / "leg")
    cut(own.folder / name, share)
    ended = small.fe_run(own, tmp_path)
    one_refusal(ended, name)
    assert not list((tmp_path / "state").glob("segment-*"))


@pytest.mark.parametrize("share", [0.97])
@pytest.mark.parametrize("name", ["equil_frames.npz", "system.json", "complex.prmtop"])
@pytest.mark.parametrize("verb", [("equil", "analyse"), ("fe", "prepare")], ids=" ".join)
def test_files_of_a_system(equilibrated, tmp_path, verb, name, share):
    shutil.copytree(equilibrated, tmp_path / "system")
    (path,) = (tmp_path / "system").rglob(name)
    cut(path, share)
    if name == "equil_frames.npz" and verb[0] == "fe":  # as its own step leaves it, of bound ligands alone
        system = json.loads((tmp_path / "system/system.json").read_text())
        system["meta"]["bound"] = True
        (tmp_path / "system/system.json").write_text(json.dumps(system))
    ended = run(*verb, "--system", tmp_path / "system", "--out", tmp_path / "out")
    one_refusal(ended)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("s.extxyz", '2\nLattice="1 0 0 0 1 0 0 0 1" Properties=species:S:1:pos:R:3\nSi 0 0 0\n'),
        ("s.extxyz", "two\n\nSi 0 0 0\nSi 1 1 1\n"),
        ("s.extxyz", '1\nLattice="1 0 0" Properties=species:S:1:pos:R:3 pbc="T T T"\nSi 0 0 0\n'),
        ("s.extxyz", "1\nProperties=species:S:1:pos:R:3\nSi 0 zero 0\n"),
        ("s.extxyz", "1\nProperties=species:S:1:pos:R:3\nSi 0 nan 0\n"),
        ("s.extxyz", "1\nProperties=species:S:1:pos:R:3\nXq 0 0 0\n"),
        ("s.extxyz", ""),
        ("s.cif", "data_x\n_cell_length_a 5.43\nloop_\n_atom_site_label\n_atom_site_fract_x\nSi1\n"),
        ("s.cif", "not a cif\n"),
        ("s.cif", "data_x\n_cell_length_a five\n_cell_length_b 5\n_cell_length_c 5\n"),
        ("POSCAR", "Si\n1.0\n5 0 0\n0 5 0\n0 0\nSi\n2\nDirect\n0 0 0\n"),
        ("POSCAR", "Si\none\n5 0 0\n0 5 0\n0 0 5\nSi\n1\nDirect\n0 0 0\n"),
        ("POSCAR", "Si\n1.0\n5 0 0\n0 5 0\n0 0 5\nSi\n3\nDirect\n0 0 0\n"),
    ],
)
def test_malformed_structures(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    (tmp_path / "run.yaml").write_text("target: {elements: [Si]}\ndft: {engine: tblite}\n")
    words = ["--input", tmp_path / name, "--config", tmp_path / "run.yaml", "--state", tmp_path / "state"]
    ended = run("dft", "label", *words, "--out", tmp_path / "out")
    one_refusal(ended, name)
    if "nan" in text:  # of a batch only that structure fails
        assert "BAD_STRUCTURE" in (tmp_path / "out/labels.jsonl").read_text()
    else:
        assert ended.code == 65
    (tmp_path / "made.yaml").write_text(f"target: {{elements: [Si], structure_file: {name}}}\n")
    made = run("system_prep", "structures", "--config", tmp_path / "made.yaml", "--out", tmp_path / "made")
    one_refusal(made, name)
    assert made.code == 65


@pytest.mark.parametrize("share", [0.5])
@pytest.mark.parametrize("name", ["potential.json", "active_set.npz", "coefficients.pod", "potential.pod"])
def test_files_of_a_potential(tmp_path, name, share):
    shutil.copytree(fitted_copper()[0] / "potential", tmp_path / "potential")
    cut(tmp_path / "potential" / name, share)
    write(tmp_path / "start.extxyz", bulk("Cu", cubic=True))
    (tmp_path / "run.yaml").write_text("exploration: {steps: 4, segment_steps: 2, grade_interval: 1}\n")
    words = ["--potential", tmp_path / "potential", "--structure", tmp_path / "start.extxyz"]
    words += ["--config", tmp_path / "run.yaml", "--state", tmp_path / "state", "--out", tmp_path / "out"]
    one_refusal(run("infer", "explore", *words), "potential")


@pytest.fixture
def database(tmp_path):
    """A database of two labels, and the words of the command that made it."""
    pytest.importorskip("tblite")
    write_frames(tmp_path / "s.extxyz", [si8(1), si8(2)])
    (tmp_path / "run.yaml").write_text("target: {elements: [Si]}\ndft: {engine: tblite}\n")
    words = [
        "label",
        "--input",
        tmp_path / "s.extxyz",
        "--config",
        tmp_path / "run.yaml",
        "--state",
        tmp_path / "state",
    ]
    words += ["--out", tmp_path / "out", "--database", tmp_path / "s.db"]
    ended = run("dft", *words)
    assert ended.code == 0, ended.text
    return tmp_path / "s.db", words


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE text_key_values SET value = 'done' WHERE key = 'status'",
        "DELETE FROM text_key_values WHERE key = 'status'",
        "UPDATE systems SET key_value_pairs = '{'",
        "UPDATE systems SET key_value_pairs = json_set(key_value_pairs, '$.status', 'done')",
        "UPDATE systems SET data = 'x'",
        "UPDATE systems SET numbers = x'00'",
        "DROP TABLE text_key_values",
        "DROP TABLE systems",
    ],
)
def test_a_database_edited_by_hand(database, statement):
    path, words = database
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA foreign_keys=OFF")
    connection.execute(statement)
    connection.commit()
    connection.close()
    for command in (["status", "--database", path], words):
        ended = run("dft", *command)
        assert "Traceback" not in ended.text, ended.text
        if ended.code:
            one_refusal(ended, "s.db")


@pytest.mark.root
def test_a_database_that_can_only_be_read(database, disk):
    path, words = database
    shutil.move(path, disk / "s.db")
    words[-1] = disk / "s.db"
    before = (disk / "s.db").read_bytes()
    disk.remount("ro")
    told = run("dft", "status", "--database", disk / "s.db", "--json")
    assert told.code == 0 and json.loads(told.text[told.text.index("{") :])["counts"]["labelled"] == 2, told.text
    ended = run("dft", *words)
    assert ended.code in (65, 70, 74) and "Traceback" not in ended.text and "s.db" in ended.text, ended.text
    disk.remount("rw")
    assert (disk / "s.db").read_bytes() == before
    assert run("dft", *words).code == 0


def test_a_mask_that_shuts_everybody_out(exchange, tmp_path):
    """Under umask 077 nothing is to be read by others, and the answer is the same."""
    leg, whole = exchange
    ended = run("fe", *small.words(leg, tmp_path, "--segments", 2), before=lambda: os.umask(0o077))
    assert ended.code == 75, ended.text
    assert run("fe", *small.words(leg, tmp_path), before=lambda: os.umask(0o077)).code == 0
    small.same_answer(tmp_path, whole)
    made = [path for folder in ("state", "out") for path in (tmp_path / folder).rglob("*")]
    assert made and not [path for path in made if path.stat().st_mode & 0o077]
