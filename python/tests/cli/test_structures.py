from __future__ import annotations

import json
from pathlib import Path

from ase.io import read
from typer.testing import CliRunner, Result

from gibbsflow.cli.system_prep import app

SETTINGS = "target: {elements: [Si]}\ngenerator: {rattle_count: 1}\n"


def structures(folder: Path, name: str, *more: str) -> Result:
    (folder / "run.yaml").write_text(SETTINGS)
    words = ["structures", "--config", str(folder / "run.yaml"), "--out", str(folder / name), *more]
    return CliRunner().invoke(app, words)


def test_structures_are_made_the_same_each_time(tmp_path: Path) -> None:
    for name in ("a", "b"):
        ran = structures(tmp_path, name)
        assert ran.exit_code == 0, ran.output
    assert (tmp_path / "a" / "structures.extxyz").read_bytes() == (tmp_path / "b" / "structures.extxyz").read_bytes()
    result = json.loads((tmp_path / "a" / "result.json").read_text())
    assert result["by_generator"] == {"bulk": 1, "strain": 14, "rattle": 3}
    assert result["duplicates_dropped"] == {"strain": 1}
    known = structures(tmp_path, "c", "--known", str(tmp_path / "a" / "structures.extxyz"))
    assert known.exit_code == 65  # nothing new to make
    assert "make no structure" in known.output


def test_the_hold_out_is_made_by_another_sampler_and_has_another_hash(tmp_path: Path) -> None:
    assert structures(tmp_path, "a").exit_code == 0
    ran = structures(tmp_path, "b", "--holdout", "--generation", "2")
    assert ran.exit_code == 0, ran.output
    frames = read(tmp_path / "b" / "structures.extxyz", ":")
    assert {(f.info["config_type"], f.info["generation"]) for f in frames} == {("thermal", 2)}
    one, other = (json.loads((tmp_path / name / "result.json").read_text()) for name in ("a", "b"))
    assert one["inputs_hash"] != other["inputs_hash"]
    assert (one["seed"], other["structures"]) == (2026, len(frames))
