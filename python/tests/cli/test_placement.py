"""`fe optimise` and `fe pilot` from the command line."""

import json

import host_guest as hg
import pytest
from oscillators import Oscillators
from typer.testing import CliRunner

from gibbsflow.binding.alchemy.schedules import read_schedule
from gibbsflow.cli.fe import app as fe
from gibbsflow.config.binding import Fe


def call(*args):
    return CliRunner().invoke(fe, [str(a) for a in args])


@pytest.mark.parametrize("by", ["length", "overlap"])
def test_a_schedule_from_runs(tmp_path, by) -> None:
    runs = [Oscillators(states=8, stiffening=200.0).write(tmp_path / str(r), replicate=r, seed=r + 1) for r in range(2)]
    asked = [word for run in runs for word in ("--run", run)]
    done = call("optimise", *asked, "--out", tmp_path / "out", "--by", by, "--json")
    assert done.exit_code == 0, done.output
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert result["status"] == "finished" and result["by"] == by and result["windows_before"] == 8
    assert len(read_schedule(str(tmp_path / "out" / "schedule.yaml"))) == result["windows"]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "schedule.yaml", "distances.csv", "placement.json", "placement.svg", "result.json",
    }  # fmt: skip


@pytest.mark.parametrize("out", ["leg", "leg/placed"])
def test_a_pilot_into_its_own_leg_is_refused_before_it_is_run(tmp_path, out) -> None:
    leg = hg.make_leg(tmp_path / "leg", "solvent", fe=Fe(schedule="auto"))
    done = call("pilot", "--leg", leg.folder, "--state", tmp_path / "s", "--out", tmp_path / out)
    assert done.exit_code == 65 and "lies in the leg" in done.output and not list(tmp_path.glob("s/**/segment*"))


def test_what_is_wrong_is_told_in_one_error(tmp_path) -> None:
    run = Oscillators(states=8).write(tmp_path / "run", count=30)
    done = call("optimise", "--run", tmp_path / "nowhere", "--out", tmp_path / "out")
    assert done.exit_code == 65 and "nowhere" in done.output and "holds no energies" in done.output
    done = call("optimise", "--run", run, "--out", tmp_path / "out", "--windows", 2)
    assert done.exit_code == 65 and "the ends of components stay" in done.output
    done = call("optimise", "--run", run, "--out", tmp_path / "out", "--windows", 9, "--spacing", 1)
    assert done.exit_code == 2
    done = call("pilot", "--leg", tmp_path / "nowhere", "--state", tmp_path / "s", "--out", tmp_path / "out")
    assert done.exit_code == 65 and "holds no leg.json" in done.output
