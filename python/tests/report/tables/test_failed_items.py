"""What failed, and how it is tried again."""

import shlex

from gibbsflow.report.tables.failed_items import failed_items
from gibbsflow.report.tables.results_table import TableRow
from gibbsflow.workflow.state.sentinels import Sentinel


def test_rows_and_ligands_that_failed(tmp_path):
    state = tmp_path / "a folder"
    (state / "cb7" / "bad").mkdir(parents=True)
    (state / ".note").touch()
    rows = [
        TableRow("good", "good", "abfe", "finished"),
        TableRow("bad", "bad", "abfe", "failed", cause="Numerical:  NaN"),
        TableRow("never", "never", "abfe", "failed", cause="not finished"),
    ]
    known = {
        "bad": Sentinel("FAILED", "x", cause="Numerical", message="NaN", log=["one", "two"], time="2026-01-01"),
        "lost": Sentinel("FAILED", "x", cause="Unbound", message="left"),
    }
    bad, never, lost = failed_items(rows, known, state)
    assert (bad.name, bad.cause, bad.log, bad.time) == ("bad", "Numerical: NaN", ("one", "two"), "2026-01-01")
    assert shlex.split(bad.clean) == ["bin/gibbsflow", "clean-failures", str(state / "cb7" / "bad")]
    assert (never.log, never.clean, never.time) == ((), "", "")
    assert (lost.name, lost.status, lost.cause) == ("lost", "unbound", "Unbound: left")
    assert failed_items(rows[:1], {}, None) == []
