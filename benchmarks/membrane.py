#!/usr/bin/env python3
"""Area per lipid with lipid21, against a published value of lipid21 or experiment.

    python benchmarks/membrane.py --lipid DMPC --platform CUDA --ns 20 --out benchmarks/membrane.json

takes OpenMM's patch (128 lipids, TIP3P), gives it lipid21's parameters (Dickson, Walker, Gould, J. Chem. Theory
Comput. 18, 1726 (2022)) as ``system_prep membrane`` does, and runs it under the barostat that equilibrations of
membranes have; the first quarter is left out. It is made for a card: on a CPU ``--ns 0.01`` only shows that it runs.

DMPC is compared with lipid21's own 60.50 Å² at 303.15 K: the mean of 9,301 areas from 7 to 100 ns that the NMRlipids
Databank gives of its system 912 (Lipid21, 40 DMPC, 1,360 TIP3P, GROMACS 2026.1; Sandtorv-Leroen and Miettinen,
doi 10.5281/zenodo.20558593; ``apl.json`` of github.com/NMRLipids/BilayerData at bb1441c), ± 0.46 by ten blocks of it.
POPC, of which no value with lipid21 was found, is compared with 64.3 Å² at 303 K by scattering of neutrons and X-rays
(Kučerka, Nieh, Katsaras, Biochim. Biophys. Acta 1808, 2761 (2011)). The aim is 5 %; the error is that of ten blocks.
Not yet run for its 20 ns.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
from openmm import app, unit

from gibbsflow.binding.forcefield.membrane.bilayer import measured
from gibbsflow.binding.forcefield.membrane.lipids import lipids_of
from gibbsflow.binding.forcefield.patch.lipid_names import amber_names
from gibbsflow.binding.forcefield.patch.surroundings import Surroundings, named_lipid, write_surroundings
from gibbsflow.binding.forcefield.topology_file import water_oxygens
from gibbsflow.config.binding import Md
from gibbsflow.engines import ambertools
from gibbsflow.engines.openmm_engine import OPENMM
from gibbsflow.engines.openmm_systems import box_vectors_nm, read_positions_nm

PUBLISHED = {
    "DMPC": (60.50, 303.15, "lipid21, doi 10.5281/zenodo.20558593"),
    "POPC": (64.3, 303.0, "experiment, Kučerka et al. 2011"),
}
"""Of each lipid the area, Å², the temperature, K, and whose."""
AIM = 0.05
BLOCKS = 10


def main() -> int:
    """Build, run, compare; exit 1 beyond the aim."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lipid", default="DMPC", choices=tuple(PUBLISHED))
    parser.add_argument("--ns", type=float, default=20.0)
    parser.add_argument("--frame-ps", type=float, default=10.0)
    parser.add_argument("--platform", default="CUDA", choices=("CUDA", "OpenCL", "CPU"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cutoff", type=float, default=10.0, help="Å (default: 10, as lipid21 was made with)")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    published, temperature, source = PUBLISHED[options.lipid]
    md = Md(
        solvent="tip3p", temperature_k=temperature, cutoff_angstrom=options.cutoff, platform=options.platform,
        threads=options.threads,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as scratch:
        prmtop, inpcrd = patch(options.lipid, Path(scratch))
        lipids, oxygens = lipids_of(prmtop), water_oxygens(prmtop)
        simulation = OPENMM.simulation(OPENMM.system(prmtop, md, constant_pressure=True, membrane=True), md, 1)
        simulation.place(read_positions_nm(inpcrd), None, box_vectors_nm(inpcrd))
        simulation.minimise(500, lambda: None)
        simulation.draw_velocities(temperature, 2)
        seen = []
        for _ in range(max(BLOCKS, round(options.ns * 1000 / options.frame_ps))):
            simulation.run(round(options.frame_ps * 1000 / md.timestep_fs), lambda _: None)
            frame = simulation.frame()
            assert frame.box_nm is not None
            seen.append(measured(lipids, frame.positions_nm * 10, frame.box_nm * 10, [], oxygens))
            print(f"{seen[-1].area_per_lipid_angstrom2[0]:.2f} Å² {seen[-1].thickness_angstrom:.2f} Å", flush=True)
    areas = np.array([np.mean(one.area_per_lipid_angstrom2) for one in seen])[len(seen) // 4 :]
    blocks = np.array([block.mean() for block in np.array_split(areas, min(BLOCKS, len(areas)))])
    ratio = float(areas.mean() / published)
    found = {
        "area_per_lipid_angstrom2": round(float(areas.mean()), 2),
        "error_angstrom2": round(float(blocks.std(ddof=1) / len(blocks) ** 0.5), 2),
        "thickness_angstrom": round(float(np.mean([one.thickness_angstrom for one in seen[len(seen) // 4 :]])), 2),
        "lipid": options.lipid,
        "published_angstrom2": published,
        "published_by": source,
        "ratio": round(ratio, 4),
        "ns": options.ns,
        "temperature_k": temperature,
        "platform": options.platform,
    }
    print(json.dumps(found, indent=1))
    if options.out:
        options.out.write_text(json.dumps(found, indent=1) + "\n")
    return int(abs(ratio - 1) > AIM)


def patch(lipid: str, folder: Path) -> tuple[Path, Path]:
    """OpenMM's patch of a lipid with lipid21's names and parameters."""
    pdb = app.PDBFile(os.path.join(os.path.dirname(app.__file__), "data", f"{lipid}.pdb"))
    places = np.array(pdb.positions.value_in_unit(unit.angstrom))
    residues = list(pdb.topology.residues())
    lipids = [[a.index for a in r.atoms()] for r in residues if r.name != "HOH"]
    waters = [[a.index for a in r.atoms()] for r in residues if r.name == "HOH"]
    names = tuple(a.name for a in residues[0].atoms())
    box = np.array(pdb.topology.getUnitCellDimensions().value_in_unit(unit.angstrom))
    known = amber_names(lipid, names, folder)
    write_surroundings(
        Surroundings(tuple(named_lipid(known, xyz) for xyz in places[lipids]), places[waters], box), folder
    )
    script = [
        "source leaprc.lipid21", "source leaprc.water.tip3p", "lipids = loadpdb lipids.pdb",
        "water = loadpdb water.pdb", "whole = combine { lipids water }",
        "set whole box { " + " ".join(f"{edge:.3f}" for edge in box) + " }",
        "saveamberparm whole patch.prmtop patch.inpcrd", "quit", "",
    ]  # fmt: skip
    ambertools.tleap("\n".join(script), folder=folder, log=folder / "leap.log", name="patch")
    return folder / "patch.prmtop", folder / "patch.inpcrd"


if __name__ == "__main__":
    sys.exit(main())
