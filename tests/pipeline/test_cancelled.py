"""A run that Ctrl-C has ended: what it says on the terminal, beside the results and by mail."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from pipeline.launcher import REPO
from pipeline.mail_server import KNOWN, receiving

STAND_IN = Path(__file__).parent / "stand_in_core.py"


def hear_ctrl_c() -> None:
    """Undo what a shell does to tests that it runs in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_a_cancelled_run_says_what_was_done_what_failed_and_how_to_go_on(tmp_path: Path) -> None:
    core = tmp_path / "python"
    core.write_text(f'#!/bin/sh\nexec {sys.executable} {STAND_IN} "$@"\n')
    core.chmod(0o755)
    (tmp_path / "plan").mkdir()
    (tmp_path / "plan" / "lost.param.ligand").write_text("70")
    (tmp_path / "plan" / "good.equil.run").write_text("wait")
    (tmp_path / "ligands.csv").write_text("ligand,smiles\nlost,CCO\ngood,CCCO\n")
    env = {
        **os.environ,
        "NXF_ANSI_LOG": "false",
        "GIBBSFLOW_PYTHON": str(core),
        "STAND_IN_PLAN": str(tmp_path / "plan"),
    }
    (tmp_path / "out" / "pipeline_info").mkdir(parents=True)
    (tmp_path / "theirs").write_text("theirs")
    (tmp_path / "out" / "pipeline_info" / "summary.txt").symlink_to(tmp_path / "theirs")
    with receiving() as box, open(tmp_path / "said", "w") as said:
        words = ["run", REPO / "main.nf", "-profile", "test", "--outdir", "out", "--input", "ligands.csv", "--email"]
        words += [KNOWN, "-c", box.settings(tmp_path), "--on_failure", "prune"]
        head = subprocess.Popen(
            [REPO / "nextfloww", *words],
            cwd=tmp_path,
            stdout=said,
            stderr=said,
            env=env,
            start_new_session=True,
            preexec_fn=hear_ctrl_c,
        )
        try:
            end = time.monotonic() + 200
            trace = tmp_path / "out" / "pipeline_info" / "trace.txt"
            waiting = tmp_path / "plan" / "good.equil.waiting"
            while not (waiting.exists() and "FAILED" in trace.read_text()):
                assert head.poll() is None and time.monotonic() < end, (tmp_path / "said").read_text()
                time.sleep(0.1)
            os.killpg(head.pid, signal.SIGINT)
            assert head.wait(120) != 0
        finally:
            if head.poll() is None:
                os.killpg(head.pid, signal.SIGKILL)
    ((subject, mail),) = box.texts()
    assert subject.endswith(": cancelled (SIGINT)")
    summary = (tmp_path / "out" / "pipeline_info" / "summary.txt").read_text()
    for text in (mail, summary, (tmp_path / "said").read_text()):
        assert "Cancelled. What is done is kept: the same command with -resume goes on from there." in text
        assert "Tasks:    4 done, 0 from the cache, 0 tried again, 1 dropped" in text and "CPU hours" in text
        assert ", 1 cut off (not in the hours below)\n" in text
        assert "Failed task: PARAM_LIGAND (lost), exit code 70: planned to exit with 70" in text
        assert f"State is kept in {tmp_path}/state/out" in text and "out/pipeline_info" in text
    assert (tmp_path / "theirs").read_text() == "theirs"  # a link that lay there is not followed
