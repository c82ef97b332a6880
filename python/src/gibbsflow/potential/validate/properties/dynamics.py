"""MD at constant energy: whether the energy stays, nothing explodes, and how atoms are distributed meanwhile."""

from __future__ import annotations

import numpy as np
from ase import Atoms, units
from ase.data import covalent_radii
from ase.md.velocitydistribution import Stationary, thermalize_momenta

from gibbsflow.config.potential_validation import Validation
from gibbsflow.potential.data.neighbours import pairs_within
from gibbsflow.potential.generators.normal_modes import linear
from gibbsflow.potential.validate.properties.plans import Measured, Plan, asked, energy_of
from gibbsflow.units import Floats

_HOT = 4.0
_CLOSE = 0.5
_LOOK_STEPS = 10
_BINS = 120
_REACH_ANGSTROM = 8.0


def stability(start: Atoms, settings: Validation) -> Plan[Measured]:
    """Run MD at constant energy from a structure at rest (velocity Verlet), at about the temperature of the settings.

    Velocities are drawn for twice the temperature, of which half goes into the potential energy.

    Parameters
    ----------
    start
        Supercell, or molecule, at rest.
    settings
        Temperature, steps, time step, seed and bounds of the drift.

    Returns
    -------
    Measured
        ``energy_drift`` (meV/atom/ps, its size), ``mean_temperature`` (K), of crystals ``rdf_first_peak`` (Å); an
        explosion, atoms on each other and a drift beyond its bounds are failures.
    """
    step_fs = settings.timestep_fs(start.get_chemical_symbols())
    step = step_fs * units.fs
    (atoms,) = yield from asked([start])
    thermalize_momenta(atoms, 2 * settings.temperature_k, rng=np.random.default_rng(settings.seed))
    Stationary(atoms)
    velocities, masses = atoms.get_velocities(), atoms.get_masses()[:, None]
    still = 3
    if not atoms.pbc.any():
        velocities = _without_rotation(atoms, velocities)
        still = 5 if linear(atoms) else 6
    forces = atoms.calc.results["forces"]
    times, energies, temperatures = [], [], []
    histogram, looks, failure = np.zeros(_BINS), 0, ""
    for number in range(settings.md_steps + 1):
        kinetic = 0.5 * float((masses * velocities**2).sum())
        temperature = 2 * kinetic / (units.kB * (3 * len(atoms) - still))
        energy = energy_of(atoms) + kinetic
        if not np.isfinite(energy) or temperature > _HOT * max(2 * settings.temperature_k, 100):
            failure = f"explodes at step {number}: {temperature:.0f} K"
            break
        times.append(number * step_fs / 1000)
        energies.append(1000 * energy / len(atoms))
        temperatures.append(temperature)
        if number % _LOOK_STEPS == 0 and (close := _too_close(atoms)):
            failure = f"at step {number}, {close}"
            break
        if number % _LOOK_STEPS == 0 and number >= settings.md_steps // 4 and atoms.pbc.all():
            histogram += _pairs(atoms)
            looks += 1
        if number == settings.md_steps:
            break
        moved = atoms.copy()
        velocities = velocities + 0.5 * step * forces / masses
        moved.positions = atoms.positions + step * velocities
        (atoms,) = yield from asked([moved], whatever=True)
        forces = atoms.calc.results["forces"]
        velocities = velocities + 0.5 * step * forces / masses
    curves = {"time_ps": times, "energy_mev_per_atom": [value - energies[0] for value in energies],
              "temperature_k": temperatures}  # fmt: skip
    if failure:
        return Measured({}, (f"MD at {settings.temperature_k:g} K {failure}",), curves=_thinned(curves))
    late = slice(len(times) // 4, None)
    drift = abs(float(np.polyfit(times[late], energies[late], 1)[0]))
    values = {"energy_drift": drift, "mean_temperature": float(np.mean(temperatures[late]))}
    good, bearable = settings.energy_drift_mev_per_atom_ps
    words = f"the energy drifts by {drift:.3g} meV/atom/ps at {step_fs:g} fs (wanted {good:g})"
    notes = [f"{settings.md_steps} steps of {step_fs:g} fs, {len(atoms)} atoms, {values['mean_temperature']:.0f} K"]
    if looks:
        radii, density = _distribution(histogram / looks, start)
        curves |= {"radius_angstrom": radii.tolist(), "rdf": density.tolist()}
        values["rdf_first_peak"] = first_peak(radii, density)
    return Measured(
        values,
        failures=(words,) if drift > bearable else (),
        warnings=(words,) if good < drift <= bearable else (),
        notes=tuple(notes),
        curves=_thinned(curves),
    )


def first_peak(radii: Floats, density: Floats) -> float:
    """Find the first maximum of a radial distribution that is above one.

    Parameters
    ----------
    radii
        Radii, Å, shape (n,).
    density
        Radial distribution, shape (n,).

    Returns
    -------
    float
        Its place by the parabola through three points, Å; not a number where there is none.
    """
    smooth = np.convolve(density, [0.25, 0.5, 0.25], mode="same")
    for n in range(1, len(smooth) - 1):
        if smooth[n] > 1 and smooth[n - 1] < smooth[n] >= smooth[n + 1]:
            left, here, right = smooth[n - 1 : n + 2]
            bend = left - 2 * here + right
            return float(radii[n] + (radii[1] - radii[0]) * 0.5 * (left - right) / bend)
    return float("nan")


def _without_rotation(atoms: Atoms, velocities: Floats) -> Floats:
    """Take the rotation of the whole out; about the axis of a linear molecule there is none."""
    places, masses = atoms.positions - atoms.get_center_of_mass(), atoms.get_masses()[:, None]
    momentum = np.cross(places, masses * velocities).sum(axis=0)
    squares = (masses * places**2).sum()
    inertia = squares * np.eye(3) - (masses * places).T @ places
    turn = np.linalg.pinv(inertia, rcond=1e-6, hermitian=True) @ momentum
    return np.asarray(velocities - np.cross(turn, places))


def _too_close(atoms: Atoms) -> str:
    reach = 2 * _CLOSE * float(covalent_radii[atoms.numbers].max())
    first, second, distances, _ = pairs_within(atoms, reach)
    limit = _CLOSE * (covalent_radii[atoms.numbers[first]] + covalent_radii[atoms.numbers[second]])
    if not np.any(distances < limit):
        return ""
    n = int(np.argmin(distances - limit))
    return f"{atoms[int(first[n])].symbol} and {atoms[int(second[n])].symbol} are {distances[n]:.2f} Å apart"


def _pairs(atoms: Atoms) -> Floats:
    _, _, distances, _ = pairs_within(atoms, _REACH_ANGSTROM)
    return np.histogram(distances, _BINS, (0, _REACH_ANGSTROM))[0].astype(float)


def _distribution(pairs: Floats, atoms: Atoms) -> tuple[Floats, Floats]:
    """Middles of the bins, and g(r): pairs over those of as many atoms without order."""
    edges = np.linspace(0, _REACH_ANGSTROM, _BINS + 1)
    shells = 4 / 3 * np.pi * np.diff(edges**3)
    return (edges[1:] + edges[:-1]) / 2, pairs / (len(atoms) * shells * len(atoms) / atoms.get_volume())


def _thinned(curves: dict[str, list[float]], most: int = 500) -> dict[str, list[float]]:
    return {name: values[:: max(1, len(values) // most)] for name, values in curves.items()}
