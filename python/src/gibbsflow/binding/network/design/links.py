"""A network of ligands: which pairs are transformed into each other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import networkx as nx

Pair = tuple[str, str]
"""Two ligands, in alphabetical order."""
Kind = Literal["star", "mst", "redundant"]
KINDS: tuple[Kind, ...] = get_args(Kind)
HARDEST = 0.8
"""Difficulty from which on an edge is not taken while anything else connects its ligands."""


def kind_of(network: str) -> Kind | None:
    """Tell a kind of network that is planned from the name of a file.

    Parameters
    ----------
    network
        As it was asked for.

    Returns
    -------
    Kind or None
        None for a file.
    """
    return next((kind for kind in KINDS if kind == network), None)


def pair_of(one: str, other: str) -> Pair:
    """Name a pair of ligands, whichever comes first.

    Parameters
    ----------
    one, other
        Names of ligands.

    Returns
    -------
    tuple of str
        Both, in alphabetical order.
    """
    return (one, other) if one <= other else (other, one)


def pair_called(text: str, ligands: Collection[str]) -> tuple[str, str]:
    """Take the name of an edge apart, whose ligands may have a tilde of their own.

    Parameters
    ----------
    text
        ``A~B``.
    ligands
        Names there are.

    Returns
    -------
    tuple of str
        A and B; where none are meant, what a part of the text and the rest are.
    """
    words = text.split("~")
    pairs = [("~".join(words[:k]), "~".join(words[k:])) for k in range(1, len(words))]
    return next((pair for pair in pairs if set(pair) <= set(ligands)), (pairs or [(text, "")])[0])


@dataclass(frozen=True)
class Edge:
    """One transformation of a ligand into another.

    Attributes
    ----------
    ligand_a, ligand_b
        From which ligand to which.
    difficulty
        Between 0 (nothing changes) and 1; None where nobody has said.
    atoms
        Pairs of atoms, 0-based, where the network came with an atom map; None where it is yet to be made. Without any
        both ligands are there as a whole.
    cause
        Why it cannot be run; empty for one that can.
    """

    ligand_a: str
    ligand_b: str
    difficulty: float | None = None
    atoms: tuple[tuple[int, int], ...] | None = None
    cause: str = ""

    @property
    def topology(self) -> str:
        """Tell what it is made of.

        Returns
        -------
        str
            ``hybrid`` where atoms are shared, ``dual`` where none are, empty where nobody has said.
        """
        return "" if self.atoms is None else "hybrid" if self.atoms else "dual"

    @property
    def pair(self) -> Pair:
        """Its two ligands, whichever way it runs.

        Returns
        -------
        tuple of str
            In alphabetical order.
        """
        return pair_of(self.ligand_a, self.ligand_b)

    def __str__(self) -> str:
        return f"{self.ligand_a}~{self.ligand_b}"


@dataclass(frozen=True)
class Network:
    """Ligands and the edges between them.

    Attributes
    ----------
    kind
        ``star``, ``mst`` or ``redundant``; ``file`` where it was given.
    ligands
        All ligands, in alphabetical order, those without an edge too.
    edges
        Each pair once.
    notes, warnings
        What is not as one would expect of such a network, in sentences; warnings where a ligand or a check is lost.
    """

    kind: str
    ligands: tuple[str, ...]
    edges: tuple[Edge, ...]
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def graph(self) -> nx.Graph:
        """The network as a graph.

        Returns
        -------
        Graph
            Of names, its nodes in alphabetical order.
        """
        graph = nx.Graph()
        graph.add_nodes_from(sorted(self.ligands))
        graph.add_edges_from(sorted(edge.pair for edge in self.edges))
        return graph

    @property
    def difficulty(self) -> float | None:
        """Sum over its edges.

        Returns
        -------
        float or None
            None where an edge has none.
        """
        known = [edge.difficulty for edge in self.edges if edge.difficulty is not None]
        return sum(known) if len(known) == len(self.edges) else None

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON.

        Returns
        -------
        dict
            As :func:`gibbsflow.binding.network.design.network_files.read_network` takes it.
        """
        edges: list[dict[str, Any]] = []
        for edge in self.edges:
            said: dict[str, Any] = {"ligand_a": edge.ligand_a, "ligand_b": edge.ligand_b, "difficulty": edge.difficulty}
            said |= {} if edge.atoms is None else {"atoms": [list(pair) for pair in edge.atoms]}
            edges.append(said | ({"cause": edge.cause} if edge.cause else {}))
        return {"kind": self.kind, "ligands": list(self.ligands), "edges": edges}


@dataclass(frozen=True)
class Candidates:
    """Edges that could be taken.

    Attributes
    ----------
    ligands
        All ligands, in alphabetical order.
    difficulty
        Of each pair that can be transformed at all, between 0 and 1.
    hardest
        From which difficulty on an edge is not taken while anything else connects its ligands.
    """

    ligands: tuple[str, ...]
    difficulty: Mapping[Pair, float]
    hardest: float = HARDEST
    _ranked: tuple[Pair, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Rank the pairs, the easiest first and by name where they are alike."""
        object.__setattr__(self, "ligands", tuple(sorted(self.ligands)))
        if strange := {name for pair in self.difficulty for name in pair} - set(self.ligands):
            raise ValueError(f"pairs name what is no ligand: {sorted(strange)}")
        ranked = sorted(self.difficulty, key=lambda pair: (self.difficulty[pair], pair))
        object.__setattr__(self, "_ranked", tuple(ranked))

    def ranked(self, *, hard: bool = False) -> tuple[Pair, ...]:
        """List the pairs, the easiest first.

        Parameters
        ----------
        hard
            Whether those that are too hard are listed as well; they are where all are, such as those of whole ligands.

        Returns
        -------
        tuple of tuple of str
            By difficulty, then by name.
        """
        easy = tuple(p for p in self._ranked if self.difficulty[p] < self.hardest)
        return self._ranked if hard or not easy else easy

    def without(self, pairs: Iterable[Pair], ligands: Iterable[str] = ()) -> Candidates:
        """Leave some out.

        Parameters
        ----------
        pairs, ligands
            What has been lost.

        Returns
        -------
        Candidates
            The rest.
        """
        gone, left = set(pairs), set(self.ligands) - set(ligands)
        kept = {pair: d for pair, d in self.difficulty.items() if pair not in gone and left >= set(pair)}
        return Candidates(tuple(left), kept, self.hardest)


def candidates_from(
    ligands: Iterable[str], difficulty: Callable[[str, str], float | None], hardest: float = HARDEST
) -> Candidates:
    """Ask for the difficulty of every pair.

    Parameters
    ----------
    ligands
        Names, each once.
    difficulty
        Gives that of a pair, between 0 and 1, or None where it cannot be transformed.
    hardest
        As in :class:`Candidates`.

    Returns
    -------
    Candidates
        Whatever the order of the ligands.
    """
    names = sorted(ligands)
    asked = {(a, b): difficulty(a, b) for place, a in enumerate(names) for b in names[place + 1 :]}
    return Candidates(tuple(names), {pair: d for pair, d in asked.items() if d is not None}, hardest)
