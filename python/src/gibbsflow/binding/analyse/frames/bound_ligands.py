"""Which atoms of a leg are looked at: ligand, site and receptor, and the structure that they are seen from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gibbsflow.binding.alchemy.alchemical_leg import FILE_NAME
from gibbsflow.binding.analyse.frames.edge_ends import EdgeEnds
from gibbsflow.binding.analyse.frames.pose_geometry import LigandGraph
from gibbsflow.binding.facts import ENDS, TopologyFacts
from gibbsflow.binding.forcefield.topology_file import heavy_of
from gibbsflow.binding.system import SimSystem
from gibbsflow.engines.openmm_systems import load_topology
from gibbsflow.units import Floats
from gibbsflow.workflow.files import read_arrays, read_json

LEAST_SITE_ATOMS = 3
"""Fewer do not say how a receptor lies."""


@dataclass(frozen=True)
class Bound:
    """A ligand in its site: heavy atoms by their index in a topology, and where they are as legs start.

    Attributes
    ----------
    ligand, site, receptor
        Heavy atoms; `ligand` in the order of `graph`.
    graph
        Bonds of the ligand.
    reference_angstrom
        The structure that all is seen from, shape (N, 3), Å.
    pocket
        Heavy atoms that mark the pocket: of an edge those of both ligands, so that both ends are asked of one place.
    name
        Of an edge, of this ligand.
    """

    ligand: tuple[int, ...]
    site: tuple[int, ...]
    receptor: tuple[int, ...]
    graph: LigandGraph
    reference_angstrom: Floats
    pocket: tuple[int, ...]
    name: str = ""

    @property
    def atoms(self) -> tuple[int, ...]:
        """All that is looked at.

        Returns
        -------
        tuple of int
            Ligand, receptor with its site, and pocket.
        """
        return (*self.ligand, *self.receptor, *self.site, *self.pocket)


class BoundLigands:
    """What there is to be looked at in the legs of a transformation.

    Parameters
    ----------
    system
        What ``fe prepare`` left.

    Raises
    ------
    InputError
        For a topology, or a structure, that cannot be read.
    """

    def __init__(self, system: SimSystem) -> None:
        self._system, self._edges = system, dict[str, EdgeEnds]()
        self._atoms = system.find(TopologyFacts)
        self.prepared = _prepared(system, self._atoms)

    def edge(self, leg: Mapping[str, Any]) -> EdgeEnds | None:
        """Read both ligands of an edge, of a leg with a receptor.

        Parameters
        ----------
        leg
            Content of the run's ``leg.json``.

        Returns
        -------
        EdgeEnds or None
            None for other legs; read once for all runs of a leg.

        Raises
        ------
        InputError, StateError
            As :meth:`EdgeEnds.read`.
        """
        if "hybrid" not in leg or not leg["receptor_atoms"]:
            return None
        name = leg["leg"]
        if name not in self._edges:
            folder = self._system.root / "legs" / name
            self._edges[name] = EdgeEnds.read(read_json(folder / FILE_NAME), folder)
        return self._edges[name]

    def ends(self, leg: Mapping[str, Any]) -> list[tuple[str, int, Bound]]:
        """Name the windows of a leg in which a ligand is looked at.

        Parameters
        ----------
        leg
            Content of the run's ``leg.json``.

        Returns
        -------
        list of tuple
            Key of the record, index of the window, and the ligand: that of a binding free energy ``coupled`` and
            ``decoupled``, those of an edge each where it is whole, `ENDS`. None of a leg that does not hold the
            complex, atom by atom as it was prepared.

        Raises
        ------
        InputError, StateError
            As :meth:`EdgeEnds.read`.
        """
        last, of = len(leg["states"]) - 1, self.prepared
        if edge := self.edge(leg):
            return list(zip(ENDS, (0, last), self._of_edge(edge), strict=False))
        if of is None or self._atoms is None or not set(of.ligand) <= set(leg["ligand_atoms"]):
            return []
        if not set(self._atoms.receptor_atoms) <= set(leg["receptor_atoms"]):
            return []
        return [("coupled", 0, of), ("decoupled", last, of)]

    def _of_edge(self, edge: EdgeEnds) -> list[Bound]:
        """Both ligands in the site that the first one was equilibrated in: a complex leg has its atoms first."""
        site = () if self._atoms is None else self._atoms.site_atoms
        if len(site) < LEAST_SITE_ATOMS or not set(site) <= set(edge.receptor.tolist()):
            return []
        start = edge.start_angstrom(np.array(site))
        pocket = tuple(dict.fromkeys(np.concatenate(edge.ligands).tolist()))
        receptor = tuple(edge.receptor.tolist())
        return [
            Bound(tuple(atoms.tolist()), site, receptor, graph, start, pocket, name)
            for name, atoms, graph in zip(edge.names, edge.ligands, edge.graphs, strict=True)
        ]


def _prepared(system: SimSystem, atoms: TopologyFacts | None) -> Bound | None:
    """The complex as it was equilibrated; None where there is none, or no representative frame of it."""
    if atoms is None or not atoms.site_atoms or not {"complex_prmtop", "representative_npz"} <= system.artifacts.keys():
        return None
    topology = load_topology(system.path("complex_prmtop")).topology
    heavy = set(heavy_of(topology))
    ligand, receptor = (tuple(a for a in part if a in heavy) for part in (atoms.ligand_atoms, atoms.receptor_atoms))
    where = np.asarray(read_arrays(system.path("representative_npz"), "positions_nm")["positions_nm"], float) * 10
    return Bound(ligand, atoms.site_atoms, receptor, LigandGraph.of_topology(topology, ligand), where, ligand)
