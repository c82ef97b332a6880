"""`fe write`: a leg for another program."""

import json
import shutil

import amber_legs
from typer.testing import CliRunner

from gibbsflow.cli.fe import app as fe


def write(leg, out, *more):
    return CliRunner().invoke(fe, ["write", "--leg", str(leg), "--out", str(out), *more])


def test_a_leg_is_written(tmp_path):
    leg = amber_legs.leg(tmp_path / "leg", "sdr")
    done = write(leg.folder, tmp_path / "out", "--engine", "amber")
    assert done.exit_code == 0 and "note: sdr by pmemd" in done.output
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert (result["engine"], result["windows"], result["segments"]) == ("amber", 41, 3)
    assert (tmp_path / "out" / "cv.in").read_text().count("&colvar") == 1


def test_what_pmemd_cannot_do(chain, tmp_path):
    done = write(chain / "fe" / "legs" / "complex", tmp_path / "out")
    assert done.exit_code == 65 and "obc2: pmemd.cuda decouples in a periodic box" in done.output
    assert not (tmp_path / "out" / "amber.json").exists()
    alone = shutil.copytree(chain / "fe" / "legs" / "solvent", tmp_path / "vacuum")
    text = (alone / "leg.json").read_text()
    (alone / "leg.json").write_text(text.replace('"solvent": "obc2"', '"solvent": "vacuum"'))
    assert "where a ligand in vacuum would meet its own images" in write(alone, tmp_path / "out").output
