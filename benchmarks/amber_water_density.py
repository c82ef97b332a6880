"""Density of TIP3P by sander and by OpenMM from one settled box, by turns; prints a line of JSON after each run.

    python benchmarks/amber_water_density.py --ps 40 --seed 1 | tail -n 1

Water alone (tleap, rectangular box), 298.15 K, 1.01325 bar, cutoff 7 Å, 2 fs, PME and the long-range correction of
dispersion, a Monte Carlo barostat each 25 steps in both. OpenMM settles the box; both engines go on from its
positions, velocities and volume, each on its own. Errors are those of the mean of five blocks. --run_ps is the
length of one run of sander, whose barostat begins each with the same width of move; OpenMM's goes on with the one that
it has found.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
from amber_density import BLOCKS, summary

from gibbsflow.binding.equilibrate.periodic_box import GRAM_PER_ML_OF_AMU_PER_NM3
from gibbsflow.binding.forcefield.topology_file import masses_amu
from gibbsflow.config.binding import Md
from gibbsflow.engines import ambertools
from gibbsflow.engines.amber.amber_engine import AMBER
from gibbsflow.engines.md_engine import Simulation
from gibbsflow.engines.openmm_engine import OPENMM
from gibbsflow.engines.openmm_systems import box_vectors_nm, read_positions_nm

ENGINES = {"amber": AMBER, "openmm": OPENMM}
TIMESTEP_FS = 2.0
_LEAP = """source leaprc.water.tip3p
box = copy WAT
solvatebox box TIP3PBOX 12.5
saveamberparm box water.prmtop water.inpcrd
quit
"""


def box_of_water(folder: Path) -> tuple[Path, Path]:
    """Build water as tleap does: loosely packed."""
    ambertools.tleap(_LEAP, folder=folder, log=folder / "leap.log", name="water")
    return folder / "water.prmtop", folder / "water.inpcrd"


def advance(made: Simulation, ps: float) -> float:
    """Run for some time; returns the volume at its end, nm^3."""
    made.run(round(ps * 1000 / TIMESTEP_FS), lambda _: None)
    box_nm = made.frame().box_nm
    assert box_nm is not None
    return float(np.linalg.det(box_nm))


def rounded(found: list[float]) -> list[float]:
    """Four digits of each."""
    return [round(float(value), 4) for value in found]


def main() -> None:
    """Settle a box, and run both engines from it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ps", type=float, default=40.0)
    parser.add_argument("--settle_ps", type=float, default=15.0)
    parser.add_argument("--run_ps", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    md = Md(solvent="tip3p", timestep_fs=TIMESTEP_FS, cutoff_angstrom=7.0)
    with tempfile.TemporaryDirectory() as folder:
        prmtop, inpcrd = box_of_water(Path(folder))
        atoms, mass = len(masses_amu(prmtop)), masses_amu(prmtop).sum() * GRAM_PER_ML_OF_AMU_PER_NM3
        settled = OPENMM.simulation(OPENMM.system(prmtop, md, constant_pressure=True), md, given.seed)
        settled.place(read_positions_nm(inpcrd), None, box_vectors_nm(inpcrd))
        settled.minimise(200, lambda: None)
        settled.draw_velocities(md.temperature_k, given.seed)
        settling = [mass / advance(settled, given.run_ps) for _ in range(round(given.settle_ps / given.run_ps))]
        simulations = {}
        for name, engine in ENGINES.items():
            made = engine.simulation(engine.system(prmtop, md, constant_pressure=True), md, given.seed + 1)
            made.place(settled.positions_nm(), settled.velocities_nm_per_ps(), settled.frame().box_nm)
            simulations[name] = made
        found: dict[str, list[float]] = {name: [] for name in ENGINES}
        for number in range(1, round(given.ps / given.run_ps) + 1):
            for name, made in simulations.items():
                found[name].append(mass / advance(made, given.run_ps))
            if number >= 2 * BLOCKS:
                told = {
                    "atoms": atoms,
                    **vars(given),
                    "ps": number * given.run_ps,
                    "settling_g_per_ml": rounded(settling),
                }
                told |= {name: summary(np.array(one)) for name, one in found.items()}
                print(json.dumps(told | {f"{name}_g_per_ml": rounded(one) for name, one in found.items()}), flush=True)


if __name__ == "__main__":
    main()
