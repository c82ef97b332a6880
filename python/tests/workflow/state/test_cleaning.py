"""clean-failures removes what records failures, and nothing else."""

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
