"""What frames show, of configurations whose RMSD, waters and walks are known."""

import host_guest as hg
import numpy as np
import pytest

from gibbsflow.binding.alchemy.schedules import LambdaState
from gibbsflow.binding.analyse.frames.bound_ligands import Bound
from gibbsflow.binding.analyse.frames.motion import analyse_motion, judge_motion, look, walk
from gibbsflow.binding.analyse.frames.pose_geometry import LigandGraph
from gibbsflow.binding.analyse.frames.window_frames import Frames
from gibbsflow.binding.sample.sampling import sample_leg
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import Equil, Fe, Md
from gibbsflow.workflow.result import Result
from gibbsflow.workflow.state.segments import Stopper

CAGE = 4.0 * np.array([[x, y, z] for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-1, 0, 1) if x or y or z])
LIGAND = np.array([[0.0, 0, 0], [1.5, 0, 0]])
GRAPH = LigandGraph((6, 7), (3, 2), ((0, 1),))
GUEST, WALL, OXYGENS = (26, 27), tuple(range(26)), slice(28, None)
BOUND = Bound(GUEST, WALL, WALL, GRAPH, np.vstack([CAGE, LIGAND]), pocket=GUEST)
ROTATION = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])


def frame(shift=(0.0, 0, 0), waters=((0, 2.5, 0), (0, 0, -2.5), (0, 30, 0))):
    """The cage, the ligand moved in it, and three oxygens; all turned and elsewhere."""
    return np.vstack([CAGE, LIGAND + shift, waters]) @ ROTATION + [100, 0, 7]


def seen(*frames):
    """What is seen in frames (Å), ten picoseconds apart."""
    where = np.stack(frames) / 10
    return look(BOUND, Frames(np.arange(28), where[:, :28], where[:, OXYGENS], 10.0 * np.arange(len(where))))


def test_ligand_and_site_are_followed():
    found = seen(frame(), frame((0, 0, 2)), frame((0, 3, 4)))
    assert found["time_ps"] == [0, 10, 20]
    assert found["ligand_rmsd_angstrom"] == [0, 2, 5] and found["site_rmsd_angstrom"] == [0, 0, 0]
    assert found["ligand_site_distance_angstrom"] == pytest.approx(
        [0.75, np.hypot(0.75, 2), np.hypot(0.75, 5)], abs=1e-3
    )
    assert found["median"]["ligand_rmsd_angstrom"] == 2


def test_a_site_that_breathes():
    found = seen(np.vstack([CAGE * 1.25, LIGAND, np.zeros((3, 3))]))
    expected = 0.25 * np.sqrt((CAGE**2).sum(axis=1).mean())
    assert found["site_rmsd_angstrom"][0] == pytest.approx(expected, abs=1e-3)


def test_waters_count_where_they_are_near_the_ligand_and_enclosed():
    outside = ((0, 2.5, 0), (0, 30, 0), (6.5, 0.0, 0))  # the last beside the cage: near enough to nothing
    found = seen(frame(), frame(waters=outside), frame(waters=((9, 9, 9),) * 3))
    assert found["buried_waters"] == [2, 1, 0]


def test_many_frames_are_thinned_evenly():
    found = seen(*[frame()] * 1000)
    assert len(found["time_ps"]) == 200 and (found["time_ps"][0], found["time_ps"][-1]) == (0, 9990)


def test_where_walkers_were_and_how_often_they_came_back():
    table = np.array([[0, 1, 2], [1, 0, 2], [2, 0, 1], [1, 2, 0], [0, 2, 1]])  # window of walkers 0, 1, 2 over time
    time_ps, replica = np.repeat(np.arange(5.0), 3), np.tile(np.arange(3), 5)
    found = walk(time_ps, table.ravel(), replica, 3)
    assert found["window_of_walker"] == table.T.tolist() and found["walkers"] == [0, 1, 2]
    assert found["round_trips"] == [1, 0, 0]
    mixed = np.random.default_rng(0).permutation(15)
    assert walk(time_ps[mixed], table.ravel()[mixed], replica[mixed], 3) == found
    assert walk(time_ps[:-1], table.ravel()[:-1], replica[:-1], 3) is None  # a sample is missing
    assert walk(time_ps, np.tile(np.arange(3), 5), replica, 3) is None  # nobody moves


def series(rmsd=1.0, away=1.0, waters=None, count=20):
    whole = {"time_ps": list(range(count)), "ligand_rmsd_angstrom": [rmsd] * count, "site_rmsd_angstrom": [1.0] * count}
    whole |= {"ligand_site_distance_angstrom": [away] * count}
    return whole if waters is None else whole | {"buried_waters": waters}


def legs(*parts):
    found = [{"leg": "complex", "replicate": number, **part} for number, part in enumerate(parts)]
    return {"legs": found, "unreadable": []}


def test_what_is_as_it_should_be_gives_nothing():
    wet = [3, 4, 3, 2, 4, 3, 3, 4, 3, 3] * 2
    part = {"coupled": series(waters=[1] * 20), "decoupled": series(9.0, 3.0, wet), "walk": {"round_trips": [0, 1]}}
    assert judge_motion(legs(part, part), 8.0) == ([], [])


def test_a_coupled_ligand_that_left_is_doubted_and_another_pose_is_noted():
    doubts, notes = judge_motion(legs({"coupled": series(12.0, 9.5)}), 8.0)
    assert [(d.check, d.leg, d.replicate) for d in doubts] == [("pose", "complex", 0)] and "9.5 Å" in doubts[0].reason
    doubts, (note,) = judge_motion(legs({"coupled": series(4.0)}), 8.0)
    assert doubts == [] and "4.0 Å" in note
    few = legs({"coupled": series(12.0, 9.5, count=9)})  # of few frames nothing is said
    assert judge_motion(few, 8.0) == ([], [])


def test_hydration_that_is_not_converged():
    dry, wet = {"decoupled": series(waters=[1, 0] * 10)}, {"decoupled": series(waters=[4, 5] * 10)}
    (doubt,), notes = judge_motion(legs(dry, wet), 8.0)
    assert doubt.check == "hydration" and "0.5 waters in replicate 0 and 4.5 in 1" in doubt.reason and notes == []
    doubts, (note,) = judge_motion(legs({"decoupled": series(waters=[0] * 10 + [5] * 10)}), 8.0)
    assert doubts == [] and "0.0 waters in the pocket in the first half, 5.0 after it" in note


def test_no_round_trip_and_no_file_are_noted():
    motion = legs({"walk": {"round_trips": [0, 0]}}) | {"unreadable": ["t.xtc: damaged"]}
    assert judge_motion(motion, 8.0)[1] == [
        "t.xtc: damaged",
        "complex leg, replicate 0: no walker went from one end of λ to the other and back",
    ]


def test_a_host_and_its_guest(tmp_path):
    """Frames of real MD, from the state to what the record says of them; a damaged file is told of, and no more."""
    states = (LambdaState(0, 1, 1), LambdaState(1, 0, 0))
    fe = Fe(window_ps=0.12, window_equil_ps=0, sample_ps=0.04, segment_ps=0.04, sampler="independent")
    leg = hg.make_leg(tmp_path / "leg", "complex", fe=fe, states=states, md=Md(trajectory_ps=0.04, solvent="vacuum"))
    run = tmp_path / "run"
    with Stopper() as stopper:
        sample_leg(leg, 1, None, tmp_path / "state", run, stopper, Result())
    (run / "leg.json").write_bytes((tmp_path / "leg" / "leg.json").read_bytes())
    system = SimSystem.read(hg.prepare_equil(tmp_path / "system", Equil()))
    start = hg.positions_nm("complex-vacuum")
    np.savez(system.root / "r.npz", positions_nm=start)
    heating = np.array([True, False, False])
    np.savez(system.root / "f.npz", positions_nm=np.stack([start] * 3), time_ps=np.arange(3.0), heating=heating)
    system = system.with_artifacts(representative_npz="r.npz", equil_frames="f.npz")
    motion, pose = analyse_motion(system, [run], {})
    assert motion["equilibration"]["time_ps"] == [1, 2] and motion["equilibration"]["ligand_rmsd_angstrom"] == [0, 0]
    (part,) = motion["legs"]
    assert (part["leg"], part["replicate"]) == ("complex", 1)
    assert [part[end]["window"] for end in ("coupled", "decoupled")] == [0, 1]
    assert part["coupled"]["time_ps"] == pytest.approx([0.04, 0.08, 0.12])
    assert 0 < max(part["coupled"]["ligand_rmsd_angstrom"]) < 1 and "buried_waters" not in part["coupled"]
    assert np.array(pose["ligand_angstrom"]).shape == (4, 12, 3) and len(pose["site_atoms"]) == 84
    np.testing.assert_allclose(pose["ligand_angstrom"][0], start[126:138] * 10, atol=0.011)
    (run / "trajectory_00.xtc").write_bytes(b"half")
    motion, _ = analyse_motion(system, [run], {})
    assert "coupled" not in motion["legs"][0] and "trajectory_00.xtc" in motion["unreadable"][0]
    np.savez(
        system.root / "f.npz", positions_nm=[start, start, start * np.nan], time_ps=np.arange(3.0), heating=heating
    )
    motion, _ = analyse_motion(system, [run], {})
    assert "equilibration" not in motion and "f.npz: frame 3 has coordinates that are no" in motion["unreadable"][0]
    (system.root / "f.npz").write_bytes(b"half")
    motion, pose = analyse_motion(system, [run], {})
    assert "equilibration" not in motion and "f.npz" in motion["unreadable"][0] and pose is not None
