"""Point defects: vacancies, antisites and interstitials, one of each that symmetry makes different; no broken ions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gibbsflow.config.potential import Generator, Target
from gibbsflow.config.structures.ions import ionic, opposite
from gibbsflow.config.structures.molecules import molecular_ions
from gibbsflow.potential.data.formats.mesh_cells import heights_angstrom
from gibbsflow.potential.data.structures import tag
from gibbsflow.potential.generators.parents import parent_of, seeded_rng

if TYPE_CHECKING:
    from ase import Atoms

_SYMPREC_ANGSTROM = 1e-3
_VACUUM_ANGSTROM = 5.0


def make(parents: Sequence[Atoms], target: Target, settings: Generator) -> list[Atoms]:
    """Make the wanted defects in each periodic parent of two atoms or more.

    A cell of two atoms gives no vacancy: the one that is left is a crystal of its own, of half the density. Molecules
    and molecular ions (OH, CO3, ...) stay whole: one is missing with all of its atoms, none has an atom of another
    element, and elements that occur in them alone come in nowhere else. In a compound of ions no cation takes the place
    of an anion, or the other way round, unless `antisites` is ``all``.

    Parameters
    ----------
    parents
        Tagged structures; the others give nothing.
    target
        Its elements are those of antisites and interstitials; where it names none, the parent's.
    settings
        Kinds of defects, how many of each a parent gives at most, and the seed that draws them.

    Returns
    -------
    list of Atoms
        Parent by parent and kind by kind; `config_type` is the kind.
    """
    made = []
    for parent in parents:
        if not parent.pbc.all() or len(parent) < 2:
            continue
        whole = _whole(parent)
        bound = {site for ion in whole for site in ion}
        elements = target.elements or tuple(dict.fromkeys(parent.get_chemical_symbols()))
        tied = _bound_elements(parent, bound)
        elements = tuple(element for element in elements if element not in tied)
        sites = inequivalent_sites(parent)
        free = [site for site in sites if site not in bound]
        found: list[tuple[str, Atoms]] = []
        if "vacancy" in settings.defect_kinds and len(parent) - len(bound) + len(whole) > 2:
            for leaving in [*([site] for site in free), *_inequivalent(parent, whole)]:
                atoms = parent.copy()
                del atoms[leaving]
                found.append(("vacancy", atoms))
        if "antisite" in settings.defect_kinds:
            salt = settings.antisites == "auto" and ionic(set(parent.get_chemical_symbols()))
            for site in free:
                for element in elements:
                    if element != parent[site].symbol and not (salt and opposite(element, parent[site].symbol)):
                        atoms = parent.copy()
                        atoms[site].symbol = element
                        found.append(("antisite", atoms))
        if "interstitial" in settings.defect_kinds:
            for place in holes(parent, settings.interstitial_distance_angstrom):
                for element in elements:
                    atoms = parent.copy()
                    atoms.append(element)
                    atoms.positions[-1] = place
                    found.append(("interstitial", atoms))
        for kind in settings.defect_kinds:
            those = [atoms for name, atoms in found if name == kind]
            rng = seeded_rng(settings, "defects", parent.info["gibbsflow_id"], kind)
            drawn = sorted(rng.permutation(len(those))[: settings.defects_max])
            made += [
                tag(those[i], kind, generator="defects", seed=settings.generator_seed, parent=parent_of(parent))
                for i in drawn
            ]
    return made


def kept_whole(parents: Sequence[Atoms]) -> list[str]:
    """Say which molecules and molecular ions defects do not break.

    Parameters
    ----------
    parents
        As :func:`make` gets them.

    Returns
    -------
    list of str
        One note; empty where there are none.
    """
    names: set[str] = set()
    alone: set[str] = set()
    for parent in parents:
        if parent.pbc.all() and (whole := _whole(parent)):
            names |= {parent[ion].get_chemical_formula() for ion in whole}
            alone |= _bound_elements(parent, {site for ion in whole for site in ion})
    if not names:
        return []
    lone = f", and {', '.join(sorted(alone))} as no antisite or interstitial" if alone else ""
    return [f"defects keep {', '.join(sorted(names))} whole: as vacancies with all of their atoms{lone}"]


def apart(parents: Sequence[Atoms], settings: Generator) -> list[str]:
    """Say which elements do not change places.

    Parameters
    ----------
    parents
        As :func:`make` gets them.
    settings
        ``antisites`` and the kinds of defects count.

    Returns
    -------
    list of str
        One note; empty where all may.
    """
    if settings.antisites == "all" or "antisite" not in settings.defect_kinds:
        return []
    compounds = {frozenset(parent.get_chemical_symbols()) for parent in parents if parent.pbc.all()}
    elements = sorted({element for compound in compounds if ionic(compound) for element in compound})
    if not elements:
        return []
    return [f"no antisites of cations and anions ({', '.join(elements)}): generator.antisites: all makes these, too"]


def _whole(parent: Atoms) -> list[list[int]]:
    """Atoms of each molecule and molecular ion of a crystal."""
    found = molecular_ions(parent)
    return [ion.tolist() for ion in found.several()] if found is not None else []


def _bound_elements(parent: Atoms, bound: set[int]) -> set[str]:
    """Elements all of whose atoms are in molecules and molecular ions."""
    symbols = parent.get_chemical_symbols()
    return {symbols[site] for site in bound} - {symbol for site, symbol in enumerate(symbols) if site not in bound}


def _inequivalent(parent: Atoms, whole: list[list[int]]) -> list[list[int]]:
    """One molecule or ion of each kind that symmetry makes different."""
    data = _symmetry(parent)
    orbits = range(len(parent)) if data is None else data.equivalent_atoms
    first = {tuple(sorted(int(orbits[site]) for site in ion)): ion for ion in reversed(whole)}
    return [first[kind] for kind in sorted(first)]


def inequivalent_sites(atoms: Atoms) -> list[int]:
    """Find one atom of each kind that the crystal's symmetry makes different (spglib, to 1e-3 Å).

    Parameters
    ----------
    atoms
        A crystal.

    Returns
    -------
    list of int
        Index of the first atom of each orbit, rising; all atoms where spglib finds no symmetry.
    """
    data = _symmetry(atoms)
    return sorted({int(i) for i in data.equivalent_atoms}) if data is not None else list(range(len(atoms)))


def holes(atoms: Atoms, least_angstrom: float) -> list[npt.NDArray[np.float64]]:
    """Find the centres of the holes between atoms, one of each kind that symmetry makes different.

    Holes are the vertices of the Voronoi tessellation: points as far from four atoms as from any other. Those in the
    vacuum of a slab are none: layers along a cell vector that hold no atom for 5 Å or more.

    Parameters
    ----------
    atoms
        A crystal.
    least_angstrom
        Distance in Å that a centre keeps from every atom at least.

    Returns
    -------
    list of ndarray
        Positions in Å, shape (3,) each, the widest hole first.
    """
    from scipy.spatial import Voronoi

    images = np.array([(i, j, k) for i in (-1, 0, 1) for j in (-1, 0, 1) for k in (-1, 0, 1)])
    cell = atoms.cell.array
    points = (atoms.positions[None, :, :] + (images @ cell)[:, None, :]).reshape(-1, 3)
    vertices = Voronoi(points).vertices
    inside = np.linalg.solve(cell.T, vertices.T).T
    here = np.all((inside > -1e-6) & (inside < 1 - 1e-6), axis=1)
    chosen = vertices[here & ~_in_vacuum(atoms, inside)]
    radii = np.array([np.linalg.norm(points - v, axis=1).min() for v in chosen]) if len(chosen) else np.zeros(0)
    data = _symmetry(atoms)
    found: list[npt.NDArray[np.float64]] = []
    seen: list[npt.NDArray[np.float64]] = []
    # rounding makes the order the same on every machine
    order = sorted(range(len(chosen)), key=lambda i: (-round(float(radii[i]), 3), *np.round(chosen[i], 3)))
    for index in order:
        if radii[index] < least_angstrom:
            continue
        fractional = np.linalg.solve(cell.T, chosen[index])
        if any(_wrapped(fractional - other, cell) < 0.05 for other in seen):
            continue
        found.append(chosen[index])
        if data is None:
            seen.append(fractional)
        else:
            seen.extend(
                rotation @ fractional + shift for rotation, shift in zip(data.rotations, data.translations, strict=True)
            )
    return found


def _in_vacuum(atoms: Atoms, fractional: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Say which points lie in layers without atoms; fractional coordinates, shape (n, 3)."""
    found = np.zeros(len(fractional), dtype=bool)
    heights = heights_angstrom(atoms)
    places = atoms.get_scaled_positions()
    for axis in range(3):
        layers = np.sort(places[:, axis] % 1.0)
        gaps = np.diff(layers, append=layers[0] + 1.0)
        for start, gap in zip(layers, gaps, strict=True):
            if gap * heights[axis] >= _VACUUM_ANGSTROM:
                found |= (fractional[:, axis] - start) % 1.0 < gap - 1e-6
    return found


def _wrapped(fractional: npt.NDArray[np.float64], cell: npt.NDArray[np.float64]) -> float:
    return float(np.linalg.norm((fractional - np.round(fractional)) @ cell))


def _symmetry(atoms: Atoms):  # type: ignore[no-untyped-def] # spglib's own class
    import spglib

    try:
        return spglib.get_symmetry_dataset(
            (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers), symprec=_SYMPREC_ANGSTROM
        )
    except spglib.SpglibError:
        return None
