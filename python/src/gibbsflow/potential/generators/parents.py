"""Structures that all others are made from: crystals, files, molecules; and what their descendants take from them."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gibbsflow.config.potential import Generator, Target
from gibbsflow.config.structures.ionic_radii import distance_angstrom, neutral_fluorite
from gibbsflow.errors import InputError, Problem
from gibbsflow.potential.data.formats.electrons import kept_info, repeated_info
from gibbsflow.potential.data.formats.mesh_cells import largest_gaps_angstrom
from gibbsflow.potential.data.labels import bad_structure
from gibbsflow.potential.data.structures import read_frames, tag
from gibbsflow.workflow.account import Account

if TYPE_CHECKING:
    from ase import Atoms

ORDERED = ("zincblende", "rocksalt", "cesiumchloride", "fluorite", "wurtzite")
_ATOMS_IN_A3 = {"sc": 1, "fcc": 4, "bcc": 2, "diamond": 8}
_A_OVER_DISTANCE = {
    "zincblende": 4 / math.sqrt(3), "rocksalt": 2.0, "cesiumchloride": 2 / math.sqrt(3), "fluorite": 4 / math.sqrt(3),
    "wurtzite": math.sqrt(8 / 3),
}  # fmt: skip
"""Lattice constant over the distance between neighbours, of a wurtzite with the ideal c/a."""
_NON_METALS = frozenset(
    [
        "H",
        "He",
        "B",
        "C",
        "N",
        "O",
        "F",
        "Ne",
        "Si",
        "P",
        "S",
        "Cl",
        "Ar",
        "Ge",
        "As",
        "Se",
        "Br",
        "Kr",
        "Te",
        "I",
        "Xe",
    ]
)
_SUBLATTICES = {"diamond": (4, "zinc blende"), "bcc": (2, "CsCl, B2"), "fcc": (2, "CuAu, L1₀")}
"""By lattice: in which parts of the cubic cell's third edge atoms lie, every other of which is the second element's."""
_LIKE_VOLUMES = 2.0
_VACUUM_ANGSTROM = 8.0
"""Wider than pores and layers of crystals are along a vector, and narrower than what slabs are computed with."""
_VOLUMES_ANGSTROM3 = {
    "He": 32.2, "B": 7.7, "Mn": 12.1, "Ga": 19.5, "As": 21.5, "Se": 27.2, "In": 26.0, "Sn": 26.9, "Sb": 30.6,
    "Te": 33.8, "Sm": 32.9, "Hg": 23.0, "Bi": 35.4, "Pa": 24.9, "U": 20.7, "Np": 19.2, "Pu": 20.4,
}  # fmt: skip
"""An atom of the element's own crystal, where that is none of the simple ones: the cells of ASE's `reference_states`
(Kittel); plutonium by its density, helium in hcp of 3.57 Å. Spheres of covalent radii are twofold off (U, As)."""


def parents(
    target: Target, settings: Generator, account: Account | None = None, *, closest_ratio: float = 0.0
) -> list[Atoms]:
    """Make the structures to start from.

    A file's frames; or a molecule in its box; or a crystal. An alloy on one lattice gives the crystal of each element,
    its ordered compound where it has one, and one random occupation at the target composition, rounded to whole atoms:
    disordered cells alone do not tell what a compound is whose atoms have unlike neighbours only.

    Parameters
    ----------
    target
        What to start from.
    settings
        Supercell, side of a molecule's box, and the seed of a random occupation.
    account
        Gets what is to be said of a file, and is settled by the caller; default: it is settled here.
    closest_ratio
        Frames of a file whose closest atoms are nearer than this times the sum of their covalent radii are refused.

    Returns
    -------
    list of Atoms
        Tagged structures, each its own parent; of an alloy the pure crystals in the order of the elements, then the
        ordered compound, then the occupied lattice.

    Raises
    ------
    InputError
        Where the target names nothing to start from, the pieces do not fit, or a file's frame has positions that are
        not finite or a cell without volume.
    """
    if target.structure_file is not None:
        frames = read_frames(target.structure_file, account)
        for number, frame in enumerate(frames):
            if not (np.isfinite(frame.positions).all() and np.isfinite(frame.cell.array).all()):
                what = f"frame {number}: positions or cell are not finite"
                raise InputError(Problem(str(target.structure_file), what, "numbers"))
        found = {symbol for frame in frames for symbol in frame.get_chemical_symbols()}
        if target.elements and not found <= set(target.elements):
            what = f"holds {', '.join(sorted(found - set(target.elements)))}"
            raise InputError(
                Problem(str(target.structure_file), what, f"elements of the target: {', '.join(target.elements)}")
            )
        broken = [
            Problem(f"{target.structure_file}: frame {n}", fault, "a structure that can be computed")
            for n, frame in enumerate(frames)
            if (fault := bad_structure(frame, closest_ratio))
        ]
        if broken:
            raise InputError(broken)
        repeats = [_repeats(frame, settings) for frame in frames]
        made = [
            _repeated(frame, times, f"{target.structure_file}: frame {n}")
            for n, (frame, times) in enumerate(zip(frames, repeats, strict=True))
        ]
        slabs = [n for n, frame in enumerate(frames) if frame.pbc.all() and repeats[n] != settings.supercell]
        if account is not None and slabs:
            what = f"not repeated along a vacuum: {len(slabs)} of {len(frames)} frames, the first is {slabs[0]}"
            account.note(what, field="generator.supercell")
        return [_tagged(frame, str(frame.info.get("config_type", "bulk")), settings) for frame in made]
    if target.molecule is not None:
        return [_tagged(_molecule(target, settings), "molecule", settings)]
    if not target.elements:
        raise InputError(Problem("target", "names no elements, no structure_file and no molecule", "elements: [Si]"))
    crystal = target.crystal or _shared_crystal(target.elements)
    if crystal in ORDERED:
        return [_tagged(_crystal(crystal, target.elements, target).repeat(settings.supercell), "bulk", settings)]
    ends = [_crystal(crystal, (element,), target).repeat(settings.supercell) for element in target.elements]
    if len(target.elements) == 1:
        return [_tagged(ends[0], "bulk", settings)]
    mixed = [occupy(lattice(target, settings), target.composition, seeded_rng(settings, "parents"))]
    if (compound := ordered_compound(target)) is not None:
        mixed.insert(0, compound[0].repeat(settings.supercell))
    return [_tagged(atoms, "bulk", settings) for atoms in ends] + [_tagged(one, "alloy", settings) for one in mixed]


def ordered_compound(target: Target) -> tuple[Atoms, str] | None:
    """Order an alloy of two elements in equal parts on its own lattice.

    A disordered cell has no symmetry: 21 elastic constants, and so many relaxations of its inner places that they would
    be most of a campaign's labels. The smallest ordered compound has two atoms and three constants (six in fcc), so
    that properties are measured of it.

    Parameters
    ----------
    target
        Elements, composition, crystal and lattice constant (else by Vegard's rule).

    Returns
    -------
    tuple of Atoms and str, or None
        Conventional cell, and the name of its structure; None for other numbers of elements, other shares, and other
        lattices.
    """
    if len(target.elements) != 2 or any(abs(share - 0.5) > 1e-6 for share in target.composition.values()):
        return None
    crystal = target.crystal or _shared_crystal(target.elements)
    if crystal not in _SUBLATTICES:
        return None
    parts, name = _SUBLATTICES[crystal]
    made = lattice(target, Generator(supercell=(1, 1, 1)))
    places = np.rint(made.get_scaled_positions()[:, 2] * parts).astype(int)
    made.symbols[places % 2 == 1] = target.elements[1]
    return made, name


def lattice(target: Target, settings: Generator) -> Atoms:
    """Make the lattice of an alloy at the target composition, all of its sites of the first element.

    Parameters
    ----------
    target
        Elements, composition, crystal and lattice constant; where none is given, the volume an atom follows Vegard's
        rule from those of the elements' own crystals.
    settings
        Supercell.

    Returns
    -------
    Atoms
        As many conventional cells as the supercell says, without tags.

    Raises
    ------
    InputError
        Where the target names no crystal, and the first element has no simple one or the elements share none.
    """
    crystal = target.crystal or _shared_crystal(target.elements)
    volumes = [target.composition[e] * _volume_per_atom(e) for e in target.elements]
    return _crystal(crystal, (target.elements[0],), target, volume=sum(volumes)).repeat(settings.supercell)


def occupy(atoms: Atoms, composition: dict[str, float], rng: np.random.Generator) -> Atoms:
    """Put elements on the sites of a lattice at random, in whole numbers nearest to the composition.

    Parameters
    ----------
    atoms
        Lattice; it stays as it is.
    composition
        Fraction of each element.
    rng
        Random numbers.

    Returns
    -------
    Atoms
        The occupied copy.
    """
    made: Atoms = atoms.copy()
    made.symbols[:] = rng.permutation([e for e, n in whole_numbers(composition, len(atoms)).items() for _ in range(n)])
    return made


def whole_numbers(composition: dict[str, float], sites: int) -> dict[str, int]:
    """Share sites out among elements: largest remainders get what rounding down leaves.

    Parameters
    ----------
    composition
        Fraction of each element; their sum is 1.
    sites
        How many sites.

    Returns
    -------
    dict
        Number of atoms of each element; their sum is `sites`.
    """
    counts = {element: math.floor(share * sites + 1e-9) for element, share in composition.items()}
    rest = sorted(composition, key=lambda e: (counts[e] - composition[e] * sites, e))
    for element in rest[: sites - sum(counts.values())]:
        counts[element] += 1
    return counts


def parent_of(atoms: Atoms) -> str:
    """Say which structure a parent's descendants are grouped by.

    Parameters
    ----------
    atoms
        Tagged structure.

    Returns
    -------
    str
        `gibbsflow_id` of its own parent, which is itself where it was made from nothing.
    """
    return str(atoms.info["parent"])


def seeded_rng(settings: Generator, *words: object) -> np.random.Generator:
    """Give random numbers of one purpose: the same for the same seed and words, whatever else was drawn.

    Parameters
    ----------
    settings
        Its `generator_seed` counts.
    *words
        What the numbers are for: the generator, the parent, the number of the structure.

    Returns
    -------
    Generator
        NumPy's, seeded by the SHA-256 of seed and words.
    """
    text = "/".join(str(word) for word in (settings.generator_seed, *words))
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little"))


def _repeated(frame: Atoms, repeats: tuple[int, ...], where: str) -> Atoms:
    """Supercell of a crystal, with as many charges and unpaired electrons as it has cells."""
    try:
        said = repeated_info(frame, math.prod(repeats))
    except ValueError as error:
        raise InputError(Problem(where, str(error), "one charge and spin", field="charge and spin")) from error
    made: Atoms = frame.repeat(repeats)
    for key in kept_info(made):
        del made.info[key]
    made.info.update(said)
    if made.has("initial_charges"):
        # of their sum, the charge is left
        made.set_initial_charges(None)
    return made


def _repeats(frame: Atoms, settings: Generator) -> tuple[int, ...]:
    """How often a crystal stands along each vector: once along the vacuum of a slab, which is none of two slabs."""
    if not frame.pbc.all():
        return (1, 1, 1)
    gaps = largest_gaps_angstrom(frame)
    return tuple(1 if gaps[axis] >= _VACUUM_ANGSTROM else number for axis, number in enumerate(settings.supercell))


def _tagged(atoms: Atoms, config_type: str, settings: Generator) -> Atoms:
    return tag(atoms, config_type, generator="parents", seed=settings.generator_seed)


def _own_state(element: str) -> dict[str, Any]:
    """Crystal of an element as ASE has it; empty where it has none, or one whose atoms it does not place (Se, Te)."""
    from ase.data import atomic_numbers, reference_states

    state: dict[str, Any] = dict(reference_states[atomic_numbers[element]] or {})
    return {} if state.get("basis", "") is None else state


def _own_crystal(element: str) -> str:
    own = _own_state(element).get("symmetry")
    if own not in ("sc", "fcc", "bcc", "hcp", "diamond"):
        what = f"{element} has no simple crystal at room temperature ({own})"
        raise InputError(
            Problem("target", what, "one of sc, fcc, bcc, hcp, diamond, ...; or structure_file", field="crystal")
        )
    return str(own)


def _shared_crystal(elements: tuple[str, ...]) -> str:
    """Lattice of an alloy whose crystal is not named: the first element's, where that says what is meant.

    Metals mix on one lattice, and so do non-metals of one crystal and like volumes (Si, Ge). Others make compounds, of
    which elements alone do not say the crystal: sodium and chlorine on one lattice is nothing that anybody asks for.
    """
    crystal = _own_crystal(elements[0])
    strange = _NON_METALS.intersection(elements)
    volumes = [_volume_per_atom(element) for element in elements]
    alike = {_own_state(element).get("symmetry") for element in elements} == {crystal}
    if len(elements) > 1 and strange and not (alike and max(volumes) < _LIKE_VOLUMES * min(volumes)):
        what = f"{', '.join(elements)} without a crystal: with {', '.join(sorted(strange))} they make compounds of many"
        right = f"one of {', '.join(ORDERED)}; {crystal} for a random alloy on that lattice; or structure_file"
        raise InputError(Problem("target", what, right, field="crystal"))
    return crystal


def _volume_per_atom(element: str) -> float:
    from ase.data import atomic_numbers, covalent_radii

    state = _own_state(element)
    symmetry: str = state.get("symmetry", "")
    a: float = state.get("a", 0.0)
    if symmetry in ("sc", "fcc", "bcc", "diamond"):
        return float(a**3 / _ATOMS_IN_A3[symmetry])
    if symmetry == "hcp":
        return float(math.sqrt(3) / 4 * a**3 * state["c/a"])
    if element in _VOLUMES_ANGSTROM3:
        return _VOLUMES_ANGSTROM3[element]
    # no crystal to take it from: spheres of the covalent radius, as densely packed as in fcc
    return float((2 * covalent_radii[atomic_numbers[element]]) ** 3 / math.sqrt(2))


def _own_ratio(elements: tuple[str, ...]) -> float:
    """c/a of hcp: the mean of the elements that have this crystal (titanium 1.586, zinc 1.856), else of spheres."""
    states = map(_own_state, elements)
    own = [float(state["c/a"]) for state in states if state.get("symmetry") == "hcp"]
    return sum(own) / len(own) if own else math.sqrt(8 / 3)


def _close_packed(element: str) -> bool:
    return _own_state(element).get("symmetry") in ("fcc", "bcc", "hcp")


def _bonded(crystal: str, elements: tuple[str, ...]) -> float:
    """Lattice constant of a compound whose neighbours touch: volumes of the elements would be 30 % off for MgO.

    Two metals keep their volumes.
    """
    from ase.data import atomic_numbers, covalent_radii

    distance = distance_angstrom(crystal, elements)
    if crystal == "cesiumchloride" and distance is None and all(_close_packed(element) for element in elements):
        # of 26 pairs of metals, volumes are at most 10 % off (3.7 % in the mean square); radii 15 % (7.6 %)
        return float(sum(_volume_per_atom(element) for element in elements) ** (1 / 3))
    if distance is None:
        distance = sum(float(covalent_radii[atomic_numbers[element]]) for element in elements)
    return distance * _A_OVER_DISTANCE[crystal]


def _crystal(crystal: str, elements: tuple[str, ...], target: Target, volume: float | None = None) -> Atoms:
    """Conventional cell; without a lattice constant of its volume an atom (Å^3), by default the first element's own."""
    from ase.build import bulk

    if crystal in ORDERED and len(elements) != 2:
        raise InputError(
            Problem("target", f"{crystal} with {len(elements)} elements", "two elements", field="elements")
        )
    if crystal == "fluorite" and not neutral_fluorite(elements) and neutral_fluorite(elements[::-1]):
        what = f"fluorite of {elements[0]} and twice {elements[1]}, which is neutral the other way round"
        raise InputError(Problem("target", what, f"elements: [{elements[1]}, {elements[0]}]", field="elements"))
    a, ratio = target.lattice_constant_angstrom, math.sqrt(8 / 3)
    if crystal == "hcp":
        ratio = _own_ratio(elements if volume is None else target.elements)
    if a is None and crystal in ORDERED:
        a = _bonded(crystal, elements)
    if a is None:
        volume = _volume_per_atom(elements[0]) if volume is None else volume
        part_of_a3 = math.sqrt(3) * ratio / 4 if crystal == "hcp" else 1 / _ATOMS_IN_A3[crystal]
        a = (volume / part_of_a3) ** (1 / 3)
    name = "".join(elements) if crystal != "fluorite" else f"{elements[0]}{elements[1]}2"
    shape = {"c": a * ratio} if crystal in ("hcp", "wurtzite") else {"cubic": True}
    return _without_moments(bulk(name, crystal, a=a, **shape))


def _without_moments(atoms: Atoms) -> Atoms:
    """Leave the moments that ASE gives crystals of Fe, Co and Ni to the settings: nobody asked for them here."""
    if atoms.has("initial_magmoms"):
        atoms.set_initial_magnetic_moments(None)
    return atoms


def _molecule(target: Target, settings: Generator) -> Atoms:
    from ase.build import molecule

    assert target.molecule is not None  # noqa: S101 - asked by the caller
    try:
        atoms = molecule(target.molecule)
    except KeyError as error:
        what = f"{target.molecule!r} is no molecule that ASE knows"
        raise InputError(
            Problem("target", what, "a name of ase.build.molecule, or structure_file", field="molecule")
        ) from error
    atoms.set_cell([settings.box_angstrom] * 3)
    atoms.center()
    return atoms
