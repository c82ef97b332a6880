"""A written equilibration that sander has run by the scripts goes into the state of `equil run`, and on from there."""

import json
import os
import shutil
import subprocess

import amber_programs
import host_guest as hg
import numpy as np
import pytest
from typer.testing import CliRunner

from gibbsflow.binding.equilibrate.written.equil_files import write_equil_files
from gibbsflow.binding.system import SimSystem
from gibbsflow.cli.equil import app
from gibbsflow.config.binding import Equil
from gibbsflow.engines.amber.restart_file import read_restart

FIRST_FAILS = """#!/usr/bin/env bash
[[ $3 == 1-heating-001.in ]] && { echo 'vlimit exceeded for step 3' >"$7"; exit 1; }
exec "$SANDER" "$@"
"""


def read(prepared, written, folder, *more):
    words = ["run", "--system", prepared, "--state", folder / "state", "--out", folder / "out", *more]
    words += [] if written is None else ["--written", written]
    return CliRunner().invoke(app, [str(word) for word in words])


def result(folder):
    return json.loads((folder / "out" / "result.json").read_text())


def test_what_was_run_elsewhere_is_the_state_of_equil_run(of_amber, finished, tmp_path):
    assert read(of_amber, finished, tmp_path).exit_code == 0
    told = result(tmp_path)
    assert told["program"].startswith("Amber") and "SANDER" in told["program"] and "ns_per_day" not in told
    last = read_restart(finished / "complex" / "md-current.rst7")
    with np.load(tmp_path / "out" / "equil_state.npz") as state:
        np.testing.assert_array_equal(state["positions_nm"], last.positions_nm)
        np.testing.assert_array_equal(state["velocities_nm_per_ps"], last.velocities_nm_per_ps)
    rows = np.genfromtxt(tmp_path / "out" / "equil_log.csv", delimiter=",", names=True)
    text = (finished / "complex" / "2-free-003.out").read_text().partition("A V E R A G E S")[0]
    assert rows["time_ps"].tolist() == pytest.approx([0.8, 1.6, 2.4, 3.2, 4.0])
    assert f"EPtot      = {rows['potential_kcal_per_mol'][-1]:14.4f}" in text
    with np.load(tmp_path / "out" / "equil_frames.npz") as frames:
        assert frames["heating"].tolist() == [True, True, False, False, False]
        np.testing.assert_allclose(frames["positions_nm"][-1], last.positions_nm, atol=1e-5)
    # the campaign's own call finds it done, and so does one after a wrong --written
    refused = read(of_amber, finished, tmp_path)
    assert refused.exit_code == 65 and "holds an equilibration already" in refused.output
    assert (tmp_path / "state" / "FINISHED").exists() and not (tmp_path / "state" / "FAILED").exists()
    before = (tmp_path / "out" / "equil_frames.npz").read_bytes()
    assert read(of_amber, None, tmp_path).exit_code == 0
    assert (tmp_path / "out" / "equil_frames.npz").read_bytes() == before
    assert result(tmp_path)["run_elsewhere"] == str(finished) and "ns_per_day" not in result(tmp_path)


def test_an_attempt_that_failed_there_is_told_here(tmp_path):
    prepared = amber_programs.prepared(tmp_path, Equil(minimise_steps=5, heat_ps=0.4, equil_ps=0.4))
    out = amber_programs.equilibrated(prepared, tmp_path / "amber", FIRST_FAILS)
    assert (out / "complex" / "began").read_text() == "2\n"
    assert read(prepared, out, tmp_path).exit_code == 0
    told = result(tmp_path)
    assert told["attempt"] == 2 and "elsewhere failed" in told["failed_before"]
    assert told["settings_used"]["timestep_fs"] == 2 and told["sampled_ns"] == 0.0008


def test_another_engine_is_refused(finished, tmp_path):
    hg.prepare_equil(tmp_path / "openmm", Equil(minimise_steps=20, heat_ps=1, equil_ps=2, equil_segment_ps=0.8))
    done = read(tmp_path / "openmm", finished, tmp_path)
    assert done.exit_code == 65 and "engine openmm" in done.output


def test_writing_twice_leaves_what_was_run(of_amber, finished, tmp_path):
    again = shutil.copytree(finished, tmp_path / "amber", symlinks=True)
    write_equil_files(SimSystem.read(of_amber), again)
    assert (
        subprocess.run(["bash", "run-local.bash"], cwd=again, env={**os.environ, "AMBER_PROGRAM": "false"}).returncode
        == 0
    )
    assert not list(again.glob("complex/superseded-*"))
