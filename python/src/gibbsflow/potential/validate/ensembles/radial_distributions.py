"""Radial distributions: by MD of many atoms of a potential, by a short one of whatever answers plans."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ase import Atoms, units
from ase.md.velocitydistribution import Stationary, thermalize_momenta

from gibbsflow.config.potential_validation import Validation
from gibbsflow.engines.lammps import FRICTION_PS
from gibbsflow.engines.lammps_frame import Frame, to_frame
from gibbsflow.errors import NumericalError
from gibbsflow.potential.validate.ensembles.md_runs import Conditions, MdRuns, too_hot
from gibbsflow.potential.validate.properties.crystals import Crystal
from gibbsflow.potential.validate.properties.dynamics import first_peak
from gibbsflow.potential.validate.properties.plans import Measured, Plan, asked
from gibbsflow.units import Floats

_BIN_ANGSTROM, _REACH_ANGSTROM = 0.05, 8.0
_LOOK_STEPS = 5


def by_runs(rest: Crystal, settings: Validation, md: MdRuns) -> Measured:
    """Measure by MD at constant volume in LAMMPS, kept by segments.

    Parameters
    ----------
    rest
        The crystal at rest, whose volume is held.
    settings
        Temperatures, length of each run, atoms.
    md
        Runs the potential.

    Returns
    -------
    Measured
        ``rdf_peak_TK`` in Å for each temperature T; the distributions are its curves.
    """
    atoms = rest.supercell(2 * md.potential.cutoff_angstrom, least_atoms=settings.sample_atoms_min)
    start = to_frame(atoms, md.potential.species, md.potential.cutoff_angstrom)
    found = []

    def _observe(frame: Frame) -> dict[str, Floats]:
        return {"rdf": radial_distribution(frame.positions, frame.cell)}

    for number, temperature in enumerate(temperatures(settings)):
        run = md.run(
            f"nvt-{temperature:.0f}K", start, Conditions("nvt", temperature), length_ps=settings.sample_ps,
            step_fs=settings.timestep_fs(atoms.get_chemical_symbols()), seed=settings.seed + number, observe=_observe,
        )  # fmt: skip
        found.append(_distribution(temperature, run.observed["rdf"][run.late()]))
    note = f"{len(atoms)} atoms at the volume at rest, {settings.sample_ps:g} ps each, of which three quarters count"
    return _measured(found, note)


def by_plan(rest: Crystal, settings: Validation) -> Plan[Measured]:
    """Measure by a short MD at constant volume of whatever answers (Langevin's thermostat, BAOAB).

    B. Leimkuhler and C. Matthews, Appl. Math. Res. Express 2013, 34; friction time 0.1 ps.

    Parameters
    ----------
    rest
        The crystal at rest, whose volume is held.
    settings
        Temperatures, steps, atoms, time step and seed.

    Returns
    -------
    Measured
        As :func:`by_runs`.

    Raises
    ------
    NumericalError
        Where it explodes.
    """
    start = rest.supercell(_REACH_ANGSTROM / 2, least_atoms=settings.md_atoms_min)
    step_fs = settings.timestep_fs(start.get_chemical_symbols())
    found = []
    for number, temperature in enumerate(temperatures(settings)):
        seen = yield from _langevin(start, temperature, step_fs, settings, settings.seed + number)
        found.append(_distribution(temperature, np.array(seen)))
    length = f"{settings.rdf_engine_steps} steps of {step_fs:g} fs each"
    return _measured(found, f"{len(start)} atoms at the volume at rest, {length}, of which three quarters count")


def _langevin(
    start: Atoms, temperature_k: float, step_fs: float, settings: Validation, seed: int
) -> Plan[list[Floats]]:
    rng, step = np.random.default_rng(seed), step_fs * units.fs
    (atoms,) = yield from asked([start])
    thermalize_momenta(atoms, temperature_k, rng=rng)
    Stationary(atoms)
    masses, velocities, positions = atoms.get_masses()[:, None], atoms.get_velocities(), atoms.positions.copy()
    stays = np.exp(-step_fs / 1000 / FRICTION_PS)
    kicks = np.sqrt((1 - stays**2) * units.kB * temperature_k / masses)
    seen = []
    for number in range(settings.rdf_engine_steps):
        velocities = velocities + 0.5 * step * atoms.calc.results["forces"] / masses
        positions = positions + 0.5 * step * velocities
        velocities = stays * velocities + kicks * rng.normal(size=velocities.shape)
        positions = positions + 0.5 * step * velocities
        moved = start.copy()
        moved.positions = positions
        (atoms,) = yield from asked([moved])
        velocities = velocities + 0.5 * step * atoms.calc.results["forces"] / masses
        hot = float((masses * velocities**2).sum()) / (3 * len(start) * units.kB)
        if too_hot(hot, temperature_k):
            raise NumericalError(f"MD at {temperature_k:.0f} K explodes at step {number}: {hot:.0f} K")
        if number >= settings.rdf_engine_steps // 4 and number % _LOOK_STEPS == 0:
            seen.append(radial_distribution(positions, start.cell.array))
    return seen


def temperatures(settings: Validation) -> tuple[float, ...]:
    """Choose the temperatures.

    Parameters
    ----------
    settings
        Those asked for and those of references; else the temperature of all.

    Returns
    -------
    tuple of float
        In K, rising; of those that are one in whole K, by which quantities are named, the lowest.
    """
    asked_for = {*settings.rdf_temperatures_k, *(one.temperature_k for one in settings.rdf_references)}
    apart = {f"{kelvin:.0f}": kelvin for kelvin in sorted(asked_for, reverse=True)}
    return tuple(sorted(apart.values())) or (settings.temperature_k,)


def radial_distribution(positions: Floats, cell: Floats) -> Floats:
    """Count pairs of one structure by distance, over those of as many atoms without order.

    Up to half the least distance between faces of the cell each pair has one nearest image; beyond, nothing is counted.

    Parameters
    ----------
    positions
        Å, shape (n, 3).
    cell
        Vectors as rows, Å, shape (3, 3).

    Returns
    -------
    ndarray
        g(r) in bins of 0.05 Å up to 8 Å, not a number where the cell is too small; shape (160,).
    """
    inverse = np.linalg.inv(cell)
    reach = min(_REACH_ANGSTROM, 0.5 / float(np.linalg.norm(inverse, axis=0).max()))
    fractions = positions @ inverse
    edges = np.arange(0, _REACH_ANGSTROM + _BIN_ANGSTROM / 2, _BIN_ANGSTROM)
    counts = np.zeros(len(edges) - 1)
    for number in range(len(fractions) - 1):
        apart = fractions[number + 1 :] - fractions[number]
        distances = np.linalg.norm((apart - np.round(apart)) @ cell, axis=1)
        counts += np.histogram(distances[distances < reach], edges)[0]
    pairs = len(positions) ** 2 / 2 / abs(np.linalg.det(cell)) * 4 / 3 * np.pi * np.diff(edges**3)
    return np.where(edges[1:] <= reach + 1e-9, counts / pairs, np.nan)


def distance_between(radii: Floats, one: Floats, other_radii: Floats, other: Floats) -> float:
    """Say how far two distributions are apart: ∫|g - g'| dr over ∫ g' dr, where both are known.

    Parameters
    ----------
    radii, one
        A distribution, shape (n,); what is no number is not known.
    other_radii, other
        The reference, shape (m,).

    Returns
    -------
    float
        0 for the same; not a number where they share less than 1 Å.
    """
    known = np.isfinite(one)
    if not known.any():
        return float("nan")
    inside = (other_radii >= radii[known][0]) & (other_radii <= radii[known][-1]) & np.isfinite(other)
    if inside.sum() < 3 or np.ptp(other_radii[inside]) < 1.0:
        return float("nan")
    at, reference = other_radii[inside], other[inside]
    off = np.abs(np.interp(at, radii[known], one[known]) - reference)
    return float(np.trapezoid(off, at) / max(np.trapezoid(reference, at), 1e-12))


def _distribution(temperature_k: float, seen: Floats) -> dict[str, Any]:
    radii = np.asarray(_BIN_ANGSTROM * (np.arange(seen.shape[1]) + 0.5), dtype=float)
    first, second = (np.asarray(half.mean(axis=0), dtype=float) for half in np.array_split(seen, 2))
    mean = seen.mean(axis=0)
    # what two halves differ by, over the whole: each has half of it, and the mean less by another √2
    noise = distance_between(radii, first, radii, second)
    return {"temperature_k": temperature_k, "radius_angstrom": radii.tolist(), "rdf": mean.tolist(), "noise": noise / 2}


def _measured(found: Sequence[dict[str, Any]], note: str) -> Measured:
    values = {}
    for one in found:
        density = np.nan_to_num(np.array(one["rdf"]))
        values[f"rdf_peak_{one['temperature_k']:.0f}K"] = first_peak(np.array(one["radius_angstrom"]), density)
    reach = max(r for r, g in zip(found[0]["radius_angstrom"], found[0]["rdf"], strict=True) if np.isfinite(g))
    return Measured(values, notes=(note, f"up to {reach:.1f} Å"), curves={"distributions": list(found)})
