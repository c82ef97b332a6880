"""What the frames of an edge show: of a host with two ligands at known places, and of real MD of a tiny edge."""

import io
import shutil

import edges
import host_guest as hg
import numpy as np
import pytest
from openmm import app, unit

from gibbsflow.binding.alchemy.hybrid.edge_legs import prepare_edge
from gibbsflow.binding.alchemy.hybrid.hybrid_leg import read_leg_folder
from gibbsflow.binding.alchemy.protocols import RELATIVE
from gibbsflow.binding.analyse.frames.binding_site import binding_site
from gibbsflow.binding.analyse.frames.motion import analyse_motion, judge_motion, threshold_of
from gibbsflow.binding.equilibrate.xtc_file import XtcFile
from gibbsflow.binding.facts import ENDS, BoundFacts, EdgeFacts, PreparedFacts, SettingsFacts, TopologyFacts
from gibbsflow.binding.sample.energies import write_window
from gibbsflow.binding.sample.sampling import sample_leg
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import BindingConfig, Equil, Fe, Run
from gibbsflow.workflow.files import read_json, write_json
from gibbsflow.workflow.result import Result
from gibbsflow.workflow.state.segments import Stopper

COMPLEX = tuple(leg for leg in RELATIVE if leg.name == "complex")
HOST, GUEST = range(hg.RECEPTOR_ATOMS), range(hg.RECEPTOR_ATOMS, 156)
PHENOL = range(156, 169)
FRAMES = 20
FE = Fe(window_ps=0.2, window_equil_ps=0, sample_ps=0.02, segment_ps=0.02)
BOTH_ENDS = [[0, 1, 1, 0, 0], [1, 0, 0, 1, 1]]


def bound(system: SimSystem) -> SimSystem:
    return system.with_facts(BoundFacts(bound=True, ligand_site_distance_angstrom=0.2))


@pytest.fixture(scope="module")
def edge(tmp_path_factory):
    """B2 to phenol in CB7, both as a whole; beside its leg a run that sampled it, but for its trajectories."""
    root = tmp_path_factory.mktemp("edge")
    a = bound(SimSystem.read(hg.prepare_equil(root / "a", Equil())))
    start = hg.positions_nm("complex-vacuum")
    np.savez(root / "a" / "frames.npz", positions_nm=np.stack([start] * 4), heating=np.arange(4) < 1)
    a = a.with_artifacts(equil_frames="frames.npz")
    b = edges.system("phenol", root / "b", solvent="obc2")
    config = BindingConfig(fe=FE, run=Run(replicates=1))
    return prepare_edge(a, b, (), config, root / "edge", Result(), protocol=COMPLEX, dual=True)


def a_run(edge, folder, replicate=0):
    """A run's folder, whose one window says which replicate it is of; and the number of its last state."""
    folder.mkdir()
    leg = edge.root / "legs" / "complex" / "leg.json"
    shutil.copyfile(leg, folder / "leg.json")
    states = read_json(leg)["states"]
    of = {"leg": "complex", "transformation": edge.name, "replicate": replicate, "states": states}
    meta = of | {"temperature_k": 298.15, "seed": 1, "sampler": "exchange"}
    write_window(folder / "window_00.parquet", np.arange(1.0, 3), 0, 0, np.zeros((2, len(states))), meta)
    return folder, len(states) - 1


def trajectory(edge, run, window, shift=(), waters=None):
    """Frames of one window: turned and elsewhere; parts of them moved (Å), and an oxygen at each place (Å)."""
    start = read_leg_folder(edge.root / "legs" / "complex").start_nm[0]
    turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    middle = start[list(HOST)].mean(axis=0)
    file = XtcFile(run / f"trajectory_{window:02d}.xtc")
    oxygens = 2 if waters else 0
    for number in range(FRAMES):
        frame = start.copy()
        for atoms, by in shift:
            frame[list(atoms)] += np.array(by) / 10
        inside = waters[number] if waters else 0
        wet = [middle + [0, 0, 0.05 * place] if place < inside else middle + 9 for place in range(oxygens)]
        file.add(float(number), np.concatenate([frame, *(np.array(wet)[:, None] if wet else [])]) @ turn + 3)
    file.close()
    about = {"kind": "solute", "frame_ps": 1.0, "atoms": list(range(len(start)))}
    write_json(run / "trajectory.json", about | {"water_oxygens": [len(start) + n for n in range(oxygens)]})


def judged(motion, edge):
    """Orientations are another test's."""
    doubts, notes = judge_motion(motion, threshold_of(edge))
    return [doubt for doubt in doubts if doubt.check != "orientations"], [n for n in notes if "orientations" not in n]


def test_both_ligands_are_shown_in_their_site(edge):
    """As the leg starts: each a molecule by itself, whole, as another reader reads it."""
    site = binding_site(edge)
    start = read_leg_folder(edge.root / "legs" / "complex").start_nm[0] * 10
    start -= start[HOST.stop :].mean(axis=0)
    for block, atoms, bonds in (("pdb", (*HOST, *GUEST), None), ("second_pdb", PHENOL, 13)):
        read = app.PDBFile(io.StringIO(site[block]))
        where = np.array(read.positions.value_in_unit(unit.angstrom))
        assert where == pytest.approx(start[list(atoms)], abs=6e-4)
        assert bonds is None or read.topology.getNumBonds() == bonds
    assert list(site["residues"].values()) == ["CUC"] and site["restraint"] is None


def test_each_ligand_is_followed_where_it_is_whole(edge, tmp_path):
    run, last = a_run(edge, tmp_path / "run")
    trajectory(edge, run, 0, [(GUEST, (0, 0, 2)), (PHENOL, (40, 0, 0))], [2] * FRAMES)
    trajectory(edge, run, last, [(GUEST, (0, 1, 0)), (PHENOL, (3, 0, 4))], [1] * FRAMES)
    motion, pose = analyse_motion(edge, [run], {})
    (part,) = motion["legs"]
    one, two = part["ligand_a"], part["ligand_b"]
    assert (one["ligand"], one["window"], two["ligand"], two["window"]) == ("b2", 0, "phenol", last)
    assert len(one["time_ps"]) == len(two["time_ps"]) == FRAMES
    for seen, rmsd, waters in ((one, 2, 2), (two, 5, 1)):
        assert seen["ligand_rmsd_angstrom"] == pytest.approx([rmsd] * FRAMES, abs=0.02)
        assert max(seen["site_rmsd_angstrom"]) < 0.02 and seen["buried_waters"] == [waters] * FRAMES
    assert one["ligand_site_distance_angstrom"] == pytest.approx([2] * FRAMES, abs=0.2)
    assert one["start_distance_angstrom"] < 0.2 and pose is None
    assert "coupled" not in part and motion["unreadable"] == []
    doubts, notes = judged(motion, edge)
    assert doubts == []
    assert "complex leg, replicate 0: phenol is 5.0 Å (RMSD, median of the second half) from where the legs" in notes[0]
    assert notes[1].startswith("complex leg: 2.0 waters in the pocket with b2, 1.0 with phenol; over time and between")


def test_a_ligand_that_left_and_waters_that_did_not_settle(edge, tmp_path):
    run, last = a_run(edge, tmp_path / "run")
    trajectory(edge, run, 0, [], [2] * FRAMES)
    trajectory(edge, run, last, [(PHENOL, (0, 12, 0))], [1] * 10 + [0] * 10)
    motion, _ = analyse_motion(edge, [run], {})
    (pose, wet), notes = judged(motion, edge)
    assert (pose.check, pose.leg, pose.replicate) == ("pose", "complex", 0)
    assert "phenol left its site: its centre is 12" in pose.reason
    assert wet.check == "hydration" and notes == []
    assert "2.0 waters in the pocket with b2, 0.5 with phenol, and their number is not settled" in wet.reason
    assert "phenol, replicate 0: 1.0 waters in the pocket in the first half, 0.0 after it" in wet.reason


def test_what_is_damaged_is_noted_and_the_rest_is_told(edge, tmp_path):
    run, last = a_run(edge, tmp_path / "run")
    begun, end = (run / f"trajectory_{window:02d}.xtc" for window in (0, last))

    def seen(*runs):
        motion, _ = analyse_motion(edge, runs or [run], {})
        return [key for part in motion["legs"] for key in part if key.startswith("ligand")], motion["unreadable"]

    trajectory(edge, run, 0)
    assert seen() == (["ligand_a"], [])  # the other end is not there (yet), and without water none is told
    trajectory(edge, run, last)
    whole = end.read_bytes()
    for damaged in (b"", b"half", whole[: len(whole) * 5 // 8]):
        end.write_bytes(damaged)
        keys, (note,) = seen()
        assert keys == ["ligand_a"] and f"trajectory_{last:02d}.xtc" in note
    file = XtcFile(end)
    file.add(1.0, np.zeros((5, 3)))
    file.close()
    keys, (note,) = seen()
    assert keys == ["ligand_a"] and "frames of 5 atoms; right: more than" in note
    end.write_bytes(whole)
    for name, content in (("trajectory.json", "{"), ("trajectory.json", "{}"), ("leg.json", '{"leg": "complex"}')):
        before = (run / name).read_text()
        (run / name).write_text(content)
        keys, notes = seen()
        assert keys == [] and len(notes) == 1 and name in notes[0]
        (run / name).write_text(before)
    other, _ = a_run(edge, tmp_path / "other")
    shutil.copyfile(begun, other / begun.name)
    shutil.copyfile(run / "trajectory.json", other / "trajectory.json")
    (other / "window_00.parquet").unlink()
    keys, (note,) = seen(run, other)
    assert keys == ["ligand_a", "ligand_b"] and "no window_*.parquet" in note
    topology = edge.root / "legs" / "complex" / "other.prmtop"
    moved = topology.rename(topology.with_suffix(".away"))
    keys, (note,) = seen()
    assert keys == [] and "other.prmtop" in note
    moved.rename(topology)


def test_frames_that_were_kept_and_are_gone_are_noted(edge, tmp_path):
    run, last = a_run(edge, tmp_path / "run")
    about = run / "trajectory.json"
    trajectory(edge, run, 0)
    trajectory(edge, run, last)
    kept, (begun, end) = read_json(about), (run / f"trajectory_{window:02d}.xtc" for window in (0, last))

    def seen():
        motion, _ = analyse_motion(edge, [run], {})
        assert judge_motion(motion, 99.0)[1][: len(motion["unreadable"])] == motion["unreadable"]  # the record's notes
        return [key for part in motion["legs"] for key in part if key.startswith("ligand")], motion["unreadable"]

    write_json(about, kept | {"frames": FRAMES, "frame_atoms": 169})
    assert seen() == (["ligand_a", "ligand_b"], [])
    for told, note in (({"frames": 21}, "20 frames; right: 21"), ({"frame_atoms": 170}, "169 atoms; right: 170")):
        write_json(about, kept | told)
        keys, notes = seen()
        assert keys == [] and [note in one for one in notes] == [True, True]
    write_json(about, kept)
    whole = begun.read_bytes()
    begun.unlink()
    assert seen() == (["ligand_b"], [f"{begun}: missing"])
    begun.write_bytes(whole)
    about.unlink()
    assert seen() == ([], [f"{about}: missing"])
    begun.unlink()
    end.unlink()
    assert seen() == ([], [])  # a run that kept none
    write_json(run / "result.json", {"trajectory_frames": 0})
    assert seen() == ([], [])
    write_json(run / "result.json", {"trajectory_frames": FRAMES})
    assert seen() == ([], [f"{about}: missing"])
    write_json(run / "result.json", [])
    keys, (note,) = seen()
    assert keys == [] and "result.json: damaged" in note


def test_real_frames_of_a_tiny_edge(tmp_path):
    a = edges.stacked("methanol", "benzene", tmp_path / "a", apart_nm=0.4)
    md = a.facts(SettingsFacts).md.model_copy(update={"trajectory_ps": 0.02})
    atoms = a.facts(TopologyFacts).model_copy(update={"site_atoms": tuple(range(6))})
    a = a.with_facts(atoms, a.facts(SettingsFacts).model_copy(update={"md": md}))
    (a.root / "receptor.pdb").write_text(
        "ATOM      1  CA  GLY A 111       0.000   0.000   0.000  1.00  0.00           C\n"
    )
    known = PreparedFacts(
        receptor_kind="protein", receptor_charge=0, receptor_name="r", ligand_charge=0, ligand_smiles="CO", site=None
    )
    a = a.with_artifacts(receptor="receptor.pdb").with_facts(known)
    b = edges.system("ethane", tmp_path / "b", solvent="obc2")
    (tmp_path / "ends.yaml").write_text(f"states: {BOTH_ENDS}\n")
    fe = FE.model_copy(update={"complex_schedule": str(tmp_path / "ends.yaml")})
    config = BindingConfig(fe=fe, run=Run(replicates=1))
    pairs = edges.pairs("methanol", "ethane")
    system = prepare_edge(a, b, pairs, config, tmp_path / "edge", Result(), protocol=COMPLEX)
    folder, run = system.root / "legs" / "complex", tmp_path / "run"
    with Stopper(None, None) as stopper:
        sample_leg(read_leg_folder(folder), 0, None, tmp_path / "state", run, stopper, Result())
    shutil.copyfile(folder / "leg.json", run / "leg.json")
    motion, _ = analyse_motion(system, [run], {})
    (part,) = motion["legs"]
    assert [part[end]["ligand"] for end in ENDS] == ["methanol", "ethane"] and part["orientations"]
    site = binding_site(SimSystem.read(system.root))
    assert site["residues"] == {"1": "LIG A:111"}  # as the receptor's file numbers it
    first, second = (
        np.array(app.PDBFile(io.StringIO(site[block])).positions.value_in_unit(unit.angstrom))
        for block in ("pdb", "second_pdb")
    )
    assert (len(first), len(second)) == (6 + 12, 8)
    for one, other in system.facts(EdgeFacts).edge_pairs:  # what both have is at one place
        assert first[12 + one] == pytest.approx(second[other], abs=2e-3)
    for end in ENDS:
        assert len(part[end]["time_ps"]) == 10 and "buried_waters" not in part[end]
        assert 0 < max(part[end]["ligand_rmsd_angstrom"]) < 1.5 and max(part[end]["site_rmsd_angstrom"]) < 0.5
    assert judged(motion, system) == ([], [])
