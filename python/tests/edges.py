"""Edges between small molecules: GAFF2 by tleap alone, in vacuum, OBC2 or a small box of water."""

from __future__ import annotations

import atexit
import math
import shutil
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import parmed
from rdkit import Chem
from rdkit.Chem import AllChem, rdFMCS

from gibbsflow.binding.alchemy.hybrid.pair.ends import EndState, Term
from gibbsflow.binding.facts import BoundFacts, RunFacts, SettingsFacts, TopologyFacts
from gibbsflow.binding.geometry import angle_deg, dihedral_deg
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import Equil, Md
from gibbsflow.engines import ambertools
from gibbsflow.engines.openmm_systems import (
    box_vectors_nm,
    create_system,
    load_topology,
    minimise,
    new_context,
    read_positions_nm,
)
from gibbsflow.engines.openmm_systems import positions_nm as read_positions

SMILES = {
    "benzene": "c1ccccc1",
    "toluene": "Cc1ccccc1",
    "p-xylene": "Cc1ccc(C)cc1",
    "methanol": "CO",
    "ethane": "CC",
    "phenol": "Oc1ccccc1",
    "fluorobenzene": "Fc1ccccc1",
    "pyridine": "c1ccncc1",
    "butane": "CCCC",
    "2-fluorobutane": "CC[C@H](F)C",
    "isobutane": "CC(C)C",
    "neopentane": "CC(C)(C)C",
    "acetate": "CC(=O)[O-]",
}
PAIRS = [
    ("benzene", "toluene"),
    ("toluene", "p-xylene"),
    ("methanol", "ethane"),
    ("phenol", "fluorobenzene"),
    ("benzene", "pyridine"),
    ("butane", "2-fluorobutane"),
    ("isobutane", "neopentane"),
]
"""A substituent more; one more at a second place; another element; a ring substituted anew; another element in a ring;
a dummy at a stereocentre; one with three neighbours of its anchor."""
TYPES = {
    "ca": "[c]", "nb": "[n]", "c": "[CX3;!c]", "c3": "[CX4]", "o": "[OX1]", "oh": "[OX2H]", "f": "[F]",
    "ha": "[#1]c", "h4": "[#1]cn", "hc": "[#1][CX4]", "h1": "[#1][CX4][O,F]", "ho": "[#1]O",
}  # fmt: skip
"""GAFF2's types by what they are; a later one counts for more."""
MD = Md(solvent="tip3p", cutoff_angstrom=7.0)


@cache
def molecule(name: str) -> Chem.Mol:
    """The molecule with a geometry and quick charges; its hydrogens follow the heavy atoms."""
    mol = Chem.AddHs(Chem.MolFromSmiles(SMILES[name]))
    AllChem.EmbedMolecule(mol, randomSeed=7)
    AllChem.MMFFOptimizeMolecule(mol)
    AllChem.ComputeGasteigerCharges(mol)
    return mol


@cache
def _files() -> Path:
    """All molecules, alone and in their boxes, made at once."""
    folder = Path(tempfile.mkdtemp(prefix="gibbsflow-edges-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    lines = ["source leaprc.gaff2", "source leaprc.water.tip3p", "set default PBRadii mbondi2"]
    for name in SMILES:
        (folder / f"{name}.mol2").write_text(_mol2(molecule(name)))
        lines += [f"LIG = loadmol2 {name}.mol2", f"saveamberparm LIG {name}.prmtop {name}.inpcrd"]
        lines += ["solvatebox LIG TIP3PBOX 5.5", f"saveamberparm LIG {name}-box.prmtop {name}-box.inpcrd"]
    ambertools.tleap("\n".join([*lines, "quit", ""]), folder=folder, log=folder / "leap.log", name="edges")
    return folder


def _mol2(mol: Chem.Mol) -> str:
    types = {}
    for kind, smarts in TYPES.items():
        types |= {match[0]: kind for match in mol.GetSubstructMatches(Chem.MolFromSmarts(smarts))}
    charges = np.round([atom.GetDoubleProp("_GasteigerCharge") for atom in mol.GetAtoms()], 6)
    charges += (Chem.GetFormalCharge(mol) - charges.sum()) / len(charges)
    where = mol.GetConformer().GetPositions()
    atoms = [
        f"{i + 1} {mol.GetAtomWithIdx(i).GetSymbol()}{i + 1} {x:.4f} {y:.4f} {z:.4f} {types[i]} 1 LIG {charges[i]:.6f}"
        for i, (x, y, z) in enumerate(where)
    ]
    bonds = [
        f"{n + 1} {bond.GetBeginAtomIdx() + 1} {bond.GetEndAtomIdx() + 1} 1" for n, bond in enumerate(mol.GetBonds())
    ]
    head = ["@<TRIPOS>MOLECULE", "LIG", f"{len(atoms)} {len(bonds)} 1 0 0", "SMALL", "USER_CHARGES", ""]
    foot = ["@<TRIPOS>SUBSTRUCTURE", "1 LIG 1 TEMP 0 **** **** 0 ROOT", ""]
    return "\n".join([*head, "@<TRIPOS>ATOM", *atoms, "@<TRIPOS>BOND", *bonds, *foot])


def prmtop(name: str, *, box: bool = False) -> Path:
    """Its topology; not to be changed."""
    return _files() / f"{name}{'-box' if box else ''}.prmtop"


def positions_nm(name: str, *, box: bool = False) -> np.ndarray:
    """Its atoms where its topology has them."""
    return read_positions_nm(prmtop(name, box=box).with_suffix(".inpcrd"))


def box_nm(name: str) -> np.ndarray:
    """Its box."""
    return box_vectors_nm(prmtop(name, box=True).with_suffix(".inpcrd"))


def end(name: str, solvent: str = "vacuum") -> EndState:
    """The molecule by itself, or in its box."""
    file, size = prmtop(name, box=solvent == "tip3p"), molecule(name).GetNumAtoms()
    md = MD if solvent == "tip3p" else Md(solvent=solvent)
    return EndState(name, create_system(file, md), tuple(range(size)), load_topology(file).topology)


def in_the_box_of(name: str, other: str) -> EndState:
    """A molecule in the water of another one."""
    folder = _files()
    water = parmed.load_file(str(prmtop(other, box=True)))
    both = parmed.load_file(str(prmtop(name))) + water[":WAT"]
    both.box = water.box
    file = folder / f"{name}-in-{other}.prmtop"
    both.save(str(file), overwrite=True)
    return EndState(
        name, create_system(file, MD), tuple(range(molecule(name).GetNumAtoms())), load_topology(file).topology
    )


@cache
def pairs(a: str, b: str) -> tuple[tuple[int, int], ...]:
    """What they share: the largest common graph of heavy atoms, if need be of any element, and hydrogens of both."""
    one, other = molecule(a), molecule(b)
    heavy = [Chem.RemoveHs(mol) for mol in (one, other)]
    found = max(
        (
            rdFMCS.FindMCS(heavy, atomCompare=kind, bondCompare=rdFMCS.BondCompare.CompareAny, completeRingsOnly=True)
            for kind in (rdFMCS.AtomCompare.CompareElements, rdFMCS.AtomCompare.CompareAny)
        ),
        key=lambda each: each.numAtoms,
    )
    pattern = Chem.MolFromSmarts(found.smartsString)
    shared = list(zip(*(mol.GetSubstructMatch(pattern) for mol in heavy), strict=True))
    for i, j in tuple(shared):
        shared += zip(_hydrogens(one, i), _hydrogens(other, j), strict=False)
    return tuple(sorted(shared))


def _hydrogens(mol: Chem.Mol, atom: int) -> Sequence[int]:
    return [n.GetIdx() for n in mol.GetAtomWithIdx(atom).GetNeighbors() if n.GetAtomicNum() == 1]


def system(
    name: str, folder: Path, *, solvent: str = "tip3p", frames: int = 4, engine: Literal["openmm", "gromacs"] = "openmm"
) -> SimSystem:
    """A molecule as if it had been equilibrated, in its box or without one, and had not moved."""
    explicit = solvent == "tip3p"
    folder.mkdir(parents=True)
    for role in ("ligand", "solvent"):
        for suffix in (".prmtop", ".inpcrd"):
            file = prmtop(name, box=explicit and role == "solvent").with_suffix(suffix)
            shutil.copyfile(file, folder / f"{role}{suffix}")
    start = relaxed_nm(name) if explicit else positions_nm(name)
    kept = {"positions_nm": np.tile(start, (frames, 1, 1)), "heating": np.arange(frames) < 1}
    boxes = {"box_nm": np.tile(box_nm(name), (frames, 1, 1))} if explicit else {}
    np.savez(folder / "frames.npz", **kept, **boxes)
    artifacts = {f"{role}_{kind}": f"{role}.{kind}" for role in ("ligand", "solvent") for kind in ("prmtop", "inpcrd")}
    md = MD.model_copy(update={"solvent": solvent, "engine": engine})
    atoms = tuple(range(molecule(name).GetNumAtoms()))
    facts = TopologyFacts(md=md, receptor_atoms=(), ligand_atoms=atoms, site_atoms=())
    made = SimSystem(name, folder, artifacts | {"solvent_equil_frames": "frames.npz", "equil_frames": "frames.npz"})
    made = made.with_facts(facts).with_facts(SettingsFacts(md=md, equil=Equil(), run=RunFacts(seed=7)))
    made.write()
    return made


@cache
def relaxed_nm(name: str) -> np.ndarray:
    """Its box after a short minimisation."""
    context = new_context(end(name, "tip3p").system, MD, 1)
    context.setPeriodicBoxVectors(*box_nm(name))
    context.setPositions(positions_nm(name, box=True))
    minimise(context, 50)
    return read_positions(context)


def of_term(term: Term, x: np.ndarray) -> float:
    """Energy of a bonded term, kJ/mol, by its formula alone."""
    atoms = [x[i] for i in term.atoms]
    if term.kind == "bond":
        length, k = term.parameters
        return 0.5 * k * (np.linalg.norm(atoms[0] - atoms[1]) - length) ** 2
    if term.kind == "angle":
        angle, k = term.parameters
        return 0.5 * k * (math.radians(angle_deg(*atoms)) - angle) ** 2
    n, phase, barrier = term.parameters
    return barrier * (1 + math.cos(n * math.radians(dihedral_deg(*atoms)) - phase))


def stacked(name: str, host: str, folder: Path, *, apart_nm: float = 0.38, frames: int = 4) -> SimSystem:
    """A molecule over another one that is taken for its receptor, in OBC2, as if it had been equilibrated and bound."""
    made = system(name, folder, solvent="obc2", frames=frames)
    both = parmed.load_file(str(prmtop(host))) + parmed.load_file(str(prmtop(name)))
    both.save(str(folder / "complex.prmtop"), overwrite=True)
    below, above = positions_nm(host), positions_nm(name)
    normal = np.linalg.svd(below - below.mean(axis=0))[2][2]
    above = above - above.mean(axis=0) + below.mean(axis=0) + apart_nm * normal
    start = np.concatenate([below, above])
    np.savez(folder / "complex.npz", positions_nm=np.tile(start, (frames, 1, 1)), heating=np.arange(frames) < 1)
    first = len(below)
    atoms = tuple(range(first)), tuple(range(first, len(start)))
    facts = TopologyFacts(md=Md(), receptor_atoms=atoms[0], ligand_atoms=atoms[1], site_atoms=())
    made = made.with_artifacts(complex_prmtop="complex.prmtop", equil_frames="complex.npz").with_facts(facts)
    made = made.with_facts(BoundFacts(bound=True, ligand_site_distance_angstrom=4.0))
    made.write()
    return made
