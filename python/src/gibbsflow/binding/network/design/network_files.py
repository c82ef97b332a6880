"""Networks in files: a table of edges, what `network plan` wrote, and OpenFE's ``LigandNetwork``."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import networkx as nx

from gibbsflow.binding.network.design import connectivity
from gibbsflow.binding.network.design.exported_tables import OTHERS
from gibbsflow.binding.network.design.links import KINDS, Edge, Network, Pair
from gibbsflow.binding.network.design.sheet import LONGEST_NAME, alike, name_of, number, read_sheet
from gibbsflow.binding.prepare.small_molecule.sdf_records import ligand_name
from gibbsflow.errors import InputError, Problem, first_few, shown
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.files import atomic_open, write_json
from gibbsflow.workflow.input_files import STRUCTURE_BYTES, read_text
from gibbsflow.workflow.settings_file import parse_json

RIGHT = "a table with ligand_a and ligand_b, network.json of `gibbsflow network plan`, or OpenFE's LigandNetwork"
_COLUMNS = ("ligand_a", "ligand_b", "difficulty")
_GRAPHML = "{http://graphml.graphdrawing.org/xmlns}"
_LISTED = 12
_AS_TABLE = "its edges as a table with ligand_a and ligand_b"
_UNLIKE = {
    r"<(\?xml|graphml)": ("is XML and no table", "OpenFE's LigandNetwork under a name that ends in .graphml or .json"),
    r"(strict\s+)?(di)?graph\b": ("is a graph of Graphviz, as LOMAP writes it, and no table", _AS_TABLE),
    r"index_1\s+index_2\b": (
        "is LOMAP's list of scores and no table",
        f"{_AS_TABLE}: rows with Connect Yes, names of ligands",
    ),
    r"[0-9a-f]{7,}_[0-9a-f]{7,}\b|#\s*hash": ("is FEP+'s list of edges and no table", _AS_TABLE),
}
"""What other programs write their networks in."""


@dataclass(frozen=True)
class _Found:
    """An edge of a file; `line` is None in a file without rows."""

    edge: Edge
    line: int | None


def read_network(path: Path, ligands: Collection[str] | None = None, *, whole: bool = True) -> Network:
    """Read a network, and list all that is wrong with it at once.

    Parameters
    ----------
    path
        A table (CSV) with ``ligand_a, ligand_b`` and perhaps ``difficulty``; JSON of `gibbsflow network plan`, or of
        OpenFE with the atom maps of its edges, which may be its GraphML, too.
    ligands
        All ligands there are, which the file may call by the names of their records, with blanks and the like where
        those of rows have ``_``; None for those that the file names.
    whole
        Whether each ligand must be connected to all others.

    Returns
    -------
    Network
        Edges in the order and direction of the file.

    Raises
    ------
    InputError
        For what is no network, edges from a ligand to itself, pairs that come twice, ligands that are none, and parts
        that no edge connects.
    """
    if not Path(path).suffix and not Path(path).exists():
        what = "no such file, and no kind of network that is planned"
        raise InputError(Problem(str(path), what, f"{', '.join(KINDS)}, or {RIGHT}", field="network"))
    account = Account(str(path))
    if Path(path).suffix.lower() == ".json":
        kind, named, found = _from_json(Path(path), account)
    elif Path(path).suffix.lower() == ".graphml":
        kind, (named, found) = "file", _graphml(read_text(Path(path), RIGHT, STRUCTURE_BYTES), Path(path), account)
    else:
        kind, named, found = "file", set(), _from_table(Path(path), account)
    if ligands is not None:  # names of records may have blanks, those of rows have none
        found = [replace(one, edge=_renamed(one.edge, ligands)) for one in found]
        named = {called_as(name, ligands) for name in named}
    named |= {name for one in found for name in one.edge.pair}
    edges, first = [], dict[Pair, _Found]()
    for one in found:
        edge = one.edge
        if edge.ligand_a == edge.ligand_b:
            account.refuse(f"{shown(edge.ligand_a)} with itself", "two ligands", row=one.line)
        elif (known := first.setdefault(edge.pair, one)) is not one:
            place = f" (row {known.line})" if known.line else ""
            account.refuse(f"{shown(str(edge))} is there already{place}", "each pair once", row=one.line)
        else:
            edges.append(edge)
    everyone = named if ligands is None else set(ligands)
    for name in sorted(named - everyone):
        lines = [one.line for one in found if name in one.edge.pair]
        account.refuse(f"{shown(name)} is none of the ligands", "their names", row=lines[0] if lines else None)
    for one_name, other in alike(named):
        account.refuse(f"{shown(one_name)} and {shown(other)} differ in case alone", "one spelling for each ligand")
    network = Network(kind, tuple(sorted(everyone)), tuple(edges))
    if not edges and not account.of_weight("refuse"):
        account.refuse("no edge", RIGHT)
    elif edges and whole and len(apart := connectivity.parts(nx.Graph(network.graph.subgraph(everyone)))) > 1:
        account.refuse(f"{len(apart)} parts that no edge connects: {listed(apart)}", "edges that connect all ligands")
    account.settle()
    return network


def listed(parts: Collection[Collection[str]]) -> str:
    """Name the parts of a network.

    Parameters
    ----------
    parts
        Names of the ligands of each.

    Returns
    -------
    str
        All but the largest in full, as far as there is room.
    """
    return first_few([first_few(list(part), _LISTED) for part in parts], _LISTED, between="; ")


def _renamed(edge: Edge, ligands: Collection[str]) -> Edge:
    return replace(edge, ligand_a=called_as(edge.ligand_a, ligands), ligand_b=called_as(edge.ligand_b, ligands))


def called_as(name: str, ligands: Collection[str]) -> str:
    """Find the ligand of a name: that of a row where only what rows cannot be called differs.

    Parameters
    ----------
    name
        As a file has it.
    ligands
        Names of the rows.

    Returns
    -------
    str
        One of `ligands`, or `name` where it is none of them.
    """
    return name if name in ligands or ligand_name(name) not in ligands else ligand_name(name)


def _from_table(path: Path, account: Account) -> list[_Found]:
    found = []
    ligands = {theirs: ours for theirs, ours in OTHERS.items() if ours in _COLUMNS}
    for row in read_sheet(path, account, _COLUMNS, needed=_COLUMNS[:2], others=ligands, unlike=_UNLIKE):
        a, b = name_of(row, "ligand_a", account), name_of(row, "ligand_b", account)
        difficulty = number(row, "difficulty", account)
        if difficulty is not None and not 0 <= difficulty <= 1:
            what = f"{shown(row.cells['difficulty'])} is no difficulty"
            account.refuse(what, "0 to 1", row=row.line, field="difficulty")
        if a is not None and b is not None:
            found.append(_Found(Edge(a, b, difficulty), row.line))
    return found


def _from_json(path: Path, account: Account) -> tuple[str, set[str], list[_Found]]:
    content = _parsed(read_text(path, RIGHT, STRUCTURE_BYTES), path)
    if isinstance(content, dict) and isinstance(content.get("edges"), list) and "ligands" in content:
        return _own(content, account)
    for text in _graphs(content):
        return "file", *_graphml(text, path, account)
    raise InputError(Problem(str(path), "holds no network", RIGHT))


def _parsed(text: str, path: Path) -> Any:
    try:
        return parse_json(text, path)
    except (ValueError, RecursionError, OverflowError) as error:
        raise InputError(Problem(str(path), f"not readable as JSON: {error}", RIGHT)) from error


def _own(content: dict[str, Any], account: Account) -> tuple[str, set[str], list[_Found]]:
    found = []
    for place, said in enumerate(content["edges"]):
        where = f"edges[{place}]"
        try:
            difficulty = said.get("difficulty")
            atoms = None if said.get("atoms") is None else _atoms(said["atoms"])
            a, b, cause = said["ligand_a"], said["ligand_b"], said.get("cause", "")
            if not isinstance(cause, str) or not (_name(a) and _name(b)) or isinstance(difficulty, bool):
                raise TypeError
            if difficulty is not None and not 0 <= difficulty <= 1:
                raise ValueError
        except (AttributeError, KeyError, TypeError, ValueError):
            account.refuse(shown(said), "ligand_a and ligand_b, difficulty (0 to 1), atoms (pairs)", field=where)
            continue
        found.append(_Found(Edge(a, b, None if difficulty is None else float(difficulty), atoms, cause), None))
    names = content["ligands"] if isinstance(content["ligands"], list) else [content["ligands"]]
    if strange := [name for name in names if not _name(name)]:
        account.refuse(f"{shown(strange[0])} is no name", "a list of names", field="ligands")
    kind = content.get("kind", "file")
    if kind not in ("star", "mst", "redundant", "file"):
        account.refuse(f"{shown(kind)} is no kind of network", "star, mst, redundant or file", field="kind")
    return str(kind), {name for name in names if _name(name)}, found


def _name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_NAME and value.isprintable()


def _atoms(value: Any) -> tuple[tuple[int, int], ...]:
    pairs = tuple(sorted((a, b) for a, b in value))
    whole = all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for pair in pairs for n in pair)
    if not whole or any(len(set(side)) < len(pairs) for side in zip(*pairs, strict=True)):
        raise ValueError
    return pairs


def _graphs(content: Any) -> Iterator[str]:
    """Texts of GraphML, however gufe has wrapped them: a mapping, or a list of keys with mappings."""
    if isinstance(content, dict) and isinstance(content.get("graphml"), str):
        yield content["graphml"]
    elif isinstance(content, list):
        for item in content:
            if isinstance(item, list | dict):
                yield from _graphs(item)


def _graphml(text: str, path: Path, account: Account) -> tuple[set[str], list[_Found]]:
    """Read gufe's GraphML: the name of a node is ``ofe-name`` of its molecule, the data of an edge its map."""
    try:
        if "<!DOCTYPE" in text:
            raise ValueError("it declares entities")
        root = ElementTree.fromstring(text)  # noqa: S314 - no document type, so no entities to expand
    except (ElementTree.ParseError, ValueError) as error:
        raise InputError(Problem(str(path), f"its graphml is not readable: {error}", RIGHT)) from error
    keys = {key.get("attr.name"): key.get("id") for key in root.iter(f"{_GRAPHML}key")}

    def _data(element: ElementTree.Element, name: str) -> Any:
        texts = [data.text for data in element.iter(f"{_GRAPHML}data") if data.get("key") == keys.get(name)]
        return _parsed(texts[0] or "null", path) if texts else None

    names: dict[str | None, str] = {}
    for node in root.iter(f"{_GRAPHML}node"):
        molecule = _data(node, "moldict")
        name = molecule.get("molprops", {}).get("ofe-name") if isinstance(molecule, dict) else None
        if isinstance(name, int | float) and not isinstance(name, bool):
            name = str(name)  # RDKit makes a number of a title in digits alone
        if not _name(name):
            account.refuse(f"node {shown(node.get('id'))} has no name", "ofe-name among the properties of its molecule")
        elif name in names.values():
            account.refuse(f"two ligands are called {shown(name)}", "each name once")
        names[node.get("id")] = str(name) if _name(name) else ""
    found = []
    for edge in root.iter(f"{_GRAPHML}edge"):
        ends = [names.get(edge.get(end), "") for end in ("source", "target")]
        if not all(ends):
            account.refuse(f"an edge from {shown(edge.get('source'))} to {shown(edge.get('target'))}", "its own nodes")
            continue
        try:
            mapping = _data(edge, "mapping")
            atoms = None if mapping is None else _atoms(mapping)
        except (TypeError, ValueError):
            account.refuse(f"the map of {ends[0]}~{ends[1]} is none", "pairs of atoms, each atom once")
            continue
        found.append(_Found(Edge(ends[0], ends[1], atoms=atoms), None))
    return set(names.values()) - {""}, found


def write_network(network: Network, folder: Path) -> None:
    """Write ``network.json``, and ``network.csv`` to look at.

    Parameters
    ----------
    network
        The network.
    folder
        Where to.
    """
    write_json(Path(folder) / "network.json", network.as_dict())
    with atomic_open(Path(folder) / "network.csv", "w") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(_COLUMNS)
        for edge in network.edges:
            difficulty = "" if edge.difficulty is None else f"{edge.difficulty:.4f}"
            writer.writerow([*map(_marked, (edge.ligand_a, edge.ligand_b)), difficulty])


def _marked(name: str) -> str:
    """A name that a spreadsheet does not execute; :func:`~.sheet.unmarked` takes the mark off."""
    return f"'{name}" if name[0] in "=+-@\uff1d\uff0b\uff0d\uff20" else name
