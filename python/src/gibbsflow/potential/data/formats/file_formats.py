"""Structure files as ASE reads them, with each frame that cannot be read named, and what ASE passes over in silence."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gibbsflow.errors import GibbsflowError, InputError, Problem, StateError, one_line
from gibbsflow.potential.data.formats.backends import frame_of_row, read_rows
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.input_files import DATA_BYTES, require_file

if TYPE_CHECKING:
    from ase import Atoms

_KNOWN = "extxyz, CIF, POSCAR, ..."
_OCCUPIED = 1 - 1e-3


def read_any(path: Path, account: Account) -> list[Atoms]:
    """Read all frames of a file of any format that ASE knows.

    Parameters
    ----------
    path
        The file; an ase.db is opened for reading only.
    account
        Gets what the file says and nobody obeys: constraints (a note), and what is refused.

    Returns
    -------
    list of Atoms
        In the order of the file, without constraints.

    Raises
    ------
    InputError
        Where the file is missing, unreadable or empty, naming the frame that cannot be read.
    """
    from ase.io import iread
    from ase.io.formats import UnknownFileTypeError, filetype

    path = Path(path)
    frames: list[Atoms] = []
    try:
        if path.is_dir():
            raise InputError(Problem(str(path), "is a folder", f"a structure file ({_KNOWN})"))
        require_file(path, f"a structure file ({_KNOWN})", DATA_BYTES)
        if path.stat().st_size:
            kind = filetype(str(path))
            _refuse_format(path, kind, account)
            if kind == "db":
                frames = [_of_row(row) for row in read_rows(path)]
            else:
                with warnings.catch_warnings():
                    # what they say is judged here, in our words
                    warnings.simplefilter("ignore")
                    # a file name is given as it is, or ASE would take what follows an @ for frame numbers
                    for frame in iread(str(path), index=":", do_not_split_by_at_sign=True):
                        frames.append(frame)
    except StateError as error:
        raise InputError(Problem(str(path), str(error), _KNOWN)) from error
    except GibbsflowError:
        raise
    except UnknownFileTypeError as error:
        raise InputError(Problem(str(path), "of no format that is known", _KNOWN)) from error
    # the readers of ASE raise whatever a broken text leads them to
    except Exception as error:
        what = f"not readable as structures: frame {len(frames)}: {type(error).__name__}: {one_line(str(error), 200)}"
        raise InputError(Problem(str(path), what, _KNOWN)) from error
    if not frames:
        raise InputError(Problem(str(path), "holds no structure", "at least one"))
    _judge(frames, account)
    return frames


def _of_row(row: Any) -> Atoms:
    return frame_of_row(row) if row.get("gibbsflow_id") and row.get("status") else row.toatoms()


def _judge(frames: list[Atoms], account: Account) -> None:
    free = 0
    for number, frame in enumerate(frames):
        if frame.constraints:
            frame.set_constraint()
            free += 1
        for what in _mixed_sites(frame):
            account.refuse(f"frame {number}: {what}", "one element on each site, fully occupied", field="occupancy")
        if len(frame) and min(frame.numbers) < 1:
            where = int(np.argmin(frame.numbers))
            what = f"frame {number}: atom {where} is of no element"
            account.refuse(what, "chemical symbols (species), not types alone", field="species")
    if free:
        account.note(f"{free} of {len(frames)} structures fix atoms: they are left free, and forces are the true ones")


def _mixed_sites(frame: Atoms) -> list[str]:
    """Sites with two elements, or less than one atom."""
    found = []
    by_site = frame.info.get("occupancy")
    if isinstance(by_site, dict):
        for site, shares in by_site.items():
            if not isinstance(shares, dict):
                continue
            # a point or a question mark stands for the default of the format, which is 1
            told = [share for share in shares.values() if isinstance(share, int | float)]
            if len(shares) > 1 or (told and sum(told) < _OCCUPIED):
                words = ", ".join(f"{symbol} {share}" for symbol, share in shares.items())
                found.append(f"site {int(site) + 1 if str(site).isdigit() else site} is occupied by {words}")
    for name in ("occupancy", "occupancies"):
        column = frame.arrays.get(name)
        if column is not None and np.ndim(column) == 1 and np.issubdtype(np.asarray(column).dtype, np.number):
            low = np.flatnonzero(np.asarray(column, dtype=float) < _OCCUPIED)
            # PDB files of programs that know no occupancies have 0 for all
            if len(low) and np.any(column):
                atom = int(low[0])
                found.append(f"atom {atom} ({frame[atom].symbol}) has an occupancy of {float(column[atom]):g}")
    return found


def _refuse_format(path: Path, kind: str, account: Account) -> None:
    """Refuse formats in which ASE would make elements up: types become H, He, Li, ..."""
    if kind == "lammps-dump-text":
        header = next((line for line in _lines(path, 50) if line.startswith("ITEM: ATOMS")), "")
        if "element" not in header.split():
            account.refuse("atoms have a type and no element", "dump with the column `element`", field="ITEM: ATOMS")
            account.settle()
    elif kind == "lammps-dump-binary":
        account.refuse("a binary dump, whose atoms have a type and no element", "a text dump with elements")
        account.settle()
    elif kind == "lammps-data":
        if not any(re.match(r"\s*Masses\b", line) for line in _lines(path, None)):
            account.refuse("atoms have a type, and there are no masses to tell the elements by", "Masses", row=None)
            account.settle()
    elif kind == "cif" and any("_atom_site_moment" in line for line in _lines(path, None)):
        right = "extxyz with the column initial_magmoms"
        account.refuse("a magnetic CIF, whose moments are not read", right, field="_atom_site_moment")
        account.settle()
    elif kind == "vasp":
        _refuse_vasp4(path, account)


def _refuse_vasp4(path: Path, account: Account) -> None:
    from ase.data import atomic_numbers

    lines = _lines(path, 7)
    if len(lines) < 6 or not lines[5].split() or not all(word.isdigit() for word in lines[5].split()):
        return
    counts, words = lines[5].split(), lines[0].split()
    if len(words) == len(counts) and all(word in atomic_numbers for word in words):
        account.note(f"no line of symbols (VASP 4): {' '.join(words)}, as its first line says")
        return
    what = f"no symbols for {len(counts)} kinds of atoms (VASP 4), and {lines[0].strip()!r} names none"
    account.refuse(what, "a line of symbols above the numbers of atoms", row=6, field="symbols")
    account.settle()


def _lines(path: Path, count: int | None) -> list[str]:
    with open(path, errors="replace") as file:
        return [line for _, line in zip(range(count), file, strict=False)] if count is not None else file.readlines()
