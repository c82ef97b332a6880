#!/usr/bin/env python3
"""Methane into water through GROMACS, from its SMILES to the table; then the leg in water through OpenMM as well.

    python tests/cluster/gromacs_asfe.py [--ps 16] [--seed 2026] [--folder DIR]

Needs GROMACS on PATH. Prints the free energy of solvation, and that of the leg by both engines; exit 1 where the value
is farther from 2.45 kcal/mol than so short a run can be, or where the engines differ by more than two standard errors
and then, with two more repeats by each, by more than their spread.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import gromacs_runs as runs

EXPECTED, NEAR = 2.45, 2.0


def settings(ps: float, seed: int) -> dict[str, dict[str, object]]:
    """One small box."""
    return {
        "run": {"mode": "asfe", "replicates": 1, "seed": seed},
        "param": {"ligand_ff": "gaff", "charge_method": "gas"},
        "md": {"solvent": "tip3p", "engine": "gromacs", "threads": 2, "padding_angstrom": 8.0, "cutoff_angstrom": 7.0},
        "equil": {"minimise_steps": 200, "heat_ps": 2, "density_ps": 16, "equil_ps": 8, "equil_segment_ps": 4},
        "fe": {"solvent_schedule": "decoupling.yaml", "sample_ps": 0.2, "segment_ps": 3}
        | {"window_ps": ps, "window_equil_ps": 4},
    }


def main() -> int:
    """Run, compare; say by the exit code whether it is well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ps", type=float, default=16.0, help="sampling a window (default: 16)")
    parser.add_argument("--seed", type=int, default=2026, help="of all random numbers (default: 2026)")
    parser.add_argument("--folder", type=Path, help="where to work, kept (default: a temporary folder)")
    options = parser.parse_args()
    with runs.working(options.folder) as folder:
        runs.write_campaign(folder, settings(options.ps, options.seed), {"decoupling": runs.DECOUPLING})
        runs.run_campaign(folder)
        (result,) = (folder / "results").glob("**/fe/solvent_replicate_0/result.json")
        told, row = json.loads(result.read_text()), runs.result_row(folder)
        print(f"exchange: {told['exchange']}; GROMACS {told['versions']['gromacs']}")
        agree = runs.engines_agree(folder, "solvent", "methane out of water")
    dg = float(row["dg_kcal_per_mol"])
    print(f"methane: {dg:.2f} ± {float(row['dg_error_kcal_per_mol']):.2f} kcal/mol ({EXPECTED} expected)")
    return 0 if agree and told["engine"] == "gromacs" and abs(dg - EXPECTED) < NEAR else 1


if __name__ == "__main__":
    sys.exit(main())
