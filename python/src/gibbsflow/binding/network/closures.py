"""Cycles of a network: what the ΔΔG around each add up to, which is zero but for their errors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import networkx as nx
from scipy.stats import norm

from gibbsflow.binding.network.maximum_likelihood import Link

_MOST_MINIMUM = 80
"""Cycles up to which the shortest ones are looked for, which takes seconds from there on."""


@dataclass(frozen=True)
class Cycle:
    """One cycle.

    Attributes
    ----------
    ligands
        In their order around it, beginning with the first by name and going on to the lesser of its neighbours.
    closure_kcal_per_mol
        Sum of the ΔΔG around it.
    error_kcal_per_mol
        Of that, from the errors of its edges.
    """

    ligands: tuple[str, ...]
    closure_kcal_per_mol: float
    error_kcal_per_mol: float

    @property
    def z(self) -> float:
        """The closure in units of its error.

        Returns
        -------
        float
            Beyond ±2 in one of twenty, where errors are right.
        """
        return self.closure_kcal_per_mol / self.error_kcal_per_mol

    def p(self, cycles: int = 1) -> float:
        """Chance that one of so many cycles closes as badly.

        Parameters
        ----------
        cycles
            How many are looked at.

        Returns
        -------
        float
            At most 1 (Bonferroni's bound).
        """
        return min(1.0, cycles * float(2 * norm.sf(abs(self.z))))

    def __str__(self) -> str:
        return "~".join((*self.ligands, self.ligands[0]))


def closures(links: Sequence[Link]) -> list[Cycle]:
    """Sum ΔΔG around independent cycles, of the fewest edges where there are not too many of them.

    Parameters
    ----------
    links
        Edges, each pair once.

    Returns
    -------
    list of Cycle
        As many as there are independent ones; those of the fewest edges first, then by name.
    """
    graph = nx.Graph()
    graph.add_nodes_from(sorted({name for link in links for name in (link.ligand_a, link.ligand_b)}))
    graph.add_edges_from(sorted(tuple(sorted((link.ligand_a, link.ligand_b))) for link in links))
    independent = graph.number_of_edges() - len(graph) + nx.number_connected_components(graph)
    basis = nx.minimum_cycle_basis(graph) if independent <= _MOST_MINIMUM else nx.cycle_basis(graph)
    signed = {(link.ligand_a, link.ligand_b): link for link in links}
    found = []
    for names in map(_from_the_first, basis):
        total, variance = 0.0, 0.0
        for a, b in zip(names, (*names[1:], names[0]), strict=True):
            link = signed.get((a, b)) or signed[b, a]
            total += link.ddg if (a, b) in signed else -link.ddg
            variance += link.error**2
        found.append(Cycle(names, total, math.sqrt(variance)))
    return sorted(found, key=lambda cycle: (len(cycle.ligands), cycle.ligands))


def _from_the_first(names: Sequence[str]) -> tuple[str, ...]:
    start = names.index(min(names))
    turned = (*names[start:], *names[:start])
    return turned if turned[1] <= turned[-1] else (turned[0], *reversed(turned[1:]))
