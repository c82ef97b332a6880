"""Runs the demo of the learning loop with several seeds and tells whether each improved its potential.

    python benchmarks/demo_potential_seeds.py --out demo_potential_seeds.json [--seeds 1 2 3 4 5] [--work FOLDER]

The seed changes everything that is random: generators, hold-out, validation split, velocities and thermostat. Each seed
runs `infer loop --local` with the settings of assets/demo-potential/si.yaml; a run that was cut off goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml

from gibbsflow.potential.loop.state import LoopCheckpoint

DEMO = Path(__file__).resolve().parents[1] / "assets" / "demo-potential" / "si.yaml"


def run(seed: int, work: Path) -> dict[str, Any]:
    """Run one seed; return its row of the table."""
    content = yaml.safe_load(DEMO.read_text())
    content["loop"]["seed"] = seed
    content["generator"]["generator_seed"] = seed
    folder = work / f"seed_{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "si.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    words = [sys.executable, "-m", "gibbsflow.cli.infer", "loop", "--local", "--config", str(folder / "si.yaml")]
    start = time.monotonic()
    subprocess.run([*words, "--out", str(folder / "out"), "--state", str(folder / "state")], check=True)
    point = LoopCheckpoint.read(folder / "out")
    first, last = point.history[0], point.history[-1]
    return {
        "seed": seed,
        "generations": len(point.history),
        "labels_made": last.labels_made,
        "failed": sum(last.failures.values()),
        "force_mae_ev_per_angstrom": [round(r.force_mae_ev_per_angstrom, 4) for r in point.history],
        "force_ratio": round(last.force_mae_ev_per_angstrom / first.force_mae_ev_per_angstrom, 3),
        "energy_mae_mev_per_atom": [round(r.energy_mae_mev_per_atom, 2) for r in point.history],
        "largest_grade": [round(r.largest_grade, 2) for r in point.history],
        "fraction_above": [round(r.fraction_above, 3) for r in point.history],
        "stopped_by": point.stopped_by,
        "wall_s": round(time.monotonic() - start, 1),
        "improved": last.force_mae_ev_per_angstrom < 0.8 * first.force_mae_ev_per_angstrom
        and last.largest_grade < first.largest_grade,
    }


def table(rows: list[dict[str, Any]]) -> str:
    """Rows in Markdown."""
    lines = [
        "| seed | labels | hold-out force MAE by generation, eV/Å | ratio | largest grade | stopped by | wall, s |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        forces = " → ".join(f"{value:.4f}" for value in row["force_mae_ev_per_angstrom"])
        grades = " → ".join(f"{value:.3g}" for value in row["largest_grade"])
        lines.append(
            f"| {row['seed']} | {row['labels_made']} | {forces} | {row['force_ratio']:.2f} | {grades} "
            f"| {row['stopped_by']} | {row['wall_s']:.0f} |"
        )
    return "\n".join(lines)


def main() -> int:
    """Run all seeds one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--work", type=Path, default=Path("demo_potential_seeds"))
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    rows = []
    for seed in options.seeds:
        rows.append(run(seed, options.work.resolve()))
        load = os.getloadavg()[1]
        rows[-1]["load_at_the_end"] = round(load, 1)
        machine = {
            "machine": platform.machine(),
            "cores": len(os.sched_getaffinity(0)),
            "python": platform.python_version(),
        }
        options.out.write_text(json.dumps({**machine, "settings": DEMO.name, "rows": rows}, indent=2) + "\n")
        sys.stdout.write(table(rows) + "\n")
    return 0 if all(row["improved"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
