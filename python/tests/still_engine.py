"""An engine for tests of what drives one."""

import numpy as np

from gibbsflow.engines.md_engine import MdFrame
from gibbsflow.errors import NumericalError


class Still:
    """An engine whose atoms stay where they are, and which writes down what it is told."""

    name = "still"

    def __init__(self, fails_at=None):
        self.told, self.holds, self.fails_at = [], [], fails_at

    def system(self, topology, md, hold=None, *, apart=()):
        self.holds.append(hold)
        return topology

    def simulation(self, system, md, seed):
        self.atoms = 156
        return self

    def place(self, positions_nm, velocities_nm_per_ps=None):
        self.positions = np.asarray(positions_nm)

    def draw_velocities(self, temperature_k, seed):
        self.told.append(("velocities", temperature_k))

    def set_temperature(self, temperature_k):
        self.told.append(("temperature", round(temperature_k, 6)))

    def minimise(self, max_steps, check):
        return -1.0

    def run(self, steps, tick):
        self.told.append(("run", steps))
        tick(steps)
        if self.fails_at == sum(number for what, number in self.told if what == "run"):
            raise NumericalError("Particle coordinate is NaN")

    def positions_nm(self):
        return self.positions

    def velocities_nm_per_ps(self):
        return np.zeros_like(self.positions)

    def potential_kj_per_mol(self):
        return -1.0

    def frame(self):
        return MdFrame(self.positions, -418.4, 300.0)
