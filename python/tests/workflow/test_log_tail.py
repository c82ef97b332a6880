"""The last lines of a log, as a failure keeps them."""

import logging

from gibbsflow.workflow.log_tail import MOST_LINES, LogTail, recent_lines


def test_the_newest_lines_are_kept_and_those_of_another_verb_forgotten():
    log = logging.getLogger("of a test")
    log.propagate = False
    log.addHandler(handler := LogTail(logging.Formatter("%(levelname)s %(message)s")))
    for number in range(30):
        log.warning("line %d", number)
    log.error("a\nb%s", "c" * 9999)
    log.removeHandler(handler)
    lines = recent_lines()
    assert len(lines) == MOST_LINES and lines[-3:-1] == ["WARNING line 29", "ERROR a"]
    assert lines[-1].startswith("bcc") and len(lines[-1]) == 500
    LogTail(logging.Formatter())
    assert recent_lines() == []
