"""Results name the state that they were made with: from another launch folder it is not begun anew without a word."""

import json
from dataclasses import replace

import pytest

from gibbsflow.workflow.care.campaign_note import todays_note
from gibbsflow.workflow.care.start.state_of_results import state_doubts
from gibbsflow.workflow.folders.published import IDENTITY, MadeFrom, set_aside
from gibbsflow.workflow.state.locks import campaign_lock

NEW = "another --outdir to begin anew"
TODAY = MadeFrom("out", {"input": ("/d/ligands.csv", "aa")}, "s", {"b2": "1"}, "r")


@pytest.fixture
def places(tmp_path):
    """Results made with the state of one launch folder, and the state that another would take."""
    out, then, here = tmp_path / "out", tmp_path / "a" / "state" / "out", tmp_path / "b c" / "state" / "out"
    (then / "cb7" / "b2").mkdir(parents=True)
    (out / "phases" / "b2" / "fe").mkdir(parents=True)
    set_aside(out, replace(TODAY, state=str(then)))
    (out / "phases" / "b2" / "fe").mkdir(parents=True, exist_ok=True)
    todays_note(then, mode="abfe", outdir=out, param_cache=None).write(then)
    return out, then, here


def test_the_same_state_goes_on(places, tmp_path):
    out, then, here = places
    assert state_doubts(out, then) == ([], []) and state_doubts(tmp_path / "none", here) == ([], [])
    here.parent.mkdir(parents=True)
    here.symlink_to(then)
    assert state_doubts(out, here) == ([], [])


@pytest.mark.parametrize("name", ["out", "my run"])
def test_another_one_is_refused_with_what_to_type(places, name):
    out, then, here = places
    then = then.rename(then.with_name(name))
    (out / IDENTITY).write_text(json.dumps(vars(replace(TODAY, state=str(then)))))
    (here / "cb7").mkdir(parents=True)  # as another campaign of that name leaves it
    (problem,), notes = state_doubts(out, here)
    assert (problem.where, notes) == ("--state_dir", []) and f"{then}, and this run would begin anew in {here}" in (
        problem.what
    )
    named = "" if name == "out" else " --campaign 'my run'"
    assert problem.right == f"--state_dir {then.parent}{named} to go on with it, of run-local in section io; " + NEW


def test_a_run_that_has_just_begun_counts(places, tmp_path):
    """Its head alone holds the lock: another process, as a process has its own locks for free."""
    import subprocess
    import sys

    out, then, here = places
    then = tmp_path / "a" / "state" / "fresh"
    (out / IDENTITY).write_text(json.dumps(vars(replace(TODAY, state=str(then)))))
    assert "not there any more" in state_doubts(out, here)[0][0].what
    code = "import sys; from pathlib import Path; from gibbsflow.workflow.state.locks import campaign_lock\n"
    code += "with campaign_lock(Path(sys.argv[1])): print(1, flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code, then], stdin=-1, stdout=-1, text=True) as head:
        assert head.stdout.readline()
        assert "would begin anew" in state_doubts(out, here)[0][0].what


def test_a_copy_that_knows_these_results_is_said(places):
    out, then, here = places
    (here / "cb7").mkdir(parents=True)
    todays_note(here, mode="abfe", outdir=out, param_cache=None).write(here)
    problems, (note,) = state_doubts(out, here)
    assert not problems and str(here) in note and str(then) in note


def test_state_that_was_moved_goes_on_and_state_that_is_gone_does_not_begin_anew(places):
    out, then, here = places
    here.parent.mkdir(parents=True)
    then.rename(here)
    problems, (note,) = state_doubts(out, here)
    assert not problems and "which is gone" in note
    elsewhere = here.with_name("lost")
    (problem,), notes = state_doubts(out, elsewhere)
    assert "not there any more" in problem.what and "another --outdir" in problem.right and not notes


def test_state_that_was_removed_is_said(places):
    out, then, _ = places
    (then / "cb7" / "b2").rename(out.parent / "away")
    (then / "cb7").rmdir()
    problems, (note,) = state_doubts(out, then)
    assert not problems and "computed anew" in note and str(then) in note


def test_results_of_an_earlier_version_whose_state_is_not_here_are_refused(places):
    out, then, here = places
    (out / IDENTITY).write_text(json.dumps({key: value for key, value in vars(TODAY).items() if key != "state"}))
    (problem,), notes = state_doubts(out, here)
    assert "an earlier version" in problem.what and "another --outdir" in problem.right and not notes
    assert state_doubts(out, then) == ([], [])
    (out / "phases" / "b2" / "fe").rmdir()
    assert state_doubts(out, here) == ([], [])  # nothing was made yet


def test_asking_lets_go_of_no_lock(places):
    """A process that closes any descriptor of a file loses its lock on it."""
    import subprocess
    import sys

    out, then, _ = places
    with campaign_lock(then):
        state_doubts(out, then)
        code = "import sys; from pathlib import Path; from gibbsflow.workflow.state.locks import head_holds\n"
        code += "sys.exit(not head_holds(Path(sys.argv[1])))"
        assert subprocess.run([sys.executable, "-c", code, then]).returncode == 0


@pytest.mark.parametrize("state", [3, None, ["x"]])
def test_a_record_with_something_else_is_none(places, state):
    out, then, here = places
    (out / IDENTITY).write_text(json.dumps(vars(TODAY) | {"state": state}))
    assert MadeFrom.read(out) is None and state_doubts(out, here) == ([], [])
