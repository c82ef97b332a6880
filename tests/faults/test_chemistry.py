"""Faults of the science: a structure that gives NaN, a ligand that unbinds, parameters that do not exist, programs that
are not there. Each has its cause in state and table, and costs no other item anything."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import host_guest as hg
import numpy as np
import pytest
from faults import small
from faults.child import run
from known_molecules import CB7
from oscillators import Oscillators, write_system

from gibbsflow.binding.prepare.complex import prepare_system, row_from_options
from gibbsflow.config.binding import BindingConfig, Equil


def rows_of(root: Path, ligands: str, state: Path, *records: Path) -> dict[str, dict[str, str]]:
    """Rows of the table of a campaign, by ligand."""
    (root / "ligands.csv").write_text("ligand,smiles\n" + "".join(f"{name},C\n" for name in ligands.split()))
    words = [word for folder in records for word in ("--record", folder)]
    table = ["--input", root / "ligands.csv", "--state", state, *words, "--out", root / "results"]
    ended = run("analysis", "campaign", *table)
    assert ended.code == 0, ended.text
    return {row["ligand"]: row for row in csv.DictReader((root / "results" / "results.csv").open())}


def good_record(root: Path) -> Path:
    """Record of a ligand that nothing happened to."""
    legs = {"complex": Oscillators(4, 20.0, 12.0), "solvent": Oscillators(3, 6.0)}
    write_system(root / "good", "good", legs, replicates=1)
    runs = [o.write(root / f"good-{leg}", leg=leg, transformation="good", count=60) for leg, o in legs.items()]
    words = [word for folder in runs for word in ("--run", folder)]
    assert run("analysis", "transformation", "--system", root / "good", *words, "--out", root / "record").code == 0
    return root / "record"


def test_nan_from_a_really_bad_structure(exchange, tmp_path):
    """All atoms in one place: named, recorded, tried again otherwise; mended, the answer is that of a good start."""
    leg, whole = exchange
    bad = small.make_leg(tmp_path / "leg")
    start = bad.start_nm
    clash = start.copy()
    clash[:] = clash[0]
    with open(bad.folder / bad.start, "wb") as file:
        np.savez(file, positions_nm=clash)
    for _ in range(2):
        ended = small.fe_run(bad, tmp_path)
        assert ended.code == 70, ended.text
        (error,) = [line for line in ended.text.splitlines() if line.startswith("error:")]
        assert "nan" in error.lower() or "infinite" in error.lower() or "inf" in error
    failed = json.loads((tmp_path / "state" / "FAILED").read_text())
    assert failed["cause"] == "Numerical"
    assert (tmp_path / "state" / "attempts.json").exists()
    with open(bad.folder / bad.start, "wb") as file:
        np.savez(file, positions_nm=start)
    assert small.fe_run(bad, tmp_path).code == 0
    small.same_answer(tmp_path, whole)


def test_a_ligand_that_unbinds_is_a_row_and_the_others_stand(tmp_path):
    settings = Equil(minimise_steps=20, heat_ps=0, equil_ps=0.4, equil_segment_ps=0.2)
    system = hg.prepare_equil(tmp_path / "system", settings, shift_nm=3.0)
    state = tmp_path / "state" / "cb7" / "b2"
    done = run("equil", "run", "--system", system, "--state", state / "equil", "--out", tmp_path / "equil")
    assert done.code == 0, done.text
    words = ["analyse", "--system", tmp_path / "equil", "--state", state / "equil_analysis"]
    ended = run("equil", *words, "--out", tmp_path / "analysis")
    assert ended.code == 70
    assert json.loads((tmp_path / "analysis" / "result.json").read_text())["status"] == "unbound"
    rows = rows_of(tmp_path, "b2 good", tmp_path / "state", good_record(tmp_path))
    assert rows["b2"]["status"] == "unbound" and "site" in rows["b2"]["cause"]
    assert rows["good"]["status"] == "finished" and rows["good"]["dg_kcal_per_mol"]


@pytest.fixture
def prepared(tmp_path: Path) -> Path:
    row = row_from_options("butane", None, "CCCC", None, None)
    (tmp_path / "system").mkdir()
    prepare_system(row, CB7, BindingConfig(), tmp_path / "system")[0].write()
    return tmp_path / "system"


def param(prepared: Path, root: Path, **before):
    (root / "c.yaml").write_text("param_memory_gb: 0.01\n")
    state = root / "state" / "cb7" / "butane" / "param_ligands"
    words = ["--cache", root / "cache", "--config", root / "c.yaml", "--state", state, "--out", root / "out"]
    return run("param", "ligand", "--system", prepared, *words, **before)


def test_failed_parametrisation_is_a_row_with_its_log(prepared, tmp_path):
    ended = param(prepared, tmp_path)
    assert ended.code == 70 and "antechamber" in ended.text and "Traceback" not in ended.text
    rows = rows_of(tmp_path, "butane good", tmp_path / "state", good_record(tmp_path))
    assert rows["butane"]["status"] == "failed" and rows["butane"]["cause"].startswith("Parametrisation: ")
    assert rows["good"]["status"] == "finished"


def test_a_missing_program_is_named_before_anything_runs(prepared, tmp_path):
    def hide() -> None:
        import sys

        sys.executable = str(tmp_path / "bin" / "python")  # programs are looked for beside it first
        os.environ["PATH"] = str(tmp_path / "bin")

    ended = param(prepared, tmp_path, before=hide)
    assert ended.code == 65, ended.text
    (error,) = [line for line in ended.text.splitlines() if line.startswith("error:")]
    assert "program 'antechamber' is not installed" in error
    assert "what to do: Install the program" in ended.text
