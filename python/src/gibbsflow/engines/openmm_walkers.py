"""Walkers of OpenMM: one living Context each, in which λ moves and not the coordinates."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import openmm

from gibbsflow.config.binding import Md
from gibbsflow.engines import openmm_systems
from gibbsflow.engines.openmm_systems import new_context, numerical
from gibbsflow.units import Floats

Bytes = npt.NDArray[np.uint8]
_NOT_OURS = re.compile(r"Checkpoint (header|contains|was created with a different)")
"""Words of OpenMM's for what another platform, version, precision or number of devices has saved."""


class OpenMmWalker:
    """A Context of a System whose global parameters are its λ values.

    Parameters
    ----------
    system
        What to propagate; periodic.
    md
        Time step, temperature, friction, platform. On a CPU a walker has one thread: others have theirs beside it.
    seed
        Of the noise; never 0.

    Raises
    ------
    MachineError
        Where the platform is not available here.
    """

    def __init__(self, system: openmm.System, md: Md, seed: int) -> None:
        self.atoms = system.getNumParticles()
        self._rebuilds = md.platform == "CPU"
        self._groups = _group_by_parameters(system)
        self._context = new_context(system, md.model_copy(update={"threads": 1}), seed)
        self._known = dict(self._context.getParameters())
        self._half_kicks = openmm_systems.half_kicks_per_force(system, md.timestep_fs)

    def place(self, positions_nm: Floats, box_nm: Floats, velocities_nm_per_ps: Floats | None = None) -> None:
        """Put the atoms somewhere.

        Parameters
        ----------
        positions_nm
            Shape (N, 3), nm.
        box_nm
            Vectors of the periodic box as rows, reduced, shape (3, 3), nm.
        velocities_nm_per_ps
            Shape (N, 3), nm/ps; None leaves them.
        """
        with numerical():
            self._context.setPeriodicBoxVectors(*box_nm)
            self._context.setPositions(positions_nm)
            if velocities_nm_per_ps is not None:
                self._context.setVelocities(velocities_nm_per_ps)

    def put(self, values: Mapping[str, float]) -> None:
        """Put the walker into a state.

        Parameters
        ----------
        values
            λ by global parameter; those that the System does not have are of no account.
        """
        with numerical():
            for name, value in values.items():
                if name in self._known:
                    self._context.setParameter(name, value)

    def move(self, before: Mapping[str, float], after: Mapping[str, float]) -> None:
        """Put the walker into another state, with its velocities as they are at the time of its positions.

        The integrator keeps velocities of half a time step before the positions, which the forces of the old state
        have brought there; those of the new state must take over from the same moment.

        Parameters
        ----------
        before
            The state that it was propagated in, as for :meth:`put`.
        after
            The state that it is put into.
        """
        changed = {g for g, names in self._groups.items() if any(before.get(n) != after.get(n) for n in names)}
        forces = []
        for values in (before, after):
            self.put(values)
            with numerical():
                forces.append(openmm_systems.forces_kj_per_mol_nm(self._context, changed))
        with numerical():
            velocities = openmm_systems.velocities_nm_per_ps(self._context)
            self._context.setVelocities(velocities + self._half_kicks * (forces[0] - forces[1]))

    def minimise(self, max_steps: int) -> float:
        """Minimise the energy from where the atoms are.

        Parameters
        ----------
        max_steps
            Iterations at most; 0 only evaluates.

        Returns
        -------
        float
            Potential energy afterwards, kJ/mol.

        Raises
        ------
        NumericalError
            Where it is not finite.
        """
        return openmm_systems.minimise(self._context, max_steps)

    def draw_velocities(self, temperature_k: float, seed: int) -> None:
        """Draw velocities from Maxwell and Boltzmann's distribution.

        Parameters
        ----------
        temperature_k
            Temperature, K.
        seed
            Of the draw.
        """
        with numerical():
            self._context.setVelocitiesToTemperature(temperature_k, seed)

    def run(self, steps: int) -> None:
        """Run MD in one go; other threads run meanwhile.

        Parameters
        ----------
        steps
            Number of steps.

        Raises
        ------
        NumericalError
            For NaN.
        """
        with numerical():
            self._context.getIntegrator().step(steps)

    def potential_kj_per_mol(self) -> float:
        """Evaluate the potential energy in the walker's state.

        Returns
        -------
        float
            kJ/mol; perhaps not finite.
        """
        with numerical():
            return openmm_systems.potential_kj_per_mol(self._context)

    def potentials_kj_per_mol(self, states: Sequence[Mapping[str, float]]) -> Floats:
        """Evaluate the potential energy in many states; the walker is left in the last of them.

        Parameters
        ----------
        states
            As for :meth:`put`.

        Returns
        -------
        ndarray
            Shape (K,), kJ/mol; perhaps not finite. A force is evaluated once for all states in which its own parameters
            are the same.
        """
        energies = np.zeros(len(states))
        for group, names in self._groups.items():
            found: dict[tuple[float, ...], float] = {}
            for number, values in enumerate(states):
                own = tuple(values.get(name, self._known[name]) for name in names)
                if own not in found:
                    self.put(dict(zip(names, own, strict=True)))
                    with numerical():
                        state = self._context.getState(getEnergy=True, groups={group})
                    found[own] = state.getPotentialEnergy()._value
                energies[number] += found[own]
        self.put(states[-1])
        return energies

    def positions_nm(self) -> Floats:
        """Give the positions.

        Returns
        -------
        ndarray
            Shape (N, 3), nm; molecules whole.
        """
        with numerical():
            return openmm_systems.positions_nm(self._context)

    def velocities_nm_per_ps(self) -> Floats:
        """Give the velocities.

        Returns
        -------
        ndarray
            Shape (N, 3), nm/ps.
        """
        with numerical():
            return openmm_systems.velocities_nm_per_ps(self._context)

    def box_nm(self) -> Floats:
        """Give the periodic box.

        Returns
        -------
        ndarray
            Vectors as rows, shape (3, 3), nm.
        """
        with numerical():
            return np.asarray(self._context.getState().getPeriodicBoxVectors(asNumpy=True)._value)

    def save(self) -> Bytes:
        """Save all that decides what this Context does next, its random numbers included.

        Returns
        -------
        ndarray
            Bytes of OpenMM's checkpoint, for the same platform and version.
        """
        with numerical():
            return np.frombuffer(self._context.createCheckpoint(), dtype=np.uint8)

    def restore(self, saved: Bytes) -> bool:
        """Go back to what was saved.

        Parameters
        ----------
        saved
            From :meth:`save`, of this Context or of another one of the same System.

        Returns
        -------
        bool
            False where another platform or version of OpenMM saved it; nothing has changed then.

        Raises
        ------
        GpuMemoryError, OpenMMException
            For any other fault, such as a GPU that is full or gone: what was saved is not to be given up for that.
        """
        content = saved.tobytes()
        try:
            with numerical():
                self._context.loadCheckpoint(content)
                if self._rebuilds:  # a neighbour list from this Context's past would give other last digits
                    self._context.reinitialize()
                    self._context.loadCheckpoint(content)
        except openmm.OpenMMException as error:
            if _NOT_OURS.search(str(error)):
                return False
            raise
        return True


def _group_by_parameters(system: openmm.System) -> dict[int, tuple[str, ...]]:
    """Sort the forces into groups by the global parameters that they depend on; returns these by group."""
    groups: dict[tuple[str, ...], int] = {}
    for force in system.getForces():
        count = getattr(force, "getNumGlobalParameters", int)()
        names = tuple(sorted(force.getGlobalParameterName(i) for i in range(count)))
        force.setForceGroup(groups.setdefault(names, len(groups)))
    return {group: names for names, group in groups.items()}
