"""A bilayer that comes as a PDB without a topology: lipids by lipid21's or CHARMM's names, water and ions taken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from gibbsflow.binding.forcefield.membrane.bilayer import middle_of
from gibbsflow.binding.forcefield.membrane.lipids import LEAST_CARBONS, LEAST_LIPIDS
from gibbsflow.binding.forcefield.patch.lipid_names import LIPIDS, AmberNames, amber_names
from gibbsflow.binding.forcefield.patch.orientation import CORE_ANGSTROM
from gibbsflow.binding.forcefield.patch.surroundings import Lipid, Surroundings, named_lipid
from gibbsflow.binding.prepare.membrane.lipid_residues import HEADS, STEROL, TAILS, is_lipid
from gibbsflow.binding.prepare.membrane.opm_planes import DUMMY
from gibbsflow.binding.prepare.protein.atom_records import AtomRecord, read_structure
from gibbsflow.binding.prepare.protein.residue_names import ALIASES, AMINO_ACIDS, PHOSPHORYLATED, WATERS
from gibbsflow.errors import EngineError, InputError, ParametrisationError, Problem
from gibbsflow.units import Floats
from gibbsflow.workflow.input_files import STRUCTURE_BYTES, read_text

FIELD = "membrane_pdb"
RIGHT = "a PDB of the bilayer with CRYST1, all hydrogens, lipids by lipid21's names (PA, PC, OL) or CHARMM's (POPC)"
SQUARE_DEGREES = 0.01
_IONS = {"SOD": "Na+", "NA": "Na+", "NA+": "Na+", "POT": "K+", "K": "K+", "K+": "K+", "CLA": "Cl-", "CL": "Cl-",
         "CL-": "Cl-"}  # fmt: skip
_WATER_NAMES = WATERS | {"TIP4", "OPC", "T4P", "SPCE"}
ION_CHARGES = {"Na+": 1, "K+": 1, "Cl-": -1}


@dataclass(frozen=True)
class Prepared:
    """What such a file holds.

    Attributes
    ----------
    surroundings
        Whole molecules about z = 0, the middle of the bilayer.
    alpha_names, alpha_angstrom
        Residues of the protein and their α carbons, in the order and the frame of the file, shape (R, 3), Å.
    middle_angstrom
        Height of the middle in the file.
    others
        Residues that are none of these, each with its heavy atoms in the frame of the file: ligand, cofactors.
    """

    surroundings: Surroundings
    alpha_names: tuple[str, ...]
    alpha_angstrom: Floats
    middle_angstrom: float
    others: tuple[tuple[str, Floats], ...]


def read_prepared(path: Path, folder: Path, box_angstrom: Floats | None = None) -> Prepared:
    """Read a bilayer.

    Parameters
    ----------
    path
        PDB with a box of right angles, its third edge along the normal of the bilayer.
    folder
        Where the program that names lipids runs.
    box_angstrom
        Its lengths, shape (3,), Å; None where the file says them.

    Returns
    -------
    Prepared
        Its parts.

    Raises
    ------
    InputError
        Naming line and residue of what cannot be taken.
    """
    where = str(path)
    text = read_text(path, RIGHT, STRUCTURE_BYTES, field=FIELD, errors="replace")
    box = _box(text, where) if box_angstrom is None else box_angstrom
    fragments: list[list[AtomRecord]] = []
    waters: list[Floats] = []
    ions: dict[str, list[Floats]] = {}
    alpha: list[AtomRecord] = []
    others: list[tuple[str, Floats]] = []
    records = read_structure(path).atoms
    _refuse_alternates(records, where)
    for atoms in _residues(records):
        first = atoms[0]
        name = ALIASES.get(first.residue, first.residue)
        if name in AMINO_ACIDS or name in PHOSPHORYLATED:
            alpha += [atom for atom in atoms if atom.name == "CA"]
        elif first.residue in _WATER_NAMES:
            waters.append(_water(atoms, where))
        elif len(atoms) == 1 and first.residue.upper() in _IONS:
            ions.setdefault(_IONS[first.residue.upper()], []).append(_places(atoms))
        elif is_lipid(first.residue, sum(atom.element == "C" for atom in atoms)) or _has_chains(atoms):
            fragments.append(atoms)
        elif first.residue != DUMMY:
            others.append((f"{first.residue} {first.number}", _places([a for a in atoms if a.element != "H"])))
    lipids = list(_lipids(fragments, box, folder, where))
    if len(lipids) < LEAST_LIPIDS:
        raise InputError(Problem(where, f"{len(lipids)} lipids in it", RIGHT, field=FIELD))
    if not waters:
        raise InputError(Problem(where, "no water in it", RIGHT, field=FIELD))
    places = np.array([atom.xyz for atom in alpha]).reshape(-1, 3)
    tails = np.concatenate([lipid.positions_angstrom for lipid in lipids])
    middle = _beside(middle_of(tails, float(box[2])), places[:, 2], float(box[2]))
    centre = np.array([*(places if len(places) else tails)[:, :2].mean(axis=0), middle])
    moved = [replace(x, positions_angstrom=_about(x.positions_angstrom[None], centre, box)[0]) for x in lipids]
    whole = _about(np.array([_whole(water, box) for water in waters]), centre, box)
    ionic = {kind: _about(np.array(places), centre, box)[:, 0] for kind, places in ions.items()}
    names = tuple(ALIASES.get(atom.residue, atom.residue) for atom in alpha)
    return Prepared(Surroundings(tuple(moved), whole, box, ionic), names, places, middle, tuple(others))


def _box(text: str, where: str) -> Floats:
    rows = [line for line in text.splitlines() if line.startswith("CRYST1")]
    try:
        edges = np.array([float(rows[0][a : a + 9]) for a in (6, 15, 24)])
        angles = np.array([float(rows[0][a : a + 7]) for a in (33, 40, 47)])
    except (IndexError, ValueError) as error:
        raise InputError(Problem(where, "no record CRYST1 with the box in it", RIGHT, field=FIELD)) from error
    if edges.min() <= 1:
        raise InputError(Problem(where, f"a box of {edges.tolist()} Å, which is none", RIGHT, field=FIELD))
    if np.abs(angles - 90).max() > SQUARE_DEGREES:
        what, right = f"a box with angles of {angles.tolist()}°", "right angles, or the system with its topology"
        raise InputError(Problem(where, what, right, field=FIELD))
    return edges


def _refuse_alternates(atoms: Sequence[AtomRecord], where: str) -> None:
    """Refuse a second place of atoms, which would pass for another residue."""
    letters = list(dict.fromkeys(atom.altloc for atom in atoms if atom.altloc))
    if len(letters) > 1:
        first = next(atom for atom in atoms if atom.altloc == letters[1])
        what = f"alternate locations {' and '.join(letters)} ({first.residue} {first.number})"
        raise InputError(Problem(where, what, "one place for each atom", first.line, FIELD))


def _residues(atoms: Iterable[AtomRecord]) -> Iterable[list[AtomRecord]]:
    """Stretches of one residue; numbers start anew beyond 9999, so that a name for the second time begins another."""
    held: list[AtomRecord] = []
    for atom in atoms:
        key = (atom.chain, atom.number, atom.residue, atom.segment, atom.run)
        if held and (
            key != (held[0].chain, held[0].number, held[0].residue, held[0].segment, held[0].run)
            or any(atom.name == other.name for other in held)
        ):
            yield held
            held = []
        held.append(atom)
    if held:
        yield held


def _places(atoms: Sequence[AtomRecord]) -> Floats:
    return np.array([atom.xyz for atom in atoms], dtype=float).reshape(-1, 3)


def _has_chains(atoms: Sequence[AtomRecord]) -> bool:
    elements = [atom.element for atom in atoms]
    return "P" in elements and elements.count("C") >= LEAST_CARBONS


def _water(atoms: Sequence[AtomRecord], where: str) -> Floats:
    """Oxygen and hydrogens; sites that are no atoms are left."""
    found = [[a.xyz for a in atoms if a.element == element] for element in ("O", "H")]
    if [len(each) for each in found] != [1, 2]:
        first = atoms[0]
        what = f"water {first.residue} {first.number} has {len(found[0])} oxygens and {len(found[1])} hydrogens"
        raise InputError(Problem(where, what, RIGHT, first.line, FIELD))
    return np.array([*found[0], *found[1]], dtype=float)


def _whole(places: Floats, box: Floats) -> Floats:
    """Each atom at the image that is nearest to the one before it."""
    steps = np.diff(places, axis=0)
    steps -= box * np.round(steps / box)
    return np.concatenate([places[:1], places[:1] + np.cumsum(steps, axis=0)])


def _beside(middle: float, alpha_z: Floats, height: float) -> float:
    """The image of the bilayer's middle that most of the protein's residues are near."""
    images = [middle + k * height for k in (0, -1, 1, -2, 2)]
    return max(images, key=lambda image: int((np.abs(alpha_z - image) < CORE_ANGSTROM).sum()))


def _about(molecules: Floats, centre: Floats, box: Floats) -> Floats:
    """Molecules at the images nearest to a place, whose height becomes z = 0; shape (M, A, 3)."""
    away = molecules.mean(axis=1) - centre
    return np.asarray(molecules - (box * np.round(away / box) + [0, 0, centre[2]])[:, None])


def _lipids(fragments: Sequence[list[AtomRecord]], box: Floats, folder: Path, where: str) -> Iterable[Lipid]:
    """Lipids of heads and tails that follow each other, sterols, and whole ones that are given lipid21's names."""
    known: dict[tuple[str, tuple[str, ...]], AmberNames] = {}
    waiting: list[list[AtomRecord]] = []
    for atoms in fragments:
        first = atoms[0]
        if first.residue in TAILS or first.residue in HEADS:
            waiting.append(atoms)
            if len(waiting) == 3:  # noqa: PLR2004
                yield _joined(waiting, box, where)
                waiting = []
            continue
        if waiting:
            break
        if first.residue == STEROL:
            yield _joined([atoms], box, where)
            continue
        names = tuple(atom.name for atom in atoms)
        key = (first.residue, names)
        if key not in known:
            known[key] = _renamed(first, names, folder, where)
        yield named_lipid(known[key], _whole(_places(atoms), box))
    if waiting:
        _refuse_pieces(waiting, where)


def _joined(parts: Sequence[list[AtomRecord]], box: Floats, where: str) -> Lipid:
    heads = sum(part[0].residue in HEADS for part in parts)
    if len(parts) > 1 and heads != 1:
        _refuse_pieces(parts, where)
    atoms = [atom for part in parts for atom in part]
    numbers = tuple(k for k, part in enumerate(parts) for _ in part)
    residues = tuple(atom.residue for atom in atoms)
    return Lipid(tuple(atom.name for atom in atoms), residues, numbers, _whole(_places(atoms), box))


def _refuse_pieces(parts: Sequence[list[AtomRecord]], where: str) -> None:
    first = parts[0][0]
    told = ", ".join(f"{part[0].residue} {part[0].number}" for part in parts)
    right = "tail, head and tail of each lipid one after the other, as lipid21 has them: PA, PC, OL"
    raise InputError(Problem(where, f"{told} are no lipid", right, first.line, FIELD))


def _renamed(first: AtomRecord, names: tuple[str, ...], folder: Path, where: str) -> AmberNames:
    """Names of a lipid that CHARMM, or OpenMM with three letters of the residue's four, has named."""
    cut = [lipid for lipid in LIPIDS if lipid[:3] == first.residue]
    for lipid in cut or [first.residue]:
        try:
            return amber_names(lipid, names, folder)
        except (ParametrisationError, EngineError):
            continue
    what = (
        f"lipid {first.residue} {first.number}: its {len(names)} atoms have names that charmmlipid2amber does not know"
    )
    raise InputError(Problem(where, what, RIGHT, first.line, FIELD))
