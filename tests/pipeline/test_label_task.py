"""What the task of a batch of labels makes of its outcome: which exit code, and what the next attempt is told."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from pipeline.launcher import REPO

from gibbsflow.workflow.files import write_json


def script() -> str:
    """The task's script, with its values put in as Nextflow would."""
    text = (REPO / "modules/dft/label/main.nf").read_text()
    body = re.search(r'"""\n(.*?)"""', text.partition("script:")[2], re.S)
    assert body is not None
    values = {"quoted(settings)": "'{}'", "quoted(batch)": "'b.extxyz'", "quoted(meta.state)": "'state'"}
    values |= {"quoted(out)": "'labels/b'", "args": ""}
    return re.sub(r"(?<!\\)\$\{([^}]*)\}", lambda name: values[name[1]], body[1]).replace("\\$", "$")


@pytest.mark.parametrize(
    ("ended", "short", "made", "code", "noted"),
    [
        (0, 0, True, 0, False),
        (70, 0, True, 0, False),  # not one label is an outcome, too
        (70, 0, False, 70, False),
        (75, 0, True, 75, False),
        (65, 0, False, 65, False),
        (0, 2, True, 137, True),
        (70, 10, True, 137, True),
    ],
)
def test_its_exit_code(tmp_path: Path, ended: int, short: int, made: bool, code: int, noted: bool) -> None:
    write_json(tmp_path / "told.json", {"counts": {"labelled": 3}, "short_of_memory": short, "label_s": 1.5})
    for folder in ("bin", "task", "labels/b"):
        (tmp_path / folder).mkdir(parents=True)
    lines = ["#!/bin/sh", "cp told.json labels/b/result.json" if made else ":", "touch labels/b/labels.jsonl"]
    (tmp_path / "bin/dft").write_text("\n".join([*lines[: 3 if made else 2], f"exit {ended}\n"]))
    (tmp_path / "bin/dft").chmod(0o755)
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script()], cwd=tmp_path, capture_output=True, text=True, timeout=60,
        env={"PATH": f"{tmp_path}/bin:/usr/bin:/bin", "NXF_TASK_WORKDIR": str(tmp_path / "task")},
    )  # fmt: skip
    assert (done.returncode, (tmp_path / "task/.oom").exists()) == (code, noted), done.stderr
