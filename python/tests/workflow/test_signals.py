"""Signals that stop a verb: who listens, who is left alone, and that the first one counts."""

import os
import signal
import threading

import pytest

from gibbsflow.workflow.signals import (
    STOP_SIGNALS,
    Signalled,
    ignore_stop_signals,
    raise_signalled,
    restore_handlers,
    set_stop_handler,
)


@pytest.fixture(autouse=True)
def handlers():
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    yield before
    for number, handler in before.items():
        signal.signal(number, handler)


def test_schedulers_and_the_keyboard():
    assert set(STOP_SIGNALS) == {signal.SIGTERM, signal.SIGUSR1, signal.SIGINT}


def test_handlers_are_set_and_given_back(handlers):
    heard = []
    before = set_stop_handler(lambda number, _: heard.append(number))
    assert before == handlers
    for number in STOP_SIGNALS:
        os.kill(os.getpid(), number)
    assert heard == list(STOP_SIGNALS)
    restore_handlers(before)
    assert {number: signal.getsignal(number) for number in STOP_SIGNALS} == handlers


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_the_first_one_is_raised_and_a_second_one_disturbs_nothing(number):
    set_stop_handler(raise_signalled)
    with pytest.raises(Signalled, match=f"stopped by {number.name}"):
        os.kill(os.getpid(), number)
    for again in STOP_SIGNALS:
        os.kill(os.getpid(), again)
    assert not isinstance(Signalled(), Exception)  # no `except Exception` on the way swallows it


def test_workers_leave_them_to_others():
    ignore_stop_signals()
    for number in STOP_SIGNALS:
        os.kill(os.getpid(), number)


def test_only_the_main_thread_listens(handlers):
    found = []
    thread = threading.Thread(target=lambda: found.append(set_stop_handler(signal.SIG_IGN)))
    thread.start()
    thread.join()
    assert found == [{}]
    assert {number: signal.getsignal(number) for number in STOP_SIGNALS} == handlers
