"""Energies, forces and stresses of a POD potential or of its core, as LAMMPS gives them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ase import Atoms
from ase.neighborlist import neighbor_list

from gibbsflow.engines.lammps import Lammps
from gibbsflow.engines.lammps_frame import stress_from_virial, to_frame
from gibbsflow.potential.train.metrics import Prediction
from gibbsflow.potential.train.trainers.pod import (
    PodPotential,
    Zbl,
    baseline_commands,
    descriptor_sums,
    pair_commands,
    virial_rows,
)

_SMALL_ATOMS, _FEW_PAIRS = 64, 40
_THERMO = [
    "compute virial all pressure NULL virial",
    "thermo_style custom step pe c_virial[1]",
    "thermo_modify lost error",
]


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
    if len(atoms) <= _SMALL_ATOMS and len(neighbor_list("i", atoms, potential.basis.rcut_angstrom)) < _FEW_PAIRS:
        return _sum_descriptors(lammps, potential, atoms)
    prefix = f"{Path(folder).resolve()}/"
    commands = pair_commands(potential.species, potential.zbl, prefix)
    return _evaluate(lammps, atoms, potential.species, potential.basis.rcut_angstrom, commands)


def _sum_descriptors(lammps: Lammps, potential: PodPotential, atoms: Atoms) -> Prediction:
    """Evaluate atoms with hardly a neighbour by descriptors: the pair style of the 2025 release crashes on them."""
    basis, coefficients = potential.basis, potential.coefficients
    sums, derivatives, rotation = descriptor_sums(lammps, atoms, basis)
    energy, forces = float(sums @ coefficients), (derivatives @ coefficients).reshape(-1, 3) @ rotation.T
    stress = virial_rows(lammps, atoms, basis) @ coefficients / atoms.get_volume() if atoms.pbc.all() else None
    if potential.zbl is not None:
        core = evaluate_core(lammps, atoms, basis.species, potential.zbl)
        energy, forces = energy + core.energy_ev, forces + core.forces_ev_per_angstrom
        if stress is not None and core.stress_ev_per_angstrom3 is not None:
            stress = stress + core.stress_ev_per_angstrom3
    return Prediction(energy, forces, stress)


def evaluate_core(lammps: Lammps, atoms: Atoms, species: Sequence[str], zbl: Zbl) -> Prediction:
    """Evaluate the Ziegler-Biersack-Littmark core alone, for the baseline of the fit."""
    return _evaluate(lammps, atoms, species, zbl.outer_angstrom, baseline_commands(species, zbl))


def _evaluate(lammps: Lammps, atoms: Atoms, species: Sequence[str], cutoff: float, pair: Sequence[str]) -> Prediction:
    frame = to_frame(atoms, species, cutoff)
    wanted = ["thermo:pe", "forces", "virial"]
    got = lammps.run([*lammps.load(frame), *pair, *_THERMO, "run 0 post no"], wanted)
    stress = stress_from_virial(got["virial"], frame.rotation) if atoms.pbc.all() else None
    return Prediction(float(got["thermo:pe"]), got["forces"] @ frame.rotation.T, stress)
