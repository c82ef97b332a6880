"""Progress: plain lines now and then, a bar on a terminal, and always a last word."""

import time

import pytest

from gibbsflow.workflow.progress import Progress, duration, end_line, tell


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_lines_come_at_intervals_with_share_and_time_left(clock, capsys):
    progress = Progress("b2 equil", 10.0, "ps")
    for second in (1, 16, 17, 31):
        clock[0] = 100.0 + second
        progress.add(1.0, "288 K")
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "b2 equil: 2/10 ps (20%, 7.5 ps/min, 64 s left) 288 K",  # 2 ps in 16 s
        "b2 equil: 4/10 ps (40%, 7.74 ps/min, 46 s left) 288 K",  # 4 ps in 31 s
    ]


def test_the_end_is_always_told(clock, capsys):
    progress = Progress("labels", 2)
    progress.add(1)
    assert capsys.readouterr().err == ""
    progress.add(1)
    assert capsys.readouterr().err == "labels: 2/2  (100%, 0 s left)\n"


def test_the_end_is_told_once(clock, capsys):
    progress = Progress("x", 10, "ps")
    for amount in (10, 0, 0):
        clock[0] += 20
        progress.add(amount)
    assert capsys.readouterr().err.count("100%") == 1


def test_no_time_is_told_from_no_speed(clock, capsys):
    progress = Progress("MD", 51.0, "ps", done=0.0)
    clock[0] += 20.0
    progress.add(0.0)
    assert capsys.readouterr().err == "MD: 0/51 ps (0%, no speed yet)\n"


def test_what_is_said_beside_a_bar_has_a_line_of_its_own(clock, capsys):
    progress = Progress("MD", 4.0, "ps")
    progress.terminal = True
    clock[0] += 1.0
    progress.add(1.0)
    tell("a note")
    end_line()
    clock[0] += 1.0
    progress.add(3.0)
    tell("the end")
    lines = capsys.readouterr().err.split("\n")
    assert [line.rpartition("] ")[2] for line in lines] == [
        "MD: 1/4 ps (25%, 1 ps/s, 3 s left)", "a note", "MD: 4/4 ps (100%, 2 ps/s, 0 s left)", "the end", ""
    ]  # fmt: skip


def test_a_slow_one_is_told_by_the_hour_and_a_quiet_one_not_at_all(clock, capsys, monkeypatch):
    clock[0] += (progress := Progress("fit", 4.0)).interval_s * 480
    progress.add(1.0)
    assert capsys.readouterr().err == "fit: 1/4  (25%, 0.5/h, 6.0 h left)\n"
    tell("one label is done")
    monkeypatch.setattr(Progress, "quiet", True)
    progress.add(3.0)
    tell("the other too")
    assert capsys.readouterr().err == "one label is done\n"


@pytest.mark.parametrize(("seconds", "words"), [(119, "119 s"), (120, "2.0 min"), (9000, "2.5 h"), (200000, "2.3 d")])
def test_durations(seconds, words):
    assert duration(seconds) == words


def test_what_an_earlier_run_did_tells_nothing_of_the_speed(clock, capsys):
    progress = Progress("MD", 100.0, "ps", done=90.0)
    clock[0] += 20.0
    progress.add(2.0)
    assert "92/100 ps (92%, 6 ps/min, 80 s left)" in capsys.readouterr().err


def test_a_bar_on_a_terminal(clock, capsys):
    progress = Progress("MD", 4.0, "ps")
    progress.terminal = True
    clock[0] += 1.0
    progress.add(1.0)
    assert capsys.readouterr().err == "\r\x1b[K[#####               ] MD: 1/4 ps (25%, 1 ps/s, 3 s left)"
    progress.add(3.0)
    assert capsys.readouterr().err.endswith("[####################] MD: 4/4 ps (100%, 4 ps/s, 0 s left)\n")
