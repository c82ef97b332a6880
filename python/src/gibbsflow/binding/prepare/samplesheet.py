"""The samplesheet: one row a ligand. Table-level checks, all at once, without chemistry."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from gibbsflow.binding.prepare.small_molecule.sdf_records import ligand_name, records_by_line, run_together
from gibbsflow.binding.prepare.solvated.includes import flattened
from gibbsflow.config.launch.samplesheet_columns import (
    ALIGN_PATTERN,
    BY_NAME,
    MOST_CHARGE,
    MOST_SYMMETRY,
    NAME_PATTERN,
    NAMES,
    SOLVATED,
    STRUCTURE_PATTERN,
)
from gibbsflow.config.section import nearest_name
from gibbsflow.errors import InputError, Problem, shown
from gibbsflow.workflow.input_files import SHEET_BYTES, STRUCTURE_BYTES, csv_records, read_text, require_file

_RIGHT = "a CSV file with the columns " + ", ".join(NAMES)
_WHOLE = r"[+-]?[0-9]+"
_DECIMAL = r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?"


@dataclass(frozen=True)
class Row:
    """One ligand asked for.

    Attributes
    ----------
    line
        Line of the file, the header being line 1; None for a ligand from the command line.
    ligand, structure, smiles, charge, pose, experimental_dg_kcal_per_mol, group, symmetry_number, pose_of
        As in :data:`gibbsflow.config.launch.samplesheet_columns.COLUMNS`; paths are absolute, `pose` has its default.
    complex_topology, complex_coordinates, solvent_topology, solvent_coordinates, ligand_residue
        The same, of a system that comes solvated.
    complex_includes, solvent_includes
        Files that GROMACS topologies include.
    aligned_to
        Ligand whose pose `pose` is, on which this one is laid; None where the most similar is to be sought (`pose` is
        ``align``), or nothing is laid on anything.
    """

    line: int | None
    ligand: str
    structure: str | None
    smiles: str | None
    charge: int | None
    pose: str
    experimental_dg_kcal_per_mol: float | None
    group: str | None
    pose_of: str | None = None
    symmetry_number: int | None = None
    complex_topology: str | None = None
    complex_coordinates: str | None = None
    solvent_topology: str | None = None
    solvent_coordinates: str | None = None
    ligand_residue: str | None = None
    complex_includes: tuple[str, ...] = ()
    solvent_includes: tuple[str, ...] = ()
    aligned_to: str | None = None

    @property
    def in_its_pose(self) -> bool:
        """Whether the row brings a pose of its own.

        Returns
        -------
        bool
            False where it is to be placed, or laid on another ligand.
        """
        return self.pose not in ("place", "align") and self.aligned_to is None

    @property
    def solvated(self) -> bool:
        """Whether the system comes solvated.

        Returns
        -------
        bool
            False where it is built here.
        """
        return bool(self.complex_topology or self.solvent_topology)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON.

        Returns
        -------
        dict
            Column names and `line`, by their names here; those of a system that comes solvated for such a row alone.
        """
        values = asdict(self)
        own = (*SOLVATED, "ligand_residue", "complex_includes", "solvent_includes", "aligned_to")
        return {key: value for key, value in values.items() if key not in own or value}


def read_ligands(path: Path) -> list[tuple[str, float | None]]:
    """Read names and experimental values of a samplesheet that was checked before its campaign began.

    Other columns are not looked at: a structure file that has since moved is no fault.

    Parameters
    ----------
    path
        CSV file.

    Returns
    -------
    list of (str, float or None)
        Name and measured binding free energy (kcal/mol) of each ligand, in the order of the rows.

    Raises
    ------
    InputError
        For a file that is missing, has no ligands, or a value that is no number.
    """
    table = _table(Path(path))
    header = table[0][1] if table else []
    ligands = []
    for line, cells in table[1:]:
        cell = dict(zip(header, cells, strict=False))
        if not (name := cell.get("ligand", "")):
            raise InputError(Problem(str(path), "no ligand", "a name", row=line, field="ligand"))
        text = cell.get("experimental_dg_kcal_per_mol", "")
        number = _number(text)
        if text and number is None:
            what, field = f"{shown(text)} is no number", "experimental_dg_kcal_per_mol"
            raise InputError(Problem(str(path), what, "a number", row=line, field=field))
        ligands.append((name, number))
    if not ligands:
        raise InputError(Problem(str(path), "no ligands", "one row a ligand"))
    return ligands


def check_samplesheet(path: Path) -> tuple[tuple[Row, ...], list[Problem]]:
    """Read what can be read and list all that is wrong, by row and column.

    Parameters
    ----------
    path
        CSV file; it need not exist.

    Returns
    -------
    rows
        Rows without a problem of their own.
    problems
        All problems of the table.
    """
    path = Path(path)
    try:
        table = _table(path)
    except InputError as error:
        return (), error.problems
    if not table:
        return (), [
            Problem(str(path), "empty", "a header line and one line a ligand; or an SDF with a record a ligand")
        ]
    head_line, header = table[0]
    problems = _header_problems(str(path), head_line, header)
    if problems:
        return (), problems
    if len(table) == 1:
        return (), [Problem(str(path), "a header and no ligand", "one line a ligand below the header", row=head_line)]
    rows: list[Row] = []
    seen: dict[str, int] = {}
    for line, cells in table[1:]:
        row, faults = _parse_cells(path, line, header, cells)
        name = cells[header.index("ligand")] if header.index("ligand") < len(cells) else ""
        faults += [
            Problem(str(path), f"{shown(cell)} holds what cannot be printed", "text on one line", line, field)
            for field, cell in zip(header, cells, strict=False)
            if not cell.isprintable()
        ]
        # file systems that ignore case would mix B2 and b2
        if name and (first := seen.setdefault(name.lower(), line)) != line:
            place, right = f"row {first}", "each name once"
            if path.suffix.lower() == ".sdf":
                place = f"line {first}"
                right += "; of a title, what is no letter, digit, '.', '_' or '-' is '_' in the name"
            what = f"{shown(name)} is already the ligand of {place}"
            faults.append(Problem(str(path), what, right, line, "ligand"))
        problems += faults
        if row is not None and not faults:
            rows.append(row)
    return tuple(rows), [*problems, *run_together(path), *_pose_problems(str(path), rows, seen)]


def _pose_problems(where: str, rows: Sequence[Row], lines: Mapping[str, int]) -> list[Problem]:
    """What is wrong with rows that are poses of one ligand, as far as the table tells."""
    problems = []
    first: dict[str, Row] = {}
    measured: dict[str, Row] = {}
    for row in rows:
        if row.pose_of is None:
            continue
        if line := lines.get(row.pose_of.lower()):
            what = f"{shown(row.pose_of)} is the name of row {line}"
            right = "another name for the ligand than for each of its poses"
            problems.append(Problem(where, what, right, row.line, "pose_of"))
        other = first.setdefault(row.pose_of.lower(), row)
        if other.pose_of != row.pose_of:
            what = f"{shown(row.pose_of)} and {shown(other.pose_of)} differ in case"
            problems.append(Problem(where, what, "one spelling", row.line, "pose_of"))
        if row.experimental_dg_kcal_per_mol is None:
            continue
        known = measured.setdefault(row.pose_of.lower(), row)
        if known.experimental_dg_kcal_per_mol != row.experimental_dg_kcal_per_mol:
            what = f"{shown(row.pose_of)} has another measured value in row {known.line}"
            right = "one value for all poses of a ligand"
            problems.append(Problem(where, what, right, row.line, "experimental_dg_kcal_per_mol"))
    return problems


def read_pose_groups(path: Path) -> dict[str, list[str]]:
    """Read which rows of a samplesheet that was checked are poses of one ligand.

    Parameters
    ----------
    path
        CSV file.

    Returns
    -------
    dict
        Names of the rows by the name of the ligand, both in the order of the rows.

    Raises
    ------
    InputError
        For a file that cannot be read.
    """
    table = _table(Path(path))
    groups: dict[str, list[str]] = {}
    for _, cells in table[1:]:
        cell = dict(zip(table[0][1], cells, strict=False))
        if cell.get("pose_of") and re.fullmatch(NAME_PATTERN, cell["pose_of"]):
            groups.setdefault(cell["pose_of"], []).append(cell.get("ligand", ""))
    return groups


def _table(path: Path) -> list[tuple[int, list[str]]]:
    """Records that are not empty, each with the line it starts on; cells without the space around them.

    An SDF is read as a table of its records: each a ligand of that name, in its pose.
    """
    if path.suffix.lower() == ".sdf":
        return _records(path)
    text = read_text(path, _RIGHT, SHEET_BYTES)
    records = ((line, [cell.strip() for cell in cells]) for line, cells in csv_records(text, path, _RIGHT))
    return [(line, cells) for line, cells in records if any(cells)]


def _records(path: Path) -> list[tuple[int, list[str]]]:
    text = read_text(path, "an SDF with a record a ligand", STRUCTURE_BYTES, errors="replace")
    table = [(line, [ligand_name(record.partition("\n")[0]), path.name]) for line, record in records_by_line(text)]
    return [(0, ["ligand", "structure"]), *table] if table else []


def _header_problems(where: str, line: int, header: list[str]) -> list[Problem]:
    for mark, word in ((";", "semicolons"), ("\t", "tabs")):
        if len(header) == 1 and mark in header[0]:
            return [Problem(where, f"columns are separated by {word}", "commas (in Excel: save as CSV UTF-8)", line)]
    problems = []
    meant = set(header)
    for name in header:
        if name not in NAMES:
            close = nearest_name(name, NAMES)
            meant.add(close or name)
            right = f"did you mean {close!r}?" if close else "one of " + ", ".join(NAMES)
            problems.append(Problem(where, f"unknown column {shown(name)}", right, line))
    for name in sorted({n for n in header if header.count(n) > 1}):
        problems.append(Problem(where, f"column {shown(name)} is there {header.count(name)} times", "each once", line))
    if "ligand" not in meant:
        problems.append(Problem(where, "column 'ligand' is missing", "a header with " + ", ".join(NAMES), line))
    if not meant & {"structure", "smiles", "complex_topology", "solvent_topology"}:
        right = "a column 'smiles' or 'structure'"
        problems.append(Problem(where, "columns 'structure' and 'smiles' are both missing", right, line))
    return problems


def _parse_cells(path: Path, line: int, header: list[str], cells: list[str]) -> tuple[Row | None, list[Problem]]:
    if len(cells) != len(header):
        right = f"{len(header)}, as the header has; quote cells that hold a comma"
        return None, [Problem(str(path), f"{len(cells)} cells", right, line)]
    cell = {name: value for name, value in zip(header, cells, strict=True) if value}
    return parse_row(str(path), path.resolve().parent, line, cell)


def parse_row(where: str, folder: Path, line: int | None, cell: Mapping[str, str]) -> tuple[Row | None, list[Problem]]:
    """Check the cells of one row.

    Parameters
    ----------
    where
        What messages call its source.
    folder
        Folder that relative paths start from.
    line
        Line of the file; None for a command line.
    cell
        Cells that are not empty, by column.

    Returns
    -------
    row
        None where there are problems.
    problems
        All of them.
    """
    faults: list[Problem] = []

    def _wrong(field: str, what: str, right: str = "") -> None:
        faults.append(Problem(where, what, right or BY_NAME[field].right, line, field))

    for name, value in cell.items():
        pattern = BY_NAME[name].pattern
        if pattern and not re.fullmatch(pattern, value):
            _wrong(name, f"{shown(value)} is not usable")
    if "ligand" not in cell:
        _wrong("ligand", "no name")
    solvated = any(name in cell for name in SOLVATED)
    if solvated:
        faults += _solvated_faults(where, line, cell)
    elif "ligand_residue" in cell:
        _wrong("ligand_residue", "given without topologies", "complex_topology and the like, or none")
    elif ("structure" in cell) == ("smiles" in cell):
        what = "both structure and smiles are given" if "smiles" in cell else "neither structure nor smiles is given"
        _wrong("structure", what, "exactly one of them")
    charge = _number(cell.get("charge"), whole=True)
    if "charge" in cell and (charge is None or abs(charge) > MOST_CHARGE):
        _wrong("charge", f"{shown(cell['charge'])} is not usable")
    experiment = _number(cell.get("experimental_dg_kcal_per_mol"))
    if "experimental_dg_kcal_per_mol" in cell and experiment is None:
        _wrong("experimental_dg_kcal_per_mol", f"{shown(cell['experimental_dg_kcal_per_mol'])} is not a number")
    symmetry = _number(cell.get("symmetry_number"), whole=True)
    if "symmetry_number" in cell and (symmetry is None or not 1 <= symmetry <= MOST_SYMMETRY):
        _wrong("symmetry_number", f"{shown(cell['symmetry_number'])} is not usable")
    pose = cell.get("pose", "given" if "structure" in cell or solvated else "place")
    if pose == "given" and "smiles" in cell and not solvated:
        _wrong("pose", "'given' with smiles, which has no coordinates", "'place', or a file with the pose")
    files = {}
    aligned = re.fullmatch(ALIGN_PATTERN, pose)
    for name in ("structure", "pose"):
        value = cell.get(name, "")
        if re.fullmatch(STRUCTURE_PATTERN, value) and not (name == "pose" and aligned):
            files[name] = folder / value
            try:
                require_file(files[name], "", STRUCTURE_BYTES)
            except InputError as error:
                _wrong(name, f"{error.problems[0].what} {shown(value)} (looked for {files[name]})")
    includes: dict[str, tuple[str, ...]] = {}
    for name in SOLVATED if not faults else ():
        if name in cell:
            files[name] = folder / cell[name]
            try:
                require_file(files[name], "", STRUCTURE_BYTES)
                if name.endswith("_topology") and files[name].suffix.lower() == ".top":
                    _, found = flattened(files[name], field=name)
                    includes[name.replace("topology", "includes")] = tuple(map(str, found))
            except InputError as error:
                for p in error.problems:
                    place = "" if p.where == str(files[name]) else f"{p.where}: "
                    _wrong(name, f"{place}{p.what} ({cell[name]})", p.right or BY_NAME[name].right)
    if faults:
        return None, faults
    row = Row(
        line=line,
        ligand=cell["ligand"],
        structure=str(files["structure"]) if "structure" in files else None,
        smiles=cell.get("smiles"),
        charge=None if charge is None else int(charge),
        pose=str(files["pose"]) if "pose" in files else "align" if aligned else pose,
        experimental_dg_kcal_per_mol=experiment,
        group=cell.get("group"),
        symmetry_number=None if symmetry is None else int(symmetry),
        ligand_residue=cell.get("ligand_residue"),
        pose_of=cell.get("pose_of"),
        aligned_to=aligned["reference"] if aligned else None,
    )
    own: dict[str, Any] = {name: str(files[name]) for name in SOLVATED if name in files} | includes
    return replace(row, **own), faults


def _solvated_faults(where: str, line: int | None, cell: Mapping[str, str]) -> list[Problem]:
    """Say which cells of a system that comes solvated are missing, or have no place beside its topologies."""
    faults = []
    for name in ("structure", "smiles", "charge", "pose"):
        if name in cell:
            what = f"{shown(cell[name])} is given with topologies, which hold the ligand already"
            faults.append(Problem(where, what, "nothing", line, name))
    for role in ("complex", "solvent"):
        given = [f"{role}_{kind}" in cell for kind in ("topology", "coordinates")]
        if any(given) and not all(given):
            missing = f"{role}_{'topology' if not given[0] else 'coordinates'}"
            faults.append(Problem(where, "missing", BY_NAME[missing].right, line, missing))
    return faults


def _number(text: str | None, *, whole: bool = False) -> float | None:
    """Value of a finite number in decimal digits, None where the text is none: Python takes more for numbers."""
    if text is None or not re.fullmatch(_WHOLE if whole else _DECIMAL, text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None
