"""A run of twenty windows, killed at ten random moments, against the same run in one go: the same bits, little lost.

    python benchmarks/twenty_windows_ten_kills.py [--kills 10] [--seed 1] [--sampler independent|exchange]

The leg is the guest B2 of CB7 in implicit solvent, twenty λ windows of four segments. Every call is `fe run` in a
process of its own; a kill is SIGKILL at a random moment. The table tells for each kill what was done before and after
it, and how many segments were written twice: at most one. Exit code 1 where the answers differ or more was lost.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python" / "tests"))

import host_guest as hg  # noqa: E402

from gibbsflow.binding.alchemy.schedules import LambdaState  # noqa: E402
from gibbsflow.binding.analyse.estimators import dg_of_sampled_kt, fit_mbar  # noqa: E402
from gibbsflow.binding.sample.energies import read_leg  # noqa: E402
from gibbsflow.config.binding import Fe, Md  # noqa: E402

WINDOWS, SEGMENTS, SEGMENT_PS = 20, 4, 1.0


def command(leg: Path, root: Path) -> list[str]:
    words = ["run", "--leg", leg, "--replicate", 0, "--state", root / "state", "--out", root / "out"]
    return [sys.executable, "-m", "gibbsflow.cli.fe", *map(str, words)]


def run(leg: Path, root: Path, kill_at: int | None = None, after_s: float = 0.0) -> int:
    """One call of `fe run`; killed a moment after so many segments are on disk, where a number is given."""
    root.mkdir(exist_ok=True)
    with open(root / "log", "a") as log:
        process = subprocess.Popen(command(leg, root), stdout=log, stderr=log)
        while kill_at is not None and process.poll() is None and len(outputs(root)) < kill_at:
            time.sleep(0.005)
        if kill_at is not None:
            time.sleep(after_s)
            process.send_signal(signal.SIGKILL)
        return process.wait()


def outputs(root: Path) -> dict[str, int]:
    """Segments whose samples are on disk, with the time of their writing."""
    files = (root / "state").rglob("segment-*.npz")
    return {str(p.relative_to(root)): p.stat().st_mtime_ns for p in files if "superseded" not in str(p)}


def saved(root: Path) -> int:
    """Segments that a checkpoint holds, over all windows."""
    paths = [p for p in (root / "state").rglob("progress.json") if "superseded" not in str(p)]
    return sum(json.loads(p.read_text())["segments_done"] for p in paths)


def free_energy_kt(root: Path) -> float:
    return dg_of_sampled_kt(fit_mbar(read_leg(sorted((root / "out").glob("window_*.parquet"))).u_nk))[0]


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--kills", type=int, default=10)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--sampler", choices=("independent", "exchange"), default="independent")
    given = options.parse_args()
    root = Path(tempfile.mkdtemp(prefix="gibbsflow-kills-"))
    states = tuple(LambdaState(0, 1 - k / (WINDOWS - 1), 0 if k == WINDOWS - 1 else 1) for k in range(WINDOWS))
    fe = Fe(
        window_ps=SEGMENTS * SEGMENT_PS, window_equil_ps=0, sample_ps=0.1, segment_ps=SEGMENT_PS, sampler=given.sampler
    )
    leg = hg.make_leg(root / "leg", "solvent", fe=fe, states=states, md=Md(timestep_fs=4.0)).folder
    begin = time.monotonic()
    assert run(leg, root / "whole") == 0, (root / "whole" / "log").read_text()
    whole_s = time.monotonic() - begin
    print(f"in one go: {WINDOWS} windows x {SEGMENTS} segments, {given.sampler}, {whole_s:.1f} s", flush=True)
    dice = random.Random(given.seed)
    killed, total = root / "killed", WINDOWS * SEGMENTS if given.sampler == "independent" else SEGMENTS
    print(f"{'kill':>4} {'after s':>8} {'segments before':>16} {'after':>6} {'of':>4} {'written twice':>14}")
    faults, kills, before = [], 0, {}
    for kill_at in sorted(dice.sample(range(1, total), min(given.kills, total - 1))):
        start, after_s = saved(killed), dice.uniform(0.0, 0.9 * whole_s / total)
        run(leg, killed, kill_at, after_s)
        now, kills = outputs(killed), kills + 1
        again = [name for name, when in before.items() if now.get(name) != when]
        if len(again) > 1:
            faults.append(f"kill {kills}: {len(again)} segments were run again")
        print(f"{kills:>4} {after_s:>8.2f} {start:>16} {saved(killed):>6} {total:>4} {len(again):>14}", flush=True)
        before = now
    if run(leg, killed) != 0:
        faults.append((killed / "log").read_text()[-2000:])
    again = [name for name, when in before.items() if outputs(killed).get(name) != when]
    if len(again) > 1:
        faults.append(f"last call: {len(again)} segments were run again")
    names = [f"window_{k:02d}.parquet" for k in range(WINDOWS)]
    same = all((killed / "out" / n).read_bytes() == (root / "whole" / "out" / n).read_bytes() for n in names)
    one, other = free_energy_kt(root / "whole"), free_energy_kt(killed)
    print(
        f"free energy: {one!r} kT in one go, {other!r} kT after {kills} kills: "
        f"{'the same bits' if same else 'DIFFERENT'}"
    )
    faults += [] if same and one == other else ["the answers differ"]
    print("\n".join(faults) or f"at most one segment lost a kill; all of it in {root}")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
