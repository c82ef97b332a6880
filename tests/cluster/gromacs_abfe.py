#!/usr/bin/env python3
"""Methane into cucurbit[7]uril through GROMACS, from its SMILES to the table: killed in mid-leg, and gone on with.

    python tests/cluster/gromacs_abfe.py [--ps 2] [--seed 2026] [--folder DIR]

Needs GROMACS on PATH. Prints the free energy of binding; exit 1 where the run was not resumed from what it had saved,
where OpenMM gives the last sample of a window another energy in any λ state, or where the value is more than three
standard errors from that of OpenMM's windows.
"""

from __future__ import annotations

import argparse
import math
import shutil
import sys
from pathlib import Path

import gromacs_runs as runs

EXPECTED, EXPECTED_ERROR = -2.3, 0.8
"""By OpenMM's windows of 1 ps from the same starts, kcal/mol."""
HOST = Path(__file__).parents[2] / "assets" / "demo" / "cb7.sdf"
HOLDING = [(0, 1, 1), *((1, *state[1:]) for state in runs.DECOUPLING)]


def settings(ps: float, seed: int) -> dict[str, dict[str, object]]:
    """Two boxes, as small as the cutoff lets them be."""
    return {
        "io": {"receptor": "cb7.sdf"},
        "run": {"mode": "abfe", "replicates": 1, "seed": seed},
        "param": {"ligand_ff": "gaff", "charge_method": "gas"},
        "md": {"solvent": "tip3p", "salt_mol_per_l": 0, "engine": "gromacs", "threads": 2}
        | {"padding_angstrom": 8.0, "cutoff_angstrom": 7.0},
        "equil": {"minimise_steps": 100, "heat_ps": 1, "density_ps": 7, "equil_ps": 5, "equil_segment_ps": 3},
        "fe": {"complex_schedule": "holding.yaml", "solvent_schedule": "decoupling.yaml"}
        | {"sample_ps": 0.1, "segment_ps": 1.5, "window_ps": ps, "window_equil_ps": 1},
    }


def main() -> int:
    """Run, kill, run again, compare; say by the exit code whether it is well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ps", type=float, default=2.0, help="sampling a window (default: 2)")
    parser.add_argument("--seed", type=int, default=2026, help="of all random numbers (default: 2026)")
    parser.add_argument("--folder", type=Path, help="where to work, kept (default: a temporary folder)")
    options = parser.parse_args()
    good = True
    with runs.working(options.folder) as folder:
        shutil.copy(HOST, folder)
        schedules = {"holding": HOLDING, "decoupling": runs.DECOUPLING}
        runs.write_campaign(folder, settings(options.ps, options.seed), schedules)
        # GROMACS is in its second segment of the complex: the first one is saved
        runs.kill_at(folder, "**/complex/replicate_0/gromacs/*/window_00/run.part0002.log")
        runs.run_campaign(folder)
        for leg, ends in (("complex", ["lost", "finished"]), ("solvent", ["finished"])):
            found = runs.attempts_of(folder, leg)
            relative, between = runs.state_energies(folder, leg)
            agree = relative < runs.RELATIVE and between < runs.BETWEEN_KJ_PER_MOL
            good &= found == ends and agree
            print(f"{leg}: attempts {', '.join(found)}; energies of OpenMM within {relative:.1e}", end="")
            print(f", between states within {between:.3f} kJ/mol{'' if agree else ': TOO FAR'}")
        row = runs.result_row(folder)
    dg, error = float(row["dg_kcal_per_mol"]), float(row["dg_error_kcal_per_mol"])
    good &= row["status"] == "finished" and abs(dg - EXPECTED) < 4 * math.hypot(error, EXPECTED_ERROR)
    print(f"methane in CB7: {dg:.2f} ± {error:.2f} kcal/mol ({EXPECTED} ± {EXPECTED_ERROR} by OpenMM)")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
