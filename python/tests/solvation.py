"""Another protocol than double decoupling: free energies of solvation, of a ligand alone that nothing holds."""

from __future__ import annotations

import shutil
from pathlib import Path

import host_guest as hg
import numpy as np

from gibbsflow.binding.alchemy.protocols import LegSpec
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import Equil, Md

MODE = "solvation"
_ALONE = ("ligand_prmtop", ("ligand",), ("ligand",), "solvent_schedule", False)
SOLVATION = (
    LegSpec("solvent", *_ALONE, -1, named_schedule="solvent_6"),
    LegSpec("vacuum", *_ALONE, +1, "vacuum", named_schedule="solvent_6"),
)
"""ΔG(solvation) = ΔG(vacuum) − ΔG(solvent), each from coupled to decoupled."""


def ligand_alone(folder: Path, frames: int = 4) -> SimSystem:
    """A guest after its equilibration, without a receptor and with no word of a site."""
    folder.mkdir(parents=True)
    shutil.copyfile(hg.data("ligand.prmtop"), folder / "ligand.prmtop")
    positions = np.tile(hg.positions_nm("ligand"), (frames, 1, 1))
    np.savez(folder / "frames.npz", positions_nm=positions, heating=np.arange(frames) < 1)
    meta = {
        "md": Md().model_dump(mode="json"),
        "equil": Equil().model_dump(mode="json"),
        "run": {"seed": 7},
        "receptor_atoms": [],
        "ligand_atoms": list(range(positions.shape[1])),
        "site_atoms": [],
    }
    system = SimSystem("b2", folder, {"ligand_prmtop": "ligand.prmtop", "equil_frames": "frames.npz"}, meta)
    system.write()
    return system
