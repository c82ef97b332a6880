"""Labels that the potential of the generation before saves in a loop: what it leaves out is labelled afterwards.

Run it so::

    python benchmarks/surrogate_loop.py --out benchmarks/surrogate_loop.json

A loop of ethanol at up to 3000 K, labels by GFN1-xTB, with ``surrogate: {model: last_generation}`` and the cap as its
limit. A label is wasted where it fails or its largest force is above the cap, which is also
``labels.force_cap_ev_per_angstrom``: such labels are refused. Of all structures that the surrogate was offered, those
that it left out get their label here, after the loop: without it all would have been labelled. What limits of other
margins above the cap had left out of them is counted from the forces in ``screening.json``. Generation 0 has no
potential, and is not screened.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.potential.data.database import DatabaseManager
from gibbsflow.potential.data.structures import structure_id
from gibbsflow.potential.loop.verbs import label_structures
from gibbsflow.workflow.files import read_json, write_json

CAP = 10.0
MARGINS = (0.8, 1.0, 1.1, 1.25)
SETTINGS: dict[str, Any] = {
    "elements": ["H", "C", "O"], "structure": "CH3CH2OH", "engine": "tblite", "temperature_k": [300, 3000],
    "surrogate": {"model": "last_generation", "max_force_ev_per_angstrom": CAP},
    "labels": {"force_cap_ev_per_angstrom": CAP},
    "training": {"time_budget_min": 0.3, "max_coefficients": 300},
    "loop": {"initial_labels": 30, "holdout_labels": 10, "trajectories": 4},
    "exploration": {"steps": 2000}, "selection": {"budget": 30},
    "convergence": {"max_generations": 4, "generations": 4, "force_mae_ev_per_angstrom": 0.01},
}  # fmt: skip


def main() -> None:
    """Run a loop for each seed, label what was left out, and count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    given = parser.parse_args()
    rows = []
    for seed in given.seeds:
        with tempfile.TemporaryDirectory() as scratch:
            rows += [{"seed": seed, **row} for row in _loop(Path(scratch), seed)]
    told = {
        "what": "ethanol by GFN1-xTB, MD from 300 to 3000 K; surrogate: the potential of the generation before",
        "cap_ev_per_angstrom": CAP, "labels_without": len(rows), "wasted_without": sum(row["wasted"] for row in rows),
        "by_margin": {str(margin): _with(rows, CAP * margin) for margin in MARGINS},
        "by_generation": [
            {"seed": seed, "generation": number, "offered": len(own), "wasted_without": sum(r["wasted"] for r in own),
             **_with(own, CAP)}
            for seed in given.seeds for number in sorted({row["generation"] for row in rows})
            if (own := [row for row in rows if (row["seed"], row["generation"]) == (seed, number)])
        ],
    }  # fmt: skip
    write_json(given.out, told)
    print(told)


def _loop(home: Path, seed: int) -> list[dict[str, Any]]:
    """Run a loop; a row for each structure that was offered: the model's largest force, and whether it was a waste."""
    content = {**SETTINGS, "loop": {**SETTINGS["loop"], "seed": seed}}
    (home / "settings.json").write_text(json.dumps(content))
    words = ["--config", "settings.json", "--out", "out", "--state", "state"]
    subprocess.run([sys.executable, "-m", "gibbsflow.cli.infer", "loop", "--local", *words], cwd=home, check=True)
    frames = {structure_id(frame): frame for frame in DatabaseManager(home / "out/structures.db").frames()}
    config = PotentialConfig.from_mapping(content, where="settings.json")
    rows = []
    for path in sorted(home.glob("out/generation_*/screening.json")):
        told = read_json(path)
        offered = [frames[record["gibbsflow_id"]] for record in told["records"]]
        labels = label_structures(offered, config, home / "labels").results
        rows += [
            {"generation": told["generation"], "force": record["largest_force_ev_per_angstrom"],
             "wasted": _is_wasted(labels[record["gibbsflow_id"]])}
            for record in told["records"]
        ]  # fmt: skip
    return rows


def _with(rows: list[dict[str, Any]], limit: float) -> dict[str, int]:
    kept = [row for row in rows if row["force"] is None or row["force"] <= limit]  # None: the model failed on it
    good = sum(not row["wasted"] for row in rows)
    return {
        "labels_with": len(kept), "wasted_with": sum(row["wasted"] for row in kept),
        "good_structures_left_out": good - sum(not row["wasted"] for row in kept),
    }  # fmt: skip


def _is_wasted(label: Any) -> bool:
    forces = np.array(label.forces_ev_per_angstrom or [[np.inf] * 3])
    return bool(label.status == "failed" or np.linalg.norm(forces, axis=1).max() > CAP)


if __name__ == "__main__":
    main()
