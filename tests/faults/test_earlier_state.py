"""State folders that commit 487bc81 made and left half done go on today: nothing is computed twice, the digits are its.

tests/fixtures/state_487bc81/README.md says how they were made, and what has to be done where one of these tests fails.
"""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from ase.io import read
from faults.child import Ended, run

from gibbsflow.binding.equilibrate import equilibration
from gibbsflow.binding.sample.energies import read_window
from gibbsflow.workflow.state.attempts import read_attempts
from gibbsflow.workflow.state.sentinels import read_sentinel

FIXTURE = Path(__file__).resolve().parents[1] / "fixtures" / "state_487bc81"
EXPECTED = FIXTURE / "expected"
# values that the C library rounds otherwise on a processor without fused multiply-add
ROUNDS_ALIKE = (math.log(0.7111917696952796), math.exp(-0.8626489777797094), math.sin(0.24638119608509224)) == (
    -0.34081316726886374, 0.42204261873616394, 0.24389604287515648,
)  # fmt: skip


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The state folders and their inputs, where they may be written to."""
    for half in ("binding", "potential"):
        shutil.copytree(FIXTURE / half, tmp_path / half)
    return tmp_path


def done(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Content and time of what a calculation had done: another time would mean that it was done again."""
    files = (path for name in ("segment-*.npz", "frames_*.extxyz", "label.json") for path in folder.rglob(name))
    kept = {str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns) for path in sorted(files)}
    assert kept
    return kept


def went_on(folder: Path, before: dict[str, tuple[bytes, int]], segments: int) -> bool:
    """Whether a state folder was taken for its own: all that was done stands, and the second attempt did the rest."""
    return (
        before.items() <= done(folder).items()
        and not list(folder.rglob("superseded-*"))
        and [(one.number, one.end, one.segments_done) for one in read_attempts(folder)][1:]
        == [(1, "finished", segments)]
        and len(done(folder)) == segments
    )


def same_digits(ours: np.ndarray, theirs: np.ndarray) -> None:
    """Assert equality to the bit; where the C library rounds otherwise, to six digits (README.md)."""
    if ROUNDS_ALIKE:
        np.testing.assert_array_equal(ours, theirs)
    else:
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)


def fe_run(root: Path, sampler: str) -> Ended:
    home = root / "binding"
    words = ["run", "--leg", home / f"leg_{sampler}", "--replicate", 0, "--state", home / f"state_{sampler}"]
    ended = run("fe", *words, "--out", root / "out")
    assert ended.code == 0, ended.text
    return ended


def equil_run(root: Path) -> Ended:
    home = root / "binding"
    words = ["run", "--system", home / "complex", "--state", home / "state_equil", "--out", root / "out"]
    ended = run("equil", *words)
    assert ended.code == 0, ended.text
    return ended


def same_windows(out: Path, expected: Path, part: float = 1.0) -> None:
    """Assert that all energies, or those of the first part, are those of the uninterrupted run."""
    names = sorted(path.name for path in expected.glob("*.parquet"))
    assert sorted(path.name for path in out.glob("*.parquet")) == names and len(names) == 3
    for name in names:
        ours, theirs = read_window(out / name), read_window(expected / name)
        assert ours.u.shape == theirs.u.shape
        rows = round(part * len(theirs.u))
        same_digits(ours.u[:rows], theirs.u[:rows])
        np.testing.assert_array_equal(ours.replica[:rows], theirs.replica[:rows])


def test_replica_exchange(root: Path) -> None:
    state = root / "binding" / "state_exchange"
    before = done(state)
    assert len(before) == 2
    fe_run(root, "exchange")
    assert went_on(state, before, 4)
    # what was sampled stays; what follows has other velocities after each exchange (docs/decisions/0017-velocities.md)
    same_windows(root / "out", EXPECTED / "exchange", part=0.5)
    assert read_sentinel(state, "FINISHED").steps_done == 3 * 100  # windows of 0.4 ps


def test_independent_windows(root: Path) -> None:
    """One finished, one half done, one not begun."""
    state = root / "binding" / "state_independent"
    first, second, third = (state / f"window_{window:02d}" for window in range(3))
    finished, before = (first / "FINISHED").read_bytes(), done(second)
    of_first = done(first)
    assert len(before) == 2 and not third.exists()
    ended = fe_run(root, "independent")
    assert (first / "FINISHED").read_bytes() == finished and done(first) == of_first
    assert [one.end for one in read_attempts(first)] == ["finished"] and "window 0" not in ended.text
    assert went_on(second, before, 4) and third.exists()
    same_windows(root / "out", EXPECTED / "independent")


def test_equilibration(root: Path) -> None:
    state = root / "binding" / "state_equil"
    before = done(state)
    assert len(before) == 2
    equil_run(root)
    assert went_on(state, before, 6)
    for name in ("equil_frames.npz", "equil_state.npz"):
        with np.load(root / "out" / name) as ours, np.load(EXPECTED / "equil" / name) as theirs:
            assert set(ours.files) == set(theirs.files)
            for array in theirs.files:
                same_digits(ours[array], theirs[array])


@pytest.mark.parametrize("what", ["physics", "input"])
def test_of_other_physics_or_inputs_it_would_begin_anew(root: Path, monkeypatch, what: str) -> None:
    """So the tests above fail where a change of the code moves what is hashed."""
    state = root / "binding" / "state_equil"
    before = done(state)
    if what == "physics":
        monkeypatch.setattr(equilibration, "PHYSICS", equilibration.PHYSICS + 1)
    else:
        with open(root / "binding" / "complex" / "complex.prmtop", "a") as file:
            file.write("\n")
    ended = equil_run(root)
    assert not went_on(state, before, 6)
    assert f"Changed: {'physics: 1 -> 2' if what == 'physics' else 'file complex_prmtop'}" in ended.text


def test_learning_loop_and_its_labels(root: Path) -> None:
    pytest.importorskip("tblite")
    generation, state = root / "potential" / "generation_00", root / "potential" / "state_labels"
    config, begun, labels = generation / "config.json", root / "next", root / "labels"
    words = ["start", "--config", config, "--from", generation, "--out", begun]
    ended = run("infer", *words)
    assert ended.code == 0, ended.text
    for path in (*generation.rglob("batches/*"), *generation.rglob("trajectories/*"), generation / "checkpoint.json"):
        assert (begun / path.relative_to(generation)).read_bytes() == path.read_bytes()

    before = done(state)
    (batch,) = (begun / "batches").iterdir()
    ended = run("dft", "label", "--input", batch, "--config", config, "--state", state, "--out", labels)
    assert ended.code == 0, ended.text
    result = json.loads((labels / "result.json").read_text())
    assert result["reused"] == len(before) == 2 and result["counts"] == {"labelled": 4, "failed": 0}
    assert before.items() <= done(state).items() and len(done(state)) == 4

    recorded = root / "recorded"
    ended = run("infer", "record", "--from", begun, "--labels", labels, "--out", recorded)
    assert ended.code == 0, ended.text
    expected = EXPECTED / "recorded"
    assert json.loads((recorded / "checkpoint.json").read_text()) == json.loads(
        (expected / "checkpoint.json").read_text()
    )
    for name in ("train.extxyz", "holdout.extxyz"):
        same_frames(recorded / "dataset" / name, expected / "dataset" / name)


def test_exploration(root: Path) -> None:
    generation, state = root / "potential" / "generation_00", root / "potential" / "state_md"
    plan = generation / "trajectories" / "trajectory_00.json"
    seed = json.loads(plan.read_text())["seed"]
    before = done(state)
    words = ["explore", "--potential", generation / "potential", "--structure", plan.with_suffix(".extxyz")]
    words += ["--config", plan, "--seed", seed, "--generation", 1, "--state", state, "--out", root / "out"]
    ended = run("infer", *words)
    assert ended.code == 0, ended.text
    assert "going on from segment 1 of 3" in ended.text and not list(state.glob("superseded-*"))
    assert before.items() <= done(state).items() and len(done(state)) == 3
    ours, theirs = (
        json.loads((folder / "result.json").read_text()) for folder in (root / "out", EXPECTED / "explored")
    )
    assert ours["inputs_hash"] == theirs["inputs_hash"]
    for name in ("steps", "stopped_by", "looks", "frames", "fraction_above_lower"):
        assert ours[name] == theirs[name]
    assert ours["max_grade"] == pytest.approx(theirs["max_grade"], rel=1e-6)
    same_frames(root / "out" / "frames.extxyz", EXPECTED / "explored" / "frames.extxyz")


def same_frames(path: Path, expected: Path) -> None:
    """Assert that two files hold the same structures and labels; programs of others may move a last digit."""
    ours, theirs = read(path, ":"), read(expected, ":")
    assert len(ours) == len(theirs) > 0
    for one, other in zip(ours, theirs, strict=True):
        later = {"mesh_heights_angstrom"}  # entries that came after the files were written
        assert one.info.keys() - later == other.info.keys() and one.info["parent"] == other.info["parent"]
        np.testing.assert_allclose(one.positions, other.positions, rtol=0, atol=1e-6)
        assert (one.calc is None) == (other.calc is None)
        if one.calc is not None:
            assert one.info["gibbsflow_id"] == other.info["gibbsflow_id"]
            assert one.get_potential_energy() == pytest.approx(other.get_potential_energy(), abs=1e-8)
            np.testing.assert_allclose(one.get_forces(), other.get_forces(), rtol=0, atol=1e-6)
