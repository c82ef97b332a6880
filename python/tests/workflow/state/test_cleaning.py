"""clean-failures removes what records failures, and nothing else."""

import pytest
from counting import count

from gibbsflow.errors import NumericalError, StoppedEarly
from gibbsflow.workflow.state.cleaning import clean_failures


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
        (tmp_path / name).write_text("x")
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
    kept = {"checkpoint-current.bin", "inputs.json", "segment-00000.npz", ".lock", "superseded-000"}
    gone = ["FAILED", "attempts.json", "progress.json"]
    assert [path.name for path in clean_failures(tmp_path, dry_run=True)] == gone
    assert {path.name for path in tmp_path.iterdir()} == kept | set(gone)
    clean_failures(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == kept
    assert (tmp_path / "superseded-000" / "progress.json").exists()
