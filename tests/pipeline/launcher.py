"""The pipeline as a user runs it: ./nextfloww in a folder of its own."""

from __future__ import annotations

import csv
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import yaml

REPO = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Run:
    """One finished run of Nextflow."""

    folder: Path
    code: int
    text: str
    outdir: Path

    @property
    def trace(self) -> list[dict[str, str]]:
        with open(self.outdir / "pipeline_info" / "trace.txt") as file:
            return list(csv.DictReader(file, delimiter="\t"))

    def tasks(self, status: str | None = None) -> list[str]:
        """Names of tasks without their workflow, sorted: ``FE_RUN (b2 complex_replicate_0)``."""
        return sorted(t["name"].split(":")[-1] for t in self.trace if status in (None, t["status"]))

    @property
    def reports(self) -> dict[str, list[str]]:
        """Files that Seqera's client would list for each pattern of tower.yml, by the first that matches one.

        It looks at what is published, and at Nextflow's own reports; a pattern may begin in any folder.
        """
        found: dict[str, list[str]] = {glob: [] for glob in yaml.safe_load((REPO / "tower.yml").read_text())["reports"]}
        own = {f"pipeline_info/{name}" for name in ("report.html", "timeline.html", "trace.txt", "dag.mmd")}
        files = (path.relative_to(self.outdir) for path in sorted(self.outdir.rglob("*")) if path.is_file())
        for file in (file for file in files if file.parts[0] != "pipeline_info" or file.as_posix() in own):
            for glob in [glob for glob in found if file.match(glob)][:1]:
                found[glob].append(file.as_posix())
        return found

    @property
    def log(self) -> str:
        return (self.folder / ".nextflow.log").read_text()

    @property
    def submitted(self) -> int:
        return self.log.count("Submitted process")

    @property
    def cached(self) -> int:
        return self.log.count("Cached process")


class Launcher:
    """Starts runs in one folder."""

    repo = REPO

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *arguments: str, timeout_s: float = 240, **environment: str) -> Run:
        """Run ``nextfloww ARGUMENTS``; profile settings come from the arguments."""
        env = {**os.environ, "NXF_ANSI_LOG": "false", **environment}
        done = subprocess.run(
            [self.repo / "nextfloww", *arguments],
            cwd=self.folder,
            env=env,
            capture_output=True,
            text=True,
            timeout=timeout_s,
        )
        return Run(
            self.folder, done.returncode, re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr), self.folder / "out"
        )

    def pipeline(self, *arguments: str, **environment: str) -> Run:
        """Run the pipeline with the smallest settings."""
        return self("run", str(REPO / "main.nf"), "-profile", "test", "--outdir", "out", *arguments, **environment)
