"""`infer explore` and `infer select` as commands."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.io import read, write
from labelled_sets import fitted_copper, label, rattled

EXPLORE = [sys.executable, "-m", "gibbsflow.cli.infer", "explore"]


def test_command_runs_stops_and_goes_on(tmp_path):
    write(tmp_path / "cu.extxyz", bulk("Cu", cubic=True))
    (tmp_path / "c.yaml").write_text("exploration: {steps: 40, segment_steps: 20, temperature_k: 50}\n")
    folder = fitted_copper()[0] / "potential"
    command = [
        *EXPLORE,
        "--potential",
        str(folder),
        "--structure",
        str(tmp_path / "cu.extxyz"),
        "--out",
        str(tmp_path / "o"),
    ]
    command += ["--state", str(tmp_path / "s"), "--config", str(tmp_path / "c.yaml")]
    first = subprocess.run([*command, "--segments", "1"], capture_output=True, text=True, timeout=60)
    assert first.returncode == 75, first.stderr
    second = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert second.returncode == 0, second.stderr
    result = json.loads((tmp_path / "o" / "result.json").read_text())
    assert (result["steps"], result["stopped_by"]) == (40, "steps")
    assert (tmp_path / "s" / "FINISHED").exists()
    assert (tmp_path / "o" / "frames.extxyz").read_text() == ""


def test_unknown_elements_are_refused(tmp_path):
    write(tmp_path / "au.extxyz", bulk("Au"))
    folder = fitted_copper()[0] / "potential"
    command = [
        *EXPLORE,
        "--potential",
        str(folder),
        "--structure",
        str(tmp_path / "au.extxyz"),
        "--out",
        str(tmp_path / "o"),
    ]
    done = subprocess.run([*command, "--state", str(tmp_path / "s")], capture_output=True, text=True, timeout=60)
    assert done.returncode == 65
    assert "holds Au" in done.stderr


def test_command_writes_fates(tmp_path):
    folder = fitted_copper()[0]
    gold = label(bulk("Au", cubic=True))
    write(tmp_path / "a.extxyz", [*rattled(4, 19, sigma=0.2), gold])
    write(tmp_path / "b.extxyz", read(folder / "train.extxyz", "0:2"))
    (tmp_path / "c.yaml").write_text("selection: {budget: 2}\n")
    command = [sys.executable, "-m", "gibbsflow.cli.infer", "select", "--labelled", str(folder / "train.extxyz")]
    command += [
        "--potential",
        str(folder / "potential"),
        "--out",
        str(tmp_path / "o"),
        "--config",
        str(tmp_path / "c.yaml"),
    ]
    command += ["--candidates", str(tmp_path / "a.extxyz"), "--candidates", str(tmp_path / "b.extxyz")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "o" / "result.json").read_text())
    assert (result["candidates"], result["labelled"], result["budget"]) == (7, 24, 2)
    assert result["method"] == "medoids"  # what auto was
    assert result["rejected"]["unknown_element"] == 1
    assert result["rejected"]["duplicate"] == 2
    chosen = read(tmp_path / "o" / "selected.extxyz", ":")
    assert len(chosen) == result["selected"] <= 2
    assert [f["source"] for f in result["fates"]][-1] == "b.extxyz:1"
    assert all(np.isfinite(a.positions).all() for a in chosen)


def test_a_potential_without_its_active_set_is_named(tmp_path):
    write(tmp_path / "cu.extxyz", bulk("Cu", cubic=True))
    shutil.copytree(fitted_copper()[0] / "potential", tmp_path / "potential")
    (tmp_path / "potential" / "active_set.npz").unlink()
    given = ["--potential", "potential", "--structure", "cu.extxyz", "--state", "s", "--out", "o"]
    done = subprocess.run([*EXPLORE, *given], capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert done.returncode == 65
    assert "active_set.npz: not an active set" in done.stderr
    assert "(right: a folder as `train fit` wrote it: DIR/potential)" in done.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--frame", "1"], "--frame: has 1 frames (right: one of them, not 1)"),
        (["--config", "npt.yaml"], "ensemble: is not periodic in all directions (right: ensemble nvt)"),
    ],
)
def test_starts_that_cannot_be_are_refused(tmp_path, options, message):
    write(tmp_path / "cu.extxyz", Atoms("Cu4", positions=bulk("Cu", cubic=True).positions))
    (tmp_path / "npt.yaml").write_text("exploration: {ensemble: npt}\n")
    given = ["--potential", str(fitted_copper()[0] / "potential"), "--structure", "cu.extxyz", "--state", "s"]
    done = subprocess.run(
        [*EXPLORE, *given, "--out", "o", *options], capture_output=True, text=True, timeout=60, cwd=tmp_path
    )
    assert done.returncode == 65
    assert message in done.stderr
