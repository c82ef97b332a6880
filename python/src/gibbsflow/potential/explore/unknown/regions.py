"""Regions of a structure that are new to a potential: which atoms, how they hang together, and what is around them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from ase.data import covalent_radii
from ase.neighborlist import neighbor_list
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from ase import Atoms

# neighbours: within this many sums of covalent radii, as far as the first shell of a close-packed metal
_BOND = 1.3
_NAMED = 50


def unknown_regions(
    atoms: Atoms, values: npt.NDArray[np.float64], threshold: float, *, bond: float = _BOND
) -> list[dict[str, Any]]:
    """Find the clusters of unknown atoms, each with its surroundings.

    Parameters
    ----------
    atoms
        The structure; any periodicity.
    values
        Grade, or expected error, of each atom, shape (n,).
    threshold
        Atoms from here on are unknown.
    bond
        Neighbours are within this many sums of covalent radii.

    Returns
    -------
    list of dict
        One a cluster, the worst first: ``atoms`` (indices from 0, at most 50), ``size``, ``elements``, ``worst`` (index
        of the worst atom), ``largest`` (its value, None where infinite), ``position_angstrom`` of that atom,
        ``neighbours`` (mean number of an atom of the cluster), ``known_neighbours`` (around the cluster, by element),
        ``shortest`` (pair and distance in Å from an atom of the cluster; None without a neighbour), and ``usual``, the
        mean number of neighbours of the structure's known atoms of the same elements (None where there are none).
    """
    values = np.asarray(values, dtype=float)
    new = values >= threshold
    if not new.any():
        return []
    reach = bond * covalent_radii[atoms.numbers]
    first, second, distance = neighbor_list("ijd", atoms, list(reach))
    degree = np.bincount(first, minlength=len(atoms))
    both = new[first] & new[second]
    links = coo_matrix((np.ones(both.sum()), (first[both], second[both])), shape=(len(atoms), len(atoms)))
    _, label = connected_components(links, directed=False)
    found = []
    for number in np.unique(label[new]):
        own = np.flatnonzero((label == number) & new)
        worst = int(own[np.argmax(values[own])])
        inside = np.isin(first, own)
        around = np.unique(second[inside & ~new[second]])
        symbols = Counter(atoms.symbols[int(k)] for k in own)
        usual = degree[~new & np.isin(atoms.numbers, atoms.numbers[own])]
        found.append({
            "atoms": own[:_NAMED].tolist(),
            "size": len(own),
            "elements": dict(sorted(symbols.items())),
            "worst": worst,
            "largest": float(values[worst]) if np.isfinite(values[worst]) else None,
            "position_angstrom": np.round(atoms.positions[worst], 4).tolist(),
            "neighbours": round(float(degree[own].mean()), 2),
            "usual": round(float(usual.mean()), 2) if len(usual) else None,
            "known_neighbours": dict(sorted(Counter(atoms.symbols[int(k)] for k in around).items())),
            "shortest": _shortest(atoms, first[inside], second[inside], distance[inside]),
        })  # fmt: skip
    return sorted(found, key=lambda region: -np.inf if region["largest"] is None else -region["largest"])


def _shortest(
    atoms: Atoms, first: npt.NDArray[np.int64], second: npt.NDArray[np.int64], distance: npt.NDArray[np.float64]
) -> dict[str, Any] | None:
    if not len(distance):
        return None
    k = int(distance.argmin())
    pair = "-".join(sorted((atoms.symbols[int(first[k])], atoms.symbols[int(second[k])])))
    return {"pair": pair, "distance_angstrom": round(float(distance[k]), 4)}
