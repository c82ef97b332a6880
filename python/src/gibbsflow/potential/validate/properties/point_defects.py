"""Energies of vacancies and interstitials, ions relaxed, in a cell that stays as it is at rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import gcd
from typing import TYPE_CHECKING

import numpy as np

from gibbsflow.config.potential_validation import Validation
from gibbsflow.errors import ScienceError
from gibbsflow.potential.generators.defects import holes, inequivalent_sites
from gibbsflow.potential.validate.properties.crystals import Crystal
from gibbsflow.potential.validate.properties.plans import Measured, Plan, asked, energy_of, relaxed

if TYPE_CHECKING:
    from ase import Atoms

_HOLE_OF_BOND = 0.55
_DUMBBELLS = ((1, 0, 0), (1, 1, 0), (1, 1, 1))
_DUMBBELL_OF_BOND = 0.8
_RATTLE_ANGSTROM = 0.01


@dataclass(frozen=True)
class _Candidate:
    """A defect that is tried: the element that is missing or too many, its place in words, and the cell with it."""

    element: str
    place: str
    atoms: Atoms


def vacancy(rest: Crystal, settings: Validation) -> Plan[Measured]:
    """Take one atom out, of each kind that symmetry makes different, and keep the least energy of each element.

    Of an element the formation energy is E(N - 1) - (N - 1)/N E(N). Atoms of a compound have no energy of their own:
    there it is the energy of the Schottky defect, one vacancy for each site of the formula unit, far apart, and the
    energy of the unit back, neutral and without chemical potentials (Ashcroft and Mermin, chapter 30).

    Parameters
    ----------
    rest
        The crystal at rest.
    settings
        Supercell, how many sites, and where a relaxation ends.

    Returns
    -------
    Measured
        ``vacancy_energy``, or ``schottky_energy`` a formula unit, eV.

    Raises
    ------
    ScienceError
        Where not one vacancy of an element relaxes.
    """
    perfect = rest.supercell(settings.supercell_angstrom)
    tried = _vacancies(rest, perfect, settings)
    whole, costs, notes = yield from _costs(perfect, tried, settings)
    least = _least(costs, rest.elements, "vacancy")
    if len(rest.elements) == 1:
        return _measured({"vacancy_energy": least[rest.elements[0]] + whole / len(perfect)}, notes)
    unit = _formula_unit(rest.primitive)
    energy = sum(count * least[element] for element, count in unit.items())
    energy += whole * sum(unit.values()) / len(perfect)
    return _measured({"schottky_energy": energy}, notes)


def interstitial(rest: Crystal, settings: Validation) -> Plan[Measured]:
    """Put one atom of each element too many into holes, of elements also as dumbbells, and keep the least energy.

    Of an element the formation energy is E(N + 1) - (N + 1)/N E(N); of a compound it is that of the Frenkel pair, an
    interstitial and a vacancy of the same element far apart.

    Parameters
    ----------
    rest
        The crystal at rest.
    settings
        Supercell, how many sites, and where a relaxation ends.

    Returns
    -------
    Measured
        ``interstitial_energy``, or ``frenkel_energy_ELEMENT`` of each element, eV.

    Raises
    ------
    ScienceError
        Where not one interstitial of an element relaxes.
    """
    perfect = rest.supercell(settings.supercell_angstrom)
    tried = [*_in_holes(rest, perfect, settings), *_dumbbells(rest, perfect, settings)]
    whole, costs, notes = yield from _costs(perfect, tried, settings)
    least = _least(costs, rest.elements, "interstitial")
    if len(rest.elements) == 1:
        return _measured({"interstitial_energy": least[rest.elements[0]] - whole / len(perfect)}, notes)
    _, missing, more = yield from _costs(perfect, _vacancies(rest, perfect, settings), settings)
    gaps = _least(missing, rest.elements, "vacancy")
    return _measured({f"frenkel_energy_{e.lower()}": least[e] + gaps[e] for e in rest.elements}, (*notes, *more))


def _measured(values: Mapping[str, float], notes: tuple[str, ...]) -> Measured:
    """Values, and that a crystal is none whose defects cost less than nothing."""
    gained = [f"{name} {value:.2f} eV" for name, value in values.items() if value < 0]
    failures = (f"defects that cost less than nothing: {', '.join(gained)}",) if gained else ()
    return Measured(values, failures, notes=notes)


def _costs(
    perfect: Atoms, tried: Sequence[_Candidate], settings: Validation
) -> Plan[tuple[float, list[tuple[str, float]], tuple[str, ...]]]:
    """Energy of the perfect cell, and of each defect that relaxes the element and what it costs beyond that."""
    (whole,) = yield from asked([perfect])
    starts = []
    for candidate in tried:
        atoms = candidate.atoms.copy()
        # off the symmetry, on which a saddle point would be taken for a minimum
        atoms.rattle(_RATTLE_ANGSTROM, seed=settings.seed)
        starts.append(atoms)
    made = yield from relaxed(
        starts, force_max=settings.relax_force_ev_per_angstrom, steps=settings.relax_steps, tolerate=True
    )
    costs, told = [], []
    for candidate, atoms in zip(tried, made, strict=True):
        words = f"{candidate.element} {candidate.place}"
        if atoms is None:
            told.append(f"{words}: does not relax within {settings.relax_steps} steps")
        else:
            costs.append((candidate.element, energy_of(atoms) - energy_of(whole)))
            told.append(f"{words}: changes the energy of the cell by {costs[-1][1]:+.3f} eV")
    return energy_of(whole), costs, (f"in a cell of {len(perfect)} atoms", *told)


def _least(costs: Sequence[tuple[str, float]], elements: Sequence[str], kind: str) -> Mapping[str, float]:
    found = {element: min((cost for e, cost in costs if e == element), default=np.inf) for element in elements}
    if lost := [element for element, cost in found.items() if not np.isfinite(cost)]:
        raise ScienceError(f"no {kind} of {', '.join(lost)} relaxes")
    return found


def _vacancies(rest: Crystal, perfect: Atoms, settings: Validation) -> list[_Candidate]:
    """One of each kind; where symmetry leaves many, the first of each element."""
    found: list[_Candidate] = []
    for site in inequivalent_sites(rest.conventional):
        element = rest.conventional[site].symbol
        if sum(one.element == element for one in found) < settings.defects_max:
            atoms = perfect.copy()
            del atoms[site]  # the first cell of the supercell is the conventional one
            found.append(_Candidate(element, f"vacancy at site {site}", atoms))
    return found


def _in_holes(rest: Crystal, perfect: Atoms, settings: Validation) -> list[_Candidate]:
    found = []
    for number, place in enumerate(holes(rest.conventional, _HOLE_OF_BOND * _bond(rest))[: settings.defects_max]):
        for element in rest.elements:
            atoms = perfect.copy()
            atoms.append(element)
            atoms.positions[-1] = place
            fractional = np.linalg.solve(rest.conventional.cell.array.T, place) + 0.0
            where = ", ".join(f"{value:.3g}" for value in np.round(fractional, 3) + 0.0)
            found.append(_Candidate(element, f"in hole {number + 1} ({where})", atoms))
    return found


def _dumbbells(rest: Crystal, perfect: Atoms, settings: Validation) -> list[_Candidate]:
    """Two atoms in the place of one, along edges and diagonals of the conventional cell; of elements only."""
    found: list[_Candidate] = []
    if len(rest.elements) > 1:
        return found
    for indices in _DUMBBELLS[: settings.defects_max]:
        along = np.array(indices) @ rest.conventional.cell.array
        half = _DUMBBELL_OF_BOND * _bond(rest) * along / np.linalg.norm(along) / 2
        atoms = perfect.copy()
        atoms.append(perfect[0].symbol)
        atoms.positions[-1] = perfect.positions[0] - half
        atoms.positions[0] += half
        found.append(_Candidate(perfect[0].symbol, f"dumbbell along [{''.join(map(str, indices))}]", atoms))
    return found


def _bond(rest: Crystal) -> float:
    """Shortest distance between atoms, Å."""
    distances = rest.conventional.repeat(2).get_all_distances(mic=True)
    return float(distances[distances > 0].min())


def _formula_unit(atoms: Atoms) -> dict[str, int]:
    counts = Counter(atoms.get_chemical_symbols())
    common = gcd(*counts.values())
    return {element: count // common for element, count in counts.items()}
