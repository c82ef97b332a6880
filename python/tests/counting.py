"""A calculation that counts, and another process that holds a folder: what tests of state folders share."""

import subprocess
import sys

import numpy as np

from gibbsflow.errors import NumericalError
from gibbsflow.workflow.state.resumable import ResumableRun
from gibbsflow.workflow.state.segments import Stopper


def count(folder, *, total=3, fail_at=None, error=NumericalError, segments=None, budget_s=None, **settings):
    """A calculation that counts: each segment adds its number; one may fail. Returns segments, outputs, facts."""
    with Stopper(budget_s, segments) as stopper:
        ran = []
        run = ResumableRun(
            folder, files={}, settings={"by": 1, **settings}, physics=1,
            settings_of_attempt=lambda number: {"timestep_fs": 4 / 2 ** (number - 1)}, most_attempts=3, stopper=stopper,
        )  # fmt: skip

        def segment(number, arrays):
            if number == fail_at:
                raise error(f"segment {number} is not finite")
            ran.append(number)
            value = np.array([arrays["x"][0] + number])
            return {"x": value}, {"x": value, "attempt": np.array([run.attempt])}

        with run:
            run.advance(total, lambda: {"x": np.zeros(1)}, segment, stopper, steps=lambda done: 10 * done)
            return ran, run.outputs(), run.facts()


HOLD = """
import sys, time
from gibbsflow.workflow.state.locks import campaign_lock, folder_lock
with {"folder": folder_lock, "campaign": campaign_lock}[sys.argv[1]](sys.argv[2]):
    print("held", flush=True)
    time.sleep(float(sys.argv[3]))
"""


def held(kind, folder, seconds):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, kind, str(folder), str(seconds)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    return process
