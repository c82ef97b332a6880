"""Files of maps: our own (JSON or YAML, one edge or many), and those of OpenFE (gufe's JSON, GraphML), read alone.

Own form::

    {"atom_maps": [{"ligand_a": "benzene", "ligand_b": "toluene", "pairs": [[0, 0], [1, 1]]}]}

or one such entry alone, or ``network.json`` of a campaign. Indices count from 0 in the order of the prepared ligands,
which is that of their files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import networkx as nx
import yaml

from gibbsflow.binding.prepare.atom_map.atom_maps import AtomMap
from gibbsflow.binding.prepare.small_molecule.sdf_records import ligand_name
from gibbsflow.errors import InputError, Problem, one_line, shown
from gibbsflow.workflow.files import atomic_open, write_json
from gibbsflow.workflow.input_files import STRUCTURE_BYTES, read_text
from gibbsflow.workflow.settings_file import parse_json

RIGHT = "atom maps in JSON or YAML: ligand_a, ligand_b and pairs of atom numbers from 0; or OpenFE's JSON or GraphML"
_GUFE_KEY = ":gufe-key:"
_KEYS = {"ligand_a", "ligand_b", "pairs"}
_YAML = (".yaml", ".yml")


def write_maps(path: Path, maps: Sequence[AtomMap]) -> Path:
    """Write maps, in JSON, or in YAML where the file is called so.

    Parameters
    ----------
    path
        File to write.
    maps
        One for each edge.

    Returns
    -------
    Path
        `path`.
    """
    entries = [{"ligand_a": m.ligand_a, "ligand_b": m.ligand_b, "pairs": [list(p) for p in m.pairs]} for m in maps]
    path = Path(path)
    if path.suffix.lower() in _YAML:
        with atomic_open(path, "w") as file:
            yaml.safe_dump({"atom_maps": entries}, file, sort_keys=False, default_flow_style=None, width=120)
    else:
        write_json(path, {"atom_maps": entries})
    return path


def read_maps(path: Path) -> list[AtomMap]:
    """Read maps.

    Parameters
    ----------
    path
        Of our own form, or OpenFE's network of ligands or mappings; names of its ligands become those of rows, blanks
        and the like as ``_``.

    Returns
    -------
    list of AtomMap
        In the order of the file.

    Raises
    ------
    InputError
        With all that is wrong with the file, each entry by its number, from 1.
    """
    path = Path(path)
    text = read_text(path, RIGHT, STRUCTURE_BYTES)
    try:
        if path.suffix.lower() == ".graphml":  # what OpenFE's JSON has inside
            content = {"graphml": text}
        else:
            content = yaml.safe_load(text) if path.suffix.lower() in _YAML else parse_json(text, path)
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise InputError(Problem(str(path), f"not readable ({one_line(str(error), 200)})", RIGHT)) from error
    entries = list(_entries(content, path))
    if not entries:
        raise InputError(Problem(str(path), "holds no atom maps", RIGHT))
    maps: list[AtomMap] = []
    problems: list[Problem] = []
    seen: dict[frozenset[str], int] = {}
    for number, entry in enumerate(entries, 1):
        found = _entry_faults(entry)
        if not found:
            atom_map = AtomMap(entry["ligand_a"], entry["ligand_b"], tuple((i, j) for i, j in entry["pairs"]))
            edge = frozenset((atom_map.ligand_a.lower(), atom_map.ligand_b.lower()))
            if (first := seen.setdefault(edge, number)) != number:
                what = f"{atom_map.ligand_a} and {atom_map.ligand_b} have a map already, number {first}"
                found = [(what, "one map for an edge", "")]
            maps.append(atom_map)
        problems += [
            Problem(str(path), what, right, field=f"atom map {number}" + (f", {key}" if key else ""))
            for what, right, key in found
        ]
    if problems:
        raise InputError(problems)
    return maps


def find_map(maps: Sequence[AtomMap], ligand_a: str, ligand_b: str) -> AtomMap | None:
    """Take the map of an edge, turned round where the file has its reverse.

    Parameters
    ----------
    maps
        As :func:`read_maps` gives them.
    ligand_a, ligand_b
        Names of the ligands.

    Returns
    -------
    AtomMap or None
        None where there is none.
    """
    for atom_map in maps:
        if (atom_map.ligand_a, atom_map.ligand_b) == (ligand_a, ligand_b):
            return atom_map
        if (atom_map.ligand_b, atom_map.ligand_a) == (ligand_a, ligand_b):
            return atom_map.reversed()
    return None


def _entries(content: Any, path: Path) -> Iterator[Any]:
    """Entries of our own form, unchecked."""
    if isinstance(content, dict) and _KEYS & content.keys():
        yield content
    elif isinstance(content, dict) and "atom_maps" in content:
        if unknown := sorted(map(str, content.keys() - {"atom_maps"})):
            raise InputError(Problem(str(path), f"unknown key {shown(unknown[0])}", "atom_maps alone"))
        if not isinstance(content["atom_maps"], list):
            raise InputError(Problem(str(path), "is no list", "a list of maps", field="atom_maps"))
        yield from content["atom_maps"]
    elif isinstance(content, dict) and isinstance(content.get("edges"), list) and "ligands" in content:
        for edge in content["edges"]:  # a network as it was planned
            if isinstance(edge, dict) and edge.get("atoms") is not None:
                yield {"ligand_a": edge.get("ligand_a"), "ligand_b": edge.get("ligand_b"), "pairs": edge["atoms"]}
    else:
        try:
            yield from _gufe_entries(content)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, SyntaxError, nx.NetworkXError) as error:
            form = "GraphML" if path.suffix.lower() == ".graphml" else "JSON"
            what = f"looks like OpenFE's {form}, but is none that can be read ({one_line(repr(error), 200)})"
            raise InputError(Problem(str(path), what, RIGHT)) from error


def _gufe_entries(content: Any) -> Iterator[Any]:
    """Maps in gufe's chain of keyed objects: of a network of ligands, of single mappings, of transformations."""
    chain: dict[str, Any] = {}
    if isinstance(content, list):
        chain = {str(key): value for key, value in content}
    elif isinstance(content, dict):
        chain = {"": content}
    for value in chain.values():
        if "graphml" in value:
            graph = nx.parse_graphml(value["graphml"])
            names = {node: _gufe_name(json.loads(data["moldict"])) for node, data in graph.nodes(data=True)}
            for a, b, data in graph.edges(data=True):
                yield {"ligand_a": names[a], "ligand_b": names[b], "pairs": _gufe_pairs(json.loads(data["mapping"]))}
        elif "componentA_to_componentB" in value:
            parts = (value["componentA"], value["componentB"])
            a, b = (_gufe_name(chain[p[_GUFE_KEY]] if _GUFE_KEY in p else p) for p in parts)
            yield {"ligand_a": a, "ligand_b": b, "pairs": _gufe_pairs(value["componentA_to_componentB"])}


def _gufe_name(component: dict[str, Any]) -> str:
    return ligand_name(str(component["molprops"]["ofe-name"]))


def _gufe_pairs(mapping: Any) -> list[list[int]]:
    """A mapping is a dictionary, its keys as text in JSON, or a list of pairs, in several versions of gufe."""
    mapping = json.loads(mapping) if isinstance(mapping, str) else mapping
    return [[int(i), int(j)] for i, j in (mapping.items() if isinstance(mapping, dict) else mapping)]


def _entry_faults(entry: Any) -> list[tuple[str, str, str]]:
    """What is wrong with an entry of its own: what, what would be right, and the key."""
    if not isinstance(entry, dict):
        return [(f"{shown(entry)} is no map", "ligand_a, ligand_b and pairs", "")]
    wrong = [(f"unknown key {shown(key)}", "ligand_a, ligand_b and pairs", "") for key in entry if key not in _KEYS]
    wrong += [("missing", "ligand_a, ligand_b and pairs", key) for key in sorted(_KEYS - entry.keys())]
    for key in ("ligand_a", "ligand_b"):
        if key in entry and not (isinstance(entry[key], str) and entry[key].strip()):
            wrong.append((f"{shown(entry[key])} is no name", "the name of a ligand", key))
    if not wrong and entry["ligand_a"] == entry["ligand_b"]:
        wrong.append((f"both ligands are {shown(entry['ligand_a'])}", "two ligands", "ligand_b"))
    pairs = entry.get("pairs", [])
    if not isinstance(pairs, list) or not all(map(_is_pair, pairs)):
        bad = pairs if not isinstance(pairs, list) else next(p for p in pairs if not _is_pair(p))
        wrong.append((f"{shown(bad)} is no pair", "pairs of whole numbers from 0, such as [[0, 0], [1, 2]]", "pairs"))
        return wrong
    for k in (0, 1):
        atoms = [pair[k] for pair in pairs]
        if len(set(atoms)) < len(atoms):
            twice = next(i for i in atoms if atoms.count(i) > 1)
            wrong.append((f"atom {twice} of ligand_{'ab'[k]} is there more than once", "each atom once", "pairs"))
    return wrong


def _is_pair(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2  # noqa: PLR2004
        and all(type(i) is int and i >= 0 for i in value)
    )
