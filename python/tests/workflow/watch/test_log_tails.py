"""Ends of logs, and of nothing else."""

import os

from left_states import leave

from gibbsflow.workflow.files import write_json
from gibbsflow.workflow.watch.log_tails import log_tails, tail
from gibbsflow.workflow.watch.state_rows import StateRows


def test_the_last_lines_without_passwords(tmp_path):
    path = tmp_path / "a.log"
    path.write_text(
        "".join(f"line {n}\n" for n in range(5000))
        + "password: hidden\nAuthorization: Bearer hidden9\npostgresql://me:word@host/db\n"
    )
    text = tail(path).text
    assert text.startswith("line 4963") and "word@" not in text and "hidden" not in text and text.endswith("me@host/db")


def test_no_link_pipe_or_folder_is_read(tmp_path):
    (tmp_path / "secret").write_text("not for you")
    os.symlink(tmp_path / "secret", tmp_path / "a.log")
    os.mkfifo(tmp_path / "b.log")
    (tmp_path / "c.log").mkdir()
    assert all("not for you" not in tail(tmp_path / name).text for name in ("a.log", "b.log", "c.log", "d.log"))
    assert "no plain file" in tail(tmp_path / "b.log").text


def test_logs_of_what_failed_and_of_what_was_killed(tmp_path):
    state = tmp_path / "demo"
    bad, good = state / "cb7/b2/equil", state / "cb7/b2/complex/replicate_0"
    leave(bad, failed="Numerical", kind="equil")
    leave(good, done=1000, finished=True)
    for home in (bad / "gromacs", good):
        home.mkdir(exist_ok=True)
        (home / "md.log").write_text(f"of {home.name}\n")
    (tmp_path / ".command.log").write_text("killed\n")
    told = {"process": "EQUIL_RUN", "item": "b2", "cause": "KILLED", "log": str(tmp_path / ".command.log"), "at": "1"}
    write_json(state / ".killed" / "EQUIL_RUN.json", told)
    write_json(state / ".killed" / "foreign.json", told | {"log": "/etc/passwd"})  # no path from outside is read
    homes, _ = StateRows(state).look()
    assert [one.text for one in log_tails(state, homes.values(), [])] == ["killed", "of gromacs"]
