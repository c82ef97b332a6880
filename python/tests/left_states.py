"""What calculations leave in their state folders, for tests of those who read it."""

from gibbsflow.workflow.files import write_json
from gibbsflow.workflow.state import sentinels
from gibbsflow.workflow.state.attempts import Attempt, write_attempts
from gibbsflow.workflow.state.status import write_plan

STATES = [{"lambda_sterics": k} for k in (1, 0.5, 0)]


def leave(home, *, window=None, done=0, history=(), finished=False, failed="", kind="states"):
    """What a calculation of three windows, or an equilibration, leaves in its state folder."""
    described = {"setting timestep_fs": 4.0}
    described |= {"setting states": STATES, "setting window": window} if kind == "states" else {"setting equil_ps": 5.0}
    write_json(home / "inputs.json", {"inputs_hash": "h", "attempt": len(history) or 1, "described": described})
    together = 3 if kind == "states" and window is None else 1
    progress = {"steps_done": done * together, "steps": 1000 * together, "engine_s": done / 10}
    write_json(home / "progress.json", progress)
    write_attempts(home, history)
    if finished:
        sentinels.Sentinel("FINISHED", "h", steps_done=1000 * together).write(home)
    if failed:
        sentinels.Sentinel("FAILED", "h", cause=failed, message="not\nfinite").write(home)


def leave_campaign(root):
    """What a campaign of two ligands leaves on its way: one finished equilibration, windows of all kinds, a failure."""
    item = root / "cb7" / "b2"
    leave(item / "equil", done=1000, finished=True, kind="equil")
    write_plan(item / "prepare_fe", {"complex": [0.004] * 3, "solvent": [0.004] * 3}, 2)
    leave(item / "complex" / "replicate_0", done=500, history=[Attempt(1, "h", end="stopped", message="time budget")])
    leave(item / "solvent" / "replicate_0" / "window_00", window=0, done=100, history=[Attempt(1, "h")])
    leave(item / "solvent" / "replicate_0" / "window_01", window=1, failed="Numerical")
    sentinels.Sentinel("FAILED", "", cause="Parametrisation", message="no charges").write(root / "cb7/a1/param_ligands")
    return root
