"""Frames that are one structure: shifted, turned, repeated, or with their atoms in another order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gibbsflow.potential.data.labelled_frames import LabelledFrame
from gibbsflow.potential.data.neighbours import pairs_within
from gibbsflow.units import Floats

VOLUME_SHARE = 1e-4
"""Volumes an atom that differ by less may be those of one structure."""
FORCE_EV_PER_ANGSTROM = 0.05
"""Sizes of forces, sorted, that differ by less may be those of one structure."""
DISTANCE_ANGSTROM = 0.003
"""Distances up to 6 Å, sorted by pair of elements, that all differ by less are those of one structure."""
_REACH_ANGSTROM = 6.0
Distances = dict[tuple[int, int], Floats]


def twins(frames: Sequence[LabelledFrame], others: Sequence[LabelledFrame] | None = None) -> list[tuple[int, int]]:
    """Find frames that show one structure.

    Volume and sizes of forces are the same however a structure is shifted, turned or numbered; what agrees in them is
    compared by its distances.

    Parameters
    ----------
    frames
        In which a twin is looked for.
    others
        Whose twins are looked for; None for those of earlier `frames`.

    Returns
    -------
    list of tuple
        Position in `frames`, and position in `others`; without `others`, the earlier one first.
    """
    looked = frames if others is None else others
    groups: dict[tuple[bytes, bytes], list[int]] = {}
    for i, frame in enumerate(frames):
        groups.setdefault(_kind(frame), []).append(i)
    prints = {kind: np.array([_print(frames[i]) for i in members]) for kind, members in groups.items()}
    known: dict[int, Distances] = {}

    def _distances(frame: LabelledFrame) -> Distances:
        if id(frame) not in known:
            known[id(frame)] = sorted_distances(frame)
        return known[id(frame)]

    found = []
    for j, other in enumerate(looked):
        kind = _kind(other)
        if kind not in groups:
            continue
        own, all_of_kind = _print(other), prints[kind]
        near = np.abs(all_of_kind[:, 0] - own[0]) <= VOLUME_SHARE * max(own[0], 1e-9)
        near &= (np.abs(all_of_kind[:, 1:] - own[1:]) <= FORCE_EV_PER_ANGSTROM).all(axis=1)
        for place in np.flatnonzero(near):
            i = groups[kind][place]
            if others is None and i >= j:
                break
            if same_distances(_distances(frames[i]), _distances(other)):
                found.append((i, j))
                break
    return found


def supercells(frames: Sequence[LabelledFrame], others: Sequence[LabelledFrame]) -> list[tuple[int, int]]:
    """Find crystals of which one is the other, repeated.

    Parameters
    ----------
    frames
        In which it is looked for.
    others
        Whose cells or supercells are looked for.

    Returns
    -------
    list of tuple
        Position in `frames`, and position in `others`.
    """
    groups: dict[bytes, list[int]] = {}
    for i, frame in enumerate(frames):
        groups.setdefault(_formula(frame), []).append(i)
    volumes = {kind: np.array([_print(frames[i])[0] for i in members]) for kind, members in groups.items()}
    sizes = {kind: np.array([len(frames[i].atoms) for i in members]) for kind, members in groups.items()}
    found = []
    for j, other in enumerate(others):
        kind, own = _formula(other), _print(other)
        if kind not in groups or not other.atoms.pbc.all():
            continue
        near = np.abs(volumes[kind] - own[0]) <= VOLUME_SHARE * own[0]
        near &= sizes[kind] != len(other.atoms)
        for place in np.flatnonzero(near):
            i = groups[kind][place]
            small, large = sorted((frames[i], other), key=lambda one: len(one.atoms))
            times, left = divmod(len(large.atoms), len(small.atoms))
            if left:
                continue
            forces = np.abs(np.repeat(_print(small)[1:], times) - _print(large)[1:])
            repeated = {pair: np.repeat(each, times) for pair, each in sorted_distances(small).items()}
            if forces.max() <= FORCE_EV_PER_ANGSTROM and same_distances(repeated, sorted_distances(large)):
                found.append((i, j))
                break
    return found


def _formula(frame: LabelledFrame) -> bytes:
    counts = np.bincount(frame.atoms.numbers)
    return (counts // np.gcd.reduce(counts)).tobytes() if frame.atoms.pbc.all() else b""


def _kind(frame: LabelledFrame) -> tuple[bytes, bytes]:
    return np.sort(frame.atoms.numbers).tobytes(), np.sort(frame.atoms.pbc).tobytes()


def sorted_distances(frame: LabelledFrame) -> Distances:
    """List interatomic distances up to 6 Å by pair of elements.

    Parameters
    ----------
    frame
        With any periodicity.

    Returns
    -------
    dict
        By pair of atomic numbers, the lower first: distances in Å, rising, each pair twice.
    """
    numbers = frame.atoms.numbers
    first, second, distance, _ = pairs_within(frame.atoms, _REACH_ANGSTROM)
    order = np.argsort(distance)
    low = np.minimum(numbers[first], numbers[second])[order]
    high = np.maximum(numbers[first], numbers[second])[order]
    return {
        (int(a), int(b)): distance[order][(low == a) & (high == b)]
        for a, b in {(int(a), int(b)) for a, b in zip(low, high, strict=True)}
    }


def same_distances(one: Distances, other: Distances) -> bool:
    """Say whether all distances agree, but those so near the reach that either list may miss them.

    Parameters
    ----------
    one, other
        As :func:`sorted_distances` lists them.

    Returns
    -------
    bool
        True for one structure.
    """
    if one.keys() != other.keys():
        return False
    for pair, own in one.items():
        count = max(int(np.searchsorted(lst, _REACH_ANGSTROM - DISTANCE_ANGSTROM)) for lst in (own, other[pair]))
        if not (len(own) >= count <= len(other[pair])):
            return False
        if np.abs(own[:count] - other[pair][:count]).max(initial=0.0) > DISTANCE_ANGSTROM:
            return False
    return True


def _print(frame: LabelledFrame) -> Floats:
    volume = frame.atoms.get_volume() / len(frame.atoms) if frame.atoms.pbc.all() else 0.0
    return np.concatenate([[volume], np.sort(np.linalg.norm(frame.forces_ev_per_angstrom, axis=1))])
