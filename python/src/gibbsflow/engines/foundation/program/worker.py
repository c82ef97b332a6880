"""The program of the foundation model: serves structures, or tunes; speaks :mod:`gibbsflow.engines.messages`.

Started by :class:`gibbsflow.engines.foundation.session.Session` with the environment's own Python::

    serve WEIGHTS [TUNED]   a structure a request, until the stream ends
    tune FOLDER             the fit that the folder describes; it ends where the stream does

What is imported here comes from that environment, this package and numpy apart.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import torch

from gibbsflow.engines.foundation.program import network, tuning
from gibbsflow.engines.messages import receive, send
from gibbsflow.workflow.signals import ignore_stop_signals


def serve(replies: BinaryIO, weights: str, tuned: str | None = None) -> int:
    """Answer requests until the stream ends.

    Parameters
    ----------
    replies
        Where answers go.
    weights
        Name of the weights.
    tuned
        File of tuned parameters; None for the weights as they are.

    Returns
    -------
    int
        Exit code.
    """
    model = network.load(weights, Path(tuned) if tuned else None)
    send(replies, {"versions": versions()}, {})
    while (message := receive(sys.stdin.buffer)) is not None:
        header, arrays = message
        try:
            graph = network.graph_of(model, arrays["numbers"], arrays["positions"], arrays["cell"])
            found = network.evaluate(model, graph, forces=header["forces"])
        except Exception as error:  # noqa: BLE001 - whatever the structure does to it; the caller gets the message
            send(replies, {"error": f"{type(error).__name__}: {error}"}, {})
            continue
        send(replies, {}, found)
    return 0


def tune(replies: BinaryIO, folder: str) -> int:
    """Tune as a folder says; any message stops it after the batch, and the end of the stream at once.

    Parameters
    ----------
    replies
        Where progress and outcome go.
    folder
        With ``request.json`` and ``frames.npz``.

    Returns
    -------
    int
        Exit code.
    """
    stop = threading.Event()

    def _listen() -> None:
        while receive(sys.stdin.buffer) is not None:
            stop.set()
        os._exit(3)  # whoever asked is gone: nobody would take the outcome

    send(replies, {"versions": versions()}, {})
    threading.Thread(target=_listen, daemon=True).start()
    outcome = tuning.tune(Path(folder), tell=lambda told: send(replies, told, {}), stopped=stop.is_set)
    send(replies, {"outcome": outcome}, {})
    return 0


def versions() -> dict[str, str]:
    """Say what calculates.

    Returns
    -------
    dict
        Versions by name.
    """
    return {
        "python": platform.python_version(), "chgnet": importlib.metadata.version("chgnet"),
        "torch": str(torch.__version__),
    }  # fmt: skip


def main() -> int:
    """Do what the arguments say.

    Returns
    -------
    int
        Exit code: 1 where it cannot be done, with the reason as a message.
    """
    # schedulers signal every process of a job: the caller decides what a signal means
    ignore_stop_signals()
    # CHGNet prints to standard output: that goes to the log, and replies to a copy of it
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    torch.use_deterministic_algorithms(True)
    verbs: dict[str, Callable[..., int]] = {"serve": serve, "tune": tune}
    try:
        return verbs[sys.argv[1]](replies, *sys.argv[2:])
    except Exception as error:  # the caller gets the message, the log the trace
        send(replies, {"error": f"{type(error).__name__}: {error}"}, {})
        raise
