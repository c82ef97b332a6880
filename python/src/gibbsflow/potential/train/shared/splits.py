"""Folds for the inner validation: related frames stay together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gibbsflow.potential.data.labelled_frames import LabelledFrame

_PARENTS_OF_A_FOLD = 2


@dataclass(frozen=True)
class Folds:
    """Assignment of frames to folds.

    Attributes
    ----------
    fold
        Fold of each frame, shape (frames,).
    by
        What kept frames together, in words.
    """

    fold: npt.NDArray[np.int64]
    by: str

    @property
    def count(self) -> int:
        """Number of folds.

        Returns
        -------
        int
            Folds that hold a frame.
        """
        return int(self.fold.max()) + 1


def assign_folds(frames: Sequence[LabelledFrame], folds: int, seed: int) -> Folds:
    """Assign frames to folds, grouped by parent where parents are given.

    Frames of one parent (a trajectory, the distortions of one structure) are near copies of each other: split by frame,
    they make errors look too small. Where no parents are given, each config_type is cut into runs of neighbouring
    frames, since a trajectory is written in order; so are the frames of a parent that has more than a fold's share, for
    what is left without them says nothing of them (all distortions of one molecule, and pairs of atoms beside them);
    and those of all, where there are fewer than two a fold: they are the crystals that a set is about, and a fit is not
    to be chosen by what it says of germanium where it saw none. The result says which was done.

    Parameters
    ----------
    frames
        Training frames in file order.
    folds
        Folds wanted; fewer where there are fewer groups.
    seed
        Of the order in which equal groups are dealt out.

    Returns
    -------
    Folds
        With every config_type spread over as many folds as it has groups.
    """
    parents, cut = [frame.parent for frame in frames], set[str]()
    distinct = {p for p in parents if p}
    if len(distinct) >= 2:
        groups = [parent or frame.structure_id for parent, frame in zip(parents, frames, strict=True)]
        families = {parent: size for parent, size in Counter(groups).items() if size > 1}
        few = len(families) < _PARENTS_OF_A_FOLD * folds
        large = {parent for parent, size in families.items() if few or size * folds > len(frames) + folds}
        runs = _runs(frames, folds, groups)
        cut = {run for group, run in zip(groups, runs, strict=True) if group in large}
        groups = [run if group in large else group for group, run in zip(groups, runs, strict=True)]
        by = f"parent ({len(set(groups))} groups)"
        if large:
            why = "that are few" if few else "with more than a fold's share"
            by += f", of {len(large)} parents {why} runs of neighbouring frames within each config_type"
    else:
        groups = _runs(frames, folds, [""] * len(frames))
        by = "runs of neighbouring frames within each config_type, since no parents are given"
    sizes: dict[tuple[str, str], int] = {}
    kind = {group: frame.config_type for group, frame in zip(groups, frames, strict=True)}
    # the runs of one parent each to another fold
    kind |= {run: run.rpartition("/")[0] for run in cut}
    for group in groups:
        sizes[kind[group], group] = sizes.get((kind[group], group), 0) + 1
    order = np.random.default_rng(seed).permutation(len(sizes))
    keys = [list(sizes)[i] for i in order]
    keys.sort(key=lambda key: (key[0], -sizes[key]))  # stable: the shuffle decides between equals
    count = min(folds, len(keys))
    load = np.zeros(count)
    place: dict[str, int] = {}
    kinds: dict[str, npt.NDArray[np.float64]] = {}
    for name, group in keys:
        own = kinds.setdefault(name, np.zeros(count))
        target = int(np.lexsort((load, own))[0])
        place[group] = target
        own[target] += sizes[name, group]
        load[target] += sizes[name, group]
    fold = np.array([place[group] for group in groups])
    _, fold = np.unique(fold, return_inverse=True)  # no fold may be empty
    return Folds(fold.astype(np.int64), by)


def _runs(frames: Sequence[LabelledFrame], folds: int, parents: Sequence[str]) -> list[str]:
    kinds = [f"{parent}/{frame.config_type}" for parent, frame in zip(parents, frames, strict=True)]
    total, seen, groups = Counter(kinds), Counter[str](), []
    for kind in kinds:
        groups.append(f"{kind}/{seen[kind] * min(folds, total[kind]) // total[kind]}")
        seen[kind] += 1
    return groups
