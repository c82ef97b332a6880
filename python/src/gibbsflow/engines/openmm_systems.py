"""OpenMM Systems from AMBER topologies, and Contexts that propagate them.

The module's name avoids shadowing `openmm`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import openmm
from openmm import app, unit

from gibbsflow.config.binding import Md
from gibbsflow.errors import GpuMemoryError, InputError, MachineError, NumericalError, Problem, StoppedEarly
from gibbsflow.units import Floats

log = logging.getLogger(__name__)

SLOW_ATOMS_ON_CPU = 2000
_NO_GPU_MEMORY = re.compile(
    r"CUDA_(ERROR_)?OUT_OF_MEMORY|initializing FFT: 2\b|FAILED_TO_ALLOCATE|\bcl[A-Z]\w+ \(-(4|5|6|61)\)"
)
"""Words of OpenMM's: the driver's own; cuFFT's CUFFT_ALLOC_FAILED; VkFFT's; OpenCL's codes for objects that could not
be allocated, for resources of device and host, and for too large a buffer."""
_GPU_GONE = re.compile(
    r"CUDA_ERROR_(MPS_\w+|SYSTEM_\w+|\w+_UNCORRECTABLE|NO_DEVICE|DEVICE_UNAVAILABLE|DEVICES_UNAVAILABLE"
    r"|HARDWARE_STACK_ERROR|NOT_INITIALIZED|DEINITIALIZED|UNKNOWN)"
)
"""The driver's words for a card, a driver or an MPS server that has gone or is broken (CUDA Driver API, CUresult). An
illegal address or a failed launch may be atoms that flew apart, and is not among them."""
_OF_ATOMS = ("CHARGE", "ATOMIC_NUMBER", "MASS", "ATOM_TYPE_INDEX", "RADII", "SCREEN")


def load_topology(prmtop: Path) -> app.AmberPrmtopFile:
    """Read an AMBER topology.

    Parameters
    ----------
    prmtop
        The file.

    Returns
    -------
    AmberPrmtopFile
        OpenMM's reader, with `topology` and `createSystem`.

    Raises
    ------
    InputError
        Where it cannot be read, or is not whole.
    """
    with _as_topology(prmtop):
        if lacking := _lacking(Path(prmtop).read_text()):
            raise ValueError(f"cut short: {lacking}")
        return app.AmberPrmtopFile(str(prmtop))


@contextmanager
def _as_topology(prmtop: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise InputError(Problem(str(prmtop), f"not readable as an AMBER topology ({error})", "a prmtop")) from error


def _lacking(text: str) -> str:
    """Say which numbers of atoms are fewer than the atoms: readers take what is left, and make up radii."""
    _, *sections = text.split("%FLAG ")
    values = {
        section.split(maxsplit=1)[0]: section.partition(")")[2].split() for section in sections if section.strip()
    }
    atoms = int(values["POINTERS"][0])
    short = [name for name in _OF_ATOMS if name in values and len(values[name]) != atoms]
    short += ["SCREEN"] if "RADII" in values and "SCREEN" not in values else []
    return ", ".join(short) if short or text.endswith("\n") else "its last line"


def create_system(prmtop: Path, md: Md) -> openmm.System:
    """Make the parent System: bonds to hydrogen constrained, hydrogen masses repartitioned.

    A topology with a box is in PME, with a long-range correction of dispersion; any other has no cutoff.

    Implicit solvent is OBC2 without surface term by the native GBSAOBCForce: six times faster on a CPU than the
    CustomGBForce that OpenMM's force-field files give. There is no cutoff at any size, since it would make the
    alchemical end states inexact; a large system on the CPU platform is named in the log as slow.

    Parameters
    ----------
    prmtop
        AMBER topology; for OBC2 with mbondi2 radii.
    md
        Solvent, mass of hydrogen, platform.

    Returns
    -------
    openmm.System
        Without motion of the centre of mass removed.

    Raises
    ------
    InputError
        Where the topology cannot be read.
    """
    topology = load_topology(prmtop)
    common = {
        "constraints": app.HBonds,
        "hydrogenMass": md.hydrogen_mass_amu * unit.amu,
        "removeCMMotion": False,
    }
    if topology.topology.getPeriodicBoxVectors() is not None:
        cutoff = md.cutoff_angstrom * unit.angstrom
        return topology.createSystem(nonbondedMethod=app.PME, nonbondedCutoff=cutoff, **common)
    atoms = topology.topology.getNumAtoms()
    if atoms > SLOW_ATOMS_ON_CPU and md.platform in ("CPU", "Reference"):
        log.warning("%d atoms without cutoff on a CPU are slow; a GPU platform (md.platform) is not", atoms)
    solvent = {"implicitSolvent": app.OBC2, "sasaMethod": None} if md.solvent == "obc2" else {}
    with _as_topology(prmtop):
        return topology.createSystem(nonbondedMethod=app.NoCutoff, **common, **solvent)


def new_context(system: openmm.System, md: Md, seed: int) -> openmm.Context:
    """Make a Context with a Langevin-middle integrator (Zhang et al., J. Phys. Chem. A 123, 6056 (2019)).

    Parameters
    ----------
    system
        What to propagate.
    md
        Time step, temperature, friction, platform, threads.
    seed
        Seed of the noise, and of velocities drawn from this Context; never 0.

    Returns
    -------
    openmm.Context
        Without positions yet.

    Raises
    ------
    MachineError
        Where the platform is not available here.
    GpuMemoryError
        Where the GPU's memory does not hold it.
    """
    integrator = openmm.LangevinMiddleIntegrator(
        md.temperature_k * unit.kelvin, md.friction_per_ps / unit.picosecond, md.timestep_fs * unit.femtosecond
    )
    integrator.setRandomNumberSeed(seed)
    # one thread is only deterministic with a fixed order of summation
    properties = {"CPU": {"Threads": str(md.threads), "DeterministicForces": "true"}}
    if md.on_gpu:
        properties[md.platform] = {"Precision": "mixed"}
        if md.platform == "CUDA":
            properties[md.platform]["DeterministicForces"] = "true"
    try:
        platform = openmm.Platform.getPlatformByName(md.platform)
        return openmm.Context(system, integrator, platform, properties.get(md.platform, {}))
    except openmm.OpenMMException as error:
        _check_card(error)
        check_platform(md.platform)
        raise  # the platform works, so it is the system


def _check_card(error: openmm.OpenMMException) -> None:
    """Raise a `MachineError` where OpenMM says that the card is full or gone."""
    if _NO_GPU_MEMORY.search(str(error)):
        raise GpuMemoryError(f"the GPU's memory is full: {error}") from error
    if _GPU_GONE.search(str(error)):
        raise MachineError(f"the GPU cannot be used any more: {error}", what_to_do=_GPU_FAILED) from error


def platform_notes(name: str, *, dry_run: bool) -> list[str]:
    """Try a platform; a dry run only notes that it is not here, as a login node has no card.

    Parameters
    ----------
    name
        OpenMM's name of it.
    dry_run
        Whether nothing will be computed here.

    Returns
    -------
    list of str
        Empty where there is nothing to say.

    Raises
    ------
    MachineError
        As :func:`check_platform`, where something will be computed.
    """
    try:
        check_platform(name)
    except MachineError as error:
        if not dry_run:
            raise
        return [f"{error}: a dry run foresees all the same, the run itself has to be on a machine that has it"]
    return []


def check_platform(name: str) -> None:
    """Try a platform with a single particle.

    Parameters
    ----------
    name
        OpenMM's name of it.

    Raises
    ------
    MachineError
        Where even that does not work here, with OpenMM's own words.
    """
    system = openmm.System()
    system.addParticle(1.0)
    try:
        openmm.Context(system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName(name))
    except openmm.OpenMMException as error:
        failures = [text for text in openmm.Platform.getPluginLoadFailures() if f"/libOpenMM{name}.so: " in text]
        words = "; ".join([str(error), *failures])
        message = f"OpenMM's platform {name} cannot be used on this machine: {words}"
        raise MachineError(message, what_to_do=_GPU_NEEDS) from error


_GPU_FAILED = (
    "See what nvidia-smi and the system's log (Xid) say of it. Then run the same command again, here or on another "
    "machine: it goes on from the saved state."
)
_GPU_NEEDS = (
    "The platform CUDA needs an NVIDIA GPU with driver 535 or later, and OpenMM's package for it: the image cuda, or "
    "./nextfloww --setup-only --cuda. Then run the same command again; with --platform CPU it runs without a GPU."
)


def potential_kj_per_mol(context: openmm.Context) -> float:
    """Potential energy of a Context.

    Parameters
    ----------
    context
        With positions.

    Returns
    -------
    float
        kJ/mol.
    """
    return float(context.getState(getEnergy=True).getPotentialEnergy()._value)


def positions_nm(context: openmm.Context) -> Floats:
    """Positions of a Context.

    Parameters
    ----------
    context
        With positions.

    Returns
    -------
    ndarray
        Shape (N, 3), nm.
    """
    return np.asarray(context.getState(getPositions=True).getPositions(asNumpy=True)._value)


def velocities_nm_per_ps(context: openmm.Context) -> Floats:
    """Velocities of a Context.

    Parameters
    ----------
    context
        With positions.

    Returns
    -------
    ndarray
        Shape (N, 3), nm/ps.
    """
    return np.asarray(context.getState(getVelocities=True).getVelocities(asNumpy=True)._value)


def half_kicks_per_force(system: openmm.System, timestep_fs: float) -> Floats:
    """Half a time step over the mass of each particle.

    Parameters
    ----------
    system
        What is propagated.
    timestep_fs
        Time step, fs.

    Returns
    -------
    ndarray
        Shape (N, 1), ps/amu; zero for what has no mass.
    """
    masses = np.array([system.getParticleMass(atom)._value for atom in range(system.getNumParticles())])
    return np.divide(timestep_fs / 2000, masses, out=np.zeros_like(masses), where=masses > 0)[:, None]


def forces_kj_per_mol_nm(context: openmm.Context, groups: Collection[int] | None = None) -> Floats:
    """Forces in a Context.

    Parameters
    ----------
    context
        With positions.
    groups
        Groups of forces that count; None for all.

    Returns
    -------
    ndarray
        Shape (N, 3), kJ/mol/nm.
    """
    chosen = -1 if groups is None else set(groups)
    return np.asarray(context.getState(getForces=True, groups=chosen).getForces(asNumpy=True)._value)


class _Interruption(openmm.MinimizationReporter):
    """Ends a minimisation at the next iteration once `check` has raised, and keeps what it raised."""

    def __init__(self, check: Callable[[], None]) -> None:
        super().__init__()
        self.check = check
        self.stop: StoppedEarly | None = None

    def report(self, *_: object) -> bool:
        try:
            self.check()
        except StoppedEarly as stop:  # must not cross OpenMM's C++; raised again by `minimise`
            self.stop = stop
        return self.stop is not None


def minimise(
    context: openmm.Context,
    max_steps: int,
    check: Callable[[], None] = lambda: None,
    tolerance_kj_per_mol_nm: float = 10.0,
) -> float:
    """Minimise in place.

    Parameters
    ----------
    context
        With positions.
    max_steps
        Iterations at most; 0 only evaluates.
    check
        Called at every iteration; may raise StoppedEarly.
    tolerance_kj_per_mol_nm
        Root mean square force to stop at.

    Returns
    -------
    float
        Potential energy, kJ/mol.

    Raises
    ------
    NumericalError
        Where the energy is not finite afterwards.
    StoppedEarly
        As `check` does.
    """
    interruption = _Interruption(check)
    with numerical("minimisation"):
        if max_steps:
            openmm.LocalEnergyMinimizer.minimize(context, tolerance_kj_per_mol_nm, max_steps, interruption)
        if interruption.stop is not None:
            raise interruption.stop
        energy = potential_kj_per_mol(context)
    if not np.isfinite(energy):
        raise NumericalError(f"potential energy after minimisation is {energy}")
    return energy


@contextmanager
def numerical(what: str = "") -> Iterator[None]:
    """Turn OpenMM's complaints about NaN and about the card into errors of their own.

    Parameters
    ----------
    what
        What was being done, to be put before OpenMM's words.

    Yields
    ------
    None
        Once.

    Raises
    ------
    NumericalError
        Where coordinates or energies are NaN or infinite, and where a box has shrunk below two cutoffs.
    GpuMemoryError, MachineError
        Where the GPU's memory is full; where the GPU is gone.
    """
    try:
        yield
    except openmm.OpenMMException as error:
        if "less than twice the nonbonded cutoff" in str(error):
            raise NumericalError(f"{what}: {error}" if what else str(error)) from error
        if "nan" in str(error).lower() or "infinite" in str(error).lower():
            raise NumericalError(f"{what}: {error}" if what else str(error)) from error
        _check_card(error)
        raise


def box_vectors_nm(inpcrd: Path) -> Floats:
    """Read the periodic box of an AMBER coordinate file.

    Parameters
    ----------
    inpcrd
        The file.

    Returns
    -------
    ndarray
        Reduced vectors as rows, shape (3, 3), nm.
    """
    vectors = app.AmberInpcrdFile(str(inpcrd)).boxVectors
    return np.array(vectors.value_in_unit(unit.nanometer), dtype=float)


def read_positions_nm(inpcrd: Path) -> Floats:
    """Read the positions of an AMBER coordinate file.

    Parameters
    ----------
    inpcrd
        The file.

    Returns
    -------
    ndarray
        Shape (N, 3), nm.
    """
    positions = app.AmberInpcrdFile(str(inpcrd)).positions
    return np.array(positions.value_in_unit(unit.nanometer), dtype=float)
