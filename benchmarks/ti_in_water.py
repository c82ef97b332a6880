"""Methanol taken out of TIP3P by MBAR, BAR and TI from the same windows; prints one line of JSON a run.

    python benchmarks/ti_in_water.py --engine gromacs --window_ps 20

The schedule is `water_17`, the box a small one with a cutoff of 7 Å; the first fifth of each window is left out.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "python" / "tests"))


def estimates(engine: str, window_ps: float, seed: int, folder: Path) -> dict[str, object]:
    """Run the leg, and analyse it."""
    from gromacs_boxes import Box

    from gibbsflow.binding.alchemy.schedules import read_schedule
    from gibbsflow.binding.analyse.collect import read_leg
    from gibbsflow.binding.analyse.leg_result import analyse_leg
    from gibbsflow.binding.sample.sampling import sample_leg
    from gibbsflow.workflow.result import Result
    from gibbsflow.workflow.state.segments import Stopper

    lengths = {"window_ps": window_ps * 0.8, "window_equil_ps": window_ps * 0.2, "segment_ps": window_ps}
    made = Box(folder / "box", "CO").leg(
        folder / "leg",
        read_schedule("water_17"),
        md={"engine": engine},
        fe={"sampler": "independent", "sample_ps": 0.1, **lengths},
    )
    leg = replace(made, seed=seed)
    with Stopper() as stopper:
        sample_leg(leg, 0, (), folder / "state", folder / "out", stopper, Result())
    energies = read_leg(sorted((folder / "out").glob("window_*.parquet")))
    found = analyse_leg(energies)
    parts = {"mbar": found.mbar, "bar": found.bar, "ti": found.ti}
    keys = ("dg_kcal_per_mol", "dg_error_kcal_per_mol", "integration_error_kcal_per_mol")
    told = {name: one.as_dict() for name, one in parts.items() if one}
    return {
        **{name: {key: one[key] for key in keys if key in one} for name, one in told.items()},
        "combined_errors_of_ti": found.disagreement.get("ti"),
        "warnings": energies.account.as_figures()["warnings"],
    }


def main() -> None:
    """Run one engine once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=("gromacs", "openmm"), required=True)
    parser.add_argument("--window_ps", type=float, default=20.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = estimates(given.engine, given.window_ps, given.seed, Path(folder))
    print(json.dumps(vars(given) | found))


if __name__ == "__main__":
    main()
