"""Ligands without a receptor, from SMILES to a topology, with charges that are quick to make."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rdkit import Chem

from gibbsflow.binding.facts import BoundFacts, RunFacts, SettingsFacts
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
        "padding_angstrom": 8.0,
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


def stacked(folder: Path, host: str, ligand: str, config: BindingConfig) -> SimSystem:
    """A small molecule taken for a host, and a ligand 4 Å over its plane, with their force fields; built by nobody."""
    system = parametrised(folder / "ligand", ligand, config)
    below = parametrised(folder / "host", host, config)
    prepared = folder / "stacked"
    prepared.mkdir()
    flat = Chem.MolFromMolFile(str(below.path("ligand")), removeHs=False)
    axes = np.linalg.svd(flat.GetConformer().GetPositions() - flat.GetConformer().GetPositions().mean(axis=0))[2]
    place = (flat.GetConformer().GetPositions() - flat.GetConformer().GetPositions().mean(axis=0)) @ axes.T
    over = Chem.MolFromMolFile(str(system.path("ligand")), removeHs=False)
    positions = over.GetConformer().GetPositions()
    for mol, where, name in (
        (flat, place, "receptor.sdf"),
        (over, positions - positions.mean(axis=0) + [0, 0, 4.0], "ligand.sdf"),
    ):
        for atom, xyz in enumerate(where):
            mol.GetConformer().SetAtomPosition(atom, xyz.tolist())
        (prepared / name).write_text(Chem.MolToMolBlock(mol) + "$$$$\n")
    meta = dict(system.meta) | {"receptor_kind": "host", "receptor_name": "host"}
    meta["receptor_charge"] = below.meta["ligand_charge"]
    files = {"ligand": "ligand.sdf", "receptor": "receptor.sdf"}
    both, _ = parametrise_system(
        SimSystem("stacked", prepared, files, meta), config.param, cache=folder / "cache", out=folder / "both"
    )
    return both


def in_water(both: SimSystem, config: BindingConfig, out: Path) -> SimSystem:
    """The two in the boxes of the settings' protocol."""
    chosen = SettingsFacts(md=config.md, equil=config.equil, run=RunFacts(seed=config.run.seed))
    system = build_topologies(both, config.md, out, seed=config.run.seed, fe=config.fe).with_facts(chosen)
    system.write()
    return system


def as_equilibrated(system: SimSystem, out: Path, frames: int = 3) -> SimSystem:
    """What equilibration and its analysis leave, each frame where the box was built: for what looks at no motion."""
    carried = system.copy_to(out)
    for box, prefix in (("complex", "equil"), ("solvent", "solvent_equil")):
        if f"{box}_inpcrd" not in system.artifacts:
            continue
        inpcrd = system.path(f"{box}_inpcrd")
        positions, vectors = read_positions_nm(inpcrd), box_vectors_nm(inpcrd)
        np.savez(
            out / f"{prefix}_frames.npz",
            positions_nm=np.tile(positions, (frames, 1, 1)),
            box_nm=np.tile(vectors, (frames, 1, 1)),
            heating=np.arange(frames) < 1,
        )
        carried = carried.with_artifacts(**{f"{prefix}_frames": f"{prefix}_frames.npz"})
    carried = carried.with_facts(BoundFacts(bound=True, ligand_site_distance_angstrom=4.0))
    carried.write()
    return carried


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
