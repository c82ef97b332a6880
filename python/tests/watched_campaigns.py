"""Campaigns on their way, with results, for tests of the live view; and a made one of many ligands."""

import json
from pathlib import Path

import numpy as np
from left_states import leave, leave_campaign

from gibbsflow.errors import ScienceError
from gibbsflow.workflow.care.campaign_note import todays_note
from gibbsflow.workflow.files import write_json
from gibbsflow.workflow.folders.published import MadeFrom, set_aside
from gibbsflow.workflow.state.attempts import Attempt
from gibbsflow.workflow.state.resumable import ResumableRun
from gibbsflow.workflow.state.segments import Stopper
from gibbsflow.workflow.state.status import write_plan

HOSTILE = "x<img src=x onerror=alert(1)>'\"&b"
PHASES = (
    "system_prep", "param_ligands", "prepare_equil", "equil", "equil_analysis", "prepare_fe", "fe", "analysis",
)  # fmt: skip


def phases(mode: str, item: str):
    return PHASES if mode == "abfe" else ()


def result(folder: Path, status="finished", **more):
    write_json(folder / "result.json", {"status": status, "timings": {"total_s": 36.0}, **more})


def note(state: Path, out: Path, names, on_failure="prune", mode="abfe"):
    set_aside(out, MadeFrom(state.name, {}, "s", dict.fromkeys(names, "h")))
    write_json(out / "pipeline_info" / "settings.json", {"run": {"on_failure": on_failure}})
    todays_note(state, mode=mode, outdir=out, param_cache=None).write(state)
    (state / ".head.lock").touch()


def campaign(root: Path, **options):
    """Of left_states' two ligands on their way, a finished one, one that has not begun, and one of a hostile name."""
    state, out = root / "state" / "demo", root / "out"
    leave_campaign(state)
    note(state, out, ["b2", "a1", "done", "later", HOSTILE], **options)
    done = state / "cb7" / "done"
    write_plan(done / "prepare_fe", {"complex": [0.004] * 3}, 1)
    leave(done / "complex" / "replicate_0", done=1000, finished=True, history=[Attempt(1, "h", end="finished")])
    leave(state / "cb7" / HOSTILE / "equil", failed="Numerical", kind="equil")
    home = out / "phases" / "done"
    for phase in PHASES[:6]:
        result(home / phase)
    timings = {"cpu_s": 7200.0, "engine_s": 3600.0}
    result(home / "fe" / "complex_replicate_0", timings=timings, platform="CUDA")
    result(home / "analysis", verdict="PASS", dg_kcal_per_mol=-6.5, dg_error_kcal_per_mol=0.25)
    record = {
        "sampling": {
            "rounds": [{"round": 0, "dg_kcal_per_mol": -6.4, "dg_error_kcal_per_mol": 0.5, "sampled_ns": 0.1}]
        },
        "legs": [
            {"leg": "complex", "replicate": r, "dg_kcal_per_mol": 7.0, "overlap": {"min_neighbour": 0.1 + r / 10}}
            for r in range(2)
        ],
    }
    write_json(home / "analysis" / "record.json", record)
    return state


class Run:
    """A small run of windows in segments, each of which a test advances by hand: state as `fe run` keeps it."""

    def __init__(self, home: Path, window: int, total=4) -> None:
        settings = {"states": [{"lambda_sterics": k} for k in (1, 0)], "window": window, "timestep_fs": 4.0}
        self.home, self.window, self.total, self.settings = home, window, total, settings

    def go(self, segments: int, *, while_held=lambda: None, fails=False):
        """Run so many segments, then stop or fail; `while_held` is called within the last of them."""
        made = []

        def segment(number, arrays):
            made.append(number)
            if len(made) == segments:
                while_held()
                if fails:
                    raise ScienceError("energies are not finite")
            return {"x": arrays["x"] + 1}, {"u": np.full(2, float(number))}

        try:
            with (
                ResumableRun(self.home, files={}, settings=self.settings, physics=1) as run,
                Stopper(segments=segments) as s,
            ):
                run.advance(self.total, lambda: {"x": np.zeros(2)}, segment, s, steps=lambda n: 250 * n)
        except Exception as error:  # noqa: BLE001 - how it ended is what the test asks
            return error
        return None


def steps(state: Path) -> int:
    """Steps done by the files themselves, without the code that is tested."""
    found = [json.loads(path.read_text()) for path in state.rglob("progress.json") if "superseded" not in str(path)]
    return sum(one["steps_done"] for one in found)


def many(root: Path, ligands: int, windows: int = 12) -> Path:
    """A made campaign of many ligands, half of them finished, some failed, the others on their way."""
    state, out = root / "state" / "many", root / "out"
    note(state, out, [f"lig{number:04d}" for number in range(ligands)])
    for number in range(ligands):
        name = f"lig{number:04d}"
        item = state / "cb7" / name
        leave(item / "equil", done=1000, finished=True, kind="equil")
        write_plan(item / "prepare_fe", {"complex": [0.004] * windows, "solvent": [0.004] * windows}, 1)
        finished = number < ligands // 2
        for leg in ("complex", "solvent"):
            for window in range(windows):
                end = "finished" if finished else "stopped"
                failed = "Numerical" if number % 50 == 49 and window == 3 and not finished else ""
                home = item / leg / "replicate_0" / f"window_{window:02d}"
                leave(home, window=window, done=1000 if finished else 400, history=[Attempt(1, "h", end=end)],
                      finished=finished, failed=failed)  # fmt: skip
        for phase in PHASES[:6]:
            result(out / "phases" / name / phase)
        if finished:
            result(out / "phases" / name / "analysis", verdict="PASS", dg_kcal_per_mol=-5.0, dg_error_kcal_per_mol=0.3)
    return state
