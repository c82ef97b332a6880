"""Messages between this process and a worker that it started: eight bytes of length, then an ``npz``.

The array ``json`` of a message holds its header.
"""

from __future__ import annotations

import io
import json
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
