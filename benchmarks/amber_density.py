"""Density of a small box by sander and by OpenMM, each with its own barostat; prints one line of JSON a run.

    python benchmarks/amber_density.py --engine amber --ps 200 --run_ps 1 --seed 1

Ethanol in 241 waters (TIP3P, truncated octahedron, cutoff 7 Å), 298.15 K, 1.01325 bar, 2 fs. The first half of --ps is
left out. The error of the mean is that of five blocks of the second. --run_ps is the length of one run of sander, whose
barostat begins each with the same width of move; OpenMM's goes on with the width that it has found.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "python" / "tests"))

BLOCKS, DISCARDED = 5, 0.5


def densities_g_per_ml(engine_name: str, ps: float, run_ps: float, seed: int) -> np.ndarray:
    """Density at the end of each run."""
    import amber_legs

    from gibbsflow.binding.equilibrate.periodic_box import GRAM_PER_ML_OF_AMU_PER_NM3
    from gibbsflow.binding.forcefield.topology_file import masses_amu
    from gibbsflow.engines.amber.amber_engine import AMBER
    from gibbsflow.engines.openmm_engine import OPENMM
    from gibbsflow.engines.openmm_systems import box_vectors_nm, read_positions_nm

    config, system = amber_legs.ethanol()
    md = config.md.model_copy(update={"timestep_fs": 2.0})
    prmtop, inpcrd = system.path("solvent_prmtop"), system.path("solvent_inpcrd")
    engine = {"amber": AMBER, "openmm": OPENMM}[engine_name]
    made = engine.simulation(engine.system(prmtop, md, constant_pressure=True), md, seed)
    made.place(read_positions_nm(inpcrd), None, box_vectors_nm(inpcrd))
    made.minimise(200, lambda: None)
    made.draw_velocities(md.temperature_k, seed)
    mass, found = masses_amu(prmtop).sum() * GRAM_PER_ML_OF_AMU_PER_NM3, []
    for _ in range(round(ps / run_ps)):
        made.run(round(run_ps * 1000 / md.timestep_fs), lambda _: None)
        box_nm = made.frame().box_nm
        assert box_nm is not None
        found.append(mass / np.linalg.det(box_nm))
    return np.array(found)


def summary(found: np.ndarray) -> dict[str, float]:
    """Mean density and what its blocks say of its error, g/mL."""
    blocks = np.array([block.mean() for block in np.array_split(found, BLOCKS)])
    return {
        "density_g_per_ml": round(float(found.mean()), 4),
        "error_g_per_ml": round(float(blocks.std(ddof=1) / np.sqrt(BLOCKS)), 4),
        "spread_g_per_ml": round(float(found.std(ddof=1)), 4),
        "samples": len(found),
    }


def main() -> None:
    """Run one engine once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=("amber", "openmm"), required=True)
    parser.add_argument("--ps", type=float, default=200.0)
    parser.add_argument("--run_ps", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    found = densities_g_per_ml(given.engine, given.ps, given.run_ps, given.seed)
    print(json.dumps(vars(given) | summary(found[int(DISCARDED * len(found)) :])))


if __name__ == "__main__":
    main()
