"""Atoms that may be anchors of a restraint: what they are called, and which of a receptor stand firm."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import networkx as nx
import numpy as np
from openmm import app

from gibbsflow.binding.facts import PreparedFacts, TopologyFacts
from gibbsflow.binding.forcefield.amber_protein import amber_protein
from gibbsflow.binding.geometry import angle_deg, dihedral_deg
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.section import nearest_name
from gibbsflow.engines.openmm_systems import load_topology
from gibbsflow.errors import Problem, shown
from gibbsflow.units import Floats

RIGHT = "P1,P2,P3,L1,L2,L3, as A:111:CA,A:84:CA,A:88:CA,C1,C2,C4 (a host's atoms as O1,O3,O5)"
BACKBONE = ("N", "CA", "C")
FROM_THE_END = 2
"""Residues at each end of a chain, and on each side of a break in it, that are no anchors while others are."""
LEAST_IN_A_ROW = 3
"""Residues with the backbone of a helix or a strand that make one."""
LINE_DEG = 10.0
"""Three anchors of one molecule whose angle is nearer to a line than this have no dihedral over them."""
_HELIX, _STRAND = ((-100.0, -30.0), (-80.0, -5.0)), ((-180.0, -50.0), (80.0, 195.0))  # φ and ψ, degrees
_ENTRY = re.compile(r"[A-Za-z0-9_:*'+.-]+")


@dataclass(frozen=True)
class Named:
    """Heavy atoms of a complex by the names that people give them.

    Attributes
    ----------
    receptor, ligand
        Index of each atom into the complex, by name: CHAIN:NUMBER:ATOM of a protein, ATOM of a host and of a ligand.
    """

    receptor: Mapping[str, int]
    ligand: Mapping[str, int]

    def of(self, atoms: Iterable[int]) -> list[str]:
        """Name atoms.

        Parameters
        ----------
        atoms
            Indices into the complex.

        Returns
        -------
        list of str
            Their names; the index where it is no heavy atom.
        """
        names = {index: name for part in (self.receptor, self.ligand) for name, index in part.items()}
        return [names.get(atom, f"atom {atom}") for atom in atoms]


def named_atoms(system: SimSystem) -> Named:
    """Name the heavy atoms of a complex.

    Parameters
    ----------
    system
        As left by ``equil prepare`` or a later verb.

    Returns
    -------
    Named
        Residues of a protein as its file numbers them, or where there is no such file, as the topology does.
    """
    known = system.facts(TopologyFacts)
    topology = load_topology(system.path("complex_prmtop")).topology
    return _named(system, topology, known.receptor_atoms, known.ligand_atoms)


def receptor_names(system: SimSystem, topology: app.Topology, receptor_atoms: Iterable[int]) -> Named:
    """Name a receptor's heavy atoms in the leg of an edge.

    Parameters
    ----------
    system
        As left by ``fe prepare``.
    topology
        Of the leg, whose first residues are the receptor's.
    receptor_atoms
        Indices into it.

    Returns
    -------
    Named
        As :func:`named_atoms` names them, no ligand; empty of a system that nobody prepared.
    """
    return _named(system, topology, receptor_atoms, ()) if system.find(PreparedFacts) else Named({}, {})


def _named(
    system: SimSystem, topology: app.Topology, receptor_atoms: Iterable[int], ligand_atoms: Iterable[int]
) -> Named:
    protein = system.facts(PreparedFacts).receptor_kind == "protein"
    labels: list[str] = []
    if protein and "receptor" in system.artifacts:
        labels = [residue.label for residue in amber_protein(system.path("receptor")).residues]
    return names_in(topology, receptor_atoms, ligand_atoms, protein=protein, labels=labels)


def names_in(
    topology: app.Topology,
    receptor_atoms: Iterable[int],
    ligand_atoms: Iterable[int],
    *,
    protein: bool,
    labels: Sequence[str] = (),
) -> Named:
    """Name the heavy atoms of receptor and ligand in a topology.

    Parameters
    ----------
    topology
        Of the complex.
    receptor_atoms, ligand_atoms
        Indices into it.
    protein
        Whether names of the receptor begin with those of its residues.
    labels
        Residues as CHAIN:NUMBER, in their order; those beyond are called as the topology numbers them.

    Returns
    -------
    Named
        Their names.
    """
    inside, of_ligand = set(receptor_atoms), set(ligand_atoms)
    receptor: dict[str, int] = {}
    ligand: dict[str, int] = {}
    for residue in topology.residues():
        label = labels[residue.index] if residue.index < len(labels) else f"{residue.chain.id}:{residue.index + 1}"
        for atom in residue.atoms():
            if atom.element is not None and atom.element.symbol == "H":
                continue
            if atom.index in inside:
                receptor.setdefault(f"{label}:{atom.name}" if protein else atom.name, atom.index)
            elif atom.index in of_ligand:
                ligand.setdefault(atom.name, atom.index)
    return Named(receptor, ligand)


def split_names(text: str) -> list[str] | None:
    """Split the names of six anchors.

    Parameters
    ----------
    text
        As in setting ``boresch_atoms``.

    Returns
    -------
    list of str or None
        Three of the receptor, three of the ligand; None where they are not six.
    """
    entries = [entry.strip() for entry in text.split(",")]
    return entries if len(entries) == 6 and all(_ENTRY.fullmatch(entry) for entry in entries) else None


def name_problems(
    text: str, receptor: Iterable[str] | None, ligand: Iterable[str] | None, *, where: str
) -> list[Problem]:
    """Say what is wrong with the names of six anchors.

    Parameters
    ----------
    text
        As in setting ``boresch_atoms``.
    receptor, ligand
        Names of the heavy atoms that there are; None where they are not known.
    where
        What messages call the complex.

    Returns
    -------
    list of Problem
        One for each name that no atom has, with the nearest that one has; empty where they can be anchors.
    """
    names = split_names(text)
    if names is None:
        return [Problem(where, f"{shown(text)} are no six atoms", RIGHT, field="boresch_atoms")]
    found = []
    if twice := sorted({name for half in (names[:3], names[3:]) for name in half if half.count(name) > 1}):
        found.append(
            Problem(where, f"{', '.join(twice)} is there twice", "six atoms, each once", field="boresch_atoms")
        )
    for part, known, asked in (("receptor", receptor, names[:3]), ("ligand", ligand, names[3:])):
        if known is None:
            continue
        there = list(known)
        for name in asked:
            if name not in there:
                close = nearest_name(name, there)
                right = (
                    f"did you mean {close!r}?" if close else f"heavy atoms of the {part}, as {', '.join(there[:12])}"
                )
                what = f"the {part} has no heavy atom {shown(name)}"
                found.append(Problem(where, what, right, field="boresch_atoms"))
    return found


def bends_deg(receptor_angstrom: Floats, ligand_angstrom: Floats) -> tuple[Floats, Floats]:
    """Measure the angles P1-P2-P3 and L1-L2-L3, over which a Boresch restraint has dihedrals and no force.

    Parameters
    ----------
    receptor_angstrom, ligand_angstrom
        Three anchors each, shape (F, 3, 3), Å.

    Returns
    -------
    tuple of ndarray
        Degrees, shape (F,) each.
    """
    receptor, ligand = (angle_deg(at[:, 0], at[:, 1], at[:, 2]) for at in (receptor_angstrom, ligand_angstrom))
    return receptor, ligand


def line_problems(text: str, bends: Sequence[Floats], *, where: str) -> list[Problem]:
    """Refuse anchors of one molecule that lie in a line.

    Parameters
    ----------
    text
        As in setting ``boresch_atoms``, with nothing wrong with its names.
    bends
        Of receptor and ligand, as :func:`bends_deg` has them; their means count.
    where
        What messages call the complex.

    Returns
    -------
    list of Problem
        Empty where they can be anchors.
    """
    names, right = split_names(text) or [], "other atoms of it, 30 to 150 degrees"
    return [
        Problem(where, f"{','.join(three)} lie in a line ({bend:.0f} degrees)", right, field="boresch_atoms")
        for three, bend in zip((names[:3], names[3:]), (float(bend.mean()) for bend in bends), strict=True)
        if not LINE_DEG <= bend <= 180 - LINE_DEG
    ]


def firm_pools(
    topology: app.Topology, frames: Floats, receptor: Sequence[int], *, protein: bool
) -> list[tuple[str, list[int]]]:
    """Sort the heavy atoms of a receptor into pools of anchors, those that stand firmest first.

    Parameters
    ----------
    topology
        Of the complex.
    frames
        Shape (F, N, 3), in any one unit.
    receptor
        Its heavy atoms.
    protein
        Whether it has a backbone; else rings are looked for.

    Returns
    -------
    list of (str, list of int)
        What each pool is called, and its atoms; a later pool is larger.
    """
    pools: list[tuple[str, list[int]]] = []
    atoms = list(topology.atoms())
    if protein:
        inner, structured = _backbone(topology, frames)
        backbone = [i for i in receptor if atoms[i].name in BACKBONE]
        pools.append(
            ("backbone atoms of helices and strands", [i for i in backbone if atoms[i].residue.index in structured])
        )
        pools.append(
            ("backbone atoms away from ends of chains", [i for i in backbone if atoms[i].residue.index in inner])
        )
        pools.append(("backbone atoms", backbone))
    graph = nx.Graph([(a.index, b.index) for a, b in topology.bonds()])
    inside = set(receptor)
    rings = {atom for ring in nx.cycle_basis(graph.subgraph(inside)) for atom in ring}
    pools.append(("ring atoms", [i for i in receptor if i in rings]))
    pools.append(("heavy atoms", list(receptor)))
    return [(words, chosen) for words, chosen in pools if len(chosen) >= 3]


def _backbone(topology: app.Topology, frames: Floats) -> tuple[set[int], set[int]]:
    """Residues away from the ends of their chains, and those of them in helices or strands, by their indices.

    A chain ends where no peptide bond follows, at a break too. Helix and strand by φ and ψ in the median frame, three
    residues in a row or more: the regions about −60°, −45° and −120°, 130° of Ramachandran's map.
    """
    by_residue = {r.index: {a.name: a.index for a in r.atoms()} for r in topology.residues()}
    joined = {
        (a.residue.index, b.residue.index)
        for one, two in topology.bonds()
        for a, b in ((one, two), (two, one))
        if a.name == "C" and b.name == "N" and a.residue.index != b.residue.index
    }
    follows, behind = dict(joined), {b: a for a, b in joined}
    backbone = {k for k, names in by_residue.items() if set(BACKBONE) <= names.keys()}
    kinds: dict[int, str] = {}
    for k in backbone:
        if behind.get(k) in backbone and follows.get(k) in backbone:
            here = by_residue[k]
            n, ca, c = (frames[:, here[name]] for name in BACKBONE)
            phi = dihedral_deg(frames[:, by_residue[behind[k]]["C"]], n, ca, c)
            psi = dihedral_deg(n, ca, c, frames[:, by_residue[follows[k]]["N"]])
            kinds[k] = _kind(phi, psi)
    inner, structured = set(), set()
    for first in sorted(backbone - {k for k in backbone if behind.get(k) in backbone}):
        chain = [first]
        while (following := follows.get(chain[-1])) in backbone and following not in chain:
            chain.append(following)
        inner |= set(chain[FROM_THE_END : len(chain) - FROM_THE_END])
        row: list[int] = []
        for k in [*chain, -1]:
            if row and kinds.get(k, "") == kinds[row[-1]]:
                row.append(k)
                continue
            structured |= set(row) if len(row) >= LEAST_IN_A_ROW else set()
            row = [k] if kinds.get(k) else []
    return inner, structured & inner


def _kind(phi: Floats, psi: Floats) -> str:
    for word, ((low, high), (least, most)) in (("helix", _HELIX), ("strand", _STRAND)):
        turned = np.where(psi < -165, psi + 360, psi)
        if np.median((phi >= low) & (phi <= high) & (turned >= least) & (turned <= most)) == 1:
            return word
    return ""
