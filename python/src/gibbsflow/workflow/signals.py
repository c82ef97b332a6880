"""The signals that stop a verb: which they are, and who listens to them."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

STOP_SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)
"""From the scheduler at the end of a job's time, ahead of it where that was asked for, and from the keyboard."""


class Signalled(BaseException):
    """A signal, raised wherever the process is: the programs it runs are ended, what it half wrote goes."""


def set_stop_handler(handler: Any) -> dict[int, Any]:
    """Set who is called on each of the signals that stop a verb.

    Parameters
    ----------
    handler
        As :func:`signal.signal` takes it: a function, ``SIG_IGN`` or ``SIG_DFL``.

    Returns
    -------
    dict
        Handlers before, by signal, for :func:`restore_handlers`; empty, and nothing is set, in other threads than the
        main one.
    """
    if threading.current_thread() is not threading.main_thread():
        return {}
    return {number: signal.signal(number, handler) for number in STOP_SIGNALS}


def restore_handlers(before: dict[int, Any]) -> None:
    """Give the signals back to who listened before.

    Parameters
    ----------
    before
        What :func:`set_stop_handler` has returned.
    """
    for number, handler in before.items():
        signal.signal(number, handler)


def ignore_stop_signals() -> None:
    """Leave the signals to another process: workers do, since a scheduler signals every process of a job."""
    set_stop_handler(signal.SIG_IGN)


def raise_signalled(number: int, _frame: FrameType | None) -> None:
    """Stop whatever is under way: a handler for :func:`set_stop_handler`.

    Parameters
    ----------
    number
        The signal.
    _frame
        Where it came, as Python gives it; of no use here.

    Raises
    ------
    Signalled
        Once: a second signal is ignored, since it must not disturb the end.
    """
    ignore_stop_signals()
    raise Signalled(f"stopped by {signal.Signals(number).name}")
