"""Legs in a small box of water, whose files for AMBER are written."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import solutes

from gibbsflow.binding.alchemy.alchemical_leg import AlchemicalLeg, place_leg
from gibbsflow.binding.alchemy.restraint.restraints import BoreschRestraint
from gibbsflow.binding.alchemy.schedules import read_schedule
from gibbsflow.binding.facts import TopologyFacts
from gibbsflow.config.binding import Fe
from gibbsflow.engines.md_engine import Apart
from gibbsflow.engines.openmm_systems import box_vectors_nm, read_positions_nm

HELD = BoreschRestraint((20, 23, 26), (0, 1, 5), 5.0, 70.0, 80.0, -100.0, 50.0, 175.0, 10.0, 100.0)
SCHEDULES = {"solvent": "water_17", "complex": "complex_in_water_24", "sdr": "sdr_41"}


@cache
def ethanol():
    """Ethanol in water, with a force field."""
    config = solutes.settings()
    return config, solutes.built(Path(mkdtemp()), "CCO", config)


def leg(folder: Path, kind: str = "solvent", **fe) -> AlchemicalLeg:
    """A leg by its kind: alone in water, held at waters, or with a copy in place of three waters."""
    config, system = ethanol()
    inpcrd = system.path("solvent_inpcrd")
    positions, box = read_positions_nm(inpcrd), box_vectors_nm(inpcrd)
    topology, start = place_leg(
        folder, system.path("solvent_prmtop"), positions[None], range(len(positions)), box[None]
    )
    lengths = {"window_ps": 5.0, "window_equil_ps": 2.0, "sample_ps": 0.5, "segment_ps": 2.0, "sampler": "independent"}
    ligand = tuple(system.facts(TopologyFacts).ligand_atoms)
    made = AlchemicalLeg(
        folder, kind, "ethanol", read_schedule(SCHEDULES[kind]), topology, start, ligand, (),
        None if kind == "solvent" else HELD, config.md, Fe(**(lengths | fe)), 7, 2,
    )  # fmt: skip
    if kind == "sdr":
        copy = tuple(range(len(ligand), 2 * len(ligand)))
        made = replace(made, copy_atoms=copy, apart=(Apart((30, 33, 36), copy, 9.0),))
    made.write()
    return made
