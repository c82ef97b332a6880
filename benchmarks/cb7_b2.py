#!/usr/bin/env python3
"""CB7·B2 with the topologies of the openmmtools wheel: replicates, their spread, and −13.5 ± 0.5 kcal/mol.

    python benchmarks/cb7_b2.py --window-ps 60 --replicates 4 --state /tmp/cb7_b2

A replicate takes some five minutes of one core at 60 ps a window; run again, it goes on from its state. Exits 1 where
the mean of the replicates is outside.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "python" / "tests"))
import host_guest as hg  # noqa: E402
from pymbar import MBAR  # noqa: E402

from gibbsflow.binding.sample.energies import read_window  # noqa: E402
from gibbsflow.binding.sample.sampling import sample_leg  # noqa: E402
from gibbsflow.config.binding import Fe  # noqa: E402
from gibbsflow.units import kt_kcal_per_mol  # noqa: E402
from gibbsflow.workflow.result import Result, versions  # noqa: E402
from gibbsflow.workflow.state.segments import Stopper  # noqa: E402

REFERENCE_KCAL_PER_MOL, TOLERANCE_KCAL_PER_MOL = -13.5, 0.5


def leg_free_energy(name: str, replicate: int, fe: Fe, state: Path) -> tuple[float, float, Result]:
    """ΔG and MBAR error of one leg in kcal/mol, over all samples, and what the sampler says of itself."""
    leg = hg.make_leg(state / "legs" / name, name, fe=fe, replicates=replicate + 1)
    folder, result = state / name / f"replicate_{replicate}", Result()
    with Stopper() as stopper:
        sample_leg(leg, replicate, None, folder, folder / "out", stopper, result)
    windows = [read_window(path) for path in sorted((folder / "out").glob("window_*.parquet"))]
    mbar = MBAR(np.concatenate([w.u for w in windows]).T, [len(w.u) for w in windows])
    difference = mbar.compute_free_energy_differences()
    kt = kt_kcal_per_mol(leg.md.temperature_k)
    return kt * difference["Delta_f"][0, -1], kt * difference["dDelta_f"][0, -1], result


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--window-ps", type=float, default=60.0)
    parser.add_argument("--replicates", type=int, default=4)
    parser.add_argument("--state", type=Path, required=True)
    options = parser.parse_args()
    fe = Fe(window_ps=options.window_ps, window_equil_ps=5, sample_ps=1, segment_ps=5)
    release = hg.com_restraint().standard_state(298.15).numeric_kcal_per_mol
    rows = []
    for replicate in range(options.replicates):
        complex_dg, complex_error, bound = leg_free_energy("complex", replicate, fe, options.state)
        solvent_dg, solvent_error, free = leg_free_energy("solvent", replicate, fe, options.state)
        rows.append(
            {
                "replicate": replicate,
                "dg_kcal_per_mol": solvent_dg - complex_dg - release,
                "mbar_error_kcal_per_mol": float(np.hypot(complex_error, solvent_error)),
                "complex_engine_s": bound.timings["engine_s"],
                "solvent_engine_s": free.timings["engine_s"],
            }
        )
        print(json.dumps(rows[-1]), flush=True)
    values = np.array([row["dg_kcal_per_mol"] for row in rows])
    mean = float(values.mean())
    spread = float(values.std(ddof=1)) if len(values) > 1 else None
    print(json.dumps({"mean": mean, "sd": spread, "window_ps": options.window_ps, "versions": versions("openmm")}))
    return int(abs(mean - REFERENCE_KCAL_PER_MOL) > TOLERANCE_KCAL_PER_MOL)


if __name__ == "__main__":
    sys.exit(main())
