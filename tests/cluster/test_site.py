"""A site's settings on a real SLURM, with a stand-in for the core: memory, an array's cancelled member, orphans."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable

import pytest
from cluster.campaign import REPO, Campaign, output, wait_for

SITE = """
executor { queueStatInterval = '1 sec'; exitReadTimeout = '1 sec' }
process {
    beforeScript = 'echo HERE >&2'
    clusterOptions = '--comment=site'
    errorStrategy = 'terminate'
    maxRetries = 0
    withLabel: 'process_md' { memory = 200.MB }
}
"""
ARGUMENTS = ("-profile", "slurm,test", "--sampler", "independent", "--replicates", "1", "--array_size", "2")
ARGUMENTS += ("--queue", "main", "--site_config", "site.config")


def interpreter(made: Campaign) -> str:
    """A Python that the campaign's user may start."""
    home = os.environ.get("GIBBSFLOW_CI_HOME") if made.user else None
    return f"{home}/venv/bin/python" if home else sys.executable


@pytest.mark.cluster
def test_the_policy_goes_on_below_a_sites_settings(
    campaign: Callable[..., Campaign], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = campaign("site")
    (made.folder / "site.config").write_text(SITE)
    (made.folder / "one.csv").write_text("ligand,smiles\nb2,CCO\n")
    core, plan = made.folder / "core", made.folder / "plan"
    stand_in = REPO / "tests/pipeline/stand_in_core.py"
    core.write_text(f'#!/bin/sh\nexec {interpreter(made)} {stand_in} "$@"\n')
    core.chmod(0o755)
    plan.mkdir()
    window = "b2.fe.run.complex_replicate_0_window_00"
    (plan / "b2.equil.run").write_text("hog\n0")
    (plan / window).write_text("wait\nwait\n0")
    mark = plan / "b2.fe.run.waiting"
    output("chmod", "-R", "a+rwX", str(made.folder))
    for name, value in {"GIBBSFLOW_PYTHON": core, "STAND_IN_PLAN": plan, "STAND_IN_SAMPLER": "independent"}.items():
        monkeypatch.setenv(name, str(value))

    head = made.start(*ARGUMENTS)
    try:
        waiting = wait_for("a member that waits", lambda: mark.exists() and mark.read_text(), 480)
        pid = json.loads((made.folder / "state/out/.head.json").read_text())["pid"]
        equil = made.jobs("EQUIL_RUN")
        assert [(job.state, job.memory) for job in equil] == [("OUT_OF_MEMORY", "200M"), ("COMPLETED", "400M")]
        assert "_" in waiting
        mark.unlink()
        output("scancel", waiting)
        told = made.folder / "state/out/.killed/BINDING_TRANSFORMATIONS_FE_RUN.b2_complex_replicate_0_window_00.json"
        wait_for("its end to be noticed", told.exists, 180)
        assert json.loads(told.read_text())["cause"] == "CANCELLED"
        orphan = wait_for("its next attempt", lambda: mark.exists() and mark.read_text(), 180)
        os.kill(pid, signal.SIGKILL)
    finally:
        head.terminate()
        head.wait(60)
    head = made.start(*ARGUMENTS, "-resume")
    try:
        ended = "Ended 1 jobs that an earlier head had left"
        wait_for("the orphan to be ended", lambda: ended in made.log.read_text() or None, 240)
        assert (plan / "b2.fe.run.saved").exists() and made.running("FE_RUN") != orphan
    finally:
        head.terminate()
        head.wait(60)
