"""Files of proteins as records of atoms: PDB with its line numbers, mmCIF, either packed by gzip."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from gibbsflow.binding.prepare.protein.residue_names import AMINO_ACIDS, amber_name_of
from gibbsflow.errors import InputError, Problem
from gibbsflow.workflow.input_files import STRUCTURE_BYTES, decode, read_input, unpack

_RIGHT = "a protein as PDB or mmCIF"
_METALS = frozenset(
    "LI BE NA MG AL K CA SC TI V CR MN FE CO NI CU ZN GA RB SR Y ZR MO RU RH PD AG CD IN SN CS BA LA CE PR ND SM EU GD "
    "TB DY ER TM YB LU HF W RE OS IR PT AU HG TL PB TH U".split()
)
APART_ANGSTROM = 4.0
"""Half of a model's atoms farther than this from any of the first model's: it lies beside it."""
_CHARMM_IONS = {"SOD": "NA", "POT": "K", "CES": "CS", "LIT": "LI", "RUB": "RB"}
"""Elements of ions whose names do not begin with them: CHARMM's files have no column of elements."""
_TWO_LETTERS = _METALS | {"CL", "BR", "SE", "AS", "SI"}


@dataclass(frozen=True)
class AtomRecord:
    """One atom as a file has it.

    Attributes
    ----------
    line
        Of the file, counted from 1; of an mmCIF the row of its table of atoms.
    hetero
        Whether it stands among HETATM.
    name, altloc, residue, chain, number, segment
        As in the file, without blanks; the number with its insertion code, the segment as CHARMM has it.
    xyz
        In Å.
    occupancy
        1 where none is given.
    element
        In capitals; deuterium is H.
    run
        Counts the stretches between TER and END.
    """

    line: int
    hetero: bool
    name: str
    altloc: str
    residue: str
    chain: str
    number: str
    segment: str
    xyz: tuple[float, float, float]
    occupancy: float
    element: str
    run: int


@dataclass
class StructureFile:
    """What a file says of its first model.

    Attributes
    ----------
    atoms
        In its order.
    models
        How many it has.
    beside
        How many of the further ones lie elsewhere than the first or have other atoms: chains of an assembly, perhaps.
    deuterium
        How many atoms are deuterium.
    missing
        Residues that it lists as without coordinates (REMARK 465, or what mmCIF has for it), as CHAIN:NUMBER.
    bonded_sulfurs
        Pairs that it lists as disulfides (SSBOND, struct_conn), as CHAIN:NUMBER, those to symmetry mates left out.
    """

    atoms: list[AtomRecord] = field(default_factory=list)
    models: int = 1
    beside: int = 0
    deuterium: int = 0
    missing: list[str] = field(default_factory=list)
    bonded_sulfurs: list[tuple[str, str]] = field(default_factory=list)


def read_structure(path: Path) -> StructureFile:
    """Read the records of a protein's file; its content tells PDB from mmCIF.

    Parameters
    ----------
    path
        PDB or mmCIF, packed by gzip or not.

    Returns
    -------
    StructureFile
        Of its first model.

    Raises
    ------
    InputError
        Where a record cannot be read, naming its line, blocks between END cannot be told from models, or atoms stand
        in no model.
    """
    content = read_input(path, _RIGHT, STRUCTURE_BYTES, field="receptor")
    if content[:2] == b"\x1f\x8b":
        content = unpack(content, path, _RIGHT, STRUCTURE_BYTES, field="receptor")
    text = decode(content, path, _RIGHT, field="receptor", errors="replace")
    is_cif = re.search(r"^_atom_site\.", text, re.MULTILINE) is not None
    return _read_mmcif(Path(path), text) if is_cif else _read_pdb(Path(path), text)


def element_of(name_field: str, column: str, residue: str) -> str:
    """Tell the element of an atom.

    Parameters
    ----------
    name_field
        The four columns of its name, blanks included: an element of one letter stands in the second.
    column
        The file's own element; empty where it gives none.
    residue
        Name of the residue, which tells calcium from an alpha carbon.

    Returns
    -------
    str
        In capitals; D for deuterium.
    """
    letters = re.sub(r"[^A-Z]", "", column.upper())
    if letters:
        return letters
    name = re.sub(r"[^A-Z]", "", name_field.upper())
    if amber_name_of(residue) in AMINO_ACIDS - {"MSE"}:  # HG of a serine is no mercury, wherever its name stands
        return name[:1]
    if name == residue.upper() and name in _CHARMM_IONS:
        return _CHARMM_IONS[name]
    if name[:2] in _TWO_LETTERS and (residue[:2].upper() == name[:2] or name_field[:2].strip().isalpha()):
        if residue[:2].upper() == name[:2] or len(name_field[:2].strip()) == 2 and len(name_field.strip()) < 4:
            return name[:2]
    return name[:1]


def is_metal(element: str) -> bool:
    """Tell whether an element is a metal.

    Parameters
    ----------
    element
        In capitals.

    Returns
    -------
    bool
        True for what occurs in crystals of proteins.
    """
    return element in _METALS


def _read_pdb(path: Path, text: str) -> StructureFile:
    found = StructureFile()
    run, ended, in_model = 0, False, False
    models: list[list[AtomRecord]] = []
    blocks: list[list[AtomRecord]] = [[]]
    for count, line in enumerate(text.splitlines(), 1):
        kind = line[:6].strip().upper()
        if kind == "MODEL":
            _refuse_outside(path, blocks)
            in_model = True
        elif kind == "ENDMDL":
            if not in_model and models and any(blocks):
                _refuse_other(path, models[0], blocks)
            models.append([atom for block in blocks for atom in block])
            blocks, in_model, ended = [[]], False, False
        elif kind in ("TER", "END"):
            run += 1
            ended = ended or kind == "END"
        elif kind == "REMARK" and line[7:10] == "465":
            said = re.match(r"REMARK 465 (?:   | +\d+ )? *([A-Z0-9]{1,3}) ([A-Za-z0-9]) +(-?\d+[A-Z]?) *$", line)
            if said:
                found.missing.append(f"{said[2]}:{said[3]}")
        elif kind == "SSBOND":
            first, second = (f"{line[a]}:{line[a + 2 : a + 7].strip()}" for a in (15, 29) if len(line) > a + 4)
            if line[59:65].strip() == line[66:72].strip():
                found.bonded_sulfurs.append((first, second))
        elif kind in ("ATOM", "HETATM"):
            if ended and any(blocks):
                blocks.append([])
            ended = False
            blocks[-1].append(_pdb_atom(path, count, line, run))
    if in_model or not models:
        models.append([atom for block in blocks for atom in block])
        if not in_model:
            _refuse_hidden_models(path, blocks)
    elif any(blocks):  # behind the last ENDMDL
        _refuse_other(path, models[0], blocks)
        models.append([atom for block in blocks for atom in block])
    _finish(found, models)
    return found


def _refuse_outside(path: Path, blocks: list[list[AtomRecord]]) -> None:
    """Atoms that stand in no model are part of none of them, or of all: the file does not say which."""
    if any(blocks):
        first = next(atom for block in blocks for atom in block)
        what = f"{sum(map(len, blocks))} atoms, from line {first.line} on, stand in no model, though there are models"
        right = "MODEL and ENDMDL round all atoms, or none where it is one structure"
        raise InputError(Problem(str(path), what, right, first.line, "receptor"))


def _refuse_other(path: Path, first: list[AtomRecord], blocks: list[list[AtomRecord]]) -> None:
    """Atoms outside MODEL and ENDMDL that are not the first model's again are no model."""
    if {_key(a) for a in first} != {_key(a) for block in blocks for a in block}:
        _refuse_outside(path, blocks)


def _key(atom: AtomRecord) -> tuple[str, str, str, str]:
    return (atom.chain, atom.number, atom.residue, atom.name)


def _number(text: str) -> str:
    """Residue number with its insertion code; beyond 9999 in hybrid-36, as many programs write it."""
    number, code = text[:4].strip(), text[4:].strip()
    if re.fullmatch(r"[A-Z][A-Z0-9]{3}|[a-z][a-z0-9]{3}", number):
        upper = int(number, 36) - 10 * 36**3 + 10**4
        return f"{upper if number[0].isupper() else upper + 26 * 36**3}{code}"
    return number + code


def _refuse_number(path: Path, line: int, number: str, *, hetero: bool) -> None:
    """Members of chains need numbers; ions and waters can do without."""
    if not (re.fullmatch(r"-?\d+[A-Za-z]?", number) or (hetero and not number)):
        what = f"residue number not readable: {number!r}"
        raise InputError(Problem(str(path), what, "a whole number, and perhaps an insertion code", line, "receptor"))


def _pdb_atom(path: Path, count: int, line: str, run: int) -> AtomRecord:
    try:
        xyz = (float(line[30:38]), float(line[38:46]), float(line[46:54]))
        if not all(math.isfinite(x) for x in xyz):
            raise ValueError
    except ValueError as error:
        what, right = f"coordinates not readable: {line[30:54].strip()!r}", "three numbers in columns 31 to 54"
        raise InputError(Problem(str(path), what, right, count, "receptor")) from error
    residue, number, hetero = line[17:21].strip(), _number(line[22:27]), line[:6].upper() == "HETATM"
    _refuse_number(path, count, number, hetero=hetero)
    return AtomRecord(
        line=count,
        hetero=hetero,
        name=line[12:16].strip(),
        altloc=line[16].strip(),
        residue=residue,
        chain=line[21].strip(),
        number=number,
        segment=line[72:76].strip(),
        xyz=xyz,
        occupancy=_occupancy(line[54:60]),
        element=element_of(line[12:16], line[76:78].strip(), residue),
        run=run,
    )


def _refuse_hidden_models(path: Path, blocks: list[list[AtomRecord]]) -> None:
    """Blocks between END that hold the same atoms are models or chains: the file does not say which."""
    keys = [[_key(a) for a in block] for block in blocks]
    for k, block in enumerate(blocks[1:], 1):
        if block and keys[k] == keys[0]:
            what = f"the atoms behind END (from line {block[0].line} on) have the names and numbers of those before it"
            right = "MODEL and ENDMDL round models, TER and chain identifiers for chains, END once"
            raise InputError(Problem(str(path), what, right, block[0].line, "receptor"))


def _read_mmcif(path: Path, text: str) -> StructureFile:
    import io

    from openmm.app.internal.pdbx.reader.PdbxReader import PdbxReader

    blocks: list = []
    try:
        PdbxReader(io.StringIO(text)).read(blocks)
        tables = [table for table in (block.getObj("atom_site") for block in blocks) if table is not None]
        rows = _rows(tables[0])
    except Exception as error:  # the reader raises errors of its own, of many kinds
        what = f"not readable as mmCIF: {str(error) or type(error).__name__}"
        raise InputError(Problem(str(path), what, "mmCIF with a table atom_site", field="receptor")) from error
    if len(tables) > 1:
        what = f"{len(tables)} data blocks with atoms"
        raise InputError(Problem(str(path), what, "one structure a file", field="receptor"))
    found = StructureFile()
    models: dict[str, list[AtomRecord]] = {}
    for count, row in enumerate(rows, 1):

        def said(*keys: str, row: dict[str, str] = row) -> str:
            return next((row[key] for key in keys if row.get(key, "?") not in ("?", ".")), "")

        try:
            xyz = (float(row["Cartn_x"]), float(row["Cartn_y"]), float(row["Cartn_z"]))
            if not all(math.isfinite(x) for x in xyz):
                raise ValueError
        except (KeyError, ValueError) as error:
            what = "coordinates not readable in the table atom_site"
            raise InputError(Problem(str(path), what, "three numbers", count, "receptor")) from error
        hetero = said("group_PDB") == "HETATM"
        number = said("auth_seq_id", "label_seq_id") + said("pdbx_PDB_ins_code")
        _refuse_number(path, count, number, hetero=hetero)
        atoms = models.setdefault(row.get("pdbx_PDB_model_num", "1"), [])
        name, residue = said("auth_atom_id", "label_atom_id"), said("auth_comp_id", "label_comp_id")
        atoms.append(
            AtomRecord(
                line=count,
                hetero=hetero,
                name=name,
                altloc=said("label_alt_id"),
                residue=residue,
                chain=said("auth_asym_id", "label_asym_id"),
                number=number,
                segment="",
                xyz=xyz,
                occupancy=_occupancy(said("occupancy")),
                element=element_of(f" {name}", said("type_symbol"), residue),
                run=0,
            )
        )
    for block in blocks:
        _read_lists(found, block)
    _finish(found, list(models.values()))
    return found


def _rows(table: Any) -> list[dict[str, str]]:
    return [dict(zip(table.getAttributeList(), row, strict=True)) for row in table.getRowList()]


def _read_lists(found: StructureFile, block: Any) -> None:
    """What an mmCIF lists as missing, and as disulfides."""
    absent = block.getObj("pdbx_unobs_or_zero_occ_residues")
    for row in _rows(absent) if absent is not None else ():
        code = row.get("PDB_ins_code", "?").strip("?.")
        if row.get("polymer_flag", "Y") == "Y" and row.get("occupancy_flag", "1") == "1":
            found.missing.append(f"{row.get('auth_asym_id', '')}:{row.get('auth_seq_id', '')}{code}")
    bonds = block.getObj("struct_conn")
    for row in _rows(bonds) if bonds is not None else ():
        if row.get("conn_type_id", "").lower() == "disulf" and row.get("ptnr1_symmetry") == row.get("ptnr2_symmetry"):
            one, two = (
                f"{row.get(f'ptnr{k}_auth_asym_id', '')}:{row.get(f'ptnr{k}_auth_seq_id', '')}"
                + row.get(f"pdbx_ptnr{k}_PDB_ins_code", "?").strip("?.")
                for k in (1, 2)
            )
            found.bonded_sulfurs.append((one, two))


def _occupancy(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        return 1.0
    return value if math.isfinite(value) else 1.0


def _finish(found: StructureFile, models: list[list[AtomRecord]]) -> None:
    """Take the first model, say what the others are, and make deuterium hydrogen."""
    atoms = models[0]
    found.models = len(models)
    found.beside = sum(_lies_beside(atoms, other) for other in models[1:])
    found.deuterium = sum(atom.element == "D" for atom in atoms)
    found.atoms = [replace(atom, element="H") if atom.element == "D" else atom for atom in atoms]


def _lies_beside(first: list[AtomRecord], other: list[AtomRecord]) -> bool:
    """Whether a model is not another conformation of the first, but something else or elsewhere."""
    if {_key(a) for a in first if a.element not in "HD"} != {_key(a) for a in other if a.element not in "HD"}:
        return True
    heavy, theirs = ([a.xyz for a in atoms if a.element not in "HD"] for atoms in (first, other))
    if not heavy:
        return False
    return float(np.median(cKDTree(heavy).query(theirs)[0])) > APART_ANGSTROM
