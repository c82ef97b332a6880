"""Picks that leave no structure far from a labelled one: k-medoids, greedily, by how their forces depend on a fit.

A structure is told by the root mean square of its force rows along each principal axis of all rows: how much of each
direction of coefficient space its forces show. The picks are those that lower the mean distance of all structures to
their nearest labelled one the most. What is common is so met as often as it occurs, each kind by one in its middle, and
outliers, of which there are few, come last; criteria of variance take them first, and a fit to outliers errs on all the
rest where the potential is too stiff to follow both. The mean distance is supermodular: a greedy choice reaches at
least 1 − 1/e of the best fall (Nemhauser, Wolsey and Fisher, Math. Program. 1978, 14, 265), and falls only shrink, so
that most need no look again (Minoux, Optimization Techniques, Springer 1978, p. 234). As `variance`, it sees no label.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gibbsflow.potential.explore.criteria.variance import principal_axes
from gibbsflow.units import Floats

ROWS_BYTES = 2 * 2**30
"""Memory that rows of forces may take where another rule would do without them."""
# of the largest element of all rows: forces below vanish by symmetry
_VANISHES = 1e-7
# of all structures: so many may have no forces, as the crystal has that a trajectory begins with
_FEW = 0.1
# of the distance of a usual structure from the mean of all: what brings all others nearer by less, in sum, is not new
_LITTLE = 1e-2


def forces_tell(structures: Sequence[Floats]) -> bool:
    """Whether forces tell structures apart: those of strained crystals vanish, so that all are one.

    Parameters
    ----------
    structures
        Rows of forces of each, shape (forces, columns).

    Returns
    -------
    bool
        False where the forces of more than one in ten vanish by symmetry, or do not count.
    """
    sizes = np.array([np.abs(rows).max(initial=0.0) for rows in structures])
    return float(np.sum(sizes <= _VANISHES * sizes.max(initial=0.0))) <= _FEW * len(sizes)


class Coverage:
    """Mean distance of structures to their nearest labelled one, and what each that is offered would lower it by.

    Parameters
    ----------
    known
        Rows of the structures that are labelled: derivatives of the descriptors, each of shape (forces, columns).
    offered
        Rows of those that may be.
    """

    NAME = "the mean distance to a labelled structure"

    def __init__(self, known: Sequence[Floats], offered: Sequence[Floats]) -> None:
        axes, _ = principal_axes(known, offered)
        self._offered = _points(offered, axes)
        every = np.concatenate([_points(known, axes), self._offered])
        if len(known):
            nearest = np.full(len(offered), np.inf)
            for point in every[: len(known)]:
                nearest = np.minimum(nearest, np.linalg.norm(self._offered - point, axis=1))
        else:
            # with nothing labelled every one is as far as can be, and the first is the medoid of all
            nearest = np.full(len(offered), 2 * np.linalg.norm(every, axis=1).max(initial=0.0))
        self._nearest = nearest
        middle = every.mean(axis=0) if len(every) else 0.0
        self._spread = float(np.linalg.norm(every - middle, axis=1).mean()) if len(every) else 0.0
        # bounds from above, which the first look at each replaces
        self._bounds = np.full(len(offered), np.inf)

    @property
    def value(self) -> float:
        """Mean distance of what is offered to its nearest labelled structure.

        Returns
        -------
        float
            In units of the root mean square of a column.
        """
        return float(self._nearest.mean()) if len(self._nearest) else 0.0

    @property
    def least(self) -> float:
        """Fall from which on a structure is worth a label.

        Returns
        -------
        float
            By which one structure comes nearer by 1 % of the mean distance of all from their mean.
        """
        return _LITTLE * self._spread / max(len(self._nearest), 1)

    def fall(self, number: int) -> float:
        """By how much a structure would lower it.

        Parameters
        ----------
        number
            Of the structure among those offered.

        Returns
        -------
        float
            At least 0.
        """
        distances = np.linalg.norm(self._offered - self._offered[number], axis=1)
        self._bounds[number] = np.maximum(self._nearest - distances, 0.0).mean()
        return float(self._bounds[number])

    def best(self, numbers: Sequence[int]) -> int:
        """Find the structure that lowers it the most.

        Parameters
        ----------
        numbers
            Those to choose among, at least one; of equals the first is taken.

        Returns
        -------
        int
            One of them.
        """
        best, most = numbers[0], -1.0
        for place in np.argsort(-self._bounds[list(numbers)], kind="stable"):
            number = numbers[int(place)]
            if self._bounds[number] <= most:
                break
            fall = self.fall(number)
            if fall > most:
                best, most = number, fall
        return best

    def take(self, number: int) -> None:
        """Count a structure as labelled.

        Parameters
        ----------
        number
            Of the structure among those offered.
        """
        distances = np.linalg.norm(self._offered - self._offered[number], axis=1)
        self._nearest = np.minimum(self._nearest, distances)


def _points(structures: Sequence[Floats], axes: Floats) -> Floats:
    """Root mean square of rows along axes; zeros for a structure none of whose forces counts."""
    points = np.zeros((len(structures), axes.shape[1]))
    for point, rows in zip(points, structures, strict=True):
        if len(rows):
            point[:] = np.sqrt(np.square(rows @ axes).mean(axis=0))
    return points
