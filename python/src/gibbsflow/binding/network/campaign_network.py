"""The network of a campaign, from the records of its edges; what failed keeps its row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from gibbsflow.binding.alchemy.protocols import leg_names, protocol_of
from gibbsflow.binding.network.analyse_network import LigandRow, NetworkAnalysis, analyse_network
from gibbsflow.binding.network.design.links import Edge
from gibbsflow.binding.network.edge_row import EdgeRow
from gibbsflow.binding.network.edge_table import edge_of_repeats
from gibbsflow.binding.network.experiment import TEMPERATURE_K, Measured
from gibbsflow.workflow.account import Account


def row_of_record(record: Mapping[str, Any]) -> EdgeRow:
    """Make the row of an edge from its record.

    Parameters
    ----------
    record
        Content of its ``record.json``.

    Returns
    -------
    EdgeRow
        With value, error and verdict of the record, the repeats of both legs, and the smallest overlap of neighbours.
    """
    a, b = record["ligands"]
    names = leg_names(protocol_of(record["mode"]))
    done = [leg for leg in record["legs"] if leg["dg_kcal_per_mol"] is not None]
    both = set.intersection(*({leg["replicate"] for leg in done if leg["leg"] == name} for name in names))
    used = [leg for leg in done if leg["replicate"] in both]
    first_leg, second_leg = (
        [(leg["dg_kcal_per_mol"], leg["mbar_error_kcal_per_mol"]) for leg in used if leg["leg"] == name]
        for name in names
    )
    row = edge_of_repeats(a, b, first_leg, second_leg, names)
    overlaps = [leg["overlap"]["min_neighbour"] for leg in used]
    return replace(
        row,
        ddg_kcal_per_mol=record["dg_kcal_per_mol"],
        ddg_error_kcal_per_mol=record["dg_error_kcal_per_mol"],
        spread=None,  # the record's error holds it
        overlap=min(overlaps, default=None),
        status=record["status"],
        verdict=record["verdict"],
        cause=record["cause"] or (record["reasons"][0] if record["reasons"] else ""),
        topology=record.get("topology", "hybrid"),
    )


def lost_edge(edge: Edge, status: str, cause: str) -> EdgeRow:
    """Make the row of an edge without a record.

    Parameters
    ----------
    edge
        As it was planned.
    status, cause
        Of its failure.

    Returns
    -------
    EdgeRow
        Verdict FAIL.
    """
    return EdgeRow(edge.ligand_a, edge.ligand_b, status=status, verdict="FAIL", cause=cause, topology=edge.topology)


def with_differences(
    edges: Iterable[Edge], ligands: Sequence[tuple[str, float | None]]
) -> list[tuple[str, float | None]]:
    """Name edges, with what was measured.

    Parameters
    ----------
    edges
        As they were planned.
    ligands
        Name and measured ΔG of each ligand, kcal/mol.

    Returns
    -------
    list of (str, float or None)
        Name of each edge, and the measured difference b less a where both are known.
    """
    known = {name: dg for name, dg in ligands if dg is not None}
    pairs = [(edge, known.get(edge.ligand_a), known.get(edge.ligand_b)) for edge in edges]
    return [(str(edge), None if a is None or b is None else b - a) for edge, a, b in pairs]


def analyse_campaign_network(
    rows: Sequence[EdgeRow], ligands: Mapping[str, float | None], lost: Mapping[str, str], anchor: str, seed: int
) -> NetworkAnalysis:
    """Turn the edges of a campaign into free energies of its ligands.

    Parameters
    ----------
    rows
        All edges that were planned.
    ligands
        Measured ΔG by ligand of the samplesheet, kcal/mol; None where there is none.
    lost
        Why ligands have no edge, by name.
    anchor
        As in :func:`~.analyse_network.analyse_network`; where it holds nothing any more, the mean is zero.
    seed
        Of intervals.

    Returns
    -------
    NetworkAnalysis
        With a row for every ligand of the samplesheet.
    """
    in_edges = {name for row in rows for name in row.pair}
    known = {name: dg for name, dg in ligands.items() if dg is not None and name in in_edges}
    measured = Measured(known, TEMPERATURE_K) if known else None
    computed = {name for row in rows if row.used for name in row.pair} & known.keys()
    anchor = anchor if anchor in computed or (anchor == "mean" and computed) else "none"
    found = analyse_network(rows, Account("edges"), measured=measured, anchor=anchor, seed=seed)
    missing = tuple(
        LigandRow(name, None, None, 0, "failed", "FAIL", experimental_dg_kcal_per_mol=measured_dg,
                  cause=lost.get(name, "no edge reaches it"))
        for name, measured_dg in ligands.items()
        if name not in in_edges
    )  # fmt: skip
    known_causes = tuple(
        replace(one, cause=lost[one.ligand]) if one.dg_kcal_per_mol is None and one.ligand in lost else one
        for one in found.ligands
    )
    return replace(found, ligands=(*known_causes, *missing))
