"""XTC files, which hold coordinates to 0.001 nm, and need a topology beside them."""

from __future__ import annotations

import os
import struct
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from openmm.app.internal.xtc_utils import read_xtc, xtc_write_frame

from gibbsflow.errors import StateError
from gibbsflow.units import Floats

_HEAD = struct.Struct(">3if9fi")
"""Of a frame: its mark, atoms, step, time, box, and its atoms again."""
_PACKED = struct.Struct(">f8i")
"""Before coordinates that are packed: steps in 1 nm, the lowest and highest of them, a table's entry, bytes."""
_MARK, _PER_NM, _NEVER_PACKED = 1995, 1000.0, 9
_ENTRIES = range(9, 73)
"""Of that table: OpenMM looks beyond it, and has room for less than 15 bytes an atom."""
_FARTHEST_NM = 1e6
"""What was no number when it was packed has become -2.1e6, the lowest there is, and spoilt others of its frame."""
_AT_A_TIME_BYTES = 8_000_000
"""Of packed frames; unpacked they take about three times as many."""


class XtcFile:
    """An XTC file that is written beside its place, and put there when it is whole.

    Parameters
    ----------
    path
        Where it will be.
    """

    def __init__(self, path: Path) -> None:
        self.path, self._part = path, path.with_name(f".{path.name}.tmp")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._part.unlink(missing_ok=True)
        self._frames = 0

    def add(self, time_ps: float, positions_nm: npt.NDArray[np.floating], box_nm: Floats | None = None) -> None:
        """Add a frame.

        Parameters
        ----------
        time_ps
            When it was.
        positions_nm
            Shape (atoms, 3), nm.
        box_nm
            Its periodic box, shape (3, 3), nm.
        """
        box = np.zeros((3, 3)) if box_nm is None else box_nm
        frame = np.ascontiguousarray(positions_nm, dtype=np.float32), np.ascontiguousarray(box, dtype=np.float32)
        xtc_write_frame(str(self._part).encode(), *frame, np.float32(time_ps), np.int32(self._frames))
        self._frames += 1

    def close(self) -> None:
        """Put the file into its place."""
        os.replace(self._part, self.path)


def read_frames_nm(
    path: Path, wanted: npt.ArrayLike | None = None, atoms: int | None = None
) -> tuple[npt.NDArray[np.float32], Floats]:
    """Read an XTC file, some frames at a time.

    Parameters
    ----------
    path
        The file.
    wanted
        Atoms, by their indices in a frame; default: all.
    atoms
        How many a frame is of, where that is known; default: as many as the first one.

    Returns
    -------
    positions
        Shape (F, wanted, 3), nm.
    time_ps
        Shape (F,), ps.

    Raises
    ------
    StateError
        For a file that is missing, or has no frame, one that is cut off, one of other atoms, or one whose coordinates
        are no numbers: it is named by its place in the file.
    """
    chosen = None if wanted is None else np.asarray(wanted, dtype=np.int32)
    positions, times = [], []
    try:
        file = open(path, "rb")  # noqa: SIM115 - what goes wrong after it is another matter
    except FileNotFoundError as error:
        raise StateError(f"{path}: missing") from error
    except OSError as error:
        raise StateError(f"{path}: no trajectory that can be read ({error.strerror})") from error
    with file:
        for packed in _batches(_frames(path, file, atoms)):
            where, time_ps = _unpacked(path, packed)
            if chosen is not None and (last := int(np.max(chosen, initial=-1))) >= where.shape[1]:
                raise StateError(f"{path}: frames of {where.shape[1]} atoms; right: more than {last}")
            positions.append(where if chosen is None else where[:, chosen])
            times.append(time_ps)
    if not times:
        raise StateError(f"{path}: no trajectory that can be read (it is empty)")
    return np.concatenate(positions), np.concatenate(times)


def _batches(frames: Iterable[bytes]) -> Iterator[bytes]:
    some, size = list[bytes](), 0
    for frame in frames:
        some.append(frame)
        size += len(frame)
        if size >= _AT_A_TIME_BYTES:
            yield b"".join(some)
            some, size = [], 0
    if some:
        yield b"".join(some)


def _unpacked(path: Path, frames: bytes) -> tuple[npt.NDArray[np.float32], Floats]:
    """Frames as OpenMM reads them, which takes whole files: shape (F, atoms, 3), nm; and their times, ps."""
    with tempfile.NamedTemporaryFile(suffix=".xtc") as file:
        file.write(frames)
        file.flush()
        try:
            positions, _, time_ps, _ = read_xtc(file.name.encode())
        except (RuntimeError, ValueError) as error:
            raise StateError(f"{path}: no trajectory that can be read ({str(error).strip()})") from error
    return np.moveaxis(np.asarray(positions), -1, 0), np.asarray(time_ps, dtype=np.float64)


def _frames(path: Path, file: BinaryIO, atoms: int | None) -> Iterator[bytes]:
    """Frames as they stand in the file, each of them whole, of numbers, and of the same atoms.

    OpenMM's reader ends in silence at what is no frame, and writes beyond its memory for one of more atoms.
    """
    place = 0

    def whole(length: int, begun: bytes = b"") -> bytes:
        data = begun or file.read(length)
        if len(data) < length:
            raise StateError(f"{path}: frame {place} is cut off")
        return data

    while begun := file.read(_HEAD.size):
        place += 1
        head, kind = whole(_HEAD.size, begun), b""
        mark, size, _, time_ps, *_, again = _HEAD.unpack(head)
        if mark != _MARK or size != again or size < 1:
            raise StateError(f"{path}: frame {place} is damaged, or no frame of XTC")
        atoms = atoms or size
        if size != atoms:
            raise StateError(f"{path}: frame {place} is of {size} atoms; right: {atoms}")
        if size > _NEVER_PACKED:
            kind = whole(_PACKED.size)
            per_nm, *ends, entry, length = _PACKED.unpack(kind)
            if per_nm != _PER_NM or entry not in _ENTRIES or not size <= length <= 14 * size:
                raise StateError(f"{path}: frame {place} is damaged, or no frame of XTC")
            body = whole(length + -length % 4)
            reach_nm = np.array(ends) / _PER_NM
        else:
            body = whole(12 * size)
            reach_nm = np.frombuffer(body, ">f4")
        if not (np.isfinite(time_ps) and (np.abs(reach_nm) < _FARTHEST_NM).all()):
            raise StateError(
                f"{path}: frame {place} ({time_ps:g} ps) has coordinates that are no numbers, or beyond 1e6 nm"
            )
        yield head + kind + body
