"""Environment-adaptive POD: coefficients of their own for kinds of surroundings, between which an atom goes smoothly.

Nguyen and Sema, arXiv 2405.00306. Descriptors B of an atom are projected on a few principal components, z = Uᵀ B; of
kind k, with centroid c_k, it is to the part P_k = |z − c_k|⁻² / Σ_j |z − c_j|⁻², and its energy is Σ_k P_k C_k · B.
LAMMPS evaluates that in training (``compute pod/global``) and in MD (``pair_style pod``) alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.cluster.vq import ClusterError, kmeans2

from gibbsflow.units import Floats

# what LAMMPS adds to a squared distance
_ZERO = 1e-20
_COMPONENTS = 2
_ITERATIONS = 100
# fewer atoms of an element than this, a kind, say nothing of kinds
_ATOMS_A_KIND = 20
# of the largest projection: nearer centroids are the same
_APART = 1e-3


@dataclass(frozen=True)
class Environments:
    """Kinds of surroundings, for each element.

    Attributes
    ----------
    count
        Kinds an element.
    components
        Principal components.
    projection
        In LAMMPS' order, (elements, descriptors, components) with the last the fastest.
    centroids
        In LAMMPS' order, (elements, kinds, components) with the last the fastest.
    """

    count: int
    components: int
    projection: tuple[float, ...]
    centroids: tuple[float, ...]

    def shares(self, element: int, elements: int, descriptors: Floats) -> Floats:
        """Part of each kind in the surroundings of atoms of one element.

        Parameters
        ----------
        element
            Number of the element, from 0.
        elements
            How many the basis has.
        descriptors
            Of the atoms, shape (n, descriptors).

        Returns
        -------
        ndarray
            Shape (n, kinds); each row adds up to 1.
        """
        projection = np.reshape(self.projection, (elements, -1, self.components))[element]
        centroids = np.reshape(self.centroids, (elements, self.count, self.components))[element]
        apart = descriptors @ projection
        near = 1 / (((apart[:, None, :] - centroids) ** 2).sum(axis=2) + _ZERO)
        shares: Floats = near / near.sum(axis=1, keepdims=True)
        return shares


def find_environments(
    symbols: Sequence[Sequence[str]], descriptors: Sequence[Floats], species: Sequence[str], count: int
) -> Environments | None:
    """Find kinds of surroundings by principal components and k-means, which begins from quantiles: no chance is in it.

    Parameters
    ----------
    symbols
        Of the atoms of each frame.
    descriptors
        Of each frame, shape (n, descriptors).
    species
        Chemical symbols in the order of LAMMPS' types.
    count
        Kinds wanted, an element.

    Returns
    -------
    Environments or None
        None where some element has too few atoms for it, or all its atoms are alike.
    """
    names = np.concatenate([np.asarray(s) for s in symbols])
    every = np.concatenate(descriptors)
    projections, centroids = [], []
    for name in species:
        own = every[names == name]
        if len(own) < _ATOMS_A_KIND * count or own.shape[1] < _COMPONENTS:
            return None
        _, vectors = np.linalg.eigh(own.T @ own)
        components = vectors[:, ::-1][:, :_COMPONENTS]
        # signs are arbitrary: the largest entry is made positive, so that machines agree
        components = components * np.sign(components[np.abs(components).argmax(axis=0), range(_COMPONENTS)])
        z = own @ components
        found = _k_means(z, count)
        if found is None:
            return None
        projections.append(components)
        centroids.append(found)
    flat = (tuple(float(v) for v in np.concatenate([m.ravel() for m in part])) for part in (projections, centroids))
    return Environments(count, _COMPONENTS, *flat)


def _k_means(points: Floats, count: int) -> Floats | None:
    """Centroids, begun from the means of equal parts along the direction of most spread; None where two coincide."""
    centred = points - points.mean(axis=0)
    along = centred @ np.linalg.eigh(centred.T @ centred)[1][:, -1]
    parts = np.array_split(points[np.argsort(along, kind="stable")], count)
    start = np.array([p.mean(axis=0) for p in parts])
    try:
        found, _ = kmeans2(points, start, minit="matrix", iter=_ITERATIONS, missing="raise")
    except ClusterError:  # one that no point is nearest to
        return None
    found = found[np.argsort(found[:, 0], kind="stable")]
    apart = np.sqrt(((found[:, None] - found) ** 2).sum(axis=2))[np.triu_indices(count, 1)]
    return found if apart.min() > _APART * np.abs(points).max() else None
