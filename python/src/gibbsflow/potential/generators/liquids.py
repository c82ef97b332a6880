"""Molecules of a liquid: alone, in pairs down to where they push each other away, and as rigid bodies in the box.

A box of a liquid shows each bond at its length and each contact at its distance. Nothing tells a potential what a
stretched bond or a closer contact costs, and MD finds the places where it falls.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, combinations_with_replacement, islice
from typing import TYPE_CHECKING, Any

import numpy as np

from gibbsflow.config.potential import Generator, Target
from gibbsflow.config.structures.molecules import Parts, of_molecules, parts
from gibbsflow.potential.data.formats.electrons import Electrons
from gibbsflow.potential.data.formats.mesh_cells import mesh_of
from gibbsflow.potential.data.structures import closest_pair_angstrom, tag
from gibbsflow.potential.generators.normal_modes import displacements, linear
from gibbsflow.potential.generators.parents import parent_of, seeded_rng
from gibbsflow.potential.generators.thermal import MOLECULES, RigidMoves, molecule_hessian, van_der_waals_angstrom

if TYPE_CHECKING:
    from ase import Atoms

    from gibbsflow.units import Floats

STARTS = ("packing",)
_HOTTER = (1.0, 5.0, 25.0)
"""Of the highest temperature: a bond of 30 eV/Å² is 0.03, 0.07 and 0.15 Å off its length at 300 K."""
_NEAREST, _FARTHEST = 1.25, 1.1
"""Contacts of two molecules, in sums of covalent and of van der Waals radii."""
_IN_BOX = 0.65
"""Contacts in a box, in sums of van der Waals radii: farther ones, from hydrogen bonds on, it has itself."""
_CROWDED = 0.3
"""In sums of van der Waals radii: nearer than this, other atoms are on each other."""
_USUAL, _FALL = 0.6, 6
"""Nearer than a hydrogen bond, of 0.7 sums of van der Waals radii, contacts weigh less with this power."""
_NEIGHBOURS = 1.2
"""As far as this, molecules of a box are neighbours."""
_DRAWS, _BOX_DRAWS, _BOXES = 200, 20, 8
_BOX_HOTTER = 3.0
_VOLUMES = 2.0
"""Times ``volume_strain_max``: rigid molecules bear more than bonds do."""


def make(parents: Sequence[Atoms], target: Target, settings: Generator) -> list[Atoms]:  # noqa: ARG001 - one call for all
    """Make single molecules, pairs, and boxes of rigid molecules of each liquid.

    Alone (``monomer``): displaced by springs (:func:`.molecule_hessian`) at 1, 5 and 25 times the highest of
    ``thermal_temperatures_k``. Pairs (``pair``): an atom of one molecule meets one of another, for each two elements,
    from 1.25 sums of covalent radii to 1.1 of van der Waals ones, and no other contact is nearer by radii; and
    neighbours as they lie in the box. Contacts below 0.6 have a ``config_weight`` that falls with the sixth power.
    Boxes (``packing``): :func:`.packed`; and with two molecules pressed together (``contact``): :func:`.pressed`.

    Parameters
    ----------
    parents
        Tagged structures; those that do not consist of molecules give nothing.
    target
        Not used.
    settings
        ``molecule_count`` of each kind and parent, temperatures, strain, side of the box of what is alone, and the
        seed.

    Returns
    -------
    list of Atoms
        Parent by parent: alone, pairs, boxes by rising volume, then with contacts. Where a molecule has an odd number
        of electrons, or a parent a charge or spin, there are boxes alone: what is cut out of it is another species.
    """
    made = []
    for parent in parents:
        if not of_molecules(parent):
            continue
        apart = parts(parent)
        pieces = _pieces(parent, apart)
        if _closed(parent, pieces):
            made += [*_alone(parent, pieces, settings), *_pairs(parent, pieces, settings)]
        made += [*packed(parent, apart, settings), *pressed(parent, apart, settings)]
    return made


def _pieces(parent: Atoms, apart: Parts) -> list[Atoms]:
    """Molecules of a box, each whole and periodic nowhere, with their places in it."""
    whole = parent.copy()
    whole.info, whole.pbc = {}, False
    whole.positions += apart.images @ parent.cell.array
    return [whole[apart.of_atom == part] for part in range(len(apart.finite))]


def _closed(parent: Atoms, pieces: Sequence[Atoms]) -> bool:
    try:
        said = Electrons.of(parent)
    except ValueError:
        return False
    return not said.charge and not said.polarised and all(piece.numbers.sum() % 2 == 0 for piece in pieces)


def _alone(parent: Atoms, pieces: Sequence[Atoms], settings: Generator) -> Iterator[Atoms]:
    """Molecules with displacements; each kind of molecule in turn, each time another one of the box."""
    kinds: dict[str, list[Atoms]] = {}
    for piece in pieces:
        if len(piece) > 1:
            kinds.setdefault(piece.get_chemical_formula(), []).append(piece)
    hottest = max(settings.thermal_temperatures_k)
    for own in kinds.values():
        for number in range(settings.molecule_count):
            rng = seeded_rng(settings, "monomers", parent.info["gibbsflow_id"], str(own[0].symbols), number)
            piece = own[number % len(own)]
            limit = settings.minimum_distance_ratio * closest_pair_angstrom(_free([piece], settings))
            temperature = hottest * _HOTTER[number % len(_HOTTER)]
            rigid, matrix = 5 if linear(piece) else 6, molecule_hessian(piece)
            for _ in range(50):
                atoms = _free([piece], settings)
                atoms.positions += displacements(piece, matrix, temperature, rng, rigid=rigid)
                if closest_pair_angstrom(atoms) >= limit:
                    yield _tagged(atoms, parent, "monomer", settings, temperature_k=temperature)
                    break


def _pairs(parent: Atoms, pieces: Sequence[Atoms], settings: Generator) -> Iterator[Atoms]:
    """Head-on contacts of each two elements, from near to far; then neighbours as they lie in the box."""
    rng = seeded_rng(settings, "pairs", parent.info["gibbsflow_id"])
    elements = sorted({int(n) for piece in pieces for n in piece.numbers})
    for first, second in combinations_with_replacement(elements, 2):
        span = _contacts(first, second, _FARTHEST)
        ones, others = ([p for p in pieces if n in p.numbers] for n in (first, second))
        for number in range(settings.molecule_count if len(pieces) > 1 else 0):
            one, other = ones[int(rng.integers(len(ones)))], others[int(rng.integers(len(others)))]
            distance = float(np.geomspace(*span, max(settings.molecule_count, 2))[number])
            made = _head_on(one, other, (first, second), distance, rng)
            if made is not None and _contact(one, made) >= _CROWDED:
                yield _pair(one, made, parent, settings)
    for one, made in islice(_neighbours(parent, pieces, rng), settings.molecule_count):
        yield _pair(one, made, parent, settings)


def _pair(one: Atoms, other: Atoms, parent: Atoms, settings: Generator) -> Atoms:
    ratio = _contact(one, other)
    said = {"contact_ratio": ratio, "config_weight": _weight(ratio)}
    return _tagged(_free([one, other], settings), parent, "pair", settings, **said)


def _weight(ratio: float) -> float:
    """Of squared errors, by the nearest contact."""
    return min(1.0, (ratio / _USUAL) ** _FALL)


def _neighbours(parent: Atoms, pieces: Sequence[Atoms], rng: np.random.Generator) -> Iterator[tuple[Atoms, Atoms]]:
    """Pairs within reach in the box, at random: of hundreds of molecules few have to be looked at."""
    both = list(combinations(range(len(pieces)), 2))
    for number in rng.permutation(len(both)):
        one, near = (pieces[k].copy() for k in both[int(number)])
        shift = near.get_center_of_mass() - one.get_center_of_mass()
        near.positions += _nearest_image(parent, shift) - shift
        if _contact(one, near) <= _NEIGHBOURS:
            yield one, near


def _contacts(first: int, second: int, farthest: float) -> tuple[float, float]:
    """Nearest and farthest distance of two atoms of different molecules, Å; the latter in sums of radii."""
    from ase.data import covalent_radii

    bond = float(covalent_radii[first] + covalent_radii[second])
    far = farthest * (van_der_waals_angstrom(first) + van_der_waals_angstrom(second))
    return _NEAREST * bond, max(far, 1.1 * _NEAREST * bond)


def _head_on(
    one: Atoms, other: Atoms, elements: tuple[int, int], distance: float, rng: np.random.Generator
) -> Atoms | None:
    """The second molecule, an atom of which is so far from one of the first that no other two are nearer by radii.

    It comes from a direction about that in which the atom sticks out, tilted and turned at random.
    """
    for _ in range(_DRAWS):
        at = int(rng.choice(np.flatnonzero(one.numbers == elements[0])))
        end = int(rng.choice(np.flatnonzero(other.numbers == elements[1])))
        way = one.positions[at] - one.get_center_of_mass() + 0.5 * rng.normal(size=3)
        way /= np.linalg.norm(way)
        made = _turned(other, rng)
        made.positions += one.positions[at] + distance * way - made.positions[end]
        ratios = _ratios(one, made)
        if np.unravel_index(int(ratios.argmin()), ratios.shape) == (at, end):
            return made
    return None


def _free(pieces: Sequence[Atoms], settings: Generator) -> Atoms:
    """Molecules in a box without periodicity."""
    made: Atoms = pieces[0].copy()
    for piece in pieces[1:]:
        made += piece
    made.pbc = False
    reach = float(np.ptp(made.positions, axis=0).max()) + 6.0
    made.set_cell([max(settings.box_angstrom, reach)] * 3)
    made.center()
    return made


def _tagged(atoms: Atoms, parent: Atoms, kind: str, settings: Generator, **said: Any) -> Atoms:
    return tag(
        atoms, kind, generator="molecules", seed=settings.generator_seed, parent=parent_of(parent), **said
    )  # fmt: skip


def _nearest_image(parent: Atoms, shift: Floats) -> Floats:
    from ase.geometry import find_mic

    found: Floats = find_mic(shift, parent.cell, parent.pbc)[0]
    return found


def _turned(piece: Atoms, rng: np.random.Generator) -> Atoms:
    from scipy.spatial.transform import Rotation

    made: Atoms = piece.copy()
    centre = made.get_center_of_mass()
    turn = Rotation.random(random_state=rng)
    made.positions = centre + turn.apply(made.positions - centre)
    return made


def _contact(one: Atoms, other: Atoms) -> float:
    """Nearest contact in sums of van der Waals radii."""
    return float(_ratios(one, other).min())


def _ratios(one: Atoms, other: Atoms) -> Floats:
    apart = np.linalg.norm(one.positions[:, None] - other.positions[None], axis=2)
    radii = [np.array([van_der_waals_angstrom(int(n)) for n in piece.numbers]) for piece in (one, other)]
    return np.asarray(apart / (radii[0][:, None] + radii[1][None]))


def packed(parent: Atoms, apart: Parts, settings: Generator) -> Iterator[Atoms]:
    """Shift and turn the molecules of a box as at three times the highest temperature, and scale their distances.

    Parameters
    ----------
    parent
        Tagged box of a liquid.
    apart
        Its molecules.
    settings
        ``molecule_count`` volumes from 1 - 2 ``volume_strain_max`` to 1 + 2 of it, temperatures, and the seed.

    Yields
    ------
    Atoms
        By rising volume; ``volume_ratio`` in ``info``.
    """
    moves = RigidMoves(parent, apart, MOLECULES)
    temperature = _BOX_HOTTER * max(settings.thermal_temperatures_k)
    largest = min(_VOLUMES * settings.volume_strain_max, 0.5)
    for number, ratio in enumerate(np.linspace(1 - largest, 1 + largest, max(settings.molecule_count, 2))):
        rng = seeded_rng(settings, "packings", parent.info["gibbsflow_id"], number)
        atoms = rigidly_scaled(_moved(parent, moves, temperature, rng), apart, float(ratio))
        said = {"volume_ratio": float(ratio), **mesh_of(parent, atoms)}
        yield tag(
            atoms, "packing", generator="molecules", seed=settings.generator_seed, parent=parent_of(parent), **said
        )


def rigidly_scaled(atoms: Atoms, apart: Parts, ratio: float) -> Atoms:
    """Scale a box, whose molecules keep their shape and follow with their centres.

    Parameters
    ----------
    atoms
        The box; it stays as it is.
    apart
        Its molecules.
    ratio
        Of the volumes.

    Returns
    -------
    Atoms
        The scaled copy.
    """
    made: Atoms = atoms.copy()
    factor = ratio ** (1 / 3)
    lattice = apart.images @ atoms.cell.array
    whole, masses = atoms.positions + lattice, atoms.get_masses()
    for part in range(len(apart.finite)):
        own = apart.of_atom == part
        whole[own] += (factor - 1) * np.average(whole[own], axis=0, weights=masses[own])
    made.set_cell(atoms.cell.array * factor)
    made.positions = whole - factor * lattice
    return made


def pressed(parent: Atoms, apart: Parts, settings: Generator) -> Iterator[Atoms]:
    """Press two molecules of a box together, among all others, until an atom of one is near one of the other.

    A pair in free space tells what a contact costs alone. In a liquid it has neighbours, terms of three and four atoms
    act across it, and where no label holds them MD finds molecules that fall into each other.

    Parameters
    ----------
    parent
        Tagged box of a liquid.
    apart
        Its molecules.
    settings
        Half of ``molecule_count`` distances (two at least) for each two elements, temperatures, and the seed.

    Yields
    ------
    Atoms
        For each two elements, from 1.25 sums of covalent radii to 0.65 of van der Waals ones: molecules moved as at the
        highest temperature, then two of them against each other along a contact that they have, by half the way each.
        No other contact is nearer by radii. ``contact_ratio`` and ``config_weight`` as of pairs.
    """
    if len(apart.finite) < 2:
        return
    rng = seeded_rng(settings, "contacts", parent.info["gibbsflow_id"])
    moves, hottest = RigidMoves(parent, apart, MOLECULES), max(settings.thermal_temperatures_k)
    elements = sorted(set(parent.numbers.tolist()))
    for first, second in combinations_with_replacement(elements, 2):
        count = max(settings.molecule_count // 2, 2)
        for distance in np.geomspace(*_contacts(first, second, _IN_BOX), count):
            boxes = (_moved(parent, moves, hottest, rng) for _ in range(_BOXES))
            found = (one for box in boxes for one in _presses(box, apart, (first, second), float(distance), rng))
            for made, ratio in islice(found, 1):
                said = {"contact_ratio": ratio, "config_weight": _weight(ratio), **mesh_of(parent, made)}
                yield _tagged(made, parent, "contact", settings, **said)


def _moved(parent: Atoms, moves: RigidMoves, temperature_k: float, rng: np.random.Generator) -> Atoms:
    made: Atoms = parent.copy()
    made.positions = moves.moved(made, temperature_k, rng)
    return made


def _presses(
    atoms: Atoms, apart: Parts, elements: tuple[int, int], distance: float, rng: np.random.Generator
) -> Iterator[tuple[Atoms, float]]:
    """Boxes with two molecules brought together, and their nearest contact in sums of radii."""
    from ase.neighborlist import neighbor_list

    first, second = elements
    touching = van_der_waals_angstrom(first) + van_der_waals_angstrom(second)
    i, j, d, vectors = neighbor_list("ijdD", atoms, {elements: _NEIGHBOURS * touching})
    fit = np.flatnonzero((atoms.numbers[i] == first) & (apart.of_atom[i] != apart.of_atom[j]) & (d > distance))
    ratio = distance / touching
    radii = {int(n): (1 - 1e-6) * ratio * van_der_waals_angstrom(int(n)) for n in set(atoms.numbers.tolist())}
    nearer = {(a, b): radii[a] + radii[b] for a, b in combinations_with_replacement(sorted(radii), 2)}
    for own in rng.permutation(fit)[:_BOX_DRAWS]:
        made = atoms.copy()
        step = 0.5 * (1 - distance / d[own]) * vectors[own]
        made.positions[apart.of_atom == apart.of_atom[i[own]]] += step
        made.positions[apart.of_atom == apart.of_atom[j[own]]] -= step
        one, other, image = neighbor_list("ijS", made, nearer)
        # within a molecule atoms are bonded; an image of it is another one
        if not ((apart.of_atom[one] != apart.of_atom[other]) | _far_image(apart, one, other, image)).any():
            yield made, ratio


def _far_image(apart: Parts, one: Floats, other: Floats, image: Floats) -> Any:
    """Whether two atoms of one molecule meet as images of it that are not the whole molecule itself."""
    return (image != apart.images[other] - apart.images[one]).any(axis=1)
