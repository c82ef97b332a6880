"""Energies, forces and stresses of a POD potential or of its core, as LAMMPS gives them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ase import Atoms

from gibbsflow.engines.lammps import Lammps, stress_from_virial, to_frame
from gibbsflow.potential.accuracy import Prediction
from gibbsflow.potential.pod import PodPotential, Zbl, baseline_commands, pair_commands

_THERMO = ["compute virial all pressure NULL virial", "thermo_style custom step pe c_virial[1]", "thermo_modify lost error"]


def evaluate(lammps: Lammps, potential: PodPotential, atoms: Atoms, folder: Path) -> Prediction:
    """Evaluate a potential.

    Parameters
    ----------
    lammps
        The process.
    potential
        As read from `folder`.
    atoms
        Structure; any periodicity.
    folder
        Folder of the potential.
    """
    prefix = f"{Path(folder).resolve()}/"
    commands = pair_commands(potential.species, potential.zbl, prefix)
    return _evaluate(lammps, atoms, potential.species, potential.basis.rcut_angstrom, commands)


def evaluate_core(lammps: Lammps, atoms: Atoms, species: Sequence[str], zbl: Zbl) -> Prediction:
    """Evaluate the Ziegler-Biersack-Littmark core alone, for the baseline of the fit."""
    return _evaluate(lammps, atoms, species, zbl.outer_angstrom, baseline_commands(species, zbl))


def _evaluate(lammps: Lammps, atoms: Atoms, species: Sequence[str], cutoff: float, pair: Sequence[str]) -> Prediction:
    frame = to_frame(atoms, species, cutoff)
    wanted = ["thermo:pe", "forces", "virial"]
    got = lammps.run([*lammps.load(frame), *pair, *_THERMO, "run 0 post no"], wanted)
    stress = stress_from_virial(got["virial"], frame.rotation) if atoms.pbc.all() else None
    return Prediction(float(got["thermo:pe"]), got["forces"] @ frame.rotation.T, stress)
