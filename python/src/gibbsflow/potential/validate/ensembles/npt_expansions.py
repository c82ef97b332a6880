"""Thermal expansion by MD at constant pressure: volumes at three temperatures, with their errors."""

from __future__ import annotations

import numpy as np

from gibbsflow.config.potential_validation import Validation
from gibbsflow.engines.lammps_frame import Frame, to_frame
from gibbsflow.errors import ScienceError
from gibbsflow.potential.validate.ensembles.block_averages import block_average
from gibbsflow.potential.validate.ensembles.crystalline_order import CrystallineOrder
from gibbsflow.potential.validate.ensembles.md_runs import Conditions, MdRuns
from gibbsflow.potential.validate.properties.crystals import Crystal
from gibbsflow.potential.validate.properties.plans import Measured
from gibbsflow.units import Floats

_PPM = 1e6
_MOLTEN = 0.2
"""Order, of 1 in the perfect crystal, below which it is none any more."""


def npt_expansion(rest: Crystal, settings: Validation, md: MdRuns) -> Measured:
    """Run the crystal at constant pressure at three temperatures, and fit ln V against T by their errors.

    Parameters
    ----------
    rest
        The crystal at rest.
    settings
        Temperature in the middle, span of the three, length of each run, atoms.
    md
        Runs the potential.

    Returns
    -------
    Measured
        ``npt_expansion``, a third of the volume's, in 1e-6/K, and ``npt_volume`` at the temperature in the middle,
        Å^3 an atom; both with standard errors by blocks.

    Raises
    ------
    ScienceError
        Where the crystal does not survive, or the potential blows up.
    """
    atoms = rest.supercell(2 * md.potential.cutoff_angstrom, least_atoms=settings.sample_atoms_min)
    start = to_frame(atoms, md.potential.species, md.potential.cutoff_angstrom)
    order = CrystallineOrder.of(rest.conventional, start)

    def _observe(frame: Frame) -> dict[str, Floats]:
        return {"order": order.of_slices(frame)}

    middle, half = settings.temperature_k, settings.expansion_span_k / 2
    temperatures = [middle - half, middle, middle + half]
    volumes, errors, notes = [], [], []
    for number, temperature in enumerate(temperatures):
        run = md.run(
            f"npt-{temperature:.0f}K", start, Conditions("npt", temperature, "iso" if rest.isotropic else "aniso"),
            length_ps=settings.sample_ps, step_fs=settings.timestep_fs(atoms.get_chemical_symbols()),
            seed=settings.seed + number, observe=_observe,
        )  # fmt: skip
        late = run.late()
        kept = float(run.observed["order"][late].mean())
        if kept < _MOLTEN:
            raise ScienceError(f"at {temperature:.0f} K the crystal is none any more (order {kept:.2f} of 1)")
        volume, error = block_average(run.volume_angstrom3[late] / len(atoms))
        volumes.append(volume)
        errors.append(error)
        mean_k = run.temperature_k[late].mean()
        notes.append(f"{temperature:.0f} K: {volume:.4f} ± {error:.4f} Å^3/atom at a mean of {mean_k:.0f} K")
    slope, slope_error = line_through(np.array(temperatures), np.log(volumes), np.array(errors) / np.array(volumes))
    values = {"npt_expansion": slope / 3 * _PPM, "npt_volume": volumes[1]}
    notes.append(f"{len(atoms)} atoms at no pressure, {settings.sample_ps:g} ps each, of which three quarters count")
    notes.append("nuclei are classical: well below the Debye temperature expansion comes out too large")
    if not rest.isotropic:
        notes.append("mean of the axes; angles are held" if rest.number < 16 else "mean of the axes")
    return Measured(
        values, notes=tuple(notes), errors={"npt_expansion": slope_error / 3 * _PPM, "npt_volume": errors[1]},
        curves={"temperature_k": temperatures, "volume_angstrom3_per_atom": volumes, "error_angstrom3": errors},
    )  # fmt: skip


def line_through(places: Floats, values: Floats, errors: Floats) -> tuple[float, float]:
    """Fit a line by least squares, each value by its error.

    Parameters
    ----------
    places, values, errors
        Shape (n,); errors above zero count by their inverse squares.

    Returns
    -------
    slope, error : float
        In the units of values by places.
    """
    weights = 1 / np.maximum(errors, 1e-12 + 1e-3 * errors.max()) ** 2
    centre = np.average(places, weights=weights)
    squares = float((weights * (places - centre) ** 2).sum())
    return float((weights * (places - centre) * values).sum() / squares), squares**-0.5
