"""Protonation: chosen by residue, obeyed by name, read from hydrogens, and else by pH, with every choice told."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from gibbsflow.binding.prepare.protein.residue_names import (
    AMINO_ACIDS,
    INSIDE_ONLY,
    PARENT,
    PHOSPHORYLATED,
    STANDARD,
    STATES,
    parent_of,
)
from gibbsflow.binding.prepare.protein.residues import Residue, chain_ends
from gibbsflow.errors import InputError, Problem, one_line, shown
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.input_files import SETTINGS_BYTES, csv_records, read_text
from gibbsflow.workflow.settings_file import read_mapping

HIGHEST_PH = {"ASH": 4.4, "GLH": 4.4, "CYS": 8.5, "LYS": 10.0, "HIP": 6.5}
"""The acid form of each is taken up to this pH, as OpenMM's Modeller.addHydrogens takes it."""
_ACID_OF = {"ASP": "ASH", "GLU": "GLH"}
# hydrogens that the state does not touch, by the start of their names: with all of them there, what lacks is told
_ALWAYS = {"HIS": ("HB", 2), "ASP": ("HB", 2), "GLU": ("HG", 2), "LYS": ("HE", 2), "CYS": ("HB", 2)}

_ACID_PHOSPHATE = {"SEP": "S1P", "TPO": "T1P", "PTR": "Y1P"}
HYDROXYL_ANGSTROM = 1.3
"""A hydrogen nearer to an oxygen than this is bonded to it; O-H has 0.97 Å."""
_POLAR = {
    "TYR": {"HH"},
    "SER": {"HG"},
    "THR": {"HG1"},
    "ARG": {"HE", "HH11", "HH12", "HH21", "HH22"},
}
"""Hydrogens on oxygen and nitrogen of what has one state in the force fields."""


def read_choices(path: Path) -> dict[str, str]:
    """Read which residue is in which state.

    Parameters
    ----------
    path
        CSV with lines ``CHAIN:NUMBER,NAME`` (a header ``residue,name`` may stand above), or YAML with
        ``CHAIN:NUMBER: NAME``.

    Returns
    -------
    dict
        AMBER's residue name by CHAIN:NUMBER.

    Raises
    ------
    InputError
        With all lines that say neither, or that speak of one residue twice.
    """
    path = Path(path)
    rows: list[tuple[int | None, list[str]]]
    if path.suffix.lower() in (".yaml", ".yml"):
        content = read_mapping(path, "YAML with CHAIN:NUMBER: NAME", field="protonation")
        rows = [(None, [key, value if isinstance(value, str) else shown(value)]) for key, value in content.items()]
    else:
        right = "a CSV file with CHAIN:NUMBER,NAME or a YAML file with CHAIN:NUMBER: NAME"
        text = read_text(path, right, SETTINGS_BYTES, field="protonation")
        rows = [(line, cells) for line, cells in csv_records(text, path, right) if any(c.strip() for c in cells)]
        if rows and len(rows[0][1]) == 2 and all(cell.strip().replace(" ", "").isalpha() for cell in rows[0][1]):
            rows = rows[1:]
    choices: dict[str, str] = {}
    problems = []
    for line, cells in rows:
        cells = [cell.strip() for cell in cells]
        right = "CHAIN:NUMBER and a residue name, as A:64,HIP"
        if len(cells) != 2 or ":" not in cells[0] or cells[1].upper() not in AMINO_ACIDS:
            problems.append(Problem(str(path), f"not usable: {one_line(','.join(cells))}", right, line, "protonation"))
        elif cells[0] in choices:
            problems.append(Problem(str(path), f"{cells[0]} is named twice", "each residue once", line, "protonation"))
        else:
            choices[cells[0]] = cells[1].upper()
    if problems:
        raise InputError(problems)
    return choices


def protonate(
    residues: Sequence[Residue],
    pairs: Sequence[tuple[int, int]],
    ph: float,
    choices: Mapping[str, str],
    account: Account,
    force_field: str = "AMBER's force fields",
) -> tuple[list[str | None], list[str]]:
    """Decide the state of each residue.

    Parameters
    ----------
    residues
        The polymer, with the hydrogens that it came with.
    pairs
        Disulfides, as indices into `residues`.
    ph
        For what neither a choice, a name nor hydrogens decide.
    choices
        AMBER's residue name by CHAIN:NUMBER.
    account
        Takes the choices; refuses names that their hydrogens contradict, and states that no end of a chain can have.
    force_field
        What messages call it.

    Returns
    -------
    states
        AMBER's name of the state of each; None for a histidine that is neutral and whose hydrogen bonds decide.
    ways
        What decided each: ``choice``, ``disulfide``, ``name``, ``hydrogens`` or ``pH``; empty for what has one state.
    """
    bonded = {k for pair in pairs for k in pair}
    states: list[str | None] = []
    ways: list[str] = []
    left = dict(choices)
    for k, r in enumerate(residues):
        state, way = _state(r, k in bonded, ph, left.pop(r.label, None) or left.pop(r.read_as, None), account)
        states.append(state)
        ways.append(way)
    for label in left:
        account.refuse(f"protonation names {label}, which is no residue of it", "CHAIN:NUMBER", field="protonation")
    _tell(residues, states, ways, ph, account)
    _refuse_at_ends(residues, states, ways, ph, account, force_field)
    return states, ways


def _state(r: Residue, bonded: bool, ph: float, choice: str | None, account: Account) -> tuple[str | None, str]:
    parent = parent_of(r.name)
    if choice is not None:
        if choice == r.name or (parent_of(choice) == parent and parent in STATES):
            if (choice == "CYX") != bonded and parent == "CYS":
                what = f"protonation asks for {choice} of {r.called}, which is {'' if bonded else 'not '}in a disulfide"
                account.refuse(what, "CYX for a disulfide alone", row=r.line or None, field="protonation")
            if choice == "HIS":
                account.refuse(f"protonation asks for HIS of {r.called}", "HID, HIE or HIP", field="protonation")
            return choice, "choice"
        account.refuse(
            f"protonation asks for {choice} of {r.called}",
            "one of " + ", ".join(STATES.get(parent, (r.name,))),
            row=r.line or None,
            field="protonation",
        )
        return choice, "choice"
    if r.name in _ACID_PHOSPHATE and _has_acid_phosphate(r):
        name = _ACID_PHOSPHATE[r.name]
        account.refuse(
            f"{r.called} has a hydrogen on its phosphate, and {r.name} is its dianion",
            f"the name {name} (charge -1), or no hydrogen there",
            row=r.line or None,
        )
    if parent not in STATES:
        return r.name, ""
    if bonded:
        return "CYX", "disulfide"
    told = _by_hydrogens(r, parent)
    if r.name in PARENT:
        if told is not None and told != r.name and not (r.name == "CYX"):
            account.refuse(
                f"{r.called} has the hydrogens of {told}",
                f"the name {told}, other hydrogens, or none on this residue",
                row=r.line or None,
            )
        return r.name, "name"
    if told is not None:
        return told, "hydrogens"
    return by_ph(parent, ph), "pH"


def _has_acid_phosphate(r: Residue) -> bool:
    oxygens = [xyz for a, (_, xyz) in r.atoms.items() if a in ("O1P", "O2P", "O3P")]
    hydrogens = [xyz for element, xyz in r.atoms.values() if element == "H"]
    return any(math.dist(one, other) < HYDROXYL_ANGSTROM for one in oxygens for other in hydrogens)


def _by_hydrogens(r: Residue, parent: str) -> str | None:
    """State that the hydrogens of a residue show; None where there are none, or too few to tell."""
    hydrogens = {a for a, (element, _) in r.atoms.items() if element == "H"}
    start, count = _ALWAYS[parent]
    whole = sum(h.startswith(start) and len(h) == len(start) + 1 for h in hydrogens - {"HE1", "HE2"} or hydrogens)
    if parent == "LYS":
        whole = sum(h in hydrogens for h in ("HE1", "HE2", "HE3"))
    if parent == "GLU":
        whole = sum(h in hydrogens for h in ("HG1", "HG2", "HG3"))
    complete = whole >= count
    if parent == "HIS":
        there = ("HD1" in hydrogens, "HE2" in hydrogens)
        if there == (True, True):
            return "HIP"
        return {(True, False): "HID", (False, True): "HIE"}.get(there) if complete or any(there) else None
    if parent == "CYS" and "HG" in hydrogens:
        return "CYS"
    if parent == "LYS":
        # with the hydrogen of its amide the polar ones are there, even if those on carbon are not
        complete = complete or "H" in hydrogens
        on_nitrogen = sum(h.startswith("HZ") for h in hydrogens)
        return "LYS" if on_nitrogen == 3 else "LYN" if on_nitrogen == 2 and complete else None  # noqa: PLR2004
    if parent in _ACID_OF:
        acid = {"ASP": {"HD1", "HD2"}, "GLU": {"HE1", "HE2"}}[parent]
        if hydrogens & acid:
            return _ACID_OF[parent]
        return parent if complete else None
    return "CYM" if complete else None


def by_ph(parent: str, ph: float) -> str | None:
    """State of an amino acid at a pH, by the usual pKa.

    Parameters
    ----------
    parent
        Amino acid that has several states.
    ph
        The pH.

    Returns
    -------
    str or None
        AMBER's name; None for neutral histidine, of which there are two.
    """
    if parent == "HIS":
        return "HIP" if ph <= HIGHEST_PH["HIP"] else None
    if parent in _ACID_OF:
        return _ACID_OF[parent] if ph <= HIGHEST_PH[_ACID_OF[parent]] else parent
    return parent if ph <= HIGHEST_PH[parent] else {"CYS": "CYM", "LYS": "LYN"}[parent]


def _tell(
    residues: Sequence[Residue], states: Sequence[str | None], ways: Sequence[str], ph: float, account: Account
) -> None:
    for way, words in (
        ("choice", "as chosen"),
        ("name", "by their names"),
        ("hydrogens", "by the hydrogens that they have"),
    ):
        usual = {"LYS", "ASP", "GLU", "CYS"}
        told = [
            f"{state} {r.label}"
            for r, state, how in zip(residues, states, ways, strict=True)
            if how == way
            and state
            and (state not in usual or (parent_of(state) in STATES and by_ph(state, ph) != state))
        ]
        if told:
            account.note(f"protonation {words}: {', '.join(told[:20])}{' and more' * (len(told) > 20)}")
    guessed = [r for r, how in zip(residues, ways, strict=True) if how == "pH"]
    if guessed:
        account.note(f"protonation by pH {ph:g}: {len(guessed)} residues that neither name nor hydrogens decide")
    for r, state, how in zip(residues, states, ways, strict=True):
        if state == "CYM" and how == "hydrogens":
            account.warn(
                f"CYS {r.label} has no HG and no partner: it is taken as a thiolate (CYM, charge −1)",
                "CYS with HG, or CYM by name",
            )
    account.facts["protonation"] = {
        r.label: state
        for r, state in zip(residues, states, strict=True)
        if state and state in PARENT and state != "CYX"
    }


def _refuse_at_ends(
    residues: Sequence[Residue],
    states: Sequence[str | None],
    ways: Sequence[str],
    ph: float,
    account: Account,
    force_field: str,
) -> None:
    first, last = chain_ends(residues)
    _tell_ends(residues, first, last, account)
    _tell_lacking(residues, account)
    for k in sorted(first & last):
        account.refuse(
            f"{residues[k].called} is bonded to no neighbour; {force_field} know members of chains, no single ones",
            "a file without it, its neighbours, or the ligand in the samplesheet alone",
            row=residues[k].line or None,
        )
    for k, (r, state) in enumerate(zip(residues, states, strict=True)):
        which = "first" if k in first else "last" if k in last else ""
        if (
            not which
            or k in first & last
            or state is None
            or (state not in INSIDE_ONLY and not (state == "HYP" and which == "first"))
        ):
            continue
        how = f" (as pH {ph:g} makes it)" if ways[k] == "pH" else ""
        if state in PHOSPHORYLATED or state == "HYP":
            right = "a cap (ACE or NME) beside it"
        else:
            right = f"a cap (ACE or NME) beside it, or the state {_other(state)} in --protonation"
        account.refuse(
            f"{state} {r.label}{how} is the {which} residue of a chain; {force_field} know {state} inside a chain only",
            right,
            row=r.line or None,
            field="protonation",
        )


def _tell_ends(residues: Sequence[Residue], first: set[int], last: set[int], account: Account) -> None:
    """Warn of ends of chains whose hydrogens say that they are neutral: the force fields have charged ones alone."""
    neutral = []
    for k in sorted(first | last):
        hydrogens = {a for a, (element, _) in residues[k].atoms.items() if element == "H"}
        amine = sum(h in hydrogens for h in ("H", "HN", "H1", "H2", "H3", "HN1", "HN2", "HN3", "HT1", "HT2", "HT3"))
        if k in first and amine == (1 if residues[k].name == "PRO" else 2) and hydrogens - {"H", "HN"}:
            if residues[k].name != "PRO" or "H" not in hydrogens:
                neutral.append(f"NH2 of {residues[k].called}")
        if k in last and hydrogens & {"HXT", "HO", "HOXT", "HO1", "HO2", "HC", "HT", "HOC"}:
            neutral.append(f"COOH of {residues[k].called}")
    if neutral:
        account.warn(
            f"ends that are neutral in the file are computed with their charge: {', '.join(neutral)}",
            "caps (ACE, NME), or charged ends",
        )


def _tell_lacking(residues: Sequence[Residue], account: Account) -> None:
    """Tell of side chains whose hydrogens say that they are deprotonated: the force fields have one state of them."""
    lacking = []
    for r in residues:
        hydrogens = {a for a, (element, _) in r.atoms.items() if element == "H"}
        on_carbon = sum(a.startswith("HB") for a in hydrogens)
        gone = sorted(_POLAR.get(r.name, set()) - hydrogens)
        if gone and on_carbon >= (1 if r.name == "THR" else 2):
            lacking.append(f"{r.called} ({', '.join(gone)})")
    if lacking:  # no warning: crystallographers leave out hydrogens that turn
        account.note(
            "hydrogens that residues lack beside their others are added, as the force fields have one state of them: "
            f"{', '.join(lacking[:20])}{' and more' * (len(lacking) > 20)}"
        )


def _other(state: str) -> str:
    return {"ASH": "ASP", "GLH": "GLU", "LYN": "LYS", "CYM": "CYS"}[state]


def is_replacement(choice: str, residue: Residue) -> bool:
    """Tell whether a choice puts an amino acid in the place of a modified residue.

    Parameters
    ----------
    choice
        AMBER's residue name.
    residue
        What is there.

    Returns
    -------
    bool
        True where the residue is none that the force field knows by itself.
    """
    return residue.name not in AMINO_ACIDS and parent_of(choice) in STANDARD
