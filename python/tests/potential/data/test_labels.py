from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from database_writer import result_of
from silicon import COARSE, overlapping, si2, si8

from gibbsflow.config.potential import Dft, Labels
from gibbsflow.errors import InputError, MissingProgramError, StateError
from gibbsflow.potential.data.labels import (
    bad_structure,
    check_label,
    labelled_frame,
    read_results,
    require_one_settings_hash,
    write_results,
)
from gibbsflow.potential.label import pseudopotentials
from gibbsflow.potential.label.engines import make_engine

LABELS = Labels()


@pytest.mark.parametrize(
    ("changes", "cause", "words"),
    [
        ({"energy_ev": float("nan")}, "UNCONVERGED", "energy"),
        ({"forces_ev_per_angstrom": [[0.0, 0.0, float("nan")], [0.0] * 3]}, "UNCONVERGED", "force"),
        ({"forces_ev_per_angstrom": [[0.0] * 3]}, "UNCONVERGED", "every atom"),
        ({"forces_ev_per_angstrom": [[200.0, 0, 0], [-200.0, 0, 0]]}, "BAD_STRUCTURE", "200.0 eV/Å"),
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
    ("atoms", "words"),
    [
        (overlapping(), "0.17 Å apart"),
        (Atoms(), "no atoms"),
        (Atoms("Si", [[np.nan, 0, 0]]), "not finite"),
        (Atoms("Si", cell=[0.1, 0.1, 0.1], pbc=True), "cell of"),
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
    write_results(tmp_path / "labels.jsonl", results)
    assert read_results(tmp_path / "labels.jsonl") == results
    (tmp_path / "labels.jsonl").write_text('{"gibbsflow_id": 1')
    with pytest.raises(StateError, match=r"labels\.jsonl"):
        read_results(tmp_path / "labels.jsonl")


def test_the_table_of_pseudopotentials_is_whole() -> None:
    rows = pseudopotentials.table()
    assert len({(r.library, r.element, r.functional) for r in rows}) == len(rows)
    for row in rows:
        assert row.ecutrho_ry >= (4 * row.ecutwfc_ry if row.type == "NC" else 3.9 * row.ecutwfc_ry)
        assert len(row.sha256) == 64
    shipped = Dft(pseudo_library="gth")
    assert set(pseudopotentials.choose(["Si", "Ge", "C", "Al"], shipped)) == {"Si", "Ge", "C", "Al"}


@pytest.mark.skipif(not pseudopotentials.DEBIAN_FOLDER.is_dir(), reason="quantum-espresso-data is not installed")
def test_debian_files_are_those_of_the_table() -> None:
    for functional in ("pbe", "lda", "pbesol"):
        rows = [r for r in pseudopotentials.table() if (r.library, r.functional) == ("debian", functional)]
        dft = Dft(functional=functional, pseudo_dir=pseudopotentials.DEBIAN_FOLDER)
        chosen = pseudopotentials.choose([row.element for row in rows], dft)
        for row in chosen.values():
            head = pseudopotentials.path_of(row, dft).read_text(errors="replace")[:20_000]
            assert float(re.search(r'z_valence="\s*([^"]+)"', head)[1]) == row.z_valence
            kind = re.search(r'pseudo_type="(\w+)"', head)[1]
            assert {"NC": "NC", "US": "US", "USPP": "US", "PAW": "PAW"}[kind] == row.type
            if row.cutoffs_from == "file":
                suggested = re.findall(r"Suggested minimum cutoff[^:]*:\s*([0-9.]+)", head)
                assert [float(x) for x in suggested] == [row.ecutwfc_ry, row.ecutrho_ry]


def test_cutoffs_are_the_largest_and_follow_the_type() -> None:
    dft = Dft(pseudo_library="gth")
    chosen = pseudopotentials.choose(["Si", "C"], dft)
    assert pseudopotentials.cutoffs_ry(chosen, dft) == (120.0, 480.0)
    assert pseudopotentials.cutoffs_ry(chosen, Dft(pseudo_library="gth", ecutwfc_ry=60)) == (60.0, 240.0)


def test_missing_pseudopotentials_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no pbe pseudopotential of U in the library debian"):
        pseudopotentials.choose(["U"], Dft())
    with pytest.raises(InputError, match=r"Si\.pbe.*: pseudopotential of Si is missing"):
        pseudopotentials.choose(["Si"], Dft(pseudo_dir=tmp_path))
    (tmp_path / "Si.pbe-nl-rrkjus_psl.1.0.0.UPF").write_text("another file")
    with pytest.raises(InputError, match="differs from the table's"):
        pseudopotentials.choose(["Si"], Dft(pseudo_dir=tmp_path))


def test_no_pw_is_an_error_before_anything_starts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))  # as where the set-up made none
    with pytest.raises(MissingProgramError, match=r"pw\.x"):
        make_engine(["Si"], Dft.model_validate(COARSE), LABELS)


def test_no_gpaw_is_named() -> None:
    import importlib.util

    if importlib.util.find_spec("gpaw") is not None:
        pytest.skip("gpaw is installed")
    with pytest.raises(MissingProgramError, match="gpaw"):
        make_engine(["Si"], Dft(engine="gpaw"), LABELS)


def test_magnetism_by_element() -> None:
    assert pseudopotentials.moments_ub(["Si", "C"], Dft()) == {}
    assert pseudopotentials.moments_ub(["Fe", "C"], Dft()) == {"Fe": 3.0, "C": 0.0}
    assert pseudopotentials.moments_ub(["Fe"], Dft(magnetism="none")) == {}
    assert pseudopotentials.moments_ub(["Fe"], Dft(moments_ub={"Fe": 1.5})) == {"Fe": 1.5}
