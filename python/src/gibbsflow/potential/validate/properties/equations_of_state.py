"""Energy against volume: the Birch-Murnaghan equation of state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gibbsflow.config.potential_validation import Validation
from gibbsflow.errors import ScienceError
from gibbsflow.potential.validate.properties.crystals import Crystal, with_symmetry
from gibbsflow.potential.validate.properties.plans import Measured, Plan, all_relaxed, energy_of
from gibbsflow.units import GPA_PER_EV_PER_ANGSTROM3, Floats

_EXTENSIONS = 4
_SAME_VOLUME = 0.01


@dataclass(frozen=True)
class BirchMurnaghan:
    """The equation of state of third order (Birch, Phys. Rev. 71, 809 (1947)).

    Attributes
    ----------
    volume_angstrom3
        Where the energy is least.
    energy_ev
        The least energy.
    bulk_modulus_gpa
        Its bulk modulus there.
    derivative
        Derivative of the bulk modulus by the pressure.
    residual_ev
        Root mean square of what the fit leaves.
    """

    volume_angstrom3: float
    energy_ev: float
    bulk_modulus_gpa: float
    derivative: float
    residual_ev: float

    @classmethod
    def fit(cls, volumes_angstrom3: Floats, energies_ev: Floats) -> BirchMurnaghan:
        """Fit it: in V^(-2/3) it is a polynomial of third degree (Lejaeghere et al., Science 351, aad3000 (2016)).

        Parameters
        ----------
        volumes_angstrom3
            Volumes, shape (n,), n of 5 or more.
        energies_ev
            Their energies, shape (n,).

        Returns
        -------
        BirchMurnaghan
            Of the least energy within the volumes.

        Raises
        ------
        ScienceError
            Where the energy has no minimum within them.
        """
        places = volumes_angstrom3 ** (-2 / 3)
        curve = np.polynomial.Polynomial.fit(places, energies_ev, 3)
        slope, bend, twist = curve.deriv(), curve.deriv(2), curve.deriv(3)
        roots = [r.real for r in slope.roots() if abs(r.imag) < 1e-9 and places.min() <= r.real <= places.max()]
        roots = [root for root in roots if bend(root) > 0]
        if not roots:
            low, high = volumes_angstrom3.min(), volumes_angstrom3.max()
            raise ScienceError(f"the energy has no minimum between volumes of {low:.4g} and {high:.4g} Å^3")
        x = float(min(roots, key=lambda root: float(curve(root))))
        second = 4 / 9 * x**5 * bend(x)
        third = -20 / 9 * x**6.5 * bend(x) - 8 / 27 * x**7.5 * twist(x)
        left = energies_ev - curve(places)
        return cls(
            float(x**-1.5), float(curve(x)), float(second / x**1.5 * GPA_PER_EV_PER_ANGSTROM3),
            float(-1 - third / second * x**-1.5), float(np.sqrt(np.mean(left**2))),
        )  # fmt: skip

    def energy(self, volumes_angstrom3: Floats) -> Floats:
        """Energies of the equation.

        Parameters
        ----------
        volumes_angstrom3
            Volumes, shape (n,).

        Returns
        -------
        ndarray
            In eV, shape (n,).
        """
        ratio = (self.volume_angstrom3 / np.asarray(volumes_angstrom3)) ** (2 / 3) - 1
        size = 9 / 16 * self.volume_angstrom3 * self.bulk_modulus_gpa / GPA_PER_EV_PER_ANGSTROM3
        return np.asarray(self.energy_ev + size * (self.derivative * ratio**3 + ratio**2 * (2 - 4 * ratio)))


def volume_frames(rest: Crystal, factors: Floats, settings: Validation) -> Plan[list]:  # type: ignore[type-arg]
    """Relax a crystal at several volumes: its ions, and of what is not cubic also its shape.

    Parameters
    ----------
    rest
        The crystal at rest.
    factors
        Volumes in units of its own, shape (n,).
    settings
        Where a relaxation ends.

    Returns
    -------
    list of Atoms
        Cells that carry their energies.
    """
    frames = []
    for factor in factors:
        frame = rest.unit.copy()
        frame.set_cell(frame.cell.array * factor ** (1 / 3), scale_atoms=True)
        # the volume is all that one atom of a cubic crystal has
        single = len(frame) == 1 and rest.isotropic
        frames.append(frame if single else with_symmetry(frame, settings.symmetry_angstrom))
    relaxed = yield from all_relaxed(
        frames, force_max=settings.relax_force_ev_per_angstrom, steps=settings.relax_steps,
        cell="held" if rest.isotropic else "shape",
    )  # fmt: skip
    return relaxed


def equation_of_state(rest: Crystal, settings: Validation) -> Plan[Measured]:
    """Measure the equation of state about the volume at rest.

    Where the least energy lies at an end of the volumes, more are taken beyond it, and those about it are fitted: plane
    waves of a low cutoff have no stress at another volume than the least energy (Pulay), which is said.

    Parameters
    ----------
    rest
        The crystal at rest.
    settings
        Volumes, and where a relaxation ends.

    Returns
    -------
    Measured
        ``bulk_modulus`` (GPa), ``bulk_modulus_derivative``, ``eos_volume`` (Å^3 an atom).

    Raises
    ------
    ScienceError
        Where the energy has no minimum within the volumes.
    """
    half = settings.eos_volumes // 2
    wanted = 1 + settings.eos_strain_max * np.linspace(-1, 1, settings.eos_volumes)
    step = wanted[1] - wanted[0]
    atoms = len(rest.unit)
    factors, energies = np.zeros(0), np.zeros(0)
    for _ in range(_EXTENSIONS + 1):
        frames = yield from volume_frames(rest, wanted, settings)
        factors = np.append(factors, wanted)
        energies = np.append(energies, [energy_of(frame) / atoms for frame in frames])
        order = np.argsort(factors)
        factors, energies = factors[order], energies[order]
        lowest = int(np.argmin(energies))
        if lowest not in (0, len(factors) - 1):
            break
        wanted = factors[lowest] + step * np.arange(1, half + 1) * (1 if lowest else -1)
    near = slice(max(0, min(lowest - half, len(factors) - settings.eos_volumes)), None)
    factors, energies = factors[near][: settings.eos_volumes], energies[near][: settings.eos_volumes]
    volumes = factors * rest.unit.get_volume() / atoms
    fit = BirchMurnaghan.fit(volumes, energies)
    residual = 1000 * fit.residual_ev
    warnings = []
    off = fit.volume_angstrom3 * atoms / rest.unit.get_volume() - 1
    if abs(off) > _SAME_VOLUME:
        warnings.append(
            f"the volume of least energy is {off:+.1%} off that without stress: one of both is not converged"
        )
    if residual > settings.eos_residual_mev_per_atom:
        what = f"the Birch-Murnaghan equation leaves {residual:.2f} meV/atom of the energies"
        warnings.append(f"{what} (wanted {settings.eos_residual_mev_per_atom:g}): they are not smooth")
    values = {
        "bulk_modulus": fit.bulk_modulus_gpa,
        "bulk_modulus_derivative": fit.derivative,
        "eos_volume": fit.volume_angstrom3,
    }
    dense = np.linspace(volumes.min(), volumes.max(), 60)
    curves = {
        "volume_angstrom3_per_atom": volumes.tolist(),
        "energy_ev_per_atom": (energies - fit.energy_ev).tolist(),
        "fit_volume_angstrom3_per_atom": dense.tolist(),
        "fit_energy_ev_per_atom": (fit.energy(dense) - fit.energy_ev).tolist(),
        "residual_mev_per_atom": residual,
    }
    notes = (f"the fit leaves {residual:.3f} meV/atom of {len(volumes)} volumes",)
    return Measured(values, warnings=tuple(warnings), notes=notes, curves=curves)
