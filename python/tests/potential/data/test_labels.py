from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from database_writer import result_of
from silicon import overlapping, si2, si8

from gibbsflow.config.potential import Labels
from gibbsflow.errors import InputError, StateError
from gibbsflow.potential.data.labels import (
    BOUND,
    LabelResult,
    bad_structure,
    check_label,
    crash,
    hash_settings,
    labelled_frame,
    read_labels,
    require_one_settings_hash,
    write_labels,
)
from gibbsflow.potential.data.structures import tag

LABELS = Labels()


@pytest.mark.parametrize(
    ("changes", "cause", "words"),
    [
        ({"energy_ev": float("nan")}, "UNCONVERGED", "energy"),
        ({"forces_ev_per_angstrom": [[0.0, 0.0, float("nan")], [0.0] * 3]}, "UNCONVERGED", "force"),
        ({"forces_ev_per_angstrom": [[0.0] * 3]}, "UNCONVERGED", "every atom"),
        ({"stress_ev_per_angstrom3": None}, "UNCONVERGED", "stress"),
        ({"physics_changed": True, "corrections": ["degauss 0.03"]}, "UNCONVERGED", "degauss 0.03"),
    ],
)
def test_the_gate_keeps_out_what_cannot_be_used(changes: dict, cause: str, words: str) -> None:
    atoms = si2()
    assert check_label(result_of(atoms), atoms, LABELS).status == "labelled"
    refused = check_label(replace(result_of(atoms), **changes), atoms, LABELS)
    assert (refused.status, refused.cause, refused.energy_ev) == ("failed", cause, None)
    assert words in refused.message
    with pytest.raises(StateError, match=cause):
        labelled_frame(atoms, refused)


@pytest.mark.parametrize(
    ("error", "message", "short"),
    [
        ("OUT_OF_MEMORY", "out of memory", True),
        ("OUT_OF_MEMORY", f"out of memory: {BOUND} is 2 GB", False),
        ("KILLED", "killed (code -9)", True),
        ("KILLED", "killed (code -15)", False),
        ("OUT_OF_WALLTIME", "out of its time after 3 steps", False),
    ],
)
def test_what_a_larger_task_may_do_is_told_apart(error: str, message: str, short: bool) -> None:
    failed = replace(result_of(si2()).failed("RESOURCE", message), error=error)
    assert failed.short_of_memory is short and not result_of(si2()).short_of_memory


def test_what_a_threshold_refuses_keeps_its_figures() -> None:
    atoms = si2()
    strong = replace(result_of(atoms), forces_ev_per_angstrom=[[200.0, 0, 0], [-200.0, 0, 0]])
    refused = check_label(strong, atoms, LABELS)
    assert (refused.status, refused.cause, refused.by_threshold) == ("failed", "BAD_STRUCTURE", True)
    assert (refused.energy_ev, refused.forces_ev_per_angstrom) == (strong.energy_ev, strong.forces_ev_per_angstrom)
    assert "largest force 200.0 eV/Å, the cap is 100 eV/Å" in refused.message
    with pytest.raises(StateError, match="BAD_STRUCTURE"):
        labelled_frame(atoms, refused)
    assert check_label(strong, atoms, Labels(force_cap_ev_per_angstrom=300.0)) == strong
    near = tag(bulk("Si", a=5.0), "bulk", generator="test", seed=0)
    assert check_label(result_of(near), near, Labels(closest_ratio=0.999)).by_threshold
    assert check_label(result_of(near), near, LABELS).status == "labelled"


@pytest.mark.parametrize(
    ("atoms", "words"),
    [
        (overlapping(), "0.17 Å apart"),
        (Atoms(), "no atoms"),
        (Atoms("Si", [[np.nan, 0, 0]]), "not finite"),
        (Atoms("Si", cell=[0.1, 0.1, 0.1], pbc=True), "cell of"),
        (Atoms("Si", cell=[[3, 0, 0], [0, 3, 0], [0, 0, 0]], pbc=[1, 1, 0]), ""),  # a slab whose vacuum is left open
        (Atoms("Si", cell=[[3, 0, 0], [0, 0, 0], [0, 0, 9]], pbc=[1, 1, 0]), "without a cell vector"),
        (Atoms("Si", cell=[[3, 0, 0], [3, 0, 0], [0, 0, 0]], pbc=[1, 1, 0]), "cell of 0"),
        (Atoms("Si", cell=[5, 5, 2e4], pbc=True), "a cell vector of 2e+04 Å, the longest allowed is 10000 Å"),
        (Atoms("Si", cell=[1e6, 1e6, 1e6]), "a cell vector of 1e+06 Å"),
        (Atoms("Si", cell=[[0, 0, 5], [0, 5, 0], [5, 0, 0]], pbc=True), ""),  # left-handed
        (Atoms("Si", cell=[[5, 0, 0], [0, 5, 0], [150, 90, 5]], pbc=True), "that their product is 35 volumes"),
        (Atoms("Si", cell=[[5, 0, 0], [0, 5, 0], [150, 90, 5]], pbc=[1, 1, 0]), ""),  # the third is no period
        (Atoms("Si", cell=[[5, 0, 0], [150, 5, 0], [0, 0, 5]], pbc=[1, 1, 0]), "that their product is 30 volumes"),
        (Atoms("Si", cell=[[9e3, 0, 0], [9e3, 9e-5, 0], [0, 0, 50]], pbc=True), "that their product is 1e+08 volumes"),
        (si8(), ""),
        (Atoms("H2", [[0, 0, 0], [0, 0, 0.74]]), ""),
    ],
)
def test_bad_structures_are_told_before_anything_starts(atoms: Atoms, words: str) -> None:
    said = bad_structure(atoms, LABELS.closest_ratio)
    assert words in said
    assert bool(said) == bool(words)


def test_mixed_settings_are_refused_by_name() -> None:
    frames = [labelled_frame(si2(seed), result_of(si2(seed))) for seed in range(3)]
    assert require_one_settings_hash(frames) == "test-0123456789abcdef"
    assert require_one_settings_hash([si2()]) is None
    frames[2].info["settings_hash"] = "test-fedcba9876543210"
    with pytest.raises(InputError) as error:
        require_one_settings_hash(frames, where="train.extxyz")
    for word in (
        "train.extxyz",
        "test-0123456789abcdef: 2",
        "test-fedcba9876543210: 1",
        frames[2].info["gibbsflow_id"],
    ):
        assert word in str(error.value)
    del frames[2].info["settings_hash"]
    with pytest.raises(InputError, match="none: 1 frames"):
        require_one_settings_hash(frames)


def test_results_survive_a_file(tmp_path: Path) -> None:
    results = [result_of(si2(1)), result_of(si2(2)).failed("CRASH(1)", "davcio (10): error")]
    write_labels(tmp_path / "labels.jsonl", results)
    assert read_labels(tmp_path / "labels.jsonl") == results
    (tmp_path / "labels.jsonl").write_text('{"gibbsflow_id": 1')
    with pytest.raises(StateError, match=r"labels\.jsonl"):
        read_labels(tmp_path / "labels.jsonl")


def test_the_hash_of_settings_knows_no_order() -> None:
    one = hash_settings("test", {"functional": "pbe", "cutoff": 20.0})
    assert one == hash_settings("test", {"cutoff": 20.0, "functional": "pbe"})
    assert one.startswith("test-") and len(one) == len("test-") + 16
    assert len({one, hash_settings("test", {"cutoff": 21.0, "functional": "pbe"}), hash_settings("other", {})}) == 3


def test_a_labelled_frame_leaves_its_structure_alone() -> None:
    atoms = si2()
    frame = labelled_frame(atoms, result_of(atoms, -2.5))
    assert (frame.get_potential_energy(), frame.info["engine"]) == (-2.5, "test")
    assert atoms.calc is None and "engine" not in atoms.info
    free = labelled_frame(atoms, replace(result_of(atoms), stress_ev_per_angstrom3=None))
    assert "stress" not in free.calc.results


def test_a_failure_keeps_no_figures() -> None:
    failed = result_of(si2()).failed(crash(139), "signal 11")
    assert (failed.cause, failed.energy_ev, failed.forces_ev_per_angstrom) == ("CRASH(139)", None, None)
    assert check_label(failed, si2(), LABELS) is failed


def test_final_moments_go_with_the_frame() -> None:
    frame = labelled_frame(si2(), replace(result_of(si2()), total_moment_ub=2.0, absolute_moment_ub=2.1))
    assert (frame.info["total_moment_ub"], frame.info["absolute_moment_ub"]) == (2.0, 2.1)
    assert "total_moment_ub" not in labelled_frame(si2(), result_of(si2())).info


def test_failures_by_a_threshold_are_known() -> None:
    far = replace(result_of(si2()), forces_ev_per_angstrom=[[200.0, 0, 0], [-200.0, 0, 0]])
    assert check_label(far, si2(), LABELS).by_threshold
    close = bad_structure(overlapping(), LABELS.closest_ratio)
    assert result_of(si2()).failed("BAD_STRUCTURE", close).by_threshold
    assert not result_of(si2()).failed("BAD_STRUCTURE", "no atoms").by_threshold
    assert not result_of(si2()).by_threshold


@pytest.mark.parametrize(("field", "value"), [("energy_ev", ["x"]), ("forces_ev_per_angstrom", 3), ("audit", {"a": 1})])
def test_a_label_of_other_types_is_named(tmp_path: Path, field: str, value: object) -> None:
    write_labels(tmp_path / "labels.jsonl", [LabelResult("a", "labelled"), LabelResult("b", "failed")])
    path = tmp_path / "labels.jsonl"
    first, second = path.read_text().splitlines()
    path.write_text(f"{first}\n{json.dumps({**json.loads(second), field: value})}\n")
    with pytest.raises(StateError, match=rf"labels\.jsonl: damaged, .*: 1\.{field}"):
        read_labels(path)
