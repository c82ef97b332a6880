"""Two at work on one state folder, and locks that outlived their holder."""

from __future__ import annotations

import json
import signal
import time

from faults import small

from gibbsflow.workflow.state.locks import holder


def test_the_second_is_refused_in_one_line_and_harms_nothing(exchange, tmp_path):
    leg, whole = exchange
    first = small.fe_start(leg, tmp_path)
    first.wait_for(tmp_path / "state" / "segment-00000.npz")
    first.send(signal.SIGSTOP)  # in the middle of its work for as long as it takes
    begin = time.monotonic()
    second = small.run("fe", *small.words(leg, tmp_path)[:-1], tmp_path / "other")
    assert time.monotonic() - begin < 20
    assert second.code not in (0, 75) and "Traceback" not in second.text
    (error,) = [line for line in second.text.splitlines() if line.startswith("error:")]
    assert str(first.pid) in error and "held by" in error
    assert not (tmp_path / "state" / "FAILED").exists()
    first.send(signal.SIGCONT)
    assert first.wait().code == 0
    small.same_answer(tmp_path, whole)


def test_a_lock_of_a_dead_process_is_taken_over_and_told(exchange, tmp_path):
    leg, whole = exchange
    first = small.fe_start(leg, tmp_path)
    first.wait_for(tmp_path / "state" / "segment-00000.npz")
    first.send(signal.SIGKILL)
    first.wait()
    assert (tmp_path / "state" / ".lock").read_text()
    again = small.fe_run(leg, tmp_path)
    assert again.code == 0 and "stale lock" in again.text and str(first.pid) in again.text
    small.same_answer(tmp_path, whole)


def test_garbage_in_a_lock(exchange, tmp_path):
    leg, whole = exchange
    (tmp_path / "state").mkdir()
    for content in (b"\xff\xfe{", b"", json.dumps(holder() | {"pid": 2**22 + 1}).encode()):
        (tmp_path / "state" / ".lock").write_bytes(content)
        assert small.fe_run(leg, tmp_path, "--segments", 1).code == 75
    assert small.fe_run(leg, tmp_path).code == 0
    small.same_answer(tmp_path, whole)
