"""Ions of boxes that came solvated, chosen to change with a charged ligand: the same kind in each box, far from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from gibbsflow.binding.facts import RemoteFacts
from gibbsflow.binding.forcefield.given.rebuilt.box_parts import BoxParts, IonKind
from gibbsflow.binding.forcefield.given.rebuilt.gathered import atoms_of, gathered, with_foreign
from gibbsflow.binding.forcefield.given.rebuilt.places import free_places
from gibbsflow.binding.forcefield.remote import beyond_wall, wall_for_ions
from gibbsflow.binding.forcefield.topology_file import Topology
from gibbsflow.config.binding import Md
from gibbsflow.errors import InputError, Problem
from gibbsflow.units import Ints

FIELD = "charge_correction"


@dataclass(frozen=True)
class WithIons:
    """A box with the ions that change with its ligand.

    Attributes
    ----------
    parts
        As it came, or with waters exchanged for ions.
    remote
        The ions and their wall.
    kind
        Name of the ions.
    exchanged
        How many pairs of ions took the places of waters.
    moved
        How many of the ions changed places with a water, to be beyond the wall.
    """

    parts: BoxParts
    remote: RemoteFacts
    kind: str
    exchanged: int
    moved: int


def with_counter_ions(
    boxes: Mapping[str, BoxParts], charge_e: int, md: Md, seeds: Mapping[str, int], *, where: str
) -> dict[str, WithIons]:
    """Choose as many ions of the other sign in each box as the ligand has charges.

    They are of one kind in all boxes, since what its work in bulk is has to drop out between them. A box that has too
    few of it gets pairs, in place of waters.

    Parameters
    ----------
    boxes
        By role.
    charge_e
        Of the ligand.
    md
        Padding, for messages.
    seeds
        Of each box.
    where
        What messages call the system.

    Returns
    -------
    dict
        By role.

    Raises
    ------
    InputError
        For boxes without room, or without such ions.
    """
    kind = _kind(boxes, charge_e, where)
    made = {}
    for role, parts in boxes.items():
        random, count = np.random.default_rng(seeds[role]), abs(charge_e)
        try:
            wall = _wall(parts, md, where)
            if len(parts.ions.get(kind, [])) < count:
                made[role] = _exchanged(parts, boxes, kind, count, wall, random, where)
            else:
                made[role] = _chosen(parts, kind, count, wall, random, where)
        except InputError as error:
            raise InputError([replace(told, what=f"{role}: {told.what}") for told in error.problems]) from error
    return made


def _kind(boxes: Mapping[str, BoxParts], charge_e: int, where: str) -> IonKind:
    """The kind that needs the fewest new ions, of these the commonest; by its parameters where two are alike."""
    sign, wanted = (1 if charge_e < 0 else -1), abs(charge_e)
    kinds = {kind for parts in boxes.values() for kind in parts.ions if kind.charge_e == sign}
    if not kinds:
        word = "cation" if sign > 0 else "anion"
        right = f"a box with a monovalent {word}, abfe_protocol sdr, or charge_correction analytic"
        raise InputError(Problem(where, f"no monovalent {word} to change with the ligand", right, field=FIELD))

    def rank(kind: IonKind) -> tuple[float, ...]:
        counts = [len(parts.ions.get(kind, [])) for parts in boxes.values()]
        new = sum(max(0, wanted - count) for count in counts)
        return (new, -min(counts), -sum(counts), kind.element, kind.sigma_angstrom, kind.epsilon_kcal_per_mol)

    return min(kinds, key=rank)


def _wall(parts: BoxParts, md: Md, where: str) -> RemoteFacts:
    solute = [*parts.receptor, *parts.ligand]
    alone = Topology(
        parts.elements[solute], np.zeros(len(solute)), parts.charges_e[solute], parts.positions_angstrom[solute]
    )
    if not (alone.elements > 1).any():
        raise InputError(Problem(where, "its solute has no atom but hydrogen", "another solute", field=FIELD))
    try:
        wall = wall_for_ions(alone, parts.vectors_angstrom / 10, md, parts.filled, where)
    except InputError as error:
        right = "a larger box in the files, abfe_protocol sdr, or charge_correction analytic"
        raise InputError([replace(problem, right=right, field=FIELD) for problem in error.problems]) from error
    return wall.model_copy(update={"centre_atoms": tuple(solute[i] for i in wall.centre_atoms)})


def _chosen(
    parts: BoxParts, kind: IonKind, count: int, wall: RemoteFacts, random: np.random.Generator, where: str
) -> WithIons:
    """Ions that are there: those beyond the wall first; others change places with waters that are."""
    box_nm, positions = parts.vectors_angstrom / 10, np.array(parts.positions_angstrom)
    atoms = parts.starts[random.permutation(parts.ions[kind])]
    far = np.isin(np.arange(len(atoms)), beyond_wall(wall, positions, box_nm, positions[atoms]))
    ordered = [*atoms[far].tolist(), *atoms[~far].tolist()][:count]
    homeless = ordered[int(far.sum()) :]
    places = _beyond(parts, wall, len(homeless), random, where) if homeless else []
    for ion, water in zip(homeless, places, strict=True):
        oxygen = parts.oxygens[water]
        step = positions[ion] - positions[oxygen]
        positions[parts.atoms_of(int(parts.waters[water]))] += step
        positions[ion] -= step
    changed = replace(parts, positions_angstrom=positions)
    remote = wall.model_copy(update={"ion_atoms": tuple(sorted(ordered))})
    return WithIons(changed, remote, parts.called(kind), 0, len(homeless))


def _exchanged(
    parts: BoxParts,
    boxes: Mapping[str, BoxParts],
    kind: IonKind,
    count: int,
    wall: RemoteFacts,
    random: np.random.Generator,
    where: str,
) -> WithIons:
    """The same where there are too few: pairs of ions in place of waters, those that change beyond the wall."""
    lacking = count - len(parts.ions.get(kind, []))
    opposite = _opposite(parts, boxes, kind, where)
    wider, names = parts, []
    templates = []
    for wanted in (kind, opposite):
        source = next(box for box in (parts, *boxes.values()) if wanted in box.ions)
        names.append(source.called(wanted))
        if wanted in parts.ions:
            templates.append(parts.ions[wanted][0])
        else:
            wider = with_foreign(wider, source, int(source.starts[source.ions[wanted][0]]))
            templates.append(len(wider.sizes) - 1)
    far = _beyond(parts, wall, lacking, random, where)
    near = _anywhere(parts, [*far], lacking, random, where)
    gone = set(parts.waters[[*far, *near]].tolist())
    kept = [molecule for molecule in range(len(parts.sizes)) if molecule not in gone]
    order = [*kept, *([templates[0]] * lacking), *([templates[1]] * lacking)]
    old = atoms_of(wider, order)
    positions = wider.positions_angstrom[old]
    positions[len(positions) - 2 * lacking :] = parts.positions_angstrom[parts.oxygens[[*far, *near]]]
    first = next((k for k, molecule in enumerate(kept) if molecule in set(parts.waters.tolist())), len(kept))
    place = np.full(len(parts.elements), -1)
    place[old[: len(old) - 2 * lacking]] = np.arange(len(old) - 2 * lacking)

    def here(atoms: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(int(place[atom]) for atom in atoms)

    changed = BoxParts(
        gathered(wider, order, first), positions, parts.box_angstrom, parts.vectors_angstrom,
        here(parts.receptor), here(parts.ligand),
    )  # fmt: skip
    moved_wall = wall.model_copy(update={"centre_atoms": here(wall.centre_atoms)})
    own = _chosen(changed, kind, count, moved_wall, random, where)
    return replace(own, kind=names[0], exchanged=lacking)


def _opposite(parts: BoxParts, boxes: Mapping[str, BoxParts], kind: IonKind, where: str) -> IonKind:
    for box in (parts, *boxes.values()):
        found = {other: len(them) for other, them in box.ions.items() if other.charge_e == -kind.charge_e}
        if found:
            return max(found, key=lambda other: (found[other], other.element, other.sigma_angstrom))
    word = "anion" if kind.charge_e > 0 else "cation"
    what = (
        f"too few ions to change with the ligand, and no {word} whose parameters a pair in place of waters could have"
    )
    right = "a pair of salt in one of the boxes, abfe_protocol sdr, or charge_correction analytic"
    raise InputError(Problem(where, what, right, field=FIELD))


def _beyond(parts: BoxParts, wall: RemoteFacts, count: int, random: np.random.Generator, where: str) -> list[int]:
    """Waters beyond the wall whose places ions may take."""
    places = parts.positions_angstrom[parts.oxygens]
    far = beyond_wall(wall, parts.positions_angstrom, parts.vectors_angstrom / 10, places)
    return _free(parts, random.permutation(far), count, [], where)


def _anywhere(parts: BoxParts, but: list[int], count: int, random: np.random.Generator, where: str) -> list[int]:
    every = random.permutation(len(parts.waters)).astype(np.int32)
    return _free(parts, every[~np.isin(every, but)], count, but, where)


def _free(parts: BoxParts, order: Ints, count: int, but: list[int], where: str) -> list[int]:
    positions = parts.positions_angstrom
    places = positions[parts.oxygens]
    ions = [int(parts.starts[molecule]) for molecules in parts.ions.values() for molecule in molecules]
    taken = np.concatenate([positions[ions], places[but]])
    solute = positions[[*parts.receptor, *parts.ligand]]
    found = free_places(places, solute, taken, parts.vectors_angstrom, count, order)
    if len(found) < count:
        what = f"{count} ions find no places far from the solute and from each other"
        raise InputError(Problem(where, what, "a larger box in the files", field=FIELD))
    return found
