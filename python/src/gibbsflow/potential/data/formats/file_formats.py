"""Structure files as ASE reads them, with each frame that cannot be read named, and what ASE passes over in silence."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gibbsflow.errors import GibbsflowError, InputError, Problem, StateError, one_line
from gibbsflow.potential.data.formats.backends import frame_of_row, read_rows
from gibbsflow.potential.data.formats.extended_xyz import is_extended_xyz, lines_of, read_extended_xyz
from gibbsflow.potential.data.formats.file_doubts import is_lammps_data, judge_file
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.input_files import DATA_BYTES, require_file

if TYPE_CHECKING:
    from ase import Atoms

_KNOWN = "extxyz, CIF, POSCAR, ..."
_OCCUPIED = 1 - 1e-3
_TENSOR = re.compile("stress|virial|polari[sz]ability", re.IGNORECASE)


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
            if kind == "runnerdata" and is_lammps_data(path):
                kind = "lammps-data"  # ASE goes by the end of the name, which both have
            judge_file(path, kind, account)
            if kind == "db":
                frames = [_of_row(row) for row in read_rows(path)]
            elif kind == "json":
                from ase.db import connect

                frames = [_of_row(row) for row in connect(path, type="json").select()]
            elif is_extended_xyz(path):
                frames = _of_extended_xyz(path)
            else:
                with warnings.catch_warnings():
                    # what they say is judged here, in our words
                    warnings.simplefilter("ignore")
                    # a file name is given as it is, or ASE would take what follows an @ for frame numbers
                    for frame in iread(str(path), index=":", format=kind, do_not_split_by_at_sign=True):
                        if len(frame) or kind != "proteindatabank":  # its END after ENDMDL ends no frame
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


def is_of_atoms(name: str, value: Any, atoms: Atoms) -> bool:
    """Say whether a value has a vector for each atom, and is no tensor of three atoms together.

    Parameters
    ----------
    name
        What it is called.
    value
        As it was read.
    atoms
        The frame.

    Returns
    -------
    bool
        True for shape (atoms, 3) unless it is a stress, a virial or a polarisability.
    """
    return np.shape(value) == (len(atoms), 3) and not (len(atoms) == 3 and _TENSOR.search(name))


def _of_row(row: Any) -> Atoms:
    """A row as a frame, with what stands beside it in the database: its keys, and numbers of its data."""
    if row.get("gibbsflow_id") and row.get("status"):
        own: Atoms = frame_of_row(row)
        return own
    atoms: Atoms = row.toatoms()
    atoms.info |= dict(row.key_value_pairs)
    for key, value in row.data.items():
        if isinstance(value, str | bytes) or np.asarray(value).dtype.kind not in "bif":
            continue
        if is_of_atoms(key, value, atoms):
            atoms.arrays.setdefault(key, np.asarray(value))
        else:
            atoms.info.setdefault(key, value)
    return atoms


def _of_extended_xyz(path: Path) -> list[Atoms]:
    """Read a file strictly, and take the values of its comment lines and the meaning of its columns as ASE does."""
    from ase import Atoms
    from ase.constraints import FixAtoms
    from ase.io.extxyz import REV_PROPERTY_NAME_MAP, key_val_str_to_dict, set_calc_and_arrays

    lines = lines_of(path)
    frames, start = [], 0
    for strict in read_extended_xyz(path):
        comment = lines[start + 1].strip()
        start += len(strict) + 2
        info = key_val_str_to_dict(comment) if comment else {}
        info = {key: value for key, value in info.items() if key not in ("Lattice", "Properties", "pbc")}
        columns = {
            REV_PROPERTY_NAME_MAP.get(name, name): values.astype(str) if values.dtype == object else values
            for name, values in strict.arrays.items()
            if name not in ("numbers", "positions")
        }
        frame = Atoms(strict.numbers, strict.positions, cell=strict.cell, pbc=strict.pbc, info=info)
        if (moves := columns.pop("move_mask", None)) is not None:
            frame.set_constraint(FixAtoms(mask=~moves.reshape(len(frame), -1).astype(bool).all(axis=1)))
        if (charges := columns.pop("initial_charges", None)) is not None:
            frame.set_initial_charges(charges.astype(float))
        set_calc_and_arrays(frame, columns)
        frames.append(frame)
    return frames


def _judge(frames: list[Atoms], account: Account) -> None:
    free = 0
    for number, frame in enumerate(frames):
        if frame.constraints:
            free += any(len(getattr(constraint, "index", (0,))) for constraint in frame.constraints)
            frame.set_constraint()
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
            if len(shares) > 1 or (told and not _OCCUPIED <= sum(told) <= 2 - _OCCUPIED):
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
