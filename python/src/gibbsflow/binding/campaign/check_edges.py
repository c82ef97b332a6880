"""Ligands of a campaign as the ends of edges: whether a network of them can be run, before anything is computed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import networkx as nx

from gibbsflow.binding.campaign.edges import planned
from gibbsflow.binding.network.design import connectivity
from gibbsflow.binding.network.design.comparison import (
    GivenMaps,
    Posed,
    Ways,
    compare,
    foretell,
    given_maps,
    without_isotopes,
)
from gibbsflow.binding.network.design.links import Network, kind_of
from gibbsflow.binding.network.design.network_files import read_network
from gibbsflow.binding.network.design.planning import plan
from gibbsflow.binding.prepare.atom_map.map_files import find_map
from gibbsflow.binding.prepare.conformers import embed
from gibbsflow.binding.prepare.molecules import Molecule
from gibbsflow.binding.prepare.samplesheet import Row
from gibbsflow.config.binding import BindingConfig
from gibbsflow.config.binding_parts import Relative
from gibbsflow.engines.choice.engine_choice import choose_engine
from gibbsflow.engines.md_engines import WHOLE_RUNS
from gibbsflow.errors import InputError, Problem, first_few, shown
from gibbsflow.workflow.folders.places import LONGEST_NAME

FEWEST = 2


def edge_problems(
    ligands: Sequence[tuple[Row, Molecule]],
    settings: BindingConfig,
    where: str,
    left_out: Mapping[str, Molecule | None] = MappingProxyType({}),
) -> tuple[list[Problem], list[Problem]]:
    """Check the ligands of a campaign against each other, and the network that is asked for.

    Parameters
    ----------
    ligands
        Usable rows, each with its ligand, in its pose unless it is to be placed.
    settings
        Section ``relative`` counts.
    where
        What messages call the samplesheet.
    left_out
        Ligands of rows that cannot be used, as far as they could be read: a network of a file may name them, and what
        they would connect once they are mended is not told of.

    Returns
    -------
    problems
        Too few ligands, one given twice, names too long for an edge, maps and networks that cannot be used, ligands
        that no edge reaches; all at once.
    warnings
        Of the network as it will be planned.
    """
    relative, names = settings.relative, [*(row.ligand for row, _ in ligands), *left_out]
    problems = _pairwise(ligands, where, settings.run.mode)
    if len(ligands) < FEWEST:
        problems.append(
            Problem(
                where,
                f"{len(ligands)} usable ligand{'s' * (len(ligands) != 1)}: no edge",
                "two or more",
                field="ligand",
            )
        )
    if settings.md.explicit and settings.fe.abfe_protocol == "sdr":
        what = "sdr builds boxes of a ligand and its copy, in which no edge can be run"
        problems.append(Problem("fe", what, "double_decoupling, the default", field="abfe_protocol"))
    measured = {row.ligand for row, _ in ligands if row.experimental_dg_kcal_per_mol is not None}
    if relative.anchor not in ("none", "mean") and relative.anchor not in measured:
        what = f"{shown(relative.anchor)} is {'not measured' if relative.anchor in names else 'none of the ligands'}"
        problems.append(Problem("relative", what, "none, mean, or a ligand with a measured value", field="anchor"))
    if relative.hub is not None and relative.hub not in names:
        right = "one of " + ", ".join(names[:10])
        problems.append(Problem("relative", f"{shown(relative.hub)} is none of the ligands", right, field="hub"))
    asked = relative.model_copy(update={"hub": relative.hub if relative.hub in names else None})
    ways = Ways.of(settings)
    posed = {row.ligand: _posed(row, ligand, settings) for row, ligand in ligands}
    maps, network, had_maps = GivenMaps(), None, False
    try:
        maps = given_maps(relative, posed, names, ways)
    except InputError as error:
        problems += error.problems
    try:
        network = None if kind_of(relative.network) else read_network(Path(relative.network), names)
        had_maps = network is not None and any(edge.atoms is not None for edge in network.edges)
        if len(ligands) >= FEWEST:
            network = _planned(asked, posed, maps, network, settings)
    except InputError as error:
        problems += error.problems
    notes = []
    if network is not None and kind_of(relative.network) is None and relative.map is None and had_maps:
        notes = [Problem(relative.network, "its atom maps are not used", f"--map {relative.network}", field="map")]
    told = [] if network is None else _apart(ligands, left_out, network, where, settings)
    problems += told
    if problems or network is None:
        return problems, []
    notes += [Problem(str(relative.map), f"{' and '.join(pair)}: {why}") for pair, why in maps.replaced.items()]
    whole = [text for text in network.notes if "dual topology" in text]
    return [], [*notes, *(Problem("network", text) for text in (*network.warnings, *whole))]


def _posed(row: Row, ligand: Molecule, settings: BindingConfig) -> Posed:
    """A ligand as it is known before anything runs; maps are held against one geometry at least of its isomer."""
    given = row.in_its_pose
    built = ligand if given or settings.relative.map is None else embed(ligand, count=1, seed=settings.run.seed)
    return Posed(built.mol, ligand.charge, given=given)


def _planned(
    relative: Relative,
    posed: Mapping[str, Posed],
    maps: GivenMaps,
    network: Network | None,
    settings: BindingConfig,
) -> Network:
    """The network as it will be planned; where poses are yet to come, by what the molecules have in common."""
    ways = Ways.of(settings)
    if all(one.given for one in posed.values()):
        return planned(relative, compare(posed, maps, seed=settings.run.seed, ways=ways))
    if kind := kind_of(relative.network):
        return plan(foretell(posed, ways), kind, hub=relative.hub)
    assert network is not None  # of a file
    right = _connected(settings)
    wrong = [
        Problem(relative.network, f"{edge}: no atom map can be found", right, field="network")
        for edge in network.edges
        if set(edge.pair) <= posed.keys()
        and find_map(maps.maps, *edge.pair) is None
        and not ways.possible(posed[edge.ligand_a], posed[edge.ligand_b])
    ]
    if wrong:
        raise InputError(wrong)
    return network


def _apart(
    ligands: Sequence[tuple[Row, Molecule]],
    left_out: Mapping[str, Molecule | None],
    network: Network,
    where: str,
    settings: BindingConfig,
) -> list[Problem]:
    """Ligands that no edge connects with most others."""
    ways = Ways.of(settings)
    if None in left_out.values():
        return []  # it may connect whatever it is
    graph = nx.Graph(network.graph)
    if len(graph) and nx.is_connected(graph):
        return []
    graph.add_nodes_from(left_out)
    known = {row.ligand: ligand for row, ligand in ligands}
    beside = {name: Posed(ligand.mol, ligand.charge, given=False) for name, ligand in left_out.items() if ligand}
    every = beside | {name: Posed(ligand.mol, ligand.charge, given=False) for name, ligand in known.items()}
    graph.add_edges_from((a, b) for a in beside for b in every if a != b and ways.possible(every[a], every[b]))
    largest, *others = connectivity.parts(graph)
    right = _connected(settings)
    mixed = not ways.charge_changes and len({ligand.charge for _, ligand in ligands}) > 1
    if mixed:
        right += f"; or {_by_openmm(settings) if ways.ions else ''}{ways.remedy}, with which the net charge may change"

    def charged(name: str) -> str:
        return f"{name} ({every[name].charge:+d} e)" if mixed else name

    told = []
    for part in others:
        if not (rows := [row for row, _ in ligands if row.ligand in part]):
            continue
        (first, *rest), most = (
            [charged(name) for name in names] for names in ([row.ligand for row in rows], largest[:3])
        )
        together = f" (with {first_few(rest)})" if rest else ""
        what = f"{first}{together}: no edges connect {'them' if rest else 'it'} with {first_few(most)}"
        told.append(Problem(where, what, right, rows[0].line, "ligand"))
    return told


def _connected(settings: BindingConfig) -> str:
    """What two ligands need for an edge."""
    ways = Ways.of(settings)
    charge = "" if ways.charge_changes else " of its charge"
    right = f"a ligand{charge} with four or more heavy atoms in common, one on the other where poses are given"
    return right + ("; or edge_topology auto" if ways.topology == "hybrid" else "")


def _by_openmm(settings: BindingConfig) -> str:
    """What goes before advice that GROMACS cannot follow."""
    return "engine openmm with " if choose_engine(settings.md).engine == WHOLE_RUNS else ""


def _pairwise(ligands: Sequence[tuple[Row, Molecule]], where: str, mode: str) -> list[Problem]:
    """One molecule given twice; names that are too long for that of an edge."""
    first: dict[str, Row] = {}
    problems = []
    for row, ligand in ligands:
        if (known := first.setdefault(without_isotopes(ligand.mol), row)) is not row:
            what = f"{row.ligand} is the molecule of {known.ligand} (row {known.line})"
            problems.append(Problem(where, what, "each molecule once", row.line, "ligand"))
        if row.pose_of is not None:
            what = f"{row.ligand}: a pose of {row.pose_of}"
            problems.append(Problem(where, what, f"one pose a ligand in mode {mode}", row.line, "pose_of"))
    longest = sorted((row for row, _ in ligands), key=lambda row: -len(row.ligand))[:2]
    if len(longest) == FEWEST and sum(len(row.ligand) for row in longest) >= LONGEST_NAME:
        what = f"{longest[0].ligand} and {longest[1].ligand} are too long together for the name of an edge"
        problems.append(Problem(where, what, f"together at most {LONGEST_NAME - 1}", longest[0].line, "ligand"))
    return problems
