"""Crystals of pairs whose properties are known on paper: neighbours that touch, and no force beyond them."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.calculators.calculator import Calculator, all_changes

from gibbsflow.config.potential_validation import Validation
from gibbsflow.potential.data.neighbours import pairs_within
from gibbsflow.potential.validate.properties.crystals import Crystal
from gibbsflow.potential.validate.properties.plans import by_calculator

TOUCHING, DEPTH = 2.5, 0.3
"""Distance in Å at which a pair has its least energy, and how deep that is in eV."""
SPRING = 72 * DEPTH / TOUCHING**2
"""Second derivative of the pair's energy there, eV/Å^2: 4ε(s^12 - s^6) has 72 ε/r^2 at its least."""
SMALL = Validation(supercell_angstrom=5.0, phonon_mesh_angstrom=15.0, relax_force_ev_per_angstrom=1e-4, eos_volumes=5)


class Pairs(Calculator):
    """4ε(s^12 - s^6) within 1.2 of the touching distance, where all neighbours but the nearest are out of reach."""

    implemented_properties = ["energy", "forces", "stress"]

    def __init__(self, hole: float = 0.0, nearest: bool = True) -> None:
        super().__init__()
        self.hole, self.reach = hole, TOUCHING * (1.2 if nearest else 2.6)

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        first, _, distances, vectors = pairs_within(self.atoms, self.reach)
        power = (TOUCHING / distances) ** 6
        energies = DEPTH * (power**2 - 2 * power)
        slopes = -12 * DEPTH * (power**2 - power) / distances
        # below the hole the energy falls again, as that of a potential which has never seen atoms so near
        inside = distances < self.hole
        edge = (TOUCHING / self.hole) ** 6 if self.hole else 0.0
        steep = 30.0
        energies[inside] = DEPTH * (edge**2 - 2 * edge) - steep * (self.hole - distances[inside])
        slopes[inside] = steep
        pull = (slopes / distances)[:, None] * vectors
        forces = np.zeros((len(self.atoms), 3))
        np.add.at(forces, first, pull)
        self.results = {"energy": energies.sum() / 2, "forces": forces}
        if self.atoms.pbc.all():
            virial = vectors.T @ pull / 2 / self.atoms.get_volume()
            self.results["stress"] = virial[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]


def fcc() -> Crystal:
    """The face-centred crystal at rest: each atom touches twelve."""
    return Crystal.of(bulk("Cu", "fcc", a=TOUCHING * 2**0.5), 0.01)


def caesium_chloride() -> Atoms:
    return Atoms("CuAu", scaled_positions=[[0, 0, 0], [0.5, 0.5, 0.5]], cell=[3.0] * 3, pbc=True)


touching = by_calculator(Pairs())
