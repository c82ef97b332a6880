#!/usr/bin/env python3
"""p-Xylene in T4 lysozyme L99A, in water: double decoupling and SDR must give one binding free energy.

    python benchmarks/t4_lysozyme.py --protein protein.pdb --ligand p-xylene.sdf --state DIR --set platform=CUDA

Protein and pose as in openfe-benchmarks (``t4_lysozyme``). Each protocol is carried out by the verbs of the pipeline
with Boresch restraints, of four equivalent poses (the ring turned over, its ends exchanged) one held. Experiment:
−4.63 kcal/mol (as openfe-benchmarks has it). Made for a card: some 30,000 atoms in 24 + 17 and 41 windows. Stopped by
a signal or a time limit it goes on when called again with the same options. ``--out`` keeps record and settings of each
protocol as it ends; exits 1 where the two differ by more than 2 σ.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import sys
import time
from pathlib import Path
from typing import Any

import yaml

from gibbsflow.binding.campaign.verbs import (
    binding_free_energy,
    equilibrate_complex,
    parametrise_complex,
    prepare_complex,
    sample_legs,
)
from gibbsflow.config.binding import BindingConfig
from gibbsflow.errors import StoppedEarly
from gibbsflow.workflow.result import versions

SETTINGS: dict[str, Any] = {
    "mode": "abfe", "solvent": "tip3p", "restraint": "boresch", "symmetry_number": 4, "equil_ps": 2000.0,
    "window_ps": 5000.0, "window_equil_ps": 200.0, "segment_ps": 50.0, "replicates": 3, "trajectory_ps": 50.0,
}  # fmt: skip
PROTOCOLS = ("double_decoupling", "sdr")
KEPT = (
    "dg_kcal_per_mol", "dg_error_kcal_per_mol", "mbar_error_kcal_per_mol", "verdict", "reasons", "restraint_choice",
    "standard_state", "versions",
)  # fmt: skip


def carried_out(protocol: str, options: argparse.Namespace, chosen: dict[str, Any]) -> dict[str, Any]:
    """One binding free energy, with what it took."""
    settings = BindingConfig.from_params(SETTINGS | chosen | {"abfe_protocol": protocol})
    state: Path = options.state / protocol
    began = time.monotonic()
    placed = prepare_complex(options.ligand.stem, options.protein, settings, state / "placed", structure=options.ligand)
    made = parametrise_complex(placed, settings, state / "prepared", cache=options.state / "cache")
    bound = equilibrate_complex(made, state / "equilibrated", state=state / "equil_state")
    sampled = sample_legs(bound, settings, state / "sampled", state=state / "fe_state")
    record = binding_free_energy(sampled, settings)
    legs = [{key: leg[key] for key in ("leg", "replicate", "dg_kcal_per_mol", "overlap")} for leg in record["legs"]]
    return {
        **{key: record.get(key) for key in KEPT},
        "legs": legs,
        "settings": {key: str(value) for key, value in (SETTINGS | chosen).items()},
        "machine": platform.machine(),
        "seconds_of_last_call": round(time.monotonic() - began),
    }


def main() -> int:
    """Run what is left, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--protein", type=Path, required=True)
    parser.add_argument("--ligand", type=Path, required=True)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="settings of both, as platform=CUDA")
    parser.add_argument("--protocol", nargs="+", default=PROTOCOLS, choices=PROTOCOLS)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_suffix(".json"))
    options = parser.parse_args()
    chosen = {key: yaml.safe_load(value) for key, value in (pair.split("=", 1) for pair in options.set)}
    kept = json.loads(options.out.read_text()) if options.out.exists() else {}
    for protocol in options.protocol:
        try:
            kept[protocol] = carried_out(protocol, options, chosen)
        except StoppedEarly as stopped:
            print(f"{protocol}: {stopped}; call again to go on")
            return 75
        options.out.write_text(json.dumps(kept | {"versions": versions("openmm")}, indent=1) + "\n")
        found = kept[protocol]
        print(f"{protocol}: {found['dg_kcal_per_mol']:.2f} ± {found['dg_error_kcal_per_mol']:.2f} kcal/mol", flush=True)
    if not all(protocol in kept for protocol in PROTOCOLS):
        return 0
    a, b = (kept[protocol] for protocol in PROTOCOLS)
    apart = abs(a["dg_kcal_per_mol"] - b["dg_kcal_per_mol"])
    return int(apart > 2 * math.hypot(a["dg_error_kcal_per_mol"], b["dg_error_kcal_per_mol"]))


if __name__ == "__main__":
    sys.exit(main())
