#!/usr/bin/env python3
"""B2 into 1-adamantanol in cucurbit[7]uril, OBC2: an edge of two whole ligands against the difference of two ABFE.

    python benchmarks/dual_topology.py --state DIR

The cages share a ring in part alone, so that the edge is of dual topology by itself (`edge_topology` auto). Both
ligands, the host and their parameters are those of the demo. Reference: ΔG of both by double decoupling, three runs
each (docs/decisions/0007-demo-model.md). Stopped by a signal or a time limit it goes on when called again with the same
options. Exits 1 where the two differ by more than 2 σ.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import statistics
import sys
from pathlib import Path
from typing import Any

import yaml

from gibbsflow.binding.campaign.run_local import LocalRun, checked
from gibbsflow.cli.gibbsflow import verbs
from gibbsflow.config.binding import Launch
from gibbsflow.workflow.result import versions

ASSETS = Path(__file__).resolve().parents[1] / "assets" / "demo"
ABFE = {"b2": (-12.0, -12.0, -12.1), "adamantanol": (-14.4, -14.7, -14.3)}
"""kcal/mol, GAFF2 throughout."""
SETTINGS: dict[str, dict[str, Any]] = {
    "run": {"mode": "rbfe", "replicates": 2},
    "relative": {"network": "mst"},
    "fe": {"window_ps": 40.0, "window_equil_ps": 10.0, "sample_ps": 0.5, "segment_ps": 5.0},
}
KEPT = ("topology", "dg_kcal_per_mol", "dg_error_kcal_per_mol", "mbar_error_kcal_per_mol", "verdict", "reasons")


def carried_out(state: Path, chosen: dict[str, dict[str, Any]]) -> tuple[int, Path]:
    """Exit code of the campaign, and where its results are."""
    sections = {name: SETTINGS.get(name, {}) | chosen.get(name, {}) for name in {*SETTINGS, *chosen}}
    io = {"input": ASSETS / "ligands.csv", "receptor": ASSETS / "cb7.sdf", "outdir": state / "results"}
    io |= {"state_dir": state / "state"}
    launch = Launch.from_mapping(
        {"io": {key: str(value) for key, value in io.items()}, **sections}, where="dual_topology"
    )
    found = checked(launch)
    local = LocalRun(launch, found.rows, verbs())
    found.record(local.system_state)
    return local.run(), local.out


def main() -> int:
    """Run what is left, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--set", nargs="+", default=[], metavar="SECTION.KEY=VALUE", help="as md.platform=CUDA")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    options = parser.parse_args()
    chosen: dict[str, dict[str, Any]] = {}
    for name, value in (pair.split("=", 1) for pair in options.set):
        section, key = name.split(".", 1)
        chosen.setdefault(section, {})[key] = yaml.safe_load(value)
    code, results = carried_out(options.state.absolute(), chosen)
    if code:
        return code
    (edge,) = csv.DictReader((results / "edges.csv").open())
    (record,) = (json.loads(path.read_text()) for path in sorted(results.glob("**/record.json")))
    sign = 1 if (edge["ligand_a"], edge["ligand_b"]) == ("b2", "adamantanol") else -1
    found, error = sign * float(edge["ddg_kcal_per_mol"]), float(edge["ddg_error_kcal_per_mol"])
    expected = statistics.mean(ABFE["adamantanol"]) - statistics.mean(ABFE["b2"])
    wrong = math.hypot(*(statistics.stdev(runs) / math.sqrt(len(runs)) for runs in ABFE.values()))
    kept = {key: record.get(key) for key in KEPT}
    kept |= {"ddg_b2_to_adamantanol": found, "error": error, "from_abfe": expected, "from_abfe_error": wrong}
    kept |= {"legs": [{key: leg[key] for key in ("leg", "replicate", "dg_kcal_per_mol")} for leg in record["legs"]]}
    kept |= {"settings": {name: SETTINGS.get(name, {}) | chosen.get(name, {}) for name in {*SETTINGS, *chosen}}}
    options.out.write_text(json.dumps(kept | {"versions": versions("openmm")}, indent=1) + "\n")
    print(f"{edge['topology']}: {found:.2f} ± {error:.2f} kcal/mol, from ABFE {expected:.2f} ± {wrong:.2f}")
    return int(abs(found - expected) > 2 * math.hypot(error, wrong))


if __name__ == "__main__":
    sys.exit(main())
