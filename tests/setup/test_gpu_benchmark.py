"""The benchmark of exchange on a card, run where there is none: it imports what `fe run` uses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]


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
