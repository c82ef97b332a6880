"""OpenMM behind the protocol of MD engines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import openmm
from openmm import unit

from gibbsflow.config.binding import Md
from gibbsflow.engines import openmm_systems
from gibbsflow.engines.md_engine import Apart, Hold, MdEngine, MdFrame
from gibbsflow.engines.openmm_systems import create_system, new_context, numerical
from gibbsflow.engines.openmm_walkers import OpenMmWalker
from gibbsflow.units import KJ_PER_KCAL, Floats

BAROSTATS = (openmm.MonteCarloBarostat, openmm.MonteCarloMembraneBarostat)
STEPS_PER_TICK = 10
"""MD steps between two looks at whether to stop: seconds even for thousands of atoms on one CPU thread."""


class OpenMmSimulation:
    """A Context with a Langevin-middle integrator; see `md_engine.Simulation`.

    Parameters
    ----------
    system
        What to propagate.
    md
        Time step, temperature, friction, platform, threads.
    seed
        Of the noise; never 0.

    Raises
    ------
    MachineError
        Where the platform is not available here.
    """

    def __init__(self, system: openmm.System, md: Md, seed: int) -> None:
        self.atoms = system.getNumParticles()
        # sites without a mass, of 4-point waters, go where their atoms put them
        moving = sum(system.getParticleMass(atom)._value > 0 for atom in range(self.atoms))
        self._degrees_of_freedom = 3 * moving - system.getNumConstraints()
        self._periodic = system.usesPeriodicBoundaryConditions()
        for force in system.getForces():
            if isinstance(force, BAROSTATS):
                force.setRandomNumberSeed(seed)
        self._context = new_context(system, md, seed)
        self._half_kicks = openmm_systems.half_kicks_per_force(system, md.timestep_fs)

    def place(
        self, positions_nm: Floats, velocities_nm_per_ps: Floats | None = None, box_nm: Floats | None = None
    ) -> None:
        """Put the atoms somewhere.

        Parameters
        ----------
        positions_nm
            Shape (N, 3), nm.
        velocities_nm_per_ps
            Shape (N, 3), nm/ps; None leaves them.
        box_nm
            Vectors of the periodic box as rows, shape (3, 3), nm; None leaves it.
        """
        with numerical():
            if box_nm is not None:
                self._context.setPeriodicBoxVectors(*box_nm)
            self._context.setPositions(positions_nm)
            if velocities_nm_per_ps is not None:
                self._context.setVelocities(velocities_nm_per_ps)

    def draw_velocities(self, temperature_k: float, seed: int) -> None:
        """Draw velocities from Maxwell and Boltzmann's distribution.

        Parameters
        ----------
        temperature_k
            Temperature, K.
        seed
            Of the draw.
        """
        self._context.setVelocitiesToTemperature(temperature_k, seed)

    def set_temperature(self, temperature_k: float) -> None:
        """Set the thermostat.

        Parameters
        ----------
        temperature_k
            Temperature, K.
        """
        self._context.getIntegrator().setTemperature(temperature_k * unit.kelvin)

    def minimise(self, max_steps: int, check: Callable[[], None]) -> float:
        """Minimise the energy from where the atoms are.

        Parameters
        ----------
        max_steps
            Iterations at most; 0 only evaluates.
        check
            Called at every iteration; may raise StoppedEarly.

        Returns
        -------
        float
            Potential energy afterwards, kJ/mol.

        Raises
        ------
        NumericalError
            Where it is not finite.
        """
        return openmm_systems.minimise(self._context, max_steps, check)

    def run(self, steps: int, tick: Callable[[int], None]) -> None:
        """Run MD.

        Parameters
        ----------
        steps
            Number of steps.
        tick
            Called after every few steps with their number; may raise StoppedEarly.

        Raises
        ------
        NumericalError
            For NaN.
        """
        integrator = self._context.getIntegrator()
        for first in range(0, steps, STEPS_PER_TICK):
            count = min(STEPS_PER_TICK, steps - first)
            with numerical():
                integrator.step(count)
            tick(count)

    def positions_nm(self) -> Floats:
        """Give the positions.

        Returns
        -------
        ndarray
            Shape (N, 3), nm.
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

    def half_kick_nm_per_ps(self) -> Floats:
        """Give what half a time step of the forces adds to velocities.

        Returns
        -------
        ndarray
            Shape (N, 3), nm/ps.
        """
        with numerical():
            return self._half_kicks * openmm_systems.forces_kj_per_mol_nm(self._context)

    def potential_kj_per_mol(self) -> float:
        """Evaluate the potential energy.

        Returns
        -------
        float
            kJ/mol; perhaps not finite.
        """
        with numerical():
            return openmm_systems.potential_kj_per_mol(self._context)

    def frame(self) -> MdFrame:
        """Give positions, energy and temperature of this moment.

        Returns
        -------
        MdFrame
            The energy perhaps not finite.
        """
        with numerical():
            state = self._context.getState(getPositions=True, getEnergy=True)
        twice_kinetic = 2 * state.getKineticEnergy()._value
        return MdFrame(
            np.asarray(state.getPositions(asNumpy=True)._value),
            state.getPotentialEnergy()._value,
            twice_kinetic / (self._degrees_of_freedom * unit.MOLAR_GAS_CONSTANT_R._value / 1000),
            np.asarray(state.getPeriodicBoxVectors(asNumpy=True)._value) if self._periodic else None,
        )


class OpenMmEngine:
    """Makes Systems and Contexts; see `md_engine.MdEngine`.

    Attributes
    ----------
    name, programs
        Of OpenMM.
    """

    name = "openmm"
    programs = ("openmm",)

    def system(
        self,
        topology: Path,
        md: Md,
        hold: Hold | None = None,
        *,
        constant_pressure: bool = False,
        membrane: bool = False,
        apart: Sequence[Apart] = (),
    ) -> openmm.System:
        """Make a System.

        Parameters
        ----------
        topology
            AMBER topology; for OBC2 with mbondi2 radii.
        md
            Solvent, masses.
        hold
            Atoms to hold in place; None for none.
        constant_pressure
            Whether the volume of a periodic box changes.
        membrane
            Whether it then changes along z and in xy by itself, at no surface tension.
        apart
            What is kept apart.

        Returns
        -------
        openmm.System
            Bonds to hydrogen constrained.
        """
        system = create_system(topology, md)
        if hold is not None:
            system.addForce(_hold_force(hold, periodic=system.usesPeriodicBoundaryConditions()))
        for pair in apart:
            system.addForce(apart_force(pair, periodic=system.usesPeriodicBoundaryConditions()))
        if constant_pressure:
            system.addForce(_barostat(md, membrane=membrane))
        return system

    def nonbonded(self, system: openmm.System) -> Floats:
        """Give the nonbonded parameters of all atoms.

        Parameters
        ----------
        system
            With one NonbondedForce.

        Returns
        -------
        ndarray
            Charge (e), σ (nm) and ε (kJ/mol) of each, shape (N, 3).
        """
        (force,) = (f for f in system.getForces() if isinstance(f, openmm.NonbondedForce))
        atoms = range(force.getNumParticles())
        return np.array([[value._value for value in force.getParticleParameters(atom)] for atom in atoms])

    def simulation(self, system: openmm.System, md: Md, seed: int) -> OpenMmSimulation:
        """Make a simulation of a System.

        Parameters
        ----------
        system
            What to propagate.
        md
            Time step, temperature, friction, platform, threads.
        seed
            Of the noise; never 0.

        Returns
        -------
        OpenMmSimulation
            Without positions yet.

        Raises
        ------
        MachineError
            Where the platform is not available here.
        """
        return OpenMmSimulation(system, md, seed)

    def walker(self, system: openmm.System, md: Md, seed: int) -> OpenMmWalker:
        """Make a walker of a periodic System that holds all λ states.

        Parameters
        ----------
        system
            With its λ values as global parameters.
        md
            Time step, temperature, friction, platform.
        seed
            Of the noise; never 0.

        Returns
        -------
        OpenMmWalker
            Without positions yet.

        Raises
        ------
        MachineError
            Where the platform is not available here.
        """
        return OpenMmWalker(system, md, seed)


OPENMM: MdEngine = OpenMmEngine()


def apart_force(apart: Apart, *, periodic: bool) -> openmm.CustomCentroidBondForce:
    """Make the OpenMM force that keeps two groups apart.

    Parameters
    ----------
    apart
        The groups and their distance.
    periodic
        Whether the nearest images count.

    Returns
    -------
    openmm.CustomCentroidBondForce
        Of nm and kJ/mol.
    """
    force = openmm.CustomCentroidBondForce(2, "0.5*k*max(0,least-distance(g1,g2))^2")
    for atoms in (apart.centre, apart.away):
        force.addGroup(list(atoms), [1.0] * len(atoms))
    for name in ("k", "least"):
        force.addPerBondParameter(name)
    force.addBond([0, 1], [apart.k_kcal_per_mol_angstrom2 * KJ_PER_KCAL * 100, apart.least_angstrom / 10])
    force.setUsesPeriodicBoundaryConditions(periodic)
    force.setName("KeptApart")
    return force


def _barostat(md: Md, *, membrane: bool) -> openmm.Force:
    if not membrane:
        return openmm.MonteCarloBarostat(md.pressure_bar, md.temperature_k)
    kind = openmm.MonteCarloMembraneBarostat
    return kind(md.pressure_bar, 0.0, md.temperature_k, kind.XYIsotropic, kind.ZFree)


def _hold_force(hold: Hold, *, periodic: bool) -> openmm.CustomExternalForce:
    distance2 = "periodicdistance(x,y,z,x0,y0,z0)^2" if periodic else "((x-x0)^2+(y-y0)^2+(z-z0)^2)"
    weighted = "" if hold.weights is None else "w*"
    force = openmm.CustomExternalForce(f"0.5*{weighted}k*{distance2}")
    force.addGlobalParameter("k", hold.k_kcal_per_mol_angstrom2 * KJ_PER_KCAL * 100)
    for name in ("x0", "y0", "z0"):
        force.addPerParticleParameter(name)
    if hold.weights is not None:
        force.addPerParticleParameter("w")
    for number, atom in enumerate(hold.atoms):
        weight = [] if hold.weights is None else [hold.weights[number]]
        force.addParticle(atom, hold.positions_nm[atom].tolist() + weight)
    return force
