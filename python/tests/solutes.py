"""Ligands without a receptor, from SMILES to a topology, with charges that are quick to make."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gibbsflow.binding.facts import RunFacts, SettingsFacts
from gibbsflow.binding.forcefield.parametrise import parametrise_system
from gibbsflow.binding.forcefield.topology import build_topologies
from gibbsflow.binding.prepare.complex import prepare_solute, row_from_options
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import BindingConfig
from gibbsflow.engines.openmm_systems import box_vectors_nm, read_positions_nm


def settings(**given) -> BindingConfig:
    """Settings of a small box, for which nothing long is run."""
    small = {
        "mode": "asfe",
        "solvent": "tip3p",
        "charge_method": "gas",
        "padding_angstrom": 7.0,
        "cutoff_angstrom": 7.0,
    }
    return BindingConfig.from_params(small | given)


def parametrised(folder: Path, smiles: str, config: BindingConfig) -> SimSystem:
    """A ligand with its force field."""
    (folder / "prepared").mkdir(parents=True)
    row = row_from_options("solute", None, smiles, None, None)
    system, _ = prepare_solute(row, config, folder / "prepared")
    system, _ = parametrise_system(system, config.param, cache=folder / "cache", out=folder / "parameters")
    return system


def built(folder: Path, smiles: str, config: BindingConfig) -> SimSystem:
    """A ligand in its box, ready to be equilibrated."""
    system = build_topologies(parametrised(folder, smiles, config), config.md, folder / "built", seed=config.run.seed)
    chosen = SettingsFacts(md=config.md, equil=config.equil, run=RunFacts(seed=config.run.seed))
    system = system.with_facts(chosen)
    system.write()
    return system


def at_rest(system: SimSystem, frames: int = 4) -> SimSystem:
    """The same as if it had been equilibrated, and had not moved."""
    positions, box = (read(system.path("solvent_inpcrd")) for read in (read_positions_nm, box_vectors_nm))
    np.savez(
        system.root / "frames.npz",
        positions_nm=np.tile(positions, (frames, 1, 1)),
        heating=np.arange(frames) < 1,
        box_nm=np.tile(box, (frames, 1, 1)),
    )
    system = system.with_artifacts(solvent_equil_frames="frames.npz")
    system.write()
    return system
