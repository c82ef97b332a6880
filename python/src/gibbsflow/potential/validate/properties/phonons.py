"""Phonons of a crystal at rest by finite displacements: phonopy, symfc's projection, seekpath's path."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from ase import Atoms

from gibbsflow.config.potential_validation import Validation
from gibbsflow.potential.data.formats.mesh_cells import keep_mesh
from gibbsflow.potential.validate.properties.crystals import Crystal
from gibbsflow.potential.validate.properties.plans import Measured, Plan, asked
from gibbsflow.units import Floats

_POINTS = 41


@contextmanager
def _usual_recursion() -> Iterator[None]:
    """Take back the limit that symfc raises for the whole process: with it, hostile JSON would end that by a signal."""
    limit = sys.getrecursionlimit()
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


def force_constants(rest: Crystal, settings: Validation) -> Plan[Any]:
    """Displace atoms in a supercell, and find force constants with the sums and symmetries that hold for them (symfc).

    Parameters
    ----------
    rest
        The crystal at rest.
    settings
        Supercell and displacement.

    Returns
    -------
    Phonopy
        With its force constants; frequencies in THz by phonopy's factor for eV, Å and u.
    """
    from phonopy import Phonopy
    from phonopy.structure.atoms import PhonopyAtoms

    unit, perfect = rest.conventional, rest.supercell(settings.supercell_angstrom)
    cell = PhonopyAtoms(
        symbols=unit.get_chemical_symbols(), cell=unit.cell.array, scaled_positions=unit.get_scaled_positions()
    )
    found = Phonopy(
        cell,
        np.diag(rest.repeats(settings.supercell_angstrom)),
        primitive_matrix=np.linalg.solve(unit.cell.array.T, rest.primitive.cell.array.T),
        symprec=settings.symmetry_angstrom,
    )
    found.generate_displacements(distance=settings.phonon_displacement_angstrom)
    displaced = [
        Atoms(one.symbols, cell=one.cell, scaled_positions=one.scaled_positions, pbc=True)
        for one in found.supercells_with_displacements or ()
    ]
    for one in displaced:
        keep_mesh(one, perfect)
    frames = yield from asked(displaced)
    found.forces = [frame.calc.results["forces"] for frame in frames]
    with _usual_recursion():
        found.produce_force_constants(fc_calculator="symfc", show_drift=False)
    return found


def phonons(rest: Crystal, settings: Validation) -> Plan[Measured]:
    """Measure phonons along a path through the zone, and their density of states.

    Parameters
    ----------
    rest
        The crystal at rest.
    settings
        Supercell, displacement, mesh, and what counts as imaginary.

    Returns
    -------
    Measured
        ``highest_frequency``, ``lowest_frequency`` (negative for imaginary ones), ``mean_frequency``, THz.
    """
    found = yield from force_constants(rest, settings)
    bands = _bands(found)
    found.run_mesh(settings.phonon_mesh_angstrom)
    mesh = found.mesh
    frequencies, weights = np.asarray(mesh.frequencies), np.asarray(mesh.weights, dtype=float)
    found.run_total_dos()
    every = [frequencies.ravel(), *(np.ravel(piece["frequencies_thz"]) for piece in bands)]
    lowest = float(min(values.min() for values in every))
    values = {
        "highest_frequency": float(max(values.max() for values in every)),
        "lowest_frequency": lowest,
        "mean_frequency": float(np.average(frequencies.mean(axis=1), weights=weights)),
    }
    failures = []
    if lowest < -settings.imaginary_thz:
        where = _where_lowest(bands, np.asarray(mesh.qpoints), frequencies)
        failures.append(f"imaginary modes: {-lowest:.2f}i THz at {where} (more than {settings.imaginary_thz:g}i)")
    repeats = "×".join(map(str, rest.repeats(settings.supercell_angstrom)))
    count = len(found.supercells_with_displacements)
    notes = [f"{count} displacement{'s' if count != 1 else ''} in {repeats} conventional cells"]
    if len(rest.elements) > 1:
        notes.append("no splitting of longitudinal and transverse optical modes: no charges are known")
    curves = {
        "bands": bands,
        "dos_frequency_thz": np.asarray(found.total_dos.frequency_points).tolist(),
        "dos_per_thz": np.asarray(found.total_dos.dos).tolist(),
        "mesh_frequencies_thz": np.round(frequencies, 6).tolist(),
        "mesh_weights": weights.tolist(),
    }
    return Measured(values, tuple(failures), notes=tuple(notes), curves=curves)


def frequency_difference_thz(one: Measured, other: Measured) -> float | None:
    """Root mean square of the difference of two crystals' frequencies over the mesh, mode by mode as they rise.

    Parameters
    ----------
    one, other
        As :func:`phonons` measures them.

    Returns
    -------
    float or None
        In THz; None where the meshes are not the same.
    """
    first, second = (np.array(measured.curves["mesh_frequencies_thz"]) for measured in (one, other))
    if first.shape != second.shape:
        return None
    squares = ((first - second) ** 2).mean(axis=1)
    return float(np.sqrt(np.average(squares, weights=one.curves["mesh_weights"])))


def _bands(found: Any) -> list[dict[str, Any]]:
    """Pieces of seekpath's path, each with its distances, frequencies and the names of its ends."""
    import seekpath

    path = seekpath.get_path_orig_cell(found.primitive.totuple())
    places = path["point_coords"]
    lines = [np.linspace(places[a], places[b], _POINTS) for a, b in path["path"]]
    found.run_band_structure(lines)
    told = found.band_structure
    return [
        {
            "ends": [_plain(end) for end in ends],
            "qpoints": points.tolist(),
            "distance": np.asarray(distances).tolist(),
            "frequencies_thz": np.round(frequencies, 6).tolist(),
        }
        for ends, points, distances, frequencies in zip(
            path["path"], lines, told.distances, told.frequencies, strict=True
        )
    ]


def _where_lowest(bands: list[dict[str, Any]], qpoints: Floats, frequencies: Floats) -> str:
    """Name the place of the lowest frequency: a point of the path with a name, or its coordinates."""
    here = (float(frequencies.min()), qpoints[int(np.argmin(frequencies.min(axis=1)))], "")
    for piece in bands:
        lowest = np.min(piece["frequencies_thz"], axis=1)
        number = int(np.argmin(lowest))
        name = {0: piece["ends"][0], len(lowest) - 1: piece["ends"][1]}.get(number, "")
        here = min(here, (float(lowest[number]), np.array(piece["qpoints"][number]), name), key=lambda found: found[0])
    point = f"q = ({', '.join(f'{value:.3g}' for value in np.round(here[1], 4) + 0.0)})"
    return f"{here[2]}, {point}" if here[2] else point


def _plain(label: str) -> str:
    """A label of seekpath's with the letter that it means."""
    for name, letter in {"GAMMA": "Γ", "SIGMA": "Σ", "DELTA": "Δ", "LAMBDA": "Λ"}.items():
        label = label.replace(name, letter)
    return label.replace("_", "")
