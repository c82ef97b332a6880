"""Thermal expansion by the quasi-harmonic approximation: phonons at several volumes."""

from __future__ import annotations

import numpy as np

from gibbsflow.config.potential_validation import Validation
from gibbsflow.errors import ScienceError
from gibbsflow.potential.validate.properties.crystals import Crystal
from gibbsflow.potential.validate.properties.equations_of_state import volume_frames
from gibbsflow.potential.validate.properties.phonons import force_constants
from gibbsflow.potential.validate.properties.plans import Measured, Plan, energy_of

_STEPS = 15
_PPM = 1e6


def thermal_expansion(rest: Crystal, settings: Validation) -> Plan[Measured]:
    """Minimise E(V) + F_phonons(V, T) at each temperature (phonopy's run_qha, Birch-Murnaghan).

    Parameters
    ----------
    rest
        The crystal at rest.
    settings
        Volumes, temperature, and those of phonons.

    Returns
    -------
    Measured
        At the temperature of the settings ``thermal_expansion``, a third of the volume's, in 1e-6/K, and
        ``warm_volume``, Å^3 an atom.

    Raises
    ------
    ScienceError
        Where modes are imaginary at one of the volumes, or no volume is at rest at the temperature.
    """
    from phonopy import run_qha

    # more room towards large volumes: that is where the crystal goes
    factors = 1 + settings.expansion_strain_max * np.linspace(-0.5, 1, settings.expansion_volumes)
    frames = yield from volume_frames(rest, factors, settings)
    found = []
    for factor, frame in zip(factors, frames, strict=True):
        one = yield from force_constants(Crystal.of(frame, settings.symmetry_angstrom, like=rest), settings)
        one.run_mesh(settings.phonon_mesh_angstrom)
        lowest = float(np.min(one.mesh.frequencies))
        if lowest < -settings.imaginary_thz:
            raise ScienceError(f"imaginary modes, {-lowest:.2f}i THz, at {factor:.3f} of the volume at rest")
        found.append(one)
    sizes = [len(one.primitive) / len(frame) for one, frame in zip(found, frames, strict=True)]
    # differences take the steps beyond the temperature
    temperatures = settings.temperature_k * np.arange(_STEPS + 3) / _STEPS
    try:
        result = run_qha(
            found, temperatures, [energy_of(frame) * size for frame, size in zip(frames, sizes, strict=True)],
            mesh=settings.phonon_mesh_angstrom, eos="birch_murnaghan", exclude_gamma_acoustic=True,
        )  # fmt: skip
    except (RuntimeError, ValueError, IndexError) as error:
        raise ScienceError(f"no equation of state fits the free energies ({error})") from error
    warm = np.asarray(result.equilibrium_volumes) / len(found[0].primitive)
    alpha = np.asarray(result.thermal_expansion) / 3 * _PPM
    reached = np.asarray(result.temperatures)
    limits = [frame.get_volume() / len(frame) for frame in (frames[0], frames[-1])]
    at = float(np.interp(settings.temperature_k, reached, warm))
    if reached[-1] < settings.temperature_k or not limits[0] < at < limits[1]:
        what = f"at {settings.temperature_k:g} K no volume within {factors[0]:.3f} to {factors[-1]:.3f} is at rest"
        raise ScienceError(f"{what} (validation.expansion_strain_max gives more)")
    values = {"thermal_expansion": float(np.interp(settings.temperature_k, reached, alpha)), "warm_volume": at}
    curves = {
        "temperature_k": reached.tolist(),
        "volume_angstrom3_per_atom": warm.tolist(),
        "expansion_ppm_per_k": alpha.tolist(),
    }
    notes = [f"quasi-harmonic at {settings.temperature_k:g} K, {len(frames)} volumes"]
    if not rest.isotropic:
        notes.append("mean of the axes, each volume in the shape of least energy")
    return Measured(values, notes=tuple(notes), curves=curves)
