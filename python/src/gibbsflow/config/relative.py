"""Settings of networks of relative free energies."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from gibbsflow.config.section import Section, setting


class Relative(Section):
    """Relative free energies: which pairs of ligands are compared, and by which atoms."""

    network: str = setting(
        "redundant",
        "Edges of the network: star, mst (a tree), redundant (each ligand in cycles), or a file (CSV: ligand_a, "
        "ligand_b; or OpenFE's JSON).",
    )
    hub: str | None = setting(None, "Ligand in the middle of a star; default: the one that is nearest to all others.")
    anchor: str = setting(
        "none",
        "Zero of the ligands' free energies: none (their mean), mean (of those that were measured), or the name of "
        "one that was measured.",
    )
    edge_topology: Literal["auto", "hybrid", "dual"] = setting(
        "auto",
        "What an edge is made of: atoms that both ligands share (hybrid), or both ligands as a whole, tethered to each "
        "other (dual); auto: dual where no map can be used or one is as hard.",
    )
    hard_map: float = setting(
        0.5,
        "Difficulty of an atom map from which on the legs of an edge get 21 windows in place of 11, unless schedules "
        "are given; 1: never.",
        ge=0.0,
        le=1.0,
    )
    map: Path | None = setting(
        None,
        "Atom maps of edges (atom_maps, network.json of a campaign, OpenFE's JSON); default: found for each edge.",
    )
