"""-resume after a change: what depends on it runs again, and nothing else. (Settings by process: test_quoting.py.)"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from pipeline.launcher import REPO, Launcher

LIGANDS = ("one", "two")
PHASES = ("SYSTEM_PREP", "PARAM_LIGAND", "EQUIL_PREPARE", "EQUIL_RUN", "EQUIL_ANALYSE")
TABLE = "ANALYSIS_CAMPAIGN (campaign)"
OF_THE_RUN: dict[str, Any] = {
    "publish_dir_mode": "link", "time_limit_h": 5, "queue_size": 7, "submit_rate": "100/1min", "poll_interval": "2sec",
    "queue": "long", "queue_time": "24h", "account": "me", "qos": "high", "cluster_options": "-x n1",
    "gpu_options": "-G 1", "array_size": 3, "image_version": "0.2.0", "registry": "reg.example/group",
    "on_failure": "prune", "windows_per_task": 2,
}  # fmt: skip
"""What decides how and where a task is run, and no result."""


def phases(*ligands: str, start: int = 0) -> list[str]:
    return [f"{phase} ({ligand})" for phase in PHASES[start:] for ligand in ligands]


def test_what_depends_on_a_change_runs_again_and_nothing_else(nextflow: Launcher, tmp_path: Path) -> None:
    (tmp_path / "none").write_text("#!/bin/sh\nexit 127\n")
    (tmp_path / "none").chmod(0o755)
    sheet = tmp_path / "ligands.csv"
    sheet.write_text("ligand,structure,group\none,one.sdf,a\ntwo,two.sdf,a\n")
    for name in ("one.sdf", "two.sdf"):
        (tmp_path / name).write_text(name)
    shutil.copy(REPO / "assets/demo/cb7.sdf", tmp_path / "host.sdf")
    given = {"input": "ligands.csv", "receptor": "host.sdf", "outdir": "out", "mode": "md"}

    def ran(**more: Any) -> list[str]:
        words = [word for key, value in (given | more).items() for word in (f"--{key}={value}",)]
        run = nextflow(
            "run", str(REPO / "main.nf"), "-stub", "-resume", *words, GIBBSFLOW_PYTHON=str(tmp_path / "none")
        )
        assert run.code == 0, run.text
        return run.tasks("COMPLETED")

    assert ran() == sorted([*phases(*LIGANDS), TABLE])
    (tmp_path / "two.sdf").write_text("two, moved")
    assert ran() == sorted([*phases("two"), TABLE])
    sheet.write_text(sheet.read_text().replace(",a\n", ",b\n"))
    assert ran() == [TABLE]
    assert ran(**OF_THE_RUN) == []
    assert ran(heat_ps=3) == sorted([*phases(*LIGANDS, start=2), TABLE])
    (tmp_path / "host.sdf").write_text((tmp_path / "host.sdf").read_text() + "\n")
    assert ran(heat_ps=3) == sorted([*phases(*LIGANDS), TABLE])
