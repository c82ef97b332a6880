"""Messages between this process and a worker that it started: eight bytes of length, then an ``npz``.

The array ``json`` of a message holds its header.
"""

from __future__ import annotations

import io
import json
import select
import time
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np


def send(stream: BinaryIO, header: dict[str, Any], arrays: dict[str, Any]) -> None:
    """Write one message.

    Parameters
    ----------
    stream
        Where to.
    header
        JSON-serialisable part.
    arrays
        Arrays by name.
    """
    body = io.BytesIO()
    np.savez(body, json=np.array(json.dumps(header)), **arrays)
    content = body.getbuffer()
    stream.write(len(content).to_bytes(8, "little"))
    stream.write(content)
    stream.flush()


def arrives(stream: BinaryIO, time_s: float, check: Callable[[], None]) -> bool:
    """Wait until a message begins, or the stream has ended.

    Parameters
    ----------
    stream
        Other end of a pipe, unbuffered or with nothing left in its buffer.
    time_s
        Wall-clock seconds to wait at most.
    check
        Called every second; what it raises ends the wait.

    Returns
    -------
    bool
        False where the time has passed.
    """
    end = time.monotonic() + time_s
    ready: list[Any] = []
    while not ready and (left_s := end - time.monotonic()) > 0:
        check()
        ready, _, _ = select.select([stream], [], [], min(1.0, left_s))
    return bool(ready)


def receive(stream: BinaryIO) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Read one message.

    Parameters
    ----------
    stream
        Where from.

    Returns
    -------
    tuple or None
        Header and arrays; None at the end of the stream, also within a message.
    """
    head = stream.read(8)
    if len(head) < 8:
        return None
    size = int.from_bytes(head, "little")
    body = stream.read(size)
    if len(body) < size:
        return None
    with np.load(io.BytesIO(body), allow_pickle=False) as content:
        arrays = {name: content[name] for name in content.files}
    return json.loads(str(arrays.pop("json"))), arrays
