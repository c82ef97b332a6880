"""clean-failures removes what records failures, and nothing else."""

import os

import pytest
from counting import count

from gibbsflow.errors import InputError, NumericalError, StoppedEarly
from gibbsflow.workflow.state.cleaning import clean_failures
from gibbsflow.workflow.state.sentinels import Sentinel


def test_only_failures_go(tmp_path):
    keep = [
        "b2/complex/FINISHED",
        "b2/complex/checkpoint-current.bin",
        "b2/complex/window_00.parquet",
        "b2/FAILED.txt",
    ]
    drop = ["b2/complex/FAILED", "b2/solvent/progress.json"]
    for name in keep + drop:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text('{"inputs_hash": "0", "steps_done": 1}')
    expected = [tmp_path / name for name in drop]
    assert clean_failures(tmp_path, dry_run=True) == expected
    assert all((tmp_path / name).exists() for name in keep + drop)
    assert clean_failures(tmp_path) == expected
    assert all((tmp_path / name).exists() for name in keep)
    assert not any(path.exists() for path in expected)
    assert clean_failures(tmp_path) == []


def test_cleared_is_what_records_failures_alone(tmp_path):
    with pytest.raises(StoppedEarly):
        count(tmp_path, segments=1)
    with pytest.raises(NumericalError):
        count(tmp_path, fail_at=1)
    (tmp_path / "superseded-000").mkdir()
    (tmp_path / "superseded-000" / "progress.json").write_text("{}")
    # the progress file alone tells the hours of the segment that failed
    kept = {"checkpoint-current.bin", "inputs.json", "segment-00000.npz", ".lock", "superseded-000", "progress.json"}
    gone = ["FAILED", "attempts.json"]
    assert [path.name for path in clean_failures(tmp_path, dry_run=True)] == gone
    assert {path.name for path in tmp_path.iterdir()} == kept | set(gone)
    clean_failures(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == kept
    assert (tmp_path / "superseded-000" / "progress.json").exists()


def test_a_state_folder_below_one_with_such_a_name_is_cleaned_too(tmp_path):
    root = tmp_path / "superseded-runs" / "cb7"
    Sentinel("FAILED", "0", cause="Unbound").write(root / "b2")
    assert clean_failures(root) == [root / "b2" / "FAILED"]


def test_what_others_wrote_stays(tmp_path, caplog):
    for name in ("thesis/FAILED", "thesis/attempts.json", "thesis/progress.json", "empty/FAILED", "pipe/x"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text('{"chapters": 3}' if "thesis" in name else "")
    os.mkfifo(tmp_path / "pipe" / "FAILED")
    assert clean_failures(tmp_path) == []
    assert (tmp_path / "thesis" / "FAILED").exists() and (tmp_path / "pipe" / "FAILED").exists()
    assert "thesis/FAILED: not written by gibbsflow, and left as it is" in caplog.text


def test_a_damaged_record_in_a_state_folder_goes(tmp_path):
    for name in (".lock", "FAILED"):
        (tmp_path / name).touch()
    assert clean_failures(tmp_path) == [tmp_path / "FAILED"]


def test_no_link_is_followed(tmp_path):
    other, root = tmp_path / "other", tmp_path / "root"
    Sentinel("FAILED", "0").write(other / "b2")
    root.mkdir()
    (root / "b2").symlink_to(other / "b2")
    (root / "a1").mkdir()
    (root / "a1" / "FAILED").symlink_to(other / "b2" / "FAILED")
    assert clean_failures(root) == []
    assert (other / "b2" / "FAILED").exists() and (root / "a1" / "FAILED").is_symlink()
    (tmp_path / "campaign").symlink_to(other)
    with pytest.raises(InputError, match=f"is a link to {other}"):
        clean_failures(tmp_path / "campaign")
    assert (other / "b2" / "FAILED").exists()
