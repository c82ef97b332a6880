"""Free energies of ligands from those of edges, by maximum likelihood, and edges that contradict all others.

The estimate is that of Xu (J. Chem. Inf. Model. 2019, 59, 4720) without absolute values, as cinnabar computes it:
weighted least squares on the graph, whose normal matrix is its Laplacian with weights 1/σ². Each part that no edge
connects has a scale of its own, on which its mean is zero.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import networkx as nx
import numpy as np
from scipy.stats import norm, t

from gibbsflow.binding.network.design import connectivity
from gibbsflow.units import Floats

ALPHA = 0.05
"""Chance that a network without a fault has an edge that is called an outlier (Bonferroni's bound)."""
_UNCHECKED = 1e-9
_ALIKE = 1e-6


@dataclass(frozen=True)
class Link:
    """One measured difference.

    Attributes
    ----------
    ligand_a, ligand_b
        Names.
    ddg, error
        ΔG of b less that of a, and its standard error, kcal/mol.
    """

    ligand_a: str
    ligand_b: str
    ddg: float
    error: float


@dataclass(frozen=True)
class Estimate:
    """What the edges say of the ligands.

    Attributes
    ----------
    ligands
        In alphabetical order.
    parts
        Ligands of each part that no edge connects, the largest first.
    dg_kcal_per_mol
        Shape (ligands,), kcal/mol; the mean of each part is zero.
    covariance
        Of these, shape (ligands, ligands), (kcal/mol)²; zero between parts.
    residuals
        Of each link: ΔΔG less the difference of the estimates, kcal/mol.
    z
        Residuals in units of their own standard deviation: by how much a link differs from what all others say of it,
        in units of both errors (the same number); NaN for a link that no other checks.
    chi2, dof
        Sum of the squares of residual over error, and number of independent cycles.
    """

    ligands: tuple[str, ...]
    parts: tuple[tuple[str, ...], ...]
    dg_kcal_per_mol: Floats
    covariance: Floats
    residuals: Floats
    z: Floats
    chi2: float
    dof: int

    @property
    def scatter(self) -> float:
        """By how much cycles fail to close, in units of the errors: the root of χ² per degree of freedom.

        Returns
        -------
        float
            About 1 where errors are right; 1 without cycles.
        """
        return math.sqrt(self.chi2 / self.dof) if self.dof else 1.0

    @property
    def factor(self) -> float:
        """By how much errors are too small: the scatter, if it is above 1.

        The Particle Data Group scales errors of averages so (Review of Particle Physics, "Unconstrained averaging").

        Returns
        -------
        float
            1 or more.
        """
        return max(1.0, self.scatter)


def estimate(links: Sequence[Link]) -> Estimate:
    """Estimate the free energies of all ligands.

    Parameters
    ----------
    links
        Any number, in any order and direction; a pair may come more than once.

    Returns
    -------
    Estimate
        Of all ligands that are named.
    """
    graph = nx.Graph()
    graph.add_nodes_from(sorted({name for link in links for name in (link.ligand_a, link.ligand_b)}))
    graph.add_edges_from((link.ligand_a, link.ligand_b) for link in links)
    place = {name: number for number, name in enumerate(graph)}
    design = np.zeros((len(links), len(place)))
    for row, link in enumerate(links):
        design[row, place[link.ligand_b]] += 1
        design[row, place[link.ligand_a]] -= 1
    y = np.array([link.ddg for link in links])
    errors = np.array([link.error for link in links])
    # in units of a typical error, and with each part's mean fixed, the Laplacian can be inverted
    unit = float(np.median(errors)) if len(links) else 1.0
    weights = (unit / errors) ** 2
    laplacian = design.T @ (weights[:, None] * design)
    means = np.zeros_like(laplacian)
    found = connectivity.parts(graph)
    for part in found:
        own = [place[name] for name in part]
        means[np.ix_(own, own)] = 1 / len(own)
    inverse = np.linalg.inv(laplacian + means) - means if len(place) else laplacian
    inverse = (inverse + inverse.T) / 2
    dg = inverse @ (design.T @ (weights * y))
    residuals = y - design @ dg
    free = 1 - weights * np.einsum("ei,ij,ej->e", design, inverse, design)
    with np.errstate(invalid="ignore", divide="ignore"):
        z = np.where(free > _UNCHECKED, residuals / errors / np.sqrt(np.maximum(free, 0)), np.nan)
    return Estimate(
        ligands=tuple(place),
        parts=tuple(found),
        dg_kcal_per_mol=dg,
        covariance=inverse * unit**2,
        residuals=residuals,
        z=z,
        chi2=float(((residuals / errors) ** 2).sum()),
        dof=len(links) - len(place) + len(found),
    )


@dataclass(frozen=True)
class Outlier:
    """An edge that contradicts all others, or several of which one does.

    Attributes
    ----------
    links
        Their places in the list of links; several where no cycle can tell them apart.
    difference_kcal_per_mol, error_kcal_per_mol
        By how much the first differs from what all others say, and the error of that without any scaling.
    z
        In units of that error, scaled by what the other cycles show.
    p
        Chance of that or more, in any one of the edges.
    """

    links: tuple[int, ...]
    difference_kcal_per_mol: float
    error_kcal_per_mol: float
    z: float
    p: float


def outliers(links: Sequence[Link], alpha: float = ALPHA) -> list[Outlier]:
    """Find edges that contradict all others: one after the other, the worst first, each taken out before the next.

    A link is held against what the others say of it, with their errors as large as their own cycles show them to be
    (externally studentised residuals), and Bonferroni's bound for the number of links that are looked at.

    Parameters
    ----------
    links
        As in :func:`estimate`.
    alpha
        Chance of a false alarm in a network.

    Returns
    -------
    list of Outlier
        The worst first.
    """
    kept, found = list(range(len(links))), list[Outlier]()
    while True:
        fit = estimate([links[k] for k in kept])
        checked = np.flatnonzero(np.isfinite(fit.z))
        if not checked.size:
            return found
        told = np.array([_studentised(float(fit.z[k]), fit.chi2, fit.dof) for k in checked])
        chance = np.minimum(told[:, 1] * checked.size, 1.0)
        worst = min(range(checked.size), key=lambda k: (told[k, 1], -abs(told[k, 0])))
        if chance[worst] >= alpha:
            return found
        size = abs(fit.z[checked[worst]])
        row = [k for k in checked if abs(abs(fit.z[k]) - size) <= _ALIKE * size]
        first = row[0]
        error = links[kept[first]].error
        # residual = (1 - leverage) × difference, and z = residual / error / sqrt(1 - leverage)
        root = fit.residuals[first] / error / fit.z[first]
        found.append(
            Outlier(
                tuple(kept[k] for k in row),
                float(fit.residuals[first] / root**2),
                float(error / root),
                float(told[worst, 0]),
                float(chance[worst]),
            )
        )
        del kept[first]


def _studentised(z: float, chi2: float, dof: int) -> tuple[float, float]:
    """Residual in units of what the other cycles show, and the chance of one as large."""
    others = math.sqrt(max(chi2 - z * z, 0.0) / (dof - 1)) if dof > 1 else 0.0
    if others > 1:
        return z / others, float(2 * t.sf(abs(z) / others, dof - 1))
    return z, float(2 * norm.sf(abs(z)))
