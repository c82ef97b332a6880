"""What a structure file says and ASE's reader of its format passes over in silence: found in the text, and refused."""

from __future__ import annotations

import io
import json
import logging
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from gibbsflow.workflow.account import Account
from gibbsflow.workflow.input_files import DATA_BYTES, open_input, unpacked_stream

log = logging.getLogger(__name__)
_SAME_PLACE = 1e-3
_OTHER_CELL = 0.02
_OTHER_MASS = 0.3
_ISOTOPES = (1.0, 2.0, 2.014, 2.0141, 2.014102, 3.016)
_UNITED = re.compile("CH[1-4]?|[CNO]H[1-4]?_.*")
_ALL_SAID = "the operations of this setting (_symmetry_equiv_pos_as_xyz), or P 1 with all atoms"
# monoclinic and orthorhombic: the name tells the axes
_SETTINGS = range(3, 75)
_OLD_NAMES = {"aem2": "abm2", "aea2": "aba2", "cmce": "cmca", "cmme": "cmma", "ccce": "ccca"}
_OLD_NAMES |= {old: new for new, old in _OLD_NAMES.items()}
_TWO_ORIGINS = frozenset(
    (48, 50, 59, 68, 70, 85, 86, 88, 125, 126, 129, 130, 133, 134, 137, 138, 141, 142, 201, 203, 222, 224, 227, 228)
)
_EXTXYZ = "extxyz with charge, multiplicity or initial_magmoms"
# what inputs of programs say of charge and spin, and their readers pass over: name and value
_ELECTRONS: Mapping[str, re.Pattern[str]] = {
    kind: re.compile(pattern, re.IGNORECASE)
    for kind, pattern in {
        "espresso-in": r"\b(tot_charge|tot_magnetization|starting_magnetization\(\d+\)|noncolin|lspinorb)"
        r"\s*=\s*([^,\s]+)",
        "turbomole": r"\b(charge|unpaired)\s*=\s*(\S+)",
        "abinit-in": r"^\s*(charge|cellcharge)\s*=?\s*(\S+)",
        "nwchem-in": r"^\s*(charge|mult|nopen)\s+(\S+)",
        "onetep-in": r"^\s*(charge|spin)\s*[:=]?\s+(\S+)",
        "octopus-in": r"^\s*(ExcessCharge)\s*=\s*(\S+)",
        "elk": r"^\s*(chgexs)\s+(\S+)",
    }.items()
}
_COMMENT = re.compile("[!#].*")
_ORDINARY = {"mult": "1"}
# charges of the atoms' lines of a molfile: 4 is a radical
_MOL_CHARGES = {1: 3, 2: 2, 3: 1, 5: -1, 6: -2, 7: -3}


def judge_file(path: Path, kind: str, account: Account) -> None:
    """Look for what a format can say and its reader does not obey.

    Parameters
    ----------
    path
        The file.
    kind
        ASE's name of its format.
    account
        Gets notes on what is taken for granted, and refusals, with which it is settled.

    Raises
    ------
    InputError
        Where the file is not to be read on.
    """
    if (look := _BY_FORMAT.get(kind)) is not None:
        look(path, account)
        if account.of_weight("refuse"):
            account.settle()


def is_lammps_data(path: Path) -> bool:
    """Say whether a file has the head of a data file of LAMMPS: its second or a later line counts atoms.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    bool
        True where one of its first lines is such as `32 atoms`.
    """
    return any(re.fullmatch(r"\s*\d+\s+atoms\s*(#.*)?", line.rstrip("\n")) for line in _lines(path, 50)[1:])


def _lammps_dump(path: Path, account: Account) -> None:
    lines = _lines(path, 50)
    header = next((line for line in lines if line.startswith("ITEM: ATOMS")), "")
    units = [after for line, after in zip(lines, lines[1:], strict=False) if line.startswith("ITEM: UNITS")]
    _lammps_units([line.strip() for line in units], account)
    if "element" not in header.split():
        account.refuse("atoms have a type and no element", "dump with the column `element`", field="ITEM: ATOMS")


def _lammps_binary(path: Path, account: Account) -> None:  # noqa: ARG001 - whatever is in it
    account.refuse("a binary dump, whose atoms have a type and no element", "a text dump with elements")


def _lammps_data(path: Path, account: Account) -> None:
    from ase.data import atomic_masses, atomic_numbers

    lines = _lines(path)
    _lammps_units(re.findall(r"\bunits\s*=?\s*(\w+)", lines[0]) if lines else [], account)
    start = next((row for row, line in enumerate(lines) if re.match(r"\s*Masses\b", line)), None)
    if start is None:
        account.refuse("atoms have a type, and there are no masses to tell the elements by", "Masses", row=None)
        return
    for row, line in enumerate(lines[start + 1 :], start + 2):
        if not line.strip():
            continue
        found = re.match(r"\s*\w+\s+([\d.eE+-]+)\s*(?:#\s*(\S+))?", line)
        if found is None:
            break
        mass, label = _float(found[1]), found[2] or ""
        near = int(np.argmin(np.abs(atomic_masses - mass)))
        named = atomic_numbers.get(label, 0)
        if not abs(atomic_masses[near] - mass) <= _OTHER_MASS and mass not in _ISOTOPES:
            account.refuse(f"no element has a mass of {found[1]}", "masses of elements", row=row, field="Masses")
        elif _UNITED.fullmatch(label) or (named and abs(atomic_masses[named] - mass) > _OTHER_MASS):
            what = f"a type of mass {found[1]} is named {label}, and would be read as another element"
            account.refuse(what, "atoms, each of the mass of its element", row=row, field="Masses")


def _lammps_units(said: Sequence[str], account: Account) -> None:
    """Files of LAMMPS are read in Å."""
    if others := [word for word in said if word not in ("metal", "real")]:
        account.refuse(f"is in units {others[0]}", "lengths in Å: units metal or real", field="units")


def _shelx(path: Path, account: Account) -> None:
    lines = _lines(path)
    words = [line.split() for line in lines]
    if symmetry := [line.strip() for line, own in zip(lines, words, strict=True) if _is_symmetry(own)]:
        account.refuse(
            f"{symmetry[0]}, and its sites are taken for all atoms", "P 1 with all atoms", field="LATT, SYMM"
        )
    # a word of four capitals is an instruction
    atoms = [own for own in words if len(own) >= 6 and not re.fullmatch("[A-Z]{4}", own[0])]
    sites = [own for own in atoms if own[1].isdecimal() and _three_numbers(own[2:])]
    if shared := [own for own in sites if np.isfinite(_float(own[5])) and abs(_float(own[5]) % 10 - 1) > _SAME_PLACE]:
        what = f"{shared[0][0]} has an occupancy of {_float(shared[0][5]) % 10:g}"
        account.refuse(what, "one element on each site, fully occupied", field="occupancy")


def _is_symmetry(words: Sequence[str]) -> bool:
    head = words[0].upper() if words else ""
    return head == "SYMM" or (head == "LATT" and len(words) > 1 and words[1] != "-1")


def _gromacs(path: Path, account: Account) -> None:  # noqa: ARG001 - whatever is in it
    account.refuse("atoms have names and no elements", "extxyz, or a PDB with elements")


def _pdb(path: Path, account: Account) -> None:
    lines = [line.rstrip("\n") for line in _lines(path)]
    atoms = [line for line in lines if line.startswith(("ATOM  ", "HETATM"))]
    if nameless := [line for line in atoms if not line[76:78].strip()]:
        what = f"{len(nameless)} of {len(atoms)} atoms have a name and no element, such as {nameless[0][12:16].strip()}"
        account.refuse(what, "elements in columns 77 and 78", field="element")
    crystal = next((line for line in lines if line.startswith("CRYST1")), "")
    # a cell of 1 Å stands for none
    if (group := crystal[55:66].strip()) and re.sub(r"\s", "", group) != "P1" and crystal[6:15].strip() != "1.000":
        what = f"its symmetry is {group}, and its sites are taken for all atoms"
        account.refuse(what, "P 1 with all atoms", field="CRYST1")
    charges = [int(found[2] + found[1]) for line in atoms if (found := re.fullmatch(r"(\d)([+-])", line[78:80]))]
    if sum(charges):
        account.refuse(f"its atoms have charges of {sum(charges):+d} e together", _EXTXYZ, field="charge")


def _molfile(path: Path, account: Account) -> None:
    lines = _lines(path)
    ends = [number for number, line in enumerate(lines) if line.startswith("$$$$")]
    if len(ends) > 1:
        account.refuse(f"holds {len(ends)} molecules, of which one would be read", "one molecule a file")
    count = int(lines[3][:3]) if len(lines) > 3 and lines[3][:3].strip().isdecimal() else 0
    block = [line[36:39].strip() for line in lines[4 : 4 + count]]
    charge = sum(_MOL_CHARGES.get(int(word), 0) for word in block if word.isdecimal())
    told = [line.split() for line in lines if line.startswith(("M  CHG", "M  RAD"))]
    if charged := [words for words in told if words[1] == "CHG"]:
        charge = sum(int(word) for words in charged for word in words[4::2])
    if charge:
        account.refuse(f"its atoms have charges of {charge:+d} e together", _EXTXYZ, field="M  CHG")
    if len(charged) < len(told) or "4" in block:
        account.refuse("a radical, whose spin is not read", _EXTXYZ, field="M  RAD")


def _program_input(path: Path, account: Account, kind: str) -> None:
    text = "".join(_COMMENT.sub("", line) for line in _lines(path))
    # Elk names a value on the line above it
    text = re.sub(r"(?im)^(\s*chgexs)\s*\n", r"\1 ", text) if kind == "elk" else text
    for line in text.splitlines():
        for name, value in _ELECTRONS[kind].findall(line):
            number = re.sub(r"(?i)(?<=[\d.])[de].*", "", value)
            said = re.search("[1-9]", number) or re.match(r"(?i)\.?t", value)
            if said and value != _ORDINARY.get(name.lower()):
                account.refuse(f"{value}, which is not read", _EXTXYZ, field=name)


def _chemical_json(path: Path, account: Account) -> None:
    try:
        said = json.loads("".join(_lines(path))).get("properties", {})
        charge, multiplicity = said.get("totalCharge", 0), said.get("totalSpinMultiplicity", 1)
    # what is no such file is said by the reader
    except (ValueError, AttributeError):
        return
    if (charge, multiplicity) != (0, 1):
        what = f"charge {charge} and multiplicity {multiplicity}, which are not read"
        account.refuse(what, _EXTXYZ, field="properties")


def _gaussian_in(path: Path, account: Account) -> None:
    for line in _lines(path):
        if found := re.fullmatch(r"\s*([+-]?\d+)[\s,]+(\d+)\s*", line):
            if (int(found[1]), int(found[2])) != (0, 1):
                what = f"charge {int(found[1]):+d} and multiplicity {found[2]}, which are not read"
                account.refuse(what, _EXTXYZ, field="charge and spin")
            return


def _gaussian_out(path: Path, account: Account) -> None:
    """Forces are those of the input orientation; the reader takes the first coordinates that are printed with them."""
    first = ""
    for number, line in enumerate(_lines(path), 1):
        if (found := re.fullmatch(r"\s*(Input|Standard|Z-Matrix) orientation:\s*", line)) and not first:
            first = found[1]
        elif "Forces (Hartrees/Bohr)" in line:
            if first == "Standard":
                what = "forces in the input orientation, coordinates in the standard orientation alone"
                right = "a run with `nosymm`, or with `geom=printinputorient`"
                account.refuse(what, right, row=number, field="forces")
                return
            first = ""


def _poscar(path: Path, account: Account) -> None:
    from ase.data import atomic_numbers

    lines = [line.split() for line in _lines(path)]
    lines[5:7] = [" ".join(words).partition("!")[0].split() for words in lines[5:7]]
    if len(lines) < 6 or not lines[5]:
        return
    row = 5 if all(word.isdigit() for word in lines[5]) else 6
    if row == 5:
        words = lines[0]
        if len(words) == len(lines[5]) and all(word in atomic_numbers for word in words):
            account.note(f"no line of symbols (VASP 4): {' '.join(words)}, as its first line says")
        else:
            what = f"no symbols for {len(lines[5])} kinds of atoms (VASP 4), and {' '.join(words)!r} names none"
            account.refuse(what, "a line of symbols above the numbers of atoms", row=6, field="symbols")
    counts = lines[row] if len(lines) > row else []
    if not counts or not all(word.isdigit() for word in counts):
        return
    if row > 5 and len(lines[5]) != len(counts):
        what = (
            f"{len(lines[5])} symbols ({' '.join(lines[5])}), and {len(counts)} numbers of atoms ({' '.join(counts)})"
        )
        account.refuse(what, "a number for each symbol", row=7, field="symbols")
        return
    first = row + 2 + (len(lines) > row + 1 and lines[row + 1][:1] != [] and lines[row + 1][0][0] in "sS")
    total = sum(map(int, counts))
    there = next((n for n, line in enumerate(lines[first:]) if not _three_numbers(line)), len(lines) - first)
    if there != total:
        what = f"{total} atoms, and {there} positions"
        account.refuse(what, "a position for each", row=first + 1, field="positions")


def _cif(path: Path, account: Account) -> None:
    from ase.io.cif import parse_cif

    if any("_atom_site_moment" in line for line in _lines(path)):
        right = "extxyz with the column initial_magmoms"
        account.refuse("a magnetic CIF, whose moments are not read", right, field="_atom_site_moment")
        return
    try:
        blocks = [block for block in parse_cif(io.StringIO("".join(_lines(path)))) if block.has_structure()]
    except Exception as error:  # noqa: BLE001 - it raises whatever a broken text leads it to; the reader says what
        log.debug("%s: not looked through (%r)", path, error)
        return
    for block in blocks:
        where = f"data_{block.name}: " if len(blocks) > 1 else ""
        _cif_sites(block, account, where)
        _cif_symmetry(block, account, where)


def _cif_sites(block: Mapping[str, Any], account: Account, where: str) -> None:
    labels = [str(label) for label in block.get("_atom_site_label", ())]
    types = [str(kind) for kind in block.get("_atom_site_type_symbol", ())]
    places = np.array([_float(x) for axis in "xyz" for x in block.get(f"_atom_site_fract_{axis}", ())]).reshape(3, -1).T
    names = labels or types
    if len(unplaced := np.flatnonzero(~np.isfinite(places).all(axis=1))):
        name = names[int(unplaced[0])] if names else int(unplaced[0]) + 1
        account.refuse(f"{where}site {name} has no coordinates", "three numbers", field="_atom_site_fract_x")
        return
    if dummies := [flag for flag in block.get("_atom_site_calc_flag", ()) if str(flag) == "dum"]:
        account.refuse(f"{where}{len(dummies)} sites are dummies", "atoms alone", field="_atom_site_calc_flag")
    if hidden := [name for name, count in zip(names, block.get("_atom_site_attached_hydrogens", ()), strict=False)
                  if _float(count) > 0]:  # fmt: skip
        what = f"{where}hydrogens of {len(hidden)} sites, such as {hidden[0]}, have no coordinates"
        account.refuse(what, "all atoms", field="_atom_site_attached_hydrogens")
    if _float(block.get("_cell_modulation_dimension", 0)) > 0:
        account.refuse(f"{where}modulated, and its average would be read", "a supercell", field="_cell_modulation")
    groups = {str(group) for group in block.get("_atom_site_disorder_group", ())} - {".", "?", "0"}
    if len(groups) > 1:
        what = f"{where}disordered: groups {', '.join(sorted(groups))} are alternatives"
        account.refuse(what, "one of them", field="_atom_site_disorder_group")
    if not types:
        for label in labels:
            letters = re.match("[A-Za-z]*", label)[0]  # type: ignore[index]  # an empty match is one
            if len(letters) > 1 and letters[1].isupper() and _is_element(letters[0]) and _is_element(letters[:2]):
                what = f"{where}label {label!r} may be {letters[0]} or {letters[:2].capitalize()}"
                account.refuse(what, "the column _atom_site_type_symbol", field="_atom_site_label")
    elif any(re.fullmatch(r"[DT]\W*\d*\W*", kind) for kind in types):
        account.note(f"{where}deuterium is computed as hydrogen")
    elements = [re.sub("[^A-Za-z].*", "", name).capitalize() for name in types or labels]
    formula = {
        word for word in re.findall("[A-Z][a-z]?", str(block.get("_chemical_formula_sum", ""))) if _is_element(word)
    }
    if types and elements and (lacking := sorted(formula - {"H" if one in ("D", "T") else one for one in elements})):
        what = f"{where}{', '.join(lacking)} of the formula {block['_chemical_formula_sum']} is on no site"
        account.refuse(what, "all atoms, or the formula of what is there", field="_chemical_formula_sum")
    told = block.get("_atom_site_occupancy") or [1.0] * len(elements)
    full = np.array([_float(share) for share in told])
    for one in range(len(elements)):
        apart = places[one + 1 :] - places[one]
        near = np.flatnonzero((np.abs(apart - np.round(apart)) < _SAME_PLACE).all(axis=1)) + one + 1
        for other in near:
            # what is not whole is told of with the occupancies
            if elements[other] != elements[one] and not (full[one] < 1 or full[other] < 1):
                what = f"{where}sites {names[one]} and {names[other]} are at one place"
                account.refuse(what, "one element on each site, fully occupied", field="occupancy")


def _cif_symmetry(block: Mapping[str, Any], account: Account, where: str) -> None:
    from ase.spacegroup import Spacegroup

    def first(*keys: str) -> Any:
        return next((block[key] for key in keys if block.get(key) not in (None, "", ".", "?")), None)

    name = first("_space_group_name_h-m_alt", "_symmetry_space_group_name_h-m", "_space_group.patterson_name_h-m")
    number = first("_space_group_it_number", "_symmetry_int_tables_number", "_space_group.it_number")
    operations = first(
        "_space_group_symop_operation_xyz", "_space_group_symop.operation_xyz", "_symmetry_equiv_pos_as_xyz"
    )
    if name is None and number is None and operations is None:
        account.note(f"{where}no symmetry is given: its sites are all atoms (P 1)")
    number = int(number) if str(number).isdecimal() else None
    by_name = None
    if name is not None:
        try:
            by_name = Spacegroup(re.sub(r"\s*:.*", "", str(name)).strip()).no
        except Exception as error:  # noqa: BLE001 - a name that ASE does not know
            log.debug("space group %s: %r", name, error)
    if operations is not None and number is None and by_name is None:
        what = (
            f"{where}operations of {'no space group' if name is None else f'{name}, which is not known by this name'}"
        )
        account.refuse(what, "its number as well (1 will do beside operations)", field="_space_group_IT_number")
        return
    if number is not None and by_name is not None and by_name != number:
        what = f"{where}space group {name} has the number {by_name}, and {number} is given"
        account.refuse(what, "one symmetry", field="space group")
        return
    if operations is None and (group := number or by_name):
        _cif_setting(str(name or ""), group, account, where)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of settings that are not looked at: what comes of it is, below
            rotations = block.get_spacegroup(True).get_op()[0]  # type: ignore[attr-defined]  # a block of ASE
        metric = block.get_cell().array @ block.get_cell().array.T  # type: ignore[attr-defined]
    except Exception as error:  # noqa: BLE001 - the reader says what it is
        log.debug("symmetry of the cell: not looked at (%r)", error)
        return
    if any(np.abs(r.T @ metric @ r - metric).max() > _OTHER_CELL * metric.max() for r in rotations):
        what = f"{where}the symmetry {name or number or 'of its operations'}, as it is read, does not keep the cell"
        account.refuse(what, _ALL_SAID, field="space group")


def _cif_setting(name: str, number: int, account: Account, where: str) -> None:
    """Without operations the reader takes the first setting of the number, whatever the name says."""
    from ase.spacegroup import Spacegroup

    second = bool(re.search(r":\s*2\b|\sZ\s*$", name))
    bare = re.sub(r"\s*:.*|\s[SZHR]\s*$", "", name)
    own = _setting(Spacegroup(number).symbol)
    if second or (bare and number in _SETTINGS and _setting(bare) not in {own, _OLD_NAMES.get(own)}):
        what = f"{where}no operations of {name}, which is not the first setting of its number {number}"
        account.refuse(what, _ALL_SAID, field="space group")
    elif number in _TWO_ORIGINS and not name.strip().endswith((":1", "S")):
        account.note(f"{where}no operations of space group {number}, which has two origins: choice 1 is taken")


def _setting(name: str) -> str:
    """Symbol of a space group in short, without blanks: P 1 21/c 1 is p21/c."""
    bare = re.sub(r"[\s_]", "", name).lower()
    return re.sub(r"^([a-z])1(.+)1$", r"\1\2", bare)


_BY_FORMAT: Mapping[str, Callable[[Path, Account], None]] = {
    "lammps-dump-text": _lammps_dump,
    "lammps-dump-binary": _lammps_binary,
    "lammps-data": _lammps_data,
    "res": _shelx,
    "gromacs": _gromacs,
    "gromos": _gromacs,
    "proteindatabank": _pdb,
    "mol": _molfile,
    "sdf": _molfile,
    "gaussian-in": _gaussian_in,
    "gaussian-out": _gaussian_out,
    "vasp": _poscar,
    "cif": _cif,
    "cjson": _chemical_json,
    **{kind: partial(_program_input, kind=kind) for kind in _ELECTRONS},
}


def _is_element(letters: str) -> bool:
    from ase.data import atomic_numbers

    return atomic_numbers.get(letters.capitalize(), 0) > 0


def _three_numbers(words: Sequence[str]) -> bool:
    return len(words) >= 3 and all(np.isfinite(_float(word)) or "*" in word for word in words[:3])


def _float(value: Any) -> float:
    try:
        return float(re.sub(r"\(.*", "", str(value)))
    except ValueError:
        return float("nan")


def _lines(path: Path, count: int | None = None) -> list[str]:
    with open_input(path, "a structure file", DATA_BYTES) as file:
        lines = io.TextIOWrapper(unpacked_stream(path, file), encoding="utf-8", errors="replace")
        return [line for _, line in zip(range(count), lines, strict=False)] if count is not None else lines.readlines()
