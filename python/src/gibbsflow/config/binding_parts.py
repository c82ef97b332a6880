"""Parts of the settings of a binding campaign: networks, places of λ windows, costs, and what no sample depends on."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from gibbsflow.config.section import Section, setting

INDIFFERENT_MD = ("threads", "platform", "legs_per_gpu", "trajectory", "trajectory_ps")
"""Settings of section ``md`` that say where MD runs and what is shown of it: no sample is other for another value.

Neither state nor results are another's for them.
"""


class Relative(Section):
    """Relative free energies: which pairs of ligands are compared, and by which atoms."""

    network: str = setting(
        "redundant",
        "Edges of the network: star, mst (a tree), redundant (each ligand in cycles), or a file (CSV: ligand_a, "
        "ligand_b; or OpenFE's JSON or GraphML).",
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
        "Atom maps of edges (atom_maps, network.json of a campaign, OpenFE's JSON or GraphML); default: found for "
        "each edge.",
    )
    unusable_maps: Literal["refuse", "replace"] = setting(
        "refuse",
        "Maps of map that cannot be used, such as those that break a ring: refuse (all are named, nothing is run), or "
        "replace (as if the file had none for these two; record and report say so).",
    )


class Placing(Section):
    """Where λ windows come from."""

    schedule: Literal["given", "auto"] = setting(
        "given",
        "λ windows as the schedules below say (given), or at even distances by a short pilot of each leg that begins "
        "with them (auto).",
    )
    fe_pilot_ps: float = setting(
        50.0, "Length of a pilot a window; its first fifth is discarded.", unit="ps", gt=0, le=1_000_000
    )
    schedule_by: Literal["length", "overlap"] = setting(
        "length", "What neighbours get in equal parts from a pilot: thermodynamic length, or overlap."
    )
    schedule_spacing: float = setting(
        1.25,
        "Distance of neighbours that a pilot leads to, at the most: near √ of the variance of their energy difference "
        "in kT.",
        ge=0.05,
        le=5,
    )


class Costs(Section):
    """What the hours of a campaign cost, for its report."""

    cost_per_cpu_hour: float | None = setting(
        None, "Price of an hour of one CPU core, in currency; default: hours alone are reported.", ge=0, le=1_000_000
    )
    cost_per_gpu_hour: float | None = setting(
        None, "Price of an hour of one GPU, in currency, beside that of its cores.", ge=0, le=1_000_000
    )
    currency: str = setting("EUR", "Name of the currency of both prices, as it stands in the report.")
