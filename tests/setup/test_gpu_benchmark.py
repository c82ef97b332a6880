"""The benchmark of exchange on a card, run where there is none: it imports what `fe run` uses."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_variance_times_time_of_all_three(tmp_path: Path) -> None:
    (tmp_path / "three.yaml").write_text("states:\n  - [0, 1, 1]\n  - [0, 0, 1]\n  - [0, 0, 0]\n")
    words = [sys.executable, REPO / "benchmarks/gpu/variance.py", "--platform", "CPU", "--schedule", "three.yaml"]
    words += ["--samples", "4", "--discard", "1", "--blocks", "2", "--repeats", "1", "--out", "log.json"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    (water,) = json.loads((tmp_path / "log.json").read_text())["systems"].values()
    assert set(water["methods"]) == {"gibbsflow", "openmmtools", "openmmtools, our MD"} and water["states"] == 3
    for one in water["methods"].values():
        spread = statistics.variance(one["blocks_kcal_per_mol"][0])
        assert one["variance_of_a_block"] == pytest.approx(spread, abs=1e-4)
        assert one["seconds_a_block"] == pytest.approx(one["seconds"][0] * 0.8 / 2, abs=0.011)
        assert one["variance_x_time"] == pytest.approx(spread * one["seconds_a_block"], rel=0.05, abs=1e-3)
    assert "times the variance x time of gibbsflow" in done.stdout


@pytest.mark.slow
def test_all_three_run_and_the_log_says_with_what(tmp_path: Path) -> None:
    out = tmp_path / "log.json"
    words = [sys.executable, REPO / "benchmarks/gpu/exchange.py", "--platform", "CPU", "--smoke", "--out", out]
    done = subprocess.run(words, capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, done.stderr
    log = json.loads(out.read_text())
    water = log["systems"]["water"]
    assert set(water["ns_per_day"]) == {"bare", "sampler", "openmmtools"} and min(water["ns_per_day"].values()) > 0
    assert water["walkers"] == 3 and water["contexts"] == 1 and log["mps"] is None and log["commit"]
    assert {"openmm", "openmmtools"} <= set(log["versions"])
    assert "sampler/bare" in done.stdout and "sampler/openmmtools" in done.stdout
