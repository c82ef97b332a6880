"""A pilot of a real leg: its own state and samples, resumed as any run is, and the leg that it leaves."""

import shutil

import host_guest as hg
import pytest

from gibbsflow.binding.alchemy.alchemical_leg import AlchemicalLeg
from gibbsflow.binding.alchemy.schedules import LambdaState, read_schedule
from gibbsflow.binding.analyse.placement import pilot
from gibbsflow.binding.analyse.placement.pilot import hand_on, pilot_of, pilot_problems, place_by_pilot
from gibbsflow.binding.sample.sampling import sample_leg
from gibbsflow.config.binding import Fe, Md
from gibbsflow.errors import InputError, StoppedEarly, UnconvergedError
from gibbsflow.workflow.files import read_json
from gibbsflow.workflow.result import Result
from gibbsflow.workflow.state.segments import Stopper

STATES = tuple(LambdaState(0, e, 1 if e else 0) for e in (1.0, 0.5, 0.0))
FE = Fe(
    window_ps=0.4, window_equil_ps=0.1, sample_ps=0.02, segment_ps=0.2, schedule="auto", fe_pilot_ps=1.0,
    schedule_spacing=0.2,
)  # fmt: skip


def place(leg, root, segments=None):
    result = Result()
    with Stopper(None, segments) as stopper:
        return place_by_pilot(leg, root / "pilot_state", root / "placed" / leg.leg, stopper, result), result


@pytest.fixture(scope="module")
def placed(tmp_path_factory):
    root = tmp_path_factory.mktemp("pilot")
    leg = hg.make_leg(root / "leg", "solvent", fe=FE, states=STATES, md=Md(timestep_fs=2.0))
    with pytest.raises(StoppedEarly):
        place(leg, root, segments=2)
    assert not (root / "placed" / "solvent" / "leg.json").exists()
    made, result = place(leg, root)
    return root, leg, made, result


def test_the_leg_has_other_states_and_is_else_the_same(placed) -> None:
    root, leg, made, result = placed
    assert AlchemicalLeg.read(root / "placed" / "solvent") == made
    assert len(made.states) > 3 and made.states[0] == STATES[0] and made.states[-1] == STATES[-1]
    assert read_schedule(str(root / "placed" / "solvent" / "schedule.yaml")) == made.states
    assert (made.seed, made.fe, made.md, made.transformation) == (leg.seed, leg.fe, leg.md, leg.transformation)
    assert result.figures["placement"]["windows"] == len(made.states)
    assert (root / "pilot_state" / "FINISHED").exists()
    samples = sorted(path.name for path in (root / "placed" / "solvent" / "pilot").iterdir())
    assert samples == [f"window_{k:02d}.parquet" for k in range(3)]


def test_what_is_finished_is_not_run_again(placed) -> None:
    root, leg, made, result = placed
    before = (root / "pilot_state" / "FINISHED").stat().st_mtime_ns
    again, told = place(leg, root)
    assert again == made and told.inputs_hash == result.inputs_hash
    assert (root / "pilot_state" / "FINISHED").stat().st_mtime_ns == before


def test_the_runs_that_follow_are_known_by_the_states_that_were_placed(placed, tmp_path) -> None:
    _, leg, made, pilots = placed
    hashes = {pilots.inputs_hash}
    for number, one in enumerate((leg, made)):
        result = Result()
        with Stopper(None, 1) as stopper, pytest.raises(StoppedEarly):
            sample_leg(one, 0, None, tmp_path / f"state{number}", tmp_path / "out", stopper, result)
        hashes.add(result.inputs_hash)
    assert len(hashes) == 3
    assert pilot_of(leg).seed != leg.seed


def test_a_pilot_that_cannot_be_measured_leaves_the_schedule_and_says_so(placed, tmp_path, monkeypatch) -> None:
    root, leg, _, _ = placed

    def fails(*_args, **_options):
        raise UnconvergedError("MBAR did not converge")

    monkeypatch.setattr(pilot, "place_from_runs", fails)
    result, out = Result(), tmp_path / "solvent"
    shutil.copytree(root / "placed" / "solvent", out)  # of an earlier pilot, which could be measured
    (out / "pilot" / "window_03.parquet").write_bytes(b"of a schedule with more windows")
    with Stopper(None, None) as stopper:
        made = place_by_pilot(leg, root / "pilot_state", out, stopper, result)
    assert made.states == leg.states
    assert {path.name for path in out.iterdir()} >= {"leg.json", "placement.json", "pilot"}
    assert not [out / name for name in ("schedule.yaml", "distances.csv") if (out / name).exists()]
    assert len(list((out / "pilot").iterdir())) == 3
    (told,) = read_json(tmp_path / "solvent" / "placement.json")["account"]["warnings"]
    assert "windows stay as they were: MBAR did not converge" in told


def test_killed_in_placement_it_leaves_no_leg_and_is_placed_the_next_time(placed, tmp_path, monkeypatch) -> None:
    root, leg, made, _ = placed
    out = tmp_path / "solvent"

    def killed(*_args, **_options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, Stopper(None, None) as stopper, pytest.raises(KeyboardInterrupt):
        patch.setattr(pilot, "write_placement", killed)
        place_by_pilot(leg, root / "pilot_state", out, stopper, Result())
    assert not (out / "leg.json").exists()
    with Stopper(None, 0) as stopper:
        again = place_by_pilot(leg, root / "pilot_state", out, stopper, Result())
    assert again.states == made.states == AlchemicalLeg.read(out).states


def test_a_pilot_too_short_is_refused_before_it_runs(tmp_path) -> None:
    short = FE.model_copy(update={"fe_pilot_ps": 0.3})
    with pytest.raises(InputError, match=r"12 samples a window.*0\.5 ps or more"):
        place(hg.make_leg(tmp_path / "leg", "solvent", fe=short, states=STATES), tmp_path)
    assert pilot_problems(short.model_copy(update={"schedule": "given"}), where="fe") == []


def test_what_a_leg_is_goes_with_its_run(placed, tmp_path) -> None:
    root, leg, made, _ = placed
    hand_on(made.folder, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"leg.json", "placement.json"}
    hand_on(leg.folder, tmp_path)  # the same folder, now of a run without a pilot
    assert {path.name for path in tmp_path.iterdir()} == {"leg.json"}
