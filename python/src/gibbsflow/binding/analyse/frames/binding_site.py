"""The binding site as a reader looks at it: ligand, or both of an edge, residues near it, atoms a restraint holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from openmm import app

from gibbsflow.binding.alchemy.alchemical_leg import FILE_NAME
from gibbsflow.binding.analyse.frames.edge_ends import EdgeEnds
from gibbsflow.binding.equilibrate.anchoring.anchor_atoms import Named, named_atoms, receptor_names
from gibbsflow.binding.facts import EdgeFacts, LegFacts, PreparedFacts, TopologyFacts
from gibbsflow.binding.system import SimSystem
from gibbsflow.engines.openmm_systems import load_topology
from gibbsflow.units import Floats
from gibbsflow.workflow.files import as_written, read_arrays, read_json

NEAR_ANGSTROM = 6.0
"""Residues with an atom as near as this to one of the ligand are shown whole."""
ANCHORS = ("P1", "P2", "P3", "L1", "L2", "L3")


def binding_site(system: SimSystem) -> dict[str, Any] | None:
    """Cut the binding site out of the representative frame of the equilibration, which the legs start from.

    Parameters
    ----------
    system
        As left by ``equil analyse`` or ``fe prepare``; of an edge by the latter.

    Returns
    -------
    dict or None
        ``pdb``: ligand (``HETATM``, chain L), whose centroid is the origin, and the receptor's residues with an atom
        within 6 Å of it, water and ions left out; ``residues`` {number in the PDB block: name}; ``restraint``: None
        where there is none, else its ``kind`` with, of a Boresch restraint, ``anchors`` {P1...L3: {name,
        position_angstrom}}, of any other the two ``centres_angstrom`` and how many ``atoms`` each is of. Of an edge
        ``pdb`` has the first ligand, as its leg starts, ``second_pdb`` the other one. None without a complex, or a
        frame of it.

    Raises
    ------
    InputError, StateError
        For files that are missing or damaged.
    """
    if system.find(EdgeFacts) is not None:
        return _of_edge(system)
    atoms = system.find(TopologyFacts)
    if (
        atoms is None
        or not atoms.ligand_atoms
        or not {"complex_prmtop", "representative_npz"} <= system.artifacts.keys()
    ):
        return None
    topology = load_topology(system.path("complex_prmtop")).topology
    where = np.asarray(read_arrays(system.path("representative_npz"), "positions_nm")["positions_nm"], float) * 10
    where -= where[list(atoms.ligand_atoms)].mean(axis=0)  # PDB has eight columns for a coordinate
    names = named_atoms(system) if system.find(PreparedFacts) else Named({}, {})
    residues = _near(topology, where, atoms.ligand_atoms, atoms.receptor_atoms)
    prepared = system.find(LegFacts)
    restraint = None if prepared is None or prepared.restraint is None else _held(prepared.restraint, names, where)
    return {
        "pdb": _pdb(topology, residues, where, set(atoms.ligand_atoms)),
        "near_angstrom": NEAR_ANGSTROM,
        "residues": _told(residues, names),
        "restraint": restraint,
    }


def _of_edge(system: SimSystem) -> dict[str, Any] | None:
    """Both ligands and what is round either, as the leg with the receptor starts; None without such a leg."""
    for path in sorted(system.root.glob(f"legs/*/{FILE_NAME}")):
        leg = read_json(path)
        with as_written(path, "`fe prepare`"):
            receptor = leg["receptor_atoms"] if leg["hybrid"] else ()
        if not receptor:
            continue
        edge = EdgeEnds.read(leg, path.parent)
        both = np.union1d(*edge.whole)
        where = np.asarray(edge.starts_nm[0], dtype=np.float64) * 10
        where -= where[both].mean(axis=0)
        topology, other = edge.topologies
        residues = _near(topology, where, both, receptor)
        return {
            "pdb": _pdb(topology, residues, where, set(edge.whole[0].tolist())),
            "second_pdb": _pdb(other, (), where[edge.whole[1]], set(range(other.getNumAtoms()))),
            "near_angstrom": NEAR_ANGSTROM,
            "residues": _told(residues, receptor_names(system, topology, receptor)),
            "restraint": None,
        }
    return None


def _told(residues: Iterable[app.topology.Residue], names: Named) -> dict[str, str]:
    """Residues by their number in the PDB block."""
    labels = {index: name.rsplit(":", 1)[0] for name, index in names.receptor.items() if ":" in name}
    told = {}
    for number, residue in enumerate(residues, start=1):
        label = next((labels[atom.index] for atom in residue.atoms() if atom.index in labels), "")
        told[str(number)] = f"{residue.name} {label}".strip()
    return told


def _near(
    topology: app.Topology, where: Floats, ligand: Iterable[int], receptor: Iterable[int]
) -> list[app.topology.Residue]:
    """Residues of the receptor near the ligand, in their order."""
    inside, at = set(receptor), where[list(ligand)]
    found = []
    for residue in topology.residues():
        own = [atom.index for atom in residue.atoms() if atom.index in inside]
        if own and np.min(np.linalg.norm(where[own][:, None] - at[None], axis=2)) <= NEAR_ANGSTROM:
            found.append(residue)
    return found


def _pdb(topology: app.Topology, residues: Iterable[app.topology.Residue], where: Floats, ligand: set[int]) -> str:
    """PDB block: residues from number 1 in chain R, the ligand in chain L, with the bonds within each molecule."""
    lines: list[str] = []
    serial: dict[int, int] = {}
    chosen = [(atom, "R", number, residue) for number, residue in enumerate(residues, 1) for atom in residue.atoms()]
    chosen += [(atom, "L", 1, atom.residue) for atom in topology.atoms() if atom.index in ligand]
    for atom, chain, number, residue in chosen:
        serial[atom.index] = len(serial) + 1
        symbol = atom.element.symbol if atom.element is not None else ""
        name = atom.name if len(atom.name) >= 4 or len(symbol) == 2 else f" {atom.name}"
        x, y, z = where[atom.index]
        kind = "HETATM" if chain == "L" else "ATOM"
        who = f"{kind:6}{serial[atom.index]:5d} {name[:4]:<4} {residue.name[:3]:>3} {chain}{number:4d}    "
        lines.append(f"{who}{x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00          {symbol.upper():>2}")
    partners: dict[int, list[int]] = {}
    for a, b in topology.bonds():
        if a.index in serial and b.index in serial:
            partners.setdefault(serial[a.index], []).append(serial[b.index])
            partners.setdefault(serial[b.index], []).append(serial[a.index])
    for one, others in sorted(partners.items()):
        for start in range(0, len(others), 4):
            lines.append("CONECT" + "".join(f"{n:5d}" for n in (one, *sorted(others)[start : start + 4])))
    return "\n".join([*lines, "END", ""])


def _held(restraint: Mapping[str, Any], names: Named, where: Floats) -> dict[str, Any] | None:
    """Atoms, or centres, that a restraint holds."""
    kind = str(restraint.get("kind"))
    if kind == "boresch":
        atoms = [*restraint["receptor"], *restraint["ligand"]]
        return {
            "kind": kind,
            "anchors": {
                anchor: {"name": name, "position_angstrom": np.round(where[atom], 3).tolist()}
                for anchor, atom, name in zip(ANCHORS, atoms, names.of(atoms), strict=True)
            },
        }
    groups = [list(restraint.get(part, ())) for part in ("receptor_atoms", "ligand_atoms")]
    if not all(groups):
        return None
    return {
        "kind": kind,
        "centres_angstrom": [np.round(where[group].mean(axis=0), 3).tolist() for group in groups],
        "atoms": [len(group) for group in groups],
    }
