"""Close approach: below the shortest bonds the energy must rise without end, for pairs and for the whole crystal."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers, covalent_radii

from gibbsflow.config.potential_validation import Validation
from gibbsflow.potential.validate.properties.crystals import Crystal
from gibbsflow.potential.validate.properties.plans import Measured, Plan, asked, energy_of
from gibbsflow.units import GPA_PER_EV_PER_ANGSTROM3, Floats

NEAREST, FARTHEST = 0.4, 1.5
"""Range of a pair's distance, in sums of covalent radii."""
_CORE, _BOND = 0.6, 0.9
_STEP = 0.02
_LEAST_EDGE, _EDGE_STEP = 0.65, 0.025
_AT_REST_GPA, _NEAR_REST = 0.5, 0.9
_BOX_ANGSTROM = 30.0


def repulsion(
    elements: Sequence[str], rest: Crystal | None, settings: Validation, molecule: Atoms | None = None
) -> Plan[Measured]:
    """Bring pairs of all elements together, and press the crystal: the energy must rise at each step.

    In sums of covalent radii (Cordero et al., Dalton Trans. 2008, 2832) no bond is shorter than 0.6: from there to 0.4
    the energy of a pair must rise. From 0.9, or from its least energy if that lies nearer, to 0.6 it should. The
    crystal is looked at from its rest to 0.65 of its edges; what is under tension, as a liquid that has no rest, from
    its least energy at 0.9 or more.

    Parameters
    ----------
    elements
        Chemical symbols that may meet.
    rest
        The crystal at rest; None for molecules.
    settings
        Not used.
    molecule
        What the potential is for, alone in free space: of an element that it has one atom of, no two meet.

    Returns
    -------
    Measured
        No values; pairs whose core has a hole, and a crystal that gains by being pressed, are failures.
    """
    del settings
    failures, warnings, curves = [], [], {}
    single = [e for e in elements if molecule is not None and molecule.get_chemical_symbols().count(e) == 1]
    for pair in combinations_with_replacement(elements, 2):
        if pair[0] == pair[1] and pair[0] in single:
            continue
        reach = sum(float(covalent_radii[atomic_numbers[e]]) for e in pair)
        distances = reach * np.arange(NEAREST, FARTHEST + _STEP / 2, _STEP)
        frames = [_dimer(pair, distance) for distance in distances]
        made = yield from asked(frames, whatever=True)
        energies = np.array([energy_of(atoms) for atoms in made])
        name = "-".join(pair)
        core = distances <= _CORE * reach + 1e-9
        bonded = distances <= min(_BOND * reach, distances[~core][int(np.argmin(energies[~core]))]) + 1e-9
        if why := hole(distances[core], energies[core], "Å"):
            failures.append(f"pair {name}: {why}")
        elif why := hole(distances[bonded], energies[bonded], "Å"):
            warnings.append(f"pair {name}: {why}")
        curves[name] = {
            "distance_angstrom": distances.tolist(),
            "energy_ev": (energies - energies[-1]).tolist(),
        }
    found: dict[str, Any] = {"pairs": curves}
    if rest is not None:
        edges = np.arange(_LEAST_EDGE, 1 + _EDGE_STEP / 2, _EDGE_STEP)
        frames = []
        for edge in edges:
            atoms = rest.primitive.copy()
            atoms.set_cell(atoms.cell.array * edge, scale_atoms=True)
            frames.append(atoms)
        made = yield from asked(frames, whatever=True)
        energies = np.array([energy_of(atoms) / len(atoms) for atoms in made])
        # what is not at rest, as a liquid, and under tension, gains by being pressed to its least energy
        tense = _pressure_gpa(made[-1]) < -_AT_REST_GPA
        near = edges >= (_NEAR_REST if tense else 1.0) - 1e-9
        falls = edges <= edges[near][int(np.argmin(energies[near]))] + 1e-9
        if why := hole(edges[falls], energies[falls], "of its edges"):
            failures.append(f"the crystal pressed: {why}")
        found["crystal"] = {"edge": edges.tolist(), "energy_ev_per_atom": (energies - energies[-1]).tolist()}
    notes = [f"pairs down to {NEAREST:g} sums of covalent radii, the crystal down to {_LEAST_EDGE:g} of its edges"]
    notes += [f"one {e} in the molecule: the pair {e}-{e} is not looked at" for e in single]
    return Measured({}, tuple(failures), tuple(warnings), tuple(notes), found)


def hole(places: Floats, energies: Floats, unit: str) -> str:
    """Say where an energy does not rise towards small distances.

    Parameters
    ----------
    places
        Distances, rising, shape (n,).
    energies
        Their energies, eV, shape (n,).
    unit
        Unit of the places, for the words.

    Returns
    -------
    str
        Where the hole is; empty where there is none.
    """
    if not np.isfinite(energies).all():
        return "the energy is not finite everywhere"
    rise = energies[:-1] - energies[1:]
    if np.all(rise > 0):
        return ""
    at = int(np.flatnonzero(rise <= 0).max())
    depth = energies[at + 1] - energies[: at + 1].min()
    return f"the energy falls by {max(depth, 0.0):.3g} eV within {places[at + 1]:.2f} {unit}, where it must rise"


def _pressure_gpa(atoms: Atoms) -> float:
    """Pressure of what was asked for; 0 where the model gives no stress."""
    stress = atoms.calc.results.get("stress", np.zeros(6))
    return -float(np.mean(stress[:3])) * GPA_PER_EV_PER_ANGSTROM3


def _dimer(pair: Sequence[str], distance: float) -> Atoms:
    atoms = Atoms(list(pair), positions=[[0, 0, 0], [distance, 0, 0]], cell=[_BOX_ANGSTROM] * 3, pbc=False)
    atoms.center()
    return atoms
