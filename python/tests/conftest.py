"""Commands take over their process, its root logger and its signals; here both are given back after each test."""

import logging
import signal

import pytest


@pytest.fixture(autouse=True)
def own_process():
    root = logging.getLogger()
    before = root.handlers[:], root.level
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)}
    yield
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    for number, handler in handlers.items():
        signal.signal(number, handler)
