"""Legs side by side: each has its results and its state as if it were alone, and one that fails leaves the other."""

import json

import host_guest as hg
import pytest
from typer.testing import CliRunner

from gibbsflow.binding.alchemy.schedules import LambdaState
from gibbsflow.binding.sample.shared_gpu import runs_of
from gibbsflow.cli.fe import app
from gibbsflow.config.binding import Fe, Md
from gibbsflow.errors import InputError

STATES = (LambdaState(0, 1, 1), LambdaState(0, 0, 0))
FE = Fe(window_ps=0.2, window_equil_ps=0, sample_ps=0.1, segment_ps=0.1)


def test_a_leg_that_fails_leaves_the_other_its_results(tmp_path):
    """One of two legs has no finite energy; the other's samples are those of `fe run` by itself."""
    hg.make_leg(tmp_path / "solvent", "solvent", fe=FE, states=STATES, md=Md(timestep_fs=2.0))
    bad = hg.make_leg(tmp_path / "bad", "solvent", fe=FE, states=STATES, md=Md(timestep_fs=2.0))
    _break(bad)
    words = []
    for name in ("solvent", "bad"):
        words += ["--leg", tmp_path / name, "--replicate", 0, "--state", tmp_path / "state" / name]
        words += ["--run-out", tmp_path / "fe" / f"{name}_replicate_0"]
    done = CliRunner().invoke(app, ["share", *map(str, words), "--out", str(tmp_path / "shared")])
    assert done.exit_code == 0, done.output
    told = json.loads((tmp_path / "shared/result.json").read_text())
    assert told["exit_codes"] == {"solvent_replicate_0": 0, "bad_replicate_0": 70} and "mps" not in told
    assert (tmp_path / "state/solvent/FINISHED").exists() and (tmp_path / "state/bad/FAILED").exists()
    assert [path.name for path in (tmp_path / "fe").iterdir()] == ["solvent_replicate_0"]
    alone = ["run", "--leg", tmp_path / "solvent", "--replicate", 0, "--state", tmp_path / "alone"]
    assert CliRunner().invoke(app, [*map(str, alone), "--out", str(tmp_path / "out")]).exit_code == 0
    for name in ("window_00.parquet", "window_01.parquet"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "fe/solvent_replicate_0" / name).read_bytes()


def _break(leg):
    import numpy as np

    positions = leg.start_nm.copy()

    np.savez(leg.folder / leg.start, positions_nm=np.full_like(positions, np.nan))


def test_options_of_runs_go_together(tmp_path):
    out = [tmp_path / "a", tmp_path / "b"]
    (one, two) = runs_of(out, [0, 1], out, out, ["0-3", "4"])
    assert one.command("5m")[-4:] == ["--window", "0-3", "--time-budget", "5m"] and two.window == "4"
    with pytest.raises(InputError, match="--state: 1 for 2 of --leg"):
        runs_of(out, [0, 1], out[:1], out, [])
    with pytest.raises(InputError, match="two runs have folders of one name"):
        runs_of(out, [0, 1], out, out[:1] * 2, [])
