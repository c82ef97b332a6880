"""Labels that a surrogate before DFT saves: a pool of rattled structures, all labelled, and screened by a cheap model.

Run it so::

    python benchmarks/surrogate.py silicon --pair-style sw --pair-file Si.sw --out benchmarks/surrogate.json
    python benchmarks/surrogate.py molecule --out benchmarks/surrogate_molecule.json

A label counts as wasted where it failed or its largest force is above the cap. The surrogate's limit is the cap times a
margin, for it does not know the forces to a percent: a good structure that is left out is lost, a bad one that passes
costs a label. Of silicon the labels are those of the demo's settings; of the molecule, labels by GFN2-xTB stand for DFT
and GFN1-xTB is the surrogate, so that hundreds can be labelled: what is measured is how often another method's forces
lead astray, and not time. `Si.sw` and `Si.tersoff` come with LAMMPS (share/lammps/potentials).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.config.potential_training import Surrogate
from gibbsflow.potential.explore.screening.screen import screen
from gibbsflow.potential.explore.screening.surrogates import make_surrogate
from gibbsflow.potential.loop.verbs import generate_structures, label_structures
from gibbsflow.workflow.files import write_json
from gibbsflow.workflow.settings_file import read_mapping

MARGINS = (1.0, 1.25, 1.5, 2.0)
DEMO = Path(__file__).parents[1] / "assets" / "demo-potential" / "si.yaml"
RATTLES = {"methods": ["rattle"], "minimum_distance_ratio": 0.3}


def silicon(given: argparse.Namespace) -> tuple[PotentialConfig, Surrogate, float, str]:
    """Settings of silicon: a classical potential before plane waves."""
    content = read_mapping(DEMO)
    own = {"rattle_sigma_angstrom": [0.1, 0.3, 0.5, 0.7], "rattle_count": given.each or 2}
    content["generator"] = {**content.get("generator", {}), **RATTLES, **own}
    model = Surrogate(model="classical", pair_style=given.pair_style, pair_file=given.pair_file)
    what = "silicon, rattled by 0.1 to 0.7 Å; labels by the settings of assets/demo-potential/si.yaml"
    return PotentialConfig.from_mapping(content, where=str(DEMO)), model, 10.0, what


def molecule(given: argparse.Namespace) -> tuple[PotentialConfig, Surrogate, float, str]:
    """Settings of ethanol: one tight-binding method before another, which stands for DFT."""
    own = {"rattle_sigma_angstrom": [0.05, 0.1, 0.15, 0.2, 0.3], "rattle_count": given.each or 40}
    content = {
        "elements": ["H", "C", "O"], "structure": "CH3CH2OH", "engine": "tblite",
        "dft": {"tblite_method": "GFN2-xTB"}, "generator": {**RATTLES, **own},
    }  # fmt: skip
    what = "ethanol, rattled by 0.05 to 0.3 Å; labels by GFN2-xTB in place of DFT"
    return PotentialConfig.from_mapping(content, where="here"), Surrogate(model="tblite"), 20.0, what


def main() -> None:
    """Generate, screen, label all, and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("system", choices=("silicon", "molecule"))
    parser.add_argument("--pair-style", default="sw")
    parser.add_argument("--pair-file", type=Path, help="of silicon")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--each", type=int, help="structures of each standard deviation; default: 2, or 40")
    given = parser.parse_args()
    config, model_of, cap, what = {"silicon": silicon, "molecule": molecule}[given.system](given)
    pool = generate_structures(config).frames
    with tempfile.TemporaryDirectory() as scratch, closing(make_surrogate(model_of, config.target.elements)) as model:
        limits = {margin: {"max_force_ev_per_angstrom": cap * margin} for margin in MARGINS}
        begin = time.process_time()
        fates = {
            margin: [
                one.fate
                for one in screen(pool, model, model_of.model_copy(update=limit), state=Path(scratch) / "looks")
            ]
            for margin, limit in limits.items()
        }
        screening_s, name = time.process_time() - begin, model.name
        named = label_structures(pool, config, Path(scratch) / "labels").results
    rows = []
    for atoms in pool:
        label = named[atoms.info["gibbsflow_id"]]
        forces = np.array(label.forces_ev_per_angstrom or [[np.inf] * 3])
        largest = float(np.linalg.norm(forces, axis=1).max())
        rows.append((label.status == "failed" or largest > cap, label.wall_s))
    told = {
        "what": what, "engine": config.dft.engine, "surrogate": name, "cap_ev_per_angstrom": cap,
        "pool": len(rows), "labels_without": len(rows), "wasted_without": sum(wasted for wasted, _ in rows),
        "label_s_without": round(sum(s for _, s in rows), 1), "screening_cpu_s_of_this_process": round(screening_s, 2),
        "by_margin": {str(margin): _with(rows, fates[margin]) for margin in MARGINS},
    }  # fmt: skip
    write_json(given.out, told)
    print(told)


def _with(rows: list[tuple[bool, float]], fates: list[str]) -> dict[str, Any]:
    kept = [row for row, fate in zip(rows, fates, strict=True) if fate != "screened"]
    return {
        "fates": dict(Counter(fates)), "labels_with": len(kept), "wasted_with": sum(wasted for wasted, _ in kept),
        "good_structures_left_out": sum(
            not wasted for (wasted, _), fate in zip(rows, fates, strict=True) if fate == "screened"
        ),
        "label_s_with": round(sum(s for _, s in kept), 1),
    }  # fmt: skip


if __name__ == "__main__":
    main()
