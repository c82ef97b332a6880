"""Surface energies of slabs, ions relaxed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np

from gibbsflow.config.potential_validation import Validation
from gibbsflow.errors import ScienceError
from gibbsflow.potential.data.formats.mesh_cells import MESH_HEIGHTS
from gibbsflow.potential.generators.surfaces import cut
from gibbsflow.potential.validate.properties.crystals import Crystal
from gibbsflow.potential.validate.properties.plans import Measured, Plan, asked, energy_of, relaxed
from gibbsflow.units import GPA_PER_EV_PER_ANGSTROM3

if TYPE_CHECKING:
    from ase import Atoms

_FLAT_ANGSTROM = 0.3
_J_PER_M2 = GPA_PER_EV_PER_ANGSTROM3 / 10
"""1 eV/Å^2 in J/m^2: 1 GPa Å is 0.1 J/m^2."""


def surface_name(indices: Sequence[int]) -> str:
    """Name a plane: ``111``, with ``m`` before what is negative.

    Parameters
    ----------
    indices
        Miller indices.

    Returns
    -------
    str
        Without blanks.
    """
    return "".join(f"m{-i}" if i < 0 else str(i) for i in indices)


def surfaces(rest: Crystal, settings: Validation) -> Plan[Measured]:
    """Cut the crystal along each plane, relax, and divide what it cost by the two surfaces.

    (E(slab) - N e)/2A with the energy e of an atom at rest. Slabs have whole primitive cells across, and so the
    composition of the crystal; where their two faces differ it is the mean of both, as cleavage costs it. Faces keep
    the order of the crystal (1x1): reconstructions are not looked for. The atom at rest is one of the cell of volumes
    and strains, since coarse meshes of k points give another cell another energy.

    Parameters
    ----------
    rest
        The crystal at rest.
    settings
        Planes, thickness, vacuum, and where a relaxation ends.

    Returns
    -------
    Measured
        ``surface_energy_HKL``, J/m^2.

    Raises
    ------
    ScienceError
        Where not one slab relaxes.
    """
    (bulk,) = yield from asked([rest.unit])
    slabs = [slab(rest, indices, settings) for indices in settings.surface_indices]
    made = yield from relaxed(
        slabs, force_max=settings.relax_force_ev_per_angstrom, steps=settings.relax_steps, tolerate=True
    )
    values, warnings, notes = {}, [], []
    for indices, start, atoms in zip(settings.surface_indices, slabs, made, strict=True):
        name = surface_name(indices)
        if atoms is None:
            warnings.append(f"the slab ({name}) does not relax within {settings.relax_steps} steps")
            continue
        area = float(np.linalg.norm(np.cross(start.cell.array[0], start.cell.array[1])))
        cost = energy_of(atoms) - len(atoms) / len(bulk) * energy_of(bulk)
        values[f"surface_energy_{name}"] = cost / (2 * area) * _J_PER_M2
        notes.append(f"({name}): {len(atoms)} atoms, {area:.1f} Å^2")
        if ends := uneven_faces(start):
            notes.append(f"({name}) {ends}")
    if not values:
        raise ScienceError("; ".join(warnings))
    gained = [f"{name} {value:.2f} J/m^2" for name, value in values.items() if value < 0]
    failures = (f"surfaces that cost less than nothing: {', '.join(gained)}",) if gained else ()
    return Measured(values, failures, tuple(warnings), tuple(notes))


def uneven_faces(made: Atoms) -> str:
    """Say where the two faces of a slab end on different elements, as those of polar surfaces do.

    Parameters
    ----------
    made
        A slab, its faces normal to its third vector.

    Returns
    -------
    str
        In words; empty where they end on the same, and for elements.
    """
    normal = np.cross(made.cell.array[0], made.cell.array[1])
    heights = made.positions @ (normal / np.linalg.norm(normal))
    ends = [
        Counter(symbol for symbol, off in zip(made.symbols, np.abs(heights - end), strict=True) if off < _FLAT_ANGSTROM)
        for end in (heights.min(), heights.max())
    ]
    if ends[0] == ends[1]:
        return ""
    below, above = (" and ".join(sorted(one)) for one in ends)
    return (
        f"is polar or uneven: it ends on {below} and on {above}; the energy is the mean of both, and goes by thickness"
    )


def slab(rest: Crystal, indices: Sequence[int], settings: Validation) -> Atoms:
    """Cut a slab of whole primitive cells.

    Parameters
    ----------
    rest
        The crystal at rest.
    indices
        Miller indices of the conventional cell.
    settings
        Least thickness, and vacuum.

    Returns
    -------
    Atoms
        Periodic in all directions, the vacuum along the third vector, which is normal to the faces.
    """
    plane = np.array(indices)
    normal = np.linalg.norm(rest.conventional.cell.reciprocal().array.T @ plane)
    # indices turn as cell vectors do
    turned = rest.primitive.cell.array @ np.linalg.inv(rest.conventional.cell.array) @ plane
    scaled = np.round(turned * _least_multiple(turned)).astype(int)
    whole = scaled // reduce(math.gcd, map(int, scaled))
    distance = np.linalg.norm(turned) / np.linalg.norm(whole) / normal
    # the same normal in both cells: the lattice planes lie so far apart
    layers = max(1, math.ceil(settings.surface_thickness_angstrom / distance - 1e-6))
    made = cut(rest.primitive, [int(i) for i in whole], layers, settings.surface_vacuum_angstrom)
    made.info.pop(MESH_HEIGHTS, None)  # a cell of its own
    return made


def _least_multiple(fractions: np.ndarray) -> int:
    """Least factor that makes fractions of small denominators whole."""
    for factor in range(1, 13):
        if np.allclose(fractions * factor, np.round(fractions * factor), atol=1e-4):
            return factor
    raise ScienceError(f"no whole indices for {fractions.tolist()}")
