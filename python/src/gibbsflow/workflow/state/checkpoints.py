"""Rolling checkpoints: current and previous, each whole with its checksum; a bad one falls back to the other."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import logging
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gibbsflow.errors import StateError
from gibbsflow.workflow.files import atomic_open

log = logging.getLogger(__name__)
_FORMAT = b"gibbsflow-checkpoint-"
_MAGIC = _FORMAT + b"1\n"


@dataclass(frozen=True)
class Checkpoint:
    """State of a running calculation at a segment boundary.

    Attributes
    ----------
    inputs_hash
        Hash of the inputs it belongs to.
    segment
        Number of segments done.
    arrays
        Positions, velocities, permutations, ... by name. Units belong in the names (``positions_nm``).
    meta
        JSON-serialisable remainder, such as counters.
    """

    inputs_hash: str
    segment: int
    arrays: Mapping[str, npt.NDArray[Any]]
    meta: Mapping[str, Any]


class RollingCheckpoints:
    """The two newest checkpoints of a state folder.

    Parameters
    ----------
    folder
        State folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self.current = self.folder / "checkpoint-current.bin"
        self.previous = self.folder / "checkpoint-previous.bin"

    def save(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint; the one that was current becomes previous. At no moment are both away.

        Parameters
        ----------
        checkpoint
            The state to save.
        """
        payload = io.BytesIO()
        np.savez(payload, **checkpoint.arrays)  # type: ignore[arg-type]
        head = json.dumps(
            {
                "inputs_hash": checkpoint.inputs_hash,
                "segment": checkpoint.segment,
                "meta": dict(checkpoint.meta),
                "sha256": hashlib.sha256(payload.getvalue()).hexdigest(),
            },
            sort_keys=True,
        ).encode()
        body = _MAGIC + hashlib.sha256(head).hexdigest().encode() + b"\n" + head + b"\n" + payload.getvalue()
        if self.current.exists():
            # a hard link keeps `current` in place while it also becomes `previous`
            spare = self.folder / ".checkpoint-previous.tmp"
            spare.unlink(missing_ok=True)
            try:
                os.link(self.current, spare)
            except OSError as error:
                if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EXDEV):
                    raise
                shutil.copyfile(self.current, spare)  # a file system without hard links
            os.replace(spare, self.previous)
        with atomic_open(self.current) as file:
            file.write(body)

    def load(self, inputs_hash: str) -> Checkpoint | None:
        """Read the newest good checkpoint made from these inputs.

        Parameters
        ----------
        inputs_hash
            Hash of today's inputs.

        Returns
        -------
        Checkpoint or None
            None where none was ever written for them.

        Raises
        ------
        StateError
            Where checkpoints are there and none can be read: hours of computing are not thrown away in silence.
        """
        broken = []
        for path in (self.current, self.previous):
            if not path.exists():
                continue
            try:
                checkpoint = _read(path)
            except StateError as error:
                broken.append(str(error))
                log.warning("%s; falling back", error)
                continue
            if checkpoint.inputs_hash != inputs_hash:
                log.warning("%s was made from other inputs and is left aside", path)
                continue
            return checkpoint
        if broken:
            raise StateError("no checkpoint can be read: " + "; ".join(broken))
        return None


def checkpoint_fault(path: Path) -> str | None:
    """Say what is wrong with a checkpoint.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    str or None
        None where it is whole.
    """
    try:
        _read(path)
    except StateError as error:
        return str(error)
    return None


def _read(path: Path) -> Checkpoint:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise StateError(f"{path}: {error.strerror}") from error
    try:
        magic, digest, head, payload = content.split(b"\n", 3)
    except ValueError as error:
        raise StateError(f"{path}: truncated") from error
    if magic + b"\n" != _MAGIC and magic.startswith(_FORMAT):
        raise StateError(f"{path}: written by another version of gibbsflow ({magic.decode(errors='replace')})")
    if magic + b"\n" != _MAGIC:
        raise StateError(f"{path}: not a checkpoint")
    if hashlib.sha256(head).hexdigest().encode() != digest:
        raise StateError(f"{path}: header damaged")
    meta = json.loads(head)
    if hashlib.sha256(payload).hexdigest() != meta["sha256"]:
        raise StateError(f"{path}: truncated or damaged")
    with np.load(io.BytesIO(payload), allow_pickle=False) as arrays:
        return Checkpoint(
            meta["inputs_hash"],
            meta["segment"],
            {k: arrays[k] for k in arrays.files},
            meta["meta"],
        )
