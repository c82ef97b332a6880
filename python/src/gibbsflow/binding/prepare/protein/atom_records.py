"""Files of proteins as records of atoms: PDB with its line numbers, mmCIF, either packed by gzip."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path

from gibbsflow.errors import InputError, Problem
from gibbsflow.workflow.input_files import STRUCTURE_BYTES, decode, read_input, unpack

_RIGHT = "a protein as PDB or mmCIF"
_METALS = frozenset(
    "LI BE NA MG AL K CA SC TI V CR MN FE CO NI CU ZN GA RB SR Y ZR MO RU RH PD AG CD IN SN CS BA LA CE PR ND SM EU GD "
    "TB DY ER TM YB LU HF W RE OS IR PT AU HG TL PB TH U".split()
)
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
    deuterium
        How many atoms are deuterium.
    missing
        Residues that it lists as without coordinates (REMARK 465), as CHAIN:NUMBER.
    bonded_sulfurs
        Pairs that it lists as disulfides (SSBOND), as CHAIN:NUMBER, those to symmetry mates left out.
    """

    atoms: list[AtomRecord] = field(default_factory=list)
    models: int = 1
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
        Where a record cannot be read, naming its line, or blocks between END cannot be told from models.
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
    found = StructureFile(models=0)
    run, in_first, ended = 0, True, False
    blocks: list[list[AtomRecord]] = [[]]
    for count, line in enumerate(text.splitlines(), 1):
        kind = line[:6].strip().upper()
        if kind == "MODEL":
            found.models += 1
            in_first = found.models == 1
        elif kind == "ENDMDL":
            in_first, found.models = False, max(found.models, 1)
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
        elif kind in ("ATOM", "HETATM") and in_first:
            if ended:
                blocks.append([])
                ended = False
            blocks[-1].append(_pdb_atom(path, count, line, run))
        elif kind in ("ATOM", "HETATM") and found.models == 1 and not in_first:
            found.models = 1  # atoms behind the only model stay unread, as those of further ones do
    _refuse_hidden_models(path, blocks)
    _finish(found, [atom for block in blocks for atom in block])
    return found


def _pdb_atom(path: Path, count: int, line: str, run: int) -> AtomRecord:
    try:
        xyz = (float(line[30:38]), float(line[38:46]), float(line[46:54]))
        if not all(math.isfinite(x) for x in xyz):
            raise ValueError
    except ValueError as error:
        what, right = f"coordinates not readable: {line[30:54].strip()!r}", "three numbers in columns 31 to 54"
        raise InputError(Problem(str(path), what, right, count, "receptor")) from error
    try:
        occupancy = float(line[54:60])
    except ValueError:
        occupancy = 1.0
    residue = line[17:21].strip()
    return AtomRecord(
        line=count,
        hetero=line[:6].upper() == "HETATM",
        name=line[12:16].strip(),
        altloc=line[16].strip(),
        residue=residue,
        chain=line[21].strip(),
        number=line[22:27].strip(),
        segment=line[72:76].strip(),
        xyz=xyz,
        occupancy=occupancy,
        element=element_of(line[12:16], line[76:78].strip(), residue),
        run=run,
    )


def _refuse_hidden_models(path: Path, blocks: list[list[AtomRecord]]) -> None:
    """Blocks between END that hold the same atoms are models or chains: the file does not say which."""
    keys = [[(a.chain, a.number, a.residue, a.name) for a in block] for block in blocks]
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
        table = blocks[0].getObj("atom_site")
        rows = [dict(zip(table.getAttributeList(), row, strict=True)) for row in table.getRowList()]
    except Exception as error:  # the reader raises errors of its own, of many kinds
        what = f"not readable as mmCIF: {str(error) or type(error).__name__}"
        raise InputError(Problem(str(path), what, "mmCIF with a table atom_site", field="receptor")) from error
    found = StructureFile(models=len({row.get("pdbx_PDB_model_num", "1") for row in rows}))
    atoms = []
    for count, row in enumerate(rows, 1):
        if row.get("pdbx_PDB_model_num", "1") != rows[0].get("pdbx_PDB_model_num", "1"):
            continue

        def said(*keys: str, row: dict[str, str] = row) -> str:
            return next((row[key] for key in keys if row.get(key, "?") not in ("?", ".")), "")

        try:
            xyz = (float(row["Cartn_x"]), float(row["Cartn_y"]), float(row["Cartn_z"]))
            if not all(math.isfinite(x) for x in xyz):
                raise ValueError
        except (KeyError, ValueError) as error:
            what = "coordinates not readable in the table atom_site"
            raise InputError(Problem(str(path), what, "three numbers", count, "receptor")) from error
        name, residue = said("auth_atom_id", "label_atom_id"), said("auth_comp_id", "label_comp_id")
        atoms.append(
            AtomRecord(
                line=count,
                hetero=said("group_PDB") == "HETATM",
                name=name,
                altloc=said("label_alt_id"),
                residue=residue,
                chain=said("auth_asym_id", "label_asym_id"),
                number=said("auth_seq_id", "label_seq_id") + said("pdbx_PDB_ins_code"),
                segment="",
                xyz=xyz,
                occupancy=float(said("occupancy") or 1.0),
                element=element_of(f" {name}", said("type_symbol"), residue),
                run=0,
            )
        )
    _finish(found, atoms)
    return found


def _finish(found: StructureFile, atoms: list[AtomRecord]) -> None:
    """Make deuterium hydrogen, and count it."""
    from dataclasses import replace

    found.models = max(found.models, 1)
    found.deuterium = sum(atom.element == "D" for atom in atoms)
    found.atoms = [replace(atom, element="H") if atom.element == "D" else atom for atom in atoms]
