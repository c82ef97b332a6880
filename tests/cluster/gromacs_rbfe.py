#!/usr/bin/env python3
"""Isobutane into neopentane in cucurbit[7]uril through GROMACS, from their SMILES to the table; killed in mid-leg.

    python tests/cluster/gromacs_rbfe.py [--ps 2] [--whole] [--seed 2026] [--folder DIR]

Needs GROMACS on PATH. Prints the relative free energy of binding; exit 1 where the run was not resumed from what it had
saved, where OpenMM gives the last sample of a window another energy at either end, or where the engines, whose paths
between the ends differ, differ by more than two standard errors in water and then, with two more repeats by each, by
more than their spread.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

import gromacs_runs as runs

HOST = Path(__file__).parents[2] / "assets" / "demo" / "cb7.sdf"
LIGANDS = {"isobutane": "CC(C)C", "neopentane": "CC(C)(C)C"}
TURNING = [(0, 1, 1, 0, 0), (0.25, 0.5, 1, 0.5, 0), (0.5, 0, 1, 1, 0), (0.75, 0, 0.5, 1, 0.5), (1, 0, 0, 1, 1)]


WHOLE = [(x / 8, max(0.0, 1 - x / 4), min(1.0, 2 - x / 4), min(1.0, x / 4), max(0.0, x / 4 - 1)) for x in range(9)]


def settings(ps: float, seed: int, whole: bool) -> dict[str, dict[str, object]]:
    """Boxes as small as the cutoff lets them be."""
    return {
        "io": {"receptor": "cb7.sdf"},
        "run": {"mode": "rbfe", "replicates": 1, "seed": seed},
        "relative": {"network": "mst", "edge_topology": "dual" if whole else "hybrid"},
        "param": {"ligand_ff": "gaff", "charge_method": "gas"},
        "md": {"solvent": "tip3p", "salt_mol_per_l": 0, "engine": "gromacs", "threads": 2}
        | {"padding_angstrom": 8.0, "cutoff_angstrom": 7.0},
        "equil": {"minimise_steps": 60, "heat_ps": 0.5, "density_ps": 3, "equil_ps": 2, "equil_segment_ps": 2},
        "fe": {"complex_schedule": "turning.yaml", "solvent_schedule": "turning.yaml"}
        | {"sample_ps": 0.1, "segment_ps": 1, "window_ps": ps, "window_equil_ps": 0.5},
    }


def main() -> int:
    """Run, kill, run again, compare; say by the exit code whether it is well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ps", type=float, default=2.0, help="sampling a window (default: 2)")
    parser.add_argument("--whole", action="store_true", help="both ligands as a whole, which share no atom")
    parser.add_argument("--seed", type=int, default=2026, help="of all random numbers (default: 2026)")
    parser.add_argument("--folder", type=Path, help="where to work, kept (default: a temporary folder)")
    options = parser.parse_args()
    good = True
    with runs.working(options.folder) as folder:
        shutil.copy(HOST, folder)
        chosen = settings(options.ps, options.seed, options.whole)
        runs.write_campaign(folder, chosen, {"turning": WHOLE if options.whole else TURNING}, LIGANDS)
        runs.kill_at(folder, "**/complex/replicate_0/gromacs/*/window_00/run.part0002.log")
        runs.run_campaign(folder)
        for leg, ends in (("complex", ["lost", "finished"]), ("solvent", ["finished"])):
            found = runs.attempts_of(folder, leg)
            relative, between = runs.state_energies(folder, leg)
            agree = relative < runs.RELATIVE and between < runs.BETWEEN_KJ_PER_MOL
            good &= found == ends and agree
            print(f"{leg}: attempts {', '.join(found)}; ends by OpenMM within {relative:.1e}", end="")
            print(f", between them within {between:.3f} kJ/mol{'' if agree else ': TOO FAR'}")
        row = runs.result_row(folder, "edges.csv")
        # so short a leg in the host may stay without overlap, which is then said
        good &= row["status"] in ("finished", "unconverged")
        told = row["cause"] or f"{row['ddg_kcal_per_mol']} ± {row['ddg_error_kcal_per_mol']} kcal/mol"
        print(f"{row['ligand_a']} to {row['ligand_b']} in CB7: {told}")
        good &= runs.engines_agree(folder, "solvent", "the same in water")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
