"""What runs MD of a system, whichever program does it: one small protocol for equilibration and sampling.

An engine makes its own form of a system from a topology, and simulations of systems. All numbers go in and out in nm,
ps and kJ/mol, so that what is sampled and what is written does not know the program. OpenMM's is in `openmm_engine`;
`md_engines` finds an engine by its name.
A program that runs from files (GROMACS, AMBER) writes its inputs in `place`, starts in `run`, and reads the frame
after it; λ states in its own form are made by what `binding.alchemy.state_makers` names for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from gibbsflow.config.binding import Md
from gibbsflow.units import Floats

EngineSystem = Any
"""A system in its engine's own form; only the engine, and what makes λ states for it, looks inside."""


@dataclass(frozen=True)
class Hold:
    """Atoms held in place by U = 1/2 K |x − x0|² for each.

    Attributes
    ----------
    atoms
        0-based indices.
    positions_nm
        x0, by index of atom, shape (N, 3), nm.
    k_kcal_per_mol_angstrom2
        Force constant K.
    weights
        What K is multiplied with for each of the atoms; None for 1.
    """

    atoms: tuple[int, ...]
    positions_nm: Floats
    k_kcal_per_mol_angstrom2: float
    weights: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Apart:
    """Two groups of atoms kept apart: U = 1/2 K (least − d)² where their centroids are nearer than `least`, else 0.

    In a periodic box d is that of the nearest images, so that a group keeps away from the other one's images too.

    Attributes
    ----------
    centre, away
        0-based indices; each group's centroid is the mean of its positions.
    least_angstrom
        Distance from which on nothing is felt, Å.
    k_kcal_per_mol_angstrom2
        Force constant K.
    """

    centre: tuple[int, ...]
    away: tuple[int, ...]
    least_angstrom: float
    k_kcal_per_mol_angstrom2: float = 5.0


@dataclass(frozen=True)
class MdFrame:
    """One moment of a simulation.

    Attributes
    ----------
    positions_nm
        Shape (N, 3), nm.
    potential_kj_per_mol
        Potential energy.
    temperature_k
        From the kinetic energy and the unconstrained degrees of freedom.
    box_nm
        Vectors of the periodic box as rows, shape (3, 3), nm; None without a box.
    """

    positions_nm: Floats
    potential_kj_per_mol: float
    temperature_k: float
    box_nm: Floats | None = None


class Simulation(Protocol):
    """One system in motion.

    What it does next depends on its positions, its velocities and its seed alone. Every method raises `NumericalError`
    where the program meets NaN.
    """

    atoms: int

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
        ...

    def draw_velocities(self, temperature_k: float, seed: int) -> None:
        """Draw velocities from Maxwell and Boltzmann's distribution.

        Parameters
        ----------
        temperature_k
            Temperature, K.
        seed
            Of the draw.
        """
        ...

    def set_temperature(self, temperature_k: float) -> None:
        """Set the thermostat.

        Parameters
        ----------
        temperature_k
            Temperature, K.
        """
        ...

    def minimise(self, max_steps: int, check: Callable[[], None]) -> float:
        """Minimise the energy from where the atoms are.

        Parameters
        ----------
        max_steps
            Iterations at most; 0 only evaluates.
        check
            Called often; may raise `StoppedEarly`.

        Returns
        -------
        float
            Potential energy afterwards, kJ/mol.
        """
        ...

    def run(self, steps: int, tick: Callable[[int], None]) -> None:
        """Run MD.

        Parameters
        ----------
        steps
            Number of steps.
        tick
            Called with the steps done since the last call, often enough to stop within seconds; may raise
            `StoppedEarly`.
        """
        ...

    def positions_nm(self) -> Floats:
        """Give the positions.

        Returns
        -------
        ndarray
            Shape (N, 3), nm.
        """
        ...

    def velocities_nm_per_ps(self) -> Floats:
        """Give the velocities.

        Returns
        -------
        ndarray
            Shape (N, 3), nm/ps.
        """
        ...

    def potential_kj_per_mol(self) -> float:
        """Evaluate the potential energy.

        Returns
        -------
        float
            kJ/mol; perhaps not finite.
        """
        ...

    def frame(self) -> MdFrame:
        """Give positions, energy and temperature of this moment.

        Returns
        -------
        MdFrame
            The energy perhaps not finite.
        """
        ...


class StateSimulation(Simulation, Protocol):
    """A simulation in this process, of one of the states that walkers exchange."""

    def half_kick_nm_per_ps(self) -> Floats:
        """Give what half a time step of the forces adds to velocities: what is kept of these lies so far behind.

        Returns
        -------
        ndarray
            Shape (N, 3), nm/ps.
        """
        ...


class Walker(Protocol):
    """A simulation whose λ state moves and not its coordinates; of periodic systems alone.

    Its methods may run beside those of other walkers, in threads.
    """

    def place(self, positions_nm: Floats, box_nm: Floats, velocities_nm_per_ps: Floats | None = None) -> None:
        """Put the atoms somewhere.

        Parameters
        ----------
        positions_nm
            Shape (N, 3), nm.
        box_nm
            Vectors of the periodic box as rows, shape (3, 3), nm.
        velocities_nm_per_ps
            Shape (N, 3), nm/ps; None leaves them.
        """
        ...

    def put(self, values: Mapping[str, float]) -> None:
        """Put the walker into a state.

        Parameters
        ----------
        values
            λ by name; those that the system does not have are of no account.
        """
        ...

    def move(self, before: Mapping[str, float], after: Mapping[str, float]) -> None:
        """Put the walker into another state, with its velocities as they are at the time of its positions.

        Parameters
        ----------
        before
            The state that it was propagated in, as for :meth:`put`.
        after
            The state that it is put into.
        """
        ...

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
        """
        ...

    def draw_velocities(self, temperature_k: float, seed: int) -> None:
        """Draw velocities from Maxwell and Boltzmann's distribution.

        Parameters
        ----------
        temperature_k
            Temperature, K.
        seed
            Of the draw.
        """
        ...

    def run(self, steps: int) -> None:
        """Run MD in one go.

        Parameters
        ----------
        steps
            Number of steps.
        """
        ...

    def potential_kj_per_mol(self) -> float:
        """Evaluate the potential energy in the walker's state.

        Returns
        -------
        float
            kJ/mol; perhaps not finite.
        """
        ...

    def potentials_kj_per_mol(self, states: Sequence[Mapping[str, float]]) -> Floats:
        """Evaluate the potential energy in many states; the walker is left in the last of them.

        Parameters
        ----------
        states
            λ of each, as for :meth:`put`.

        Returns
        -------
        ndarray
            Shape (K,), kJ/mol; perhaps not finite.
        """
        ...

    def positions_nm(self) -> Floats:
        """Give the positions.

        Returns
        -------
        ndarray
            Shape (N, 3), nm; molecules whole.
        """
        ...

    def velocities_nm_per_ps(self) -> Floats:
        """Give the velocities.

        Returns
        -------
        ndarray
            Shape (N, 3), nm/ps.
        """
        ...

    def box_nm(self) -> Floats:
        """Give the periodic box.

        Returns
        -------
        ndarray
            Vectors as rows, shape (3, 3), nm.
        """
        ...

    def save(self) -> npt.NDArray[np.uint8]:
        """Save all that decides what this walker does next, its random numbers included.

        Returns
        -------
        ndarray
            Bytes, in the engine's own form.
        """
        ...

    def restore(self, saved: npt.NDArray[np.uint8]) -> bool:
        """Go back to what was saved, by this walker or by another one of the same system.

        Parameters
        ----------
        saved
            From :meth:`save`.

        Returns
        -------
        bool
            False where another machine's kind or another version saved it; nothing has changed then.
        """
        ...


class MdEngine(Protocol):
    """Makes systems and simulations for one program."""

    @property
    def name(self) -> str:
        """Name of the engine.

        Returns
        -------
        str
            As in `md_engines.MD_ENGINES` and in section ``md``.
        """
        ...

    @property
    def programs(self) -> tuple[str, ...]:
        """Packages that it runs.

        Returns
        -------
        tuple of str
            Their versions are recorded with what was sampled.
        """
        ...

    def system(
        self,
        topology: Path,
        md: Md,
        hold: Hold | None = None,
        *,
        constant_pressure: bool = False,
        membrane: bool = False,
        apart: Sequence[Apart] = (),
    ) -> EngineSystem:
        """Make a system.

        Parameters
        ----------
        topology
            AMBER topology.
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
        EngineSystem
            In the program's own form.
        """
        ...

    def nonbonded(self, system: EngineSystem) -> Floats:
        """Give the nonbonded parameters of all atoms.

        Parameters
        ----------
        system
            Made by this engine.

        Returns
        -------
        ndarray
            Charge (e), σ (nm) and ε (kJ/mol) of each, shape (N, 3).
        """
        ...

    def simulation(self, system: EngineSystem, md: Md, seed: int) -> Simulation:
        """Make a simulation of a system.

        Parameters
        ----------
        system
            Made by this engine, or from one that it made.
        md
            Time step, thermostat, and where to run.
        seed
            Of the thermostat's noise; never 0.

        Returns
        -------
        Simulation
            Without positions yet.
        """
        ...

    def walker(self, system: EngineSystem, md: Md, seed: int) -> Walker:
        """Make a walker of a periodic system that holds all λ states.

        Parameters
        ----------
        system
            Made from one of this engine's, by what makes λ states.
        md
            Time step, thermostat, and where to run.
        seed
            Of the thermostat's noise; never 0.

        Returns
        -------
        Walker
            Without positions yet.
        """
        ...
