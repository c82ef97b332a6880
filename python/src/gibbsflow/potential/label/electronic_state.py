"""Charge and spin of a label: what the structure says, else what settings and the table of atoms do."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gibbsflow.config.potential import Dft
from gibbsflow.potential.data.formats.alone import alone
from gibbsflow.potential.data.formats.electrons import Electrons, atomic_multiplicity

if TYPE_CHECKING:
    from ase import Atoms

_TRIPLETS = frozenset({"O2", "S2", "Se2", "Te2", "B2", "OS", "HN", "CH2"})
"""Neutral molecules of an even number of electrons whose ground state is a triplet (Herzberg's tables; NIST)."""
_ACTINIUM, _LAWRENCIUM = 89, 103


def by_elements(atoms: Atoms, dft: Dft, moments_ub: Mapping[str, float]) -> Electrons:
    """Decide charge and spin where moments come by element unless the structure gives its own.

    Parameters
    ----------
    atoms
        The structure.
    dft
        Settings: whether magnetism counts, and moments that they name.
    moments_ub
        Starting moment in μB by element, of settings and table.

    Returns
    -------
    Electrons
        The structure's own; else the ground state of an isolated atom, unless the settings name a moment for its
        element; else the moments of its elements.

    Raises
    ------
    ValueError
        Where the structure contradicts itself or `magnetism: none`; in words.
    """
    said = Electrons.of(atoms)
    if dft.magnetism == "none":
        if said.polarised:
            raise ValueError("it has a spin, and dft.magnetism is none")
        return said
    if said.multiplicity is not None or said.moments_ub is not None:
        return said
    symbols = atoms.get_chemical_symbols()
    if alone(atoms) and symbols[0] not in dft.moments_ub:
        return replace(said, multiplicity=atomic_multiplicity(atoms))
    moments = tuple(moments_ub.get(symbol, 0.0) for symbol in symbols)
    return replace(said, moments_ub=moments) if any(moments) else said


def without_its_spin(atoms: Atoms, electrons: Electrons) -> str:
    """Say why a structure that is computed without spin should probably have one.

    Parameters
    ----------
    atoms
        The structure; of isolated atoms and of pairs that are made for the core nothing is said.
    electrons
        Charge and spin that are computed, of a structure that does not contradict itself.

    Returns
    -------
    str
        What it is; empty where it has a spin, was given a multiplicity or moments, or where nothing is known of it.
    """
    said = Electrons.of(atoms)
    given = said.multiplicity is not None or said.moments_ub is not None
    if given or electrons.polarised or alone(atoms) or atoms.info.get("config_type") == "dimer":
        return ""
    if atoms.pbc.any():
        return "solids of actinides" if np.any((atoms.numbers >= _ACTINIUM) & (atoms.numbers <= _LAWRENCIUM)) else ""
    if (int(atoms.numbers.sum()) - electrons.charge) % 2:
        return "molecules with an odd number of electrons"
    formula = atoms.get_chemical_formula()
    return f"{formula}, a triplet" if formula in _TRIPLETS and not electrons.charge else ""


def starting_moments_ub(electrons: Electrons, valence: Sequence[float]) -> tuple[float, ...]:
    """Spread the spin over the atoms, for the SCF to start from.

    Parameters
    ----------
    electrons
        Charge and spin.
    valence
        Valence electrons of each atom.

    Returns
    -------
    tuple of float
        Moments in μB: those given; else the unpaired electrons in proportion to the valence.

    Raises
    ------
    ValueError
        Where an atom has fewer valence electrons than its moment needs; in words.
    """
    if electrons.moments_ub is not None and any(electrons.moments_ub):
        for number, (moment, most) in enumerate(zip(electrons.moments_ub, valence, strict=True)):
            if abs(moment) > most:
                raise ValueError(f"atom {number}: a moment of {moment:g} μB, with {most:g} valence electrons")
        return electrons.moments_ub
    unpaired = (electrons.multiplicity or 1) - 1
    return tuple(unpaired * count / sum(valence) for count in valence)


def key_of(electrons: Electrons, *, changed: bool = False, mesh: Sequence[int] | None = None) -> str:
    """Hash what a label depends on beside settings and structure.

    Parameters
    ----------
    electrons
        Charge and spin that are computed.
    changed
        Whether versions up to 0.1 computed another thing, such as a cell that was too small.
    mesh
        k points along each reciprocal vector where they are not those of the cell itself, which settings and structure
        tell; shape (3,).

    Returns
    -------
    str
        16 hexadecimal digits; empty for a neutral structure without spin that is computed as it always was, on the
        mesh of its cell.
    """
    parts: list[object] = ["changed"] if changed else []
    if electrons.charge or electrons.polarised:
        parts.append([electrons.charge, electrons.multiplicity, electrons.moments_ub])
    if mesh is not None:
        parts.append({"k_mesh": list(mesh)})
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16] if parts else ""
