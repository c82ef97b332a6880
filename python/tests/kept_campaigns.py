"""Campaigns with state, results and cache as runs leave them, small, for tests of those who look after them."""

import json
from pathlib import Path

import numpy as np
from left_states import leave_campaign

from gibbsflow.workflow.care.campaign_note import todays_note
from gibbsflow.workflow.files import write_json
from gibbsflow.workflow.folders.published import MadeFrom, set_aside
from gibbsflow.workflow.state.resumable import ResumableRun
from gibbsflow.workflow.state.segments import Stopper

ODD = "a 'b\"\n$(x)"
KEYS = ("a" * 64, "b" * 64)


def sample(folder, settings, segments=2, stopper=None):
    """Run something of two segments in a state folder, or go on with it: what it has put out."""
    with ResumableRun(folder, files={}, settings=settings, physics=1) as run:
        made = []

        def segment(number, arrays):
            made.append(number)
            return {"x": arrays["x"] + 1}, {"u": np.full(2, float(number))}

        run.advance(segments, lambda: {"x": np.zeros(2)}, segment, stopper or Stopper(), steps=lambda n: 10 * n)
        return made, run.outputs()


def window(folder, segments=2, stopper=None):
    return sample(folder, {"states": [0, 1], "timestep_fs": 4.0}, segments, stopper)


def equilibration(folder):
    return sample(folder, {"equil_ps": 1.0, "timestep_fs": 4.0})


def keep_campaign(root: Path, name="demo"):
    """A campaign in `root`/state, its results in `root`/NAME, of a finished window and equilibration; its state."""
    state, out = root / "state" / name, root / name
    leave_campaign(state)
    window(state / "cb7" / "b2" / "vacuum")
    equilibration(state / "cb7" / "a1" / "equil")
    (state / ".head.lock").touch()
    set_aside(out, MadeFrom(name, {}, "s", {"b2": "h"}))
    phase = out / "phases" / "b2" / "param_ligands"
    write_json(phase / "result.json", {"ligand": {"hash": KEYS[0]}})
    (out / ODD).write_text("mine")
    (out / "nothing").mkdir()
    for key in KEYS:
        write_json(state.parent / "param_cache" / key[:2] / key / "entry.json", {})
    todays_note(state, mode="abfe", outdir=out, param_cache=None).write(state)
    return state


def whole(folder):
    """Content of all files, without a head's lock."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith((".head", ".moving"))
    }


def log_of(state):
    return json.loads((state / ".cleaned.json").read_text())
