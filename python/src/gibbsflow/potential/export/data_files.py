"""Labelled frames for the tools of others: extended XYZ, ase.db, and structures in the words of OPTIMADE."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from ase.db import connect
from ase.db.core import check

from gibbsflow.errors import InputError, Problem
from gibbsflow.potential.data.structures import structure_id, write_frames
from gibbsflow.potential.export.handed_over import Source
from gibbsflow.version import __version__
from gibbsflow.workflow.files import sha256_file, write_json

if TYPE_CHECKING:
    from ase import Atoms

XYZ, DATABASE, OPTIMADE, METADATA = "data.extxyz", "data.db", "optimade.json", "metadata.json"
_UNITS = {"energy": "eV", "forces": "eV/Å", "stress": "eV/Å^3, Voigt xx yy zz yz xz xy, negative under compression"}


def write_data(source: Source, out: Path, *, licence: str, authors: Sequence[str]) -> dict[str, Any]:
    """Write all labelled frames in three forms, and what they are.

    Parameters
    ----------
    source
        A potential with its labelled frames.
    out
        Folder to write into.
    licence
        Under which the data are handed on; empty where their owner has not said.
    authors
        Who made them.

    Returns
    -------
    dict
        Content of ``metadata.json``.

    Raises
    ------
    InputError
        Where there are no labelled frames.
    """
    frames = []
    for name, own in source.frames.items():
        for frame in own:
            copy = frame.copy()
            copy.calc, copy.info["set"] = frame.calc, name
            frames.append(copy)
    if not frames:
        right = "--train with the labelled frames, or a folder of a loop"
        raise InputError(Problem(str(source.folder), "no labelled frames lie beside it", right))
    write_frames(out / XYZ, frames)
    (out / DATABASE).unlink(missing_ok=True)
    with connect(out / DATABASE, use_lock_file=False) as database:
        for frame in frames:
            database.write(frame, key_value_pairs=_pairs(frame), data=_beside(frame))
    write_json(out / OPTIMADE, {
        "meta": {"representation": "OPTIMADE 1.2 structures; properties with the prefix _gibbsflow_ are its own"},
        "data": [structure(frame) for frame in frames],
    })  # fmt: skip
    metadata = {
        "made_by": f"gibbsflow {__version__}",
        "licence": licence or "not stated",
        "authors": list(authors),
        "elements": sorted({symbol for frame in frames for symbol in frame.get_chemical_symbols()}),
        "frames": {name: len(own) for name, own in source.frames.items()},
        "settings_key": source.settings_hash or "not recorded",
        "settings": source.config.dft.model_dump(mode="json") if source.config else None,
        "units": _UNITS,
        "files": {name: sha256_file(out / name) for name in (XYZ, DATABASE, OPTIMADE)},
    }
    write_json(out / METADATA, metadata)
    return metadata


def structure(atoms: Atoms) -> dict[str, Any]:
    """Describe a frame as an entry of type ``structures`` of OPTIMADE.

    Parameters
    ----------
    atoms
        A frame, with its label where it has one.

    Returns
    -------
    dict
        ``id``, ``type`` and ``attributes``; energy, forces and stress under ``_gibbsflow_...``.
    """
    symbols = atoms.get_chemical_symbols()
    elements = sorted(set(symbols))
    counts = [symbols.count(element) for element in elements]
    reduced = np.array(counts) // np.gcd.reduce(counts)
    results = atoms.calc.results if atoms.calc is not None else {}
    own = {
        "_gibbsflow_energy_ev": results.get("energy"),
        "_gibbsflow_forces_ev_per_angstrom": _list(results.get("forces")),
        "_gibbsflow_stress_ev_per_angstrom3": _list(results.get("stress")),
        "_gibbsflow_force_mask": _list(atoms.arrays.get("force_mask")),
        **{f"_gibbsflow_{key}": atoms.info.get(key) for key in ("config_type", "parent", "set", "settings_hash")},
    }
    periodic = [int(direction) for direction in atoms.pbc]
    vectors = [vector.tolist() if vector.any() else [None] * 3 for vector in atoms.cell.array]
    return {
        "id": structure_id(atoms),
        "type": "structures",
        "attributes": {
            "elements": elements, "nelements": len(elements), "nsites": len(atoms),
            "elements_ratios": [count / len(atoms) for count in counts],
            "chemical_formula_reduced": _formula(elements, reduced),
            "chemical_formula_descriptive": atoms.get_chemical_formula("hill"),
            "dimension_types": periodic, "nperiodic_dimensions": sum(periodic),
            "lattice_vectors": vectors if any(periodic) else None,
            "cartesian_site_positions": atoms.positions.tolist(),
            "species_at_sites": symbols,
            "species": [{"name": e, "chemical_symbols": [e], "concentration": [1.0]} for e in elements],
            "structure_features": [],
            **{key: value for key, value in own.items() if value is not None},
        },
    }  # fmt: skip


def _formula(elements: Sequence[str], counts: Sequence[int]) -> str:
    return "".join(f"{e}{n if n > 1 else ''}" for e, n in zip(elements, counts, strict=True))


def _list(values: Any) -> Any:
    return None if values is None else np.asarray(values, dtype=float).tolist()


def _info(atoms: Atoms) -> dict[str, Any]:
    """What is said of a frame, with numbers of Python's: a database knows no others."""
    return {str(key): value.item() if isinstance(value, np.generic) else value for key, value in atoms.info.items()}


def _pairs(atoms: Atoms) -> dict[str, Any]:
    """What of a frame's ``info`` a database can search for; its own columns keep their names."""
    return {key: value for key, value in _info(atoms).items() if _searchable(key, value)}


def _searchable(key: str, value: Any) -> bool:
    if not isinstance(value, (str, int, float)) or value == "" or key in ("id", "energy", "charge", "mass", "magmom"):
        return False
    try:
        check({key: value})
    except ValueError:  # of ase.db's own words, or a number in quotes
        return False
    return True


def _beside(atoms: Atoms) -> dict[str, Any]:
    """What ase.db has no column for."""
    rest = {key: _kept(value) for key, value in _info(atoms).items() if not _searchable(key, value)}
    arrays: dict[str, Any] = {key: atoms.arrays[key] for key in ("force_mask", "atom_grade") if key in atoms.arrays}
    return {**arrays, **({"info": rest} if rest else {})}


def _kept(value: Any) -> Any:
    numbers = isinstance(value, np.ndarray) and value.dtype.kind in "biuf"
    return value if numbers or isinstance(value, (str, int, float)) else str(value)
