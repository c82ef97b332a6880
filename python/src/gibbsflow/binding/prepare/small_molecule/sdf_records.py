"""SDF files with one record a ligand, found by its title, and the partial charges that a record brings along."""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from gibbsflow.binding.prepare.small_molecule.faults import Fault, MoleculeError
from gibbsflow.binding.prepare.small_molecule.mol2 import RIGHT
from gibbsflow.errors import InputError, Problem, first_few, shown
from gibbsflow.workflow.input_files import STRUCTURE_BYTES, read_text

CHARGES = "atom.dprop.PartialCharge"
"""Property of a record with the charge of each atom in e, in the order of its atoms, as RDKit and OpenFE write it."""
CHARGE_TOLERANCE_E = 0.01
END_RIGHT = "a line $$$$ after each"
_END = "$$$$"
_PROPERTY = re.compile(r"^>[^\n]*<([^>\n]+)>[^\n]*\n((?:(?!>)[^\n]+\n)*)", re.MULTILINE)


@dataclass(frozen=True)
class SdfCharges:
    """Partial charges as a record has them.

    Attributes
    ----------
    values_e
        Charge of each atom in e, in the order of the atoms; NaN for what is no number.
    """

    values_e: tuple[float, ...]

    def faults(self, field: str, atoms: int, charge: int) -> list[Fault]:
        """Say why they are not the charges of a molecule.

        Parameters
        ----------
        field
            Column that messages name.
        atoms
            Atoms of the molecule, hydrogens included.
        charge
            Its formal charge in e.

        Returns
        -------
        list of Fault
            At most one.
        """
        right = f"one charge an atom, in e, that sum up to the formal charge within {CHARGE_TOLERANCE_E:g} e"
        if len(self.values_e) != atoms:
            return [Fault(field, f"{CHARGES}: {len(self.values_e)} charges for {atoms} atoms with hydrogens", right)]
        bad = [k for k, value in enumerate(self.values_e, 1) if not math.isfinite(value)]
        if bad:
            return [Fault(field, f"{CHARGES}: that of atom {bad[0]} is no number", right)]
        total = math.fsum(self.values_e)
        if abs(total - charge) > CHARGE_TOLERANCE_E:
            return [Fault(field, f"{CHARGES}: they sum up to {total:+.4f} e, the formal charge is {charge:+d}", right)]
        return []


def ligand_name(title: str) -> str:
    """Make the name of a ligand of the title of a record.

    Parameters
    ----------
    title
        First line of the record.

    Returns
    -------
    str
        Each character that names of ligands do not have is ``_``.
    """
    return re.sub(r"[^A-Za-z0-9._-]", "_", title.strip())


def record_of(path: Path, name: str, field: str) -> tuple[str, str]:
    """Take the record of one ligand.

    Parameters
    ----------
    path
        SDF file.
    name
        Name of the ligand: the title of its record, or what :func:`ligand_name` makes of it. The only record of a file
        is taken whatever its title.
    field
        Column that messages name.

    Returns
    -------
    record
        Its text.
    label
        What messages call it: the file, and of several records which.

    Raises
    ------
    InputError
        Where the file cannot be read.
    MoleculeError
        Where it has no records, none of that name or several.
    """
    records = _records_at(Path(path), _stamp(path))
    if not records:
        raise MoleculeError([Fault(field, f"{path}: holds no molecules", "an SDF file with one molecule or more")])
    if len(records) == 1:
        return records[0], str(path)
    titles = [record[: record.find("\n")].strip() for record in records]
    wanted = [k for k, title in enumerate(titles) if title == name] or [
        k for k, title in enumerate(titles) if ligand_name(title) == name
    ]
    if len(wanted) == 1:
        return records[wanted[0]], f"{path}, record {wanted[0] + 1} ({name})"
    if wanted:
        places = ", ".join(str(k + 1) for k in wanted)
        raise MoleculeError([Fault(field, f"{path}: records {places} are all called {name}", "one record for a name")])
    named = first_few([_title_and_name(title) for title in titles])
    what = f"{path}: holds {len(records)} molecules, none of them called {name}; their titles are {named}"
    raise MoleculeError([Fault(field, what, "one record whose title is the name of the ligand, or a file of its own")])


def _title_and_name(title: str) -> str:
    """Write a title, and the name that finds its record where that is another."""
    name = ligand_name(title)
    return (title or "(none)") if name == title else f"{title!r} (as a name {name})"


def read_record(path: Path, name: str | None) -> str:
    """Read the record of one ligand in a file.

    Parameters
    ----------
    path
        The file.
    name
        As in :func:`record_of`; None for the first record.

    Returns
    -------
    str
        Its text.

    Raises
    ------
    InputError, MoleculeError
        Where the file cannot be read, or has no such record.
    """
    if name is not None:
        return record_of(path, name, "structure")[0]
    return next(iter(_records_at(Path(path), _stamp(path))), "")


def digest_of_record(path: Path, name: str) -> tuple[str | None, bool]:
    """Say what of a file decides a ligand, so that other records may come and go.

    Parameters
    ----------
    path
        SDF or MOL2; it need not be readable, which whoever reads it tells.
    name
        Name of the ligand.

    Returns
    -------
    digest
        SHA-256 of the record, where it is one of several; None where the whole file counts.
    charges
        Whether the record brings partial charges along.
    """
    if Path(path).suffix.lower() != ".sdf":
        return None, False
    try:
        record, _ = record_of(path, name, "structure")
    except (InputError, MoleculeError):
        return None, False
    several = len(_records_at(Path(path), _stamp(path))) > 1
    return hashlib.sha256(record.encode()).hexdigest() if several else None, charges_of(record) is not None


def records_of(text: str) -> list[str]:
    """Split a file into its records.

    Parameters
    ----------
    text
        Content of an SDF file, lines ending with a line feed.

    Returns
    -------
    list of str
        Without the lines that separate them, and without empty ones.
    """
    return [record for _, record in records_by_line(text)]


def records_by_line(text: str) -> list[tuple[int, str]]:
    """Split a file into its records, and tell where they are.

    Parameters
    ----------
    text
        As of :func:`records_of`.

    Returns
    -------
    list of (int, str)
        Line that each starts on, from 1, and its text.
    """
    found, line = [], 1
    for record in re.split(rf"^{re.escape(_END)}[^\n]*\n?", text, flags=re.MULTILINE):
        if record.strip():
            found.append((line, record))
        line += record.count("\n") + 1
    return found


def molecules_in(record: str) -> int:
    """Count the molecules in a record: more than one where the line that ends it is missing, and others are lost in it.

    Parameters
    ----------
    record
        Its text.

    Returns
    -------
    int
        By the ends of their tables of atoms and bonds.
    """
    return len(re.findall(r"^M  END", record, re.MULTILINE))


def run_together(path: Path) -> list[Problem]:
    """List records of an SDF of ligands that hold several.

    Parameters
    ----------
    path
        File that was read before; one that is no SDF has none.

    Returns
    -------
    list of Problem
        One for each such record.
    """
    if path.suffix.lower() != ".sdf":
        return []
    text = read_text(path, RIGHT, STRUCTURE_BYTES, errors="replace")
    return [
        Problem(
            str(path),
            f"{shown(record.partition(chr(10))[0].strip())}: {count} molecules in one record",
            END_RIGHT,
            line,
        )
        for line, record in records_by_line(text)
        if (count := molecules_in(record)) > 1
    ]


@lru_cache(maxsize=2)
def _records_at(path: Path, stamp: tuple[int, ...]) -> tuple[str, ...]:
    """Records of a file, read once for all its ligands while it stays what it is."""
    return tuple(records_of(read_text(path, RIGHT, STRUCTURE_BYTES, errors="replace")))


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        found = Path(path).stat()
    except OSError:
        return ()  # told by who reads it
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def charges_of(record: str) -> SdfCharges | None:
    """Read the partial charges of a record.

    Parameters
    ----------
    record
        Its text.

    Returns
    -------
    SdfCharges or None
        Unchecked; None where it has none.
    """
    _, _, properties = record.partition("M  END")
    found = [values for name, values in _PROPERTY.findall(properties + "\n") if name.strip() == CHARGES]
    if not found:
        return None
    return SdfCharges(tuple(_number(word) for values in found for word in values.split()))


def _number(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        return math.nan
