"""What stands beside a protein: waters, ions, metals, cofactors; kept on request with parameters, or left out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from gibbsflow.binding.prepare.protein.atom_records import is_metal
from gibbsflow.binding.prepare.protein.residue_names import AMINO_ACIDS, PHOSPHORYLATED, WATERS
from gibbsflow.binding.prepare.protein.residues import Residue
from gibbsflow.errors import InputError, Problem, one_line
from gibbsflow.units import Floats
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.input_files import STRUCTURE_BYTES, read_text

NEAR_ANGSTROM = 6.0
"""A metal or cofactor that is left out this near to ligand or site is worth a warning."""
MOST_WATERS = 20
"""More crystal waters than this are no part of a site; in implicit solvent nothing holds them."""
COVALENT_ANGSTROM = 2.0
LIGAND_NAME = "LIG"
"""What the ligand is called in topologies."""
LONGEST_NAME = 3
"""Letters of a residue's name that tleap reads from a PDB file."""
CHARGE_TOLERANCE_E = 1e-3
IONS = {
    "LI": 1, "NA": 1, "K": 1, "RB": 1, "CS": 1, "AG": 1, "CU1": 1, "TL": 1, "MG": 2, "CA": 2, "SR": 2, "BA": 2, "MN": 2,
    "FE2": 2, "CO": 2, "NI": 2, "CU": 2, "ZN": 2, "CD": 2, "HG": 2, "PB": 2, "PD": 2, "PT": 2, "EU": 2, "YB2": 2,
    "SM": 3, "AL": 3, "CR": 3, "FE": 3, "Y": 3, "IN": 3, "LA": 3, "CE": 3, "PR": 3, "EU3": 3, "GD3": 3, "TB": 3,
    "LU": 3, "F": -1, "CL": -1, "BR": -1, "IOD": -1,
}  # fmt: skip
"""Ions that AmberTools' atomic_ions.lib has under the names of the PDB, with their charge in e."""
_ION_ALIASES = {
    "SOD": "NA", "CLA": "CL", "POT": "K", "CAL": "CA", "CES": "CS", "LIT": "LI", "BAR": "BA", "CAD": "CD", "RUB": "RB",
    "CIO": "CS", "CIP": "NA", "CIM": "CL",
}  # fmt: skip
"""Ions of CHARMM and AMBER by the names of the PDB."""
_ADDITIVES = frozenset(
    "GOL EDO PEG PGE PG4 1PE P6G SO4 PO4 ACT ACY DMS MPD FMT CIT TRS EPE MES BME IPA EOH MOH NO3 SCN AZI IMD NA K "
    "CL BR IOD LI RB CS F".split()
)
"""Buffers, cryoprotectants and salts of crystals, of no account to a binding site."""

_COMMANDS = frozenset({"add", "set"})
"""Commands of tleap as short as a residue's name."""


@dataclass(frozen=True)
class GivenResidue:
    """A residue that a parameter file defines.

    Attributes
    ----------
    name
        Of the residue.
    atoms
        Names of its heavy atoms.
    charge_e
        Sum of its partial charges.
    connects
        Whether it has a head and a tail, as members of a chain need.
    types
        Its atom types; empty where they are not looked at.
    """

    name: str
    atoms: frozenset[str]
    charge_e: float
    connects: bool
    types: frozenset[str] = field(default=frozenset(), compare=False)


def read_parameters(paths: Sequence[Path]) -> dict[str, GivenResidue]:
    """Read which residues parameter files define.

    Parameters
    ----------
    paths
        Files of AMBER: MOL2, lib or off; frcmod and dat, which define none, are only looked for.

    Returns
    -------
    dict
        Residues by name.

    Raises
    ------
    InputError
        Where a file is missing, of another kind or empty of residues.
    """
    found: dict[str, GivenResidue] = {}
    problems = []
    for path in map(Path, paths):
        right = "AMBER's parameters: .mol2, .lib, .off, .frcmod or .dat"
        if not re.fullmatch(r"[A-Za-z0-9._+-]+", path.name):
            problems.append(
                Problem(str(path), "tleap reads no such name", "letters, digits, . _ + -", field="parameters")
            )
            continue
        try:
            text = read_text(path, right, STRUCTURE_BYTES, field="parameters", errors="replace")
        except InputError as error:
            problems += error.problems
            continue
        suffix = path.suffix.lower()
        if suffix in (".frcmod", ".dat"):
            continue
        try:
            residues = (
                _mol2_residues(text) if suffix == ".mol2" else _lib_residues(text) if suffix in (".lib", ".off") else []
            )
        except (ValueError, IndexError) as error:
            problems.append(Problem(str(path), f"a table of atoms not readable: {error}", right, field="parameters"))
            continue
        if not residues:
            problems.append(Problem(str(path), "no residue with parameters in it", right, field="parameters"))
        for residue in residues:
            if wrong := _unusable(residue, found):
                problems.append(
                    Problem(str(path), f"{one_line(residue.name)} {wrong[0]}", wrong[1], field="parameters")
                )
            found[residue.name] = residue
    if problems:
        raise InputError(problems)
    return found


def _unusable(residue: GivenResidue, found: Mapping[str, GivenResidue]) -> tuple[str, str] | None:
    """What is wrong with the parameters of a residue, and what would be right; None where nothing is."""
    if residue.name in found:
        return "is defined twice", "each residue in one file"
    if residue.name in AMINO_ACIDS or residue.name in WATERS or residue.name == LIGAND_NAME:
        return "is the name of something else in the topology", "another name, in the receptor's file as well"
    if not re.fullmatch(r"[A-Za-z0-9_+-]+", residue.name) or residue.name.lower() in _COMMANDS:
        return "is no name in tleap's scripts", "one of letters and digits, in the receptor's file as well"
    if len(residue.name) > LONGEST_NAME:
        return "is too long a name for tleap", "one of three letters, in the receptor's file as well"
    if abs(residue.charge_e - round(residue.charge_e)) > CHARGE_TOLERANCE_E:
        return f"has charges that sum to {residue.charge_e:+.4f} e", "a whole number of e"
    if sybyl := sorted(t for t in residue.types if "." in t):
        return f"has SYBYL's atom types: {', '.join(sybyl[:6])}", "AMBER's or GAFF's (antechamber -at gaff2)"
    return None


def _mol2_residues(text: str) -> list[GivenResidue]:
    section = re.search(r"@<TRIPOS>ATOM\s*?\n(.*?)(?:@<TRIPOS>|\Z)", text, re.DOTALL)
    rows = [line.split() for line in section[1].splitlines() if line.strip()] if section else []
    rows = [row for row in rows if len(row) >= 9]
    if not rows or len({row[7] for row in rows}) != 1:
        return []
    heavy = frozenset(row[1] for row in rows if not row[1].lstrip("0123456789").upper().startswith("H"))
    types = frozenset(row[5] for row in rows)
    return [GivenResidue(rows[0][7], heavy, sum(float(row[8]) for row in rows), False, types)]


def _lib_residues(text: str) -> list[GivenResidue]:
    found = []
    for name, table in re.findall(r"^!entry\.(\S+)\.unit\.atoms table[^\n]*\n((?: [^\n]*\n)+)", text, re.MULTILINE):
        rows = [line.split() for line in table.splitlines()]
        heavy = frozenset(row[0].strip('"') for row in rows if row[6] != "1")
        connect = re.search(
            rf"^!entry\.{re.escape(name)}\.unit\.connect array int\n\s*(\d+)\n\s*(\d+)", text, re.MULTILINE
        )
        joined = connect is not None and "0" not in connect.groups()
        found.append(GivenResidue(name, heavy, sum(float(row[-1]) for row in rows), joined))
    return found


def ion_name(residue: Residue) -> str:
    """Give an ion its name in the PDB.

    Parameters
    ----------
    residue
        Any residue.

    Returns
    -------
    str
        As NA for SOD of CHARMM, Na+ of AMBER and Na of OpenMM; the name itself for what is no ion, and where the
        element says otherwise (CLA is chlorophyll as well).
    """
    if len(residue.atoms) != 1 or residue.name in IONS:
        return residue.name
    ((element, _),) = residue.atoms.values()
    plain = re.sub(r"\d*[+-]$|(?<=[A-Z])2$", "", residue.name.upper())
    name = _ION_ALIASES.get(plain, plain)
    return name if name in IONS and name == element else residue.name


def choose_kept(
    beside: Sequence[Residue],
    keep: str | None,
    given: dict[str, GivenResidue],
    account: Account,
    *,
    explicit: bool = False,
) -> list[Residue]:
    """Choose what of the surroundings is kept.

    Parameters
    ----------
    beside
        Residues that are no part of the protein.
    keep
        Residue names or CHAIN:NUMBER, separated by commas; None for nothing.
    given
        Residues that parameter files define.
    account
        Takes what is kept; refuses what has no parameters, by name.
    explicit
        Whether all of it will be in a box of water.

    Returns
    -------
    list of Residue
        Kept ones, in order.
    """
    entries = [entry.strip() for entry in (keep or "").split(",") if entry.strip()]
    for entry in entries:
        if not any(_means(r, entry) for r in beside):
            there = ", ".join(sorted({r.name for r in beside})) or "none"
            account.refuse(
                f"keep names {entry}, which is not beside the protein",
                f"a residue name or CHAIN:NUMBER; there are {there}",
                field="keep",
            )
    kept = []
    for r in beside:
        if not any(_means(r, entry) for entry in entries):
            continue
        heavy = {a for a, (element, _) in r.atoms.items() if element != "H"}
        if r.name in given:
            strange, lacking = sorted(heavy - given[r.name].atoms), sorted(given[r.name].atoms - heavy)
            if strange:
                account.refuse(
                    f"{r.called} has atoms that its parameters lack: {', '.join(strange[:8])}",
                    f"the names of the parameters: {', '.join(sorted(given[r.name].atoms)[:12])}",
                    row=r.line or None,
                    field="parameters",
                )
            if lacking:
                account.warn(f"{r.called} lacks atoms that tleap builds: {', '.join(lacking[:8])}", "all its atoms")
        elif not ((r.name in IONS and len(heavy) == 1) or (r.name in WATERS and len(heavy) == 1)):
            account.refuse(
                f"{r.called} is to be kept, and there are no parameters for it",
                "its parameters (--parameters: mol2 or lib, and frcmod), or keep without it",
                row=r.line or None,
                field="keep",
            )
        kept.append(r)
    waters = [r for r in kept if r.name in WATERS]
    if len(waters) > MOST_WATERS:
        because = "the box is filled with water anyway" if explicit else "in implicit solvent nothing holds them"
        right = f"those at the site as CHAIN:NUMBER, {MOST_WATERS} at most: {because}"
        account.refuse(f"{len(waters)} waters are to be kept", right, field="keep")
    elif waters:
        alone = "" if explicit else " (TIP3P) in implicit solvent, where nothing but the site holds them"
        account.note(f"{len(waters)} water{'s' * (len(waters) != 1)} kept{alone}")
    others = [r for r in kept if r.name not in WATERS]
    if others:
        account.note("kept: " + ", ".join(f"{r.called} (charge {_charge(r, given):+d})" for r in others))
    if metals := [r for r in others if r.name in IONS]:
        unfit = "" if explicit else "in implicit solvent ions have radii that were never fitted, and "
        account.warn(
            f"{', '.join(r.called for r in metals)}: {unfit}no bonds hold them",
            "parameters of a bonded model (--parameters), or what the result means without",
        )
    account.facts["kept_beside"] = [r.called for r in kept]
    return kept


def _charge(residue: Residue, given: dict[str, GivenResidue]) -> int:
    return round(given[residue.name].charge_e) if residue.name in given else IONS.get(residue.name, 0)


def _means(residue: Residue, entry: str) -> bool:
    water = entry in WATERS and residue.name in WATERS
    return water or entry in (residue.label, residue.name, residue.read_as)


def tell_left_out(
    left: Sequence[Residue], protein: Sequence[Residue], centres: Floats | None, account: Account
) -> None:
    """Enter what is left out: a note, or a warning where it may matter to the site.

    Parameters
    ----------
    left
        Residues that are left out.
    protein
        The polymer.
    centres
        Heavy atoms of ligand or site in Å, shape (atoms, 3); None where neither is known.
    account
        Takes the notes.
    """
    waters = sum(r.name in WATERS for r in left)
    if waters:
        account.note(f"{waters} waters removed")
    others = [r for r in left if r.name not in WATERS]
    if others:
        account.note(f"removed: {', '.join(sorted(r.called for r in others))}")
    account.facts["left_out"] = sorted(r.called for r in left)
    warn_of_near(others, centres, account)
    atoms = np.array([xyz for r in protein for xyz in r.heavy()])
    for r in others:
        heavy = np.array([xyz for element, xyz in r.atoms.values() if element != "H" and not is_metal(element)])
        if len(heavy) and len(atoms) and len(heavy) > 1:
            nearest = min(float(np.linalg.norm(atoms - xyz, axis=1).min()) for xyz in heavy)
            if nearest < COVALENT_ANGSTROM:
                account.warn(
                    f"{r.called}, which is left out, is bonded to the protein ({nearest:.2f} Å)",
                    "its parameters with keep, or a file without it",
                )


def warn_of_near(left: Sequence[Residue], centres: Floats | None, account: Account) -> None:
    """Warn of metals and cofactors that are left out near to ligand or site.

    Parameters
    ----------
    left
        Residues that are left out.
    centres
        Heavy atoms of ligand or site in Å, shape (atoms, 3); None where neither is known. What overlaps them is the
        ligand itself.
    account
        Takes the warnings.
    """
    if centres is None or not len(centres):
        return
    for r in left:
        if r.name in WATERS or r.name in _ADDITIVES or not r.heavy():
            continue
        each = [float(np.linalg.norm(centres - np.array(xyz), axis=1).min()) for xyz in r.heavy()]
        itself = len(each) > 1 and float(np.median(each)) < 1.0
        if min(each) <= NEAR_ANGSTROM and not itself:
            kind = "metal" if any(is_metal(element) for element, _ in r.atoms.values()) else "molecule"
            account.warn(
                f"{r.called}, a {kind} {min(each):.1f} Å from ligand or site, is left out",
                f"keep: {r.name} (with parameters), or a result that is meant without it",
            )


def is_polymer(residue: Residue, given: dict[str, GivenResidue], *, joined: bool) -> bool:
    """Tell whether a residue is part of the protein.

    Parameters
    ----------
    residue
        The residue.
    given
        Residues that parameter files define.
    joined
        Whether a peptide bond joins it to a neighbour.

    Returns
    -------
    bool
        True for amino acids and caps, and for modified residues that are joined and have parameters.
    """
    if residue.name in AMINO_ACIDS:
        return joined or not residue.hetero
    if residue.name in PHOSPHORYLATED:
        return joined or not residue.hetero
    return joined and residue.name in given
