"""Scripts that run AMBER's programs: sentinels, attempts, what is no failure of the science. The program stands in."""

import os
import subprocess

import amber_programs
import pytest

from gibbsflow.engines.amber.scripts.run_scripts import (
    Step,
    begin_folder,
    group_steps_text,
    steps_text,
    write_run_scripts,
    write_text,
)
from gibbsflow.errors import InputError
from gibbsflow.workflow.state.cleaning import clean_failures
from gibbsflow.workflow.state.sentinels import read_sentinel

MD = "one ! total_steps=100\n&cntrl\n  imin = 0,\n  nstlim = 100,\n  dt = 0.004,\n  ig = 7,\n/\n"
NAMES = ("window_03", "window_04")


@pytest.fixture
def out(tmp_path):
    """Two folders with a minimisation and two runs each."""
    made = tmp_path / "out"
    for folder in NAMES:
        write_text(made / folder / "minimise.in", "&cntrl\n  imin = 1,\n  maxcyc = 10,\n/\n")
        for name in ("md-001", "md-002"):
            write_text(made / folder / f"{name}.in", MD)
        write_text(made / folder / "start.inpcrd", "start\n")
        steps = [
            Step("minimise", 0, "-p a"),
            Step("md-001", 100, "-p a -ref minimise.rst7"),
            Step("md-002", 100, "-p a"),
        ]
        write_text(made / folder / "steps", steps_text(steps))
    write_run_scripts(made, "pmemd.cuda", NAMES)
    return made


def failed(out, name="window_03"):
    return read_sentinel(out / name, "FAILED")


def test_three_failures_are_the_last_and_each_has_a_smaller_step(out):
    wrong = "md-002.in md-002.attempt-2 md-002.attempt-3"
    done = amber_programs.run(out, "run-local.bash", WRONG=wrong)
    assert done.returncode == 70
    asked = [name for name in amber_programs.called(out) if name.startswith("md-002")]
    assert asked == wrong.split()
    assert failed(out).message == "window_03 md-002: it broke off; vlimit exceeded (attempt 3 of 3)"
    assert failed(out).cause == "Numerical" and failed(out).steps_done == 400
    steps = [(out / "window_03" / name).read_text() for name in ("md-001.attempt-3", "md-002.attempt-3")]
    assert all("dt = 0.001," in text and "nstlim = 400," in text and "total_steps=400" in text for text in steps)
    # what failed is kept, one that is tried no more asks for nothing, and the other folder was run for itself
    assert {path.name for path in (out / "window_03").glob("attempt-*")} == {"attempt-001", "attempt-002"}
    again = amber_programs.run(out, "run-segment.bash", "window_03")
    assert again.returncode == 70 and "vlimit exceeded" in again.stderr
    assert len(amber_programs.called(out)) == 9 and failed(out, "window_04") is not None


def test_one_that_was_cleared_begins_again(out):
    amber_programs.run(out, "run-local.bash", "window_03", WRONG="md-001.in md-001.attempt-2 md-001.attempt-3")
    assert clean_failures(out) == [out / "window_03" / "FAILED"]
    assert amber_programs.run(out, "run-local.bash", "window_03").returncode == 0
    assert not (out / "window_03" / "attempts").exists()
    assert amber_programs.called(out)[-3:] == ["minimise.in", "md-001.in", "md-002.in"]


def test_a_failure_is_tried_again_and_the_rest_is_of_one_time_step(out):
    done = amber_programs.run(out, "run-local.bash", "window_03", WRONG="md-002.in")
    assert done.returncode == 0 and read_sentinel(out / "window_03", "FINISHED").steps_done == 400
    first = ["minimise.in", "md-001.in", "md-002.in"]
    assert amber_programs.called(out) == first + [name.replace(".in", ".attempt-2") for name in first]
    assert (out / "window_03" / "minimise.rst7").exists()  # others are held at it


def test_the_full_length_alone_is_finished(out):
    done = amber_programs.run(out, "run-segment.bash", "window_03")
    done = amber_programs.run(out, "run-segment.bash", "window_03", SHORT="md-001.in")
    assert done.returncode == 70 and "md-001: it ended at step 99 of 100" in done.stderr


def test_other_inputs_are_another_run(out):
    amber_programs.run(out, "run-local.bash", "window_03")
    (out / "window_03" / "md-002.in").write_text(MD.replace("100", "200"))
    done = amber_programs.run(out, "run-local.bash", "window_03")
    assert done.returncode == 0 and "begun anew, since its inputs have changed" in done.stderr
    assert read_sentinel(out / "window_03", "FINISHED").steps_done == 300
    assert (out / "window_03" / "superseded-001" / "md-002.out").exists()


def test_what_another_window_has_run_is_not_taken_for_this_one(out):
    amber_programs.run(out, "run-local.bash", "window_03")
    (out / "window_04" / "md-001.in").write_text(MD.replace("ig = 7", "ig = 8"))
    made = ("FINISHED", "minimise.done", "minimise.rst7", "md-001.done", "md-001.rst7", "md-002.done", "md-002.rst7")
    for name in made:
        (out / "window_04" / name).write_bytes((out / "window_03" / name).read_bytes())
    assert amber_programs.run(out, "run-local.bash", "window_04").returncode == 0
    assert amber_programs.called(out, "window_04") == ["minimise.in", "md-001.in", "md-002.in"]
    assert {path.name for path in (out / "window_04" / "superseded-001").iterdir()} >= set(made)


@pytest.mark.parametrize("text", ["", '{"kind": "FINISHED", "inputs_hash": "other"}\n'])
def test_a_sentinel_by_hand_does_not_count(out, text):
    amber_programs.run(out, "run-segment.bash", "window_03")
    (out / "window_03" / "FINISHED").write_text(text)
    done = amber_programs.run(out, "run-local.bash", "window_03")
    assert done.returncode == 65 and "FINISHED is not of these inputs" in done.stderr
    (out / "window_03" / "FINISHED").unlink()
    assert amber_programs.run(out, "run-local.bash", "window_03").returncode == 0
    assert amber_programs.called(out) == ["minimise.in", "md-001.in", "md-002.in"]


@pytest.mark.parametrize("name", ["began", "attempts"])
def test_what_is_finished_stays_whatever_the_number_of_the_attempt_says(out, name):
    amber_programs.run(out, "run-local.bash", "window_03")
    (out / "window_03" / name).write_text("2\n")
    before = sorted(path.name for path in (out / "window_03").iterdir())
    assert amber_programs.run(out, "run-local.bash", "window_03").returncode == 0
    assert amber_programs.called(out) == ["minimise.in", "md-001.in", "md-002.in"]
    assert sorted(path.name for path in (out / "window_03").iterdir()) == before


def test_the_last_run_counts_without_a_last_newline_and_another_shell_hands_over(out):
    steps = out / "window_03" / "steps"
    steps.write_text(steps.read_text().rstrip())
    environment = os.environ | {"AMBER_PROGRAM": amber_programs._placed(out, "program", amber_programs.PROGRAM)}
    words = ("sh", "run-local.bash", "window_03")
    assert subprocess.run(words, cwd=out, env=environment, capture_output=True, timeout=60).returncode == 0
    assert amber_programs.called(out)[-1] == "md-002.in"


NOT_A_NUMBER = """#!/usr/bin/env bash
while (($#)); do case $1 in -o) out=$2;; -r) restart=$2;; esac; shift; done
printf '   NSTEP       ENERGY          RMS\\n     10             NaN            NaN\\n   5.  TIMINGS\\n' >"$out"
echo >"$restart"
"""


def test_a_minimisation_without_numbers_has_failed(out):
    done = amber_programs.run(out, "run-segment.bash", "window_03", program=NOT_A_NUMBER)
    assert done.returncode == 70 and "minimise: energies are no numbers" in failed(out).message


@pytest.mark.parametrize("left", [b"", b"half", None])
def test_a_restart_that_was_cut_since_is_made_again_from_the_one_before(out, left):
    """A program takes what is missing of it for zeros, or blames the science."""
    for _ in range(2):
        amber_programs.run(out, "run-segment.bash", "window_03")
    damaged = out / "window_03" / "md-001.rst7"
    whole = damaged.read_bytes()
    if left is None:
        damaged.unlink()
    else:
        damaged.write_bytes(left)
    done = amber_programs.run(out, "run-local.bash", "window_03")
    assert done.returncode == 0 and f"md-001.rst7 has {len(left or b'')} bytes and had 33: damaged since" in done.stderr
    assert amber_programs.called(out) == ["minimise.in", "md-001.in", "md-001.in", "md-002.in"]
    assert damaged.read_bytes() == whole and failed(out) is None
    assert (out / "window_03" / "md-001.done").read_text() == "100 33\n"


def test_what_others_are_held_at_is_made_again_too(out):
    amber_programs.run(out, "run-segment.bash", "window_03")
    (out / "window_03" / "minimise.rst7").write_text("half")
    assert amber_programs.run(out, "run-local.bash", "window_03").returncode == 0
    assert amber_programs.called(out) == ["minimise.in", "minimise.in", "md-001.in", "md-002.in"]


@pytest.mark.parametrize("links", [{}, {"md-current.rst7": "md-001.rst7", "md-previous.rst7": "minimise.rst7"}])
def test_killed_before_the_links_were_set_they_are_set_by_the_next_call(out, links):
    amber_programs.run(out, "run-local.bash", "window_03")
    folder = out / "window_03"
    for name in ("FINISHED", "md-current.rst7", "md-previous.rst7"):
        (folder / name).unlink()
    for name, target in links.items():
        (folder / name).symlink_to(target)
    assert amber_programs.run(out, "run-segment.bash", "window_03").returncode == 0
    assert (folder / "md-current.rst7").readlink().name == "md-002.rst7"
    assert (folder / "md-previous.rst7").readlink().name == "md-001.rst7"
    assert (folder / "FINISHED").exists() and len(amber_programs.called(out)) == 3


# gfortran's words of an option that is not in the namelist; pmemd's of one that it refuses; sander's of both
@pytest.mark.parametrize(
    ("log", "output"),
    [
        ("Fortran runtime error: Cannot match namelist object name gti_cut_sc", ""),
        ("", " ERROR:   mcbarint is greater than the number of steps!\n\n Input errors occurred. Terminating"),
        ("", " error in reading namelist cntrl"),
        ("", "  NTF ( 99) must be in 1..8.\n\n *** input error(s)"),
    ],
)
def test_an_input_that_a_program_does_not_take_is_no_failure(out, log, output):
    words = f"""while (($#)); do case $1 in -o) out=$2;; esac; shift; done
        echo "{output}" >"$out"; echo "{log}" >&2; exit 1"""
    done = amber_programs.run(out, "run-local.bash", "window_03", program=f"#!/usr/bin/env bash\n{words}\n")
    assert done.returncode == 65 and "does not take minimise.in" in done.stderr
    assert "gti_cut_sc" in done.stderr if log else "error" in done.stderr.lower()
    assert failed(out) is None and amber_programs.run(out, "run-local.bash", "window_03").returncode == 0
    assert amber_programs.called(out) == ["minimise.in", "md-001.in", "md-002.in"]


CUT_SHORT = amber_programs.PROGRAM + '[[ $in != md-001.in ]] || echo half >"$restart"\n'


def test_a_restart_shorter_than_the_start_is_not_whole(out):
    amber_programs.run(out, "run-segment.bash", "window_03")
    done = amber_programs.run(out, "run-segment.bash", "window_03", program=CUT_SHORT)
    assert done.returncode == 70 and "md-001: its restart is cut short" in failed(out).message


def test_a_disk_that_is_full_is_no_failure_though_the_program_says_nothing_of_it(out):
    amber_programs.run(out, "run-segment.bash", "window_03")
    words = ("-c", "ulimit -f 16; exec bash run-segment.bash window_03")  # in KiB: no file grows beyond
    done = amber_programs.run(out, *words, WRONG="md-001.in")
    assert done.returncode == 74 and "the disk is full" in done.stderr
    assert failed(out) is None and not (out / "window_03" / "attempts").exists()
    assert amber_programs.run(out, "run-local.bash", "window_03").returncode == 0
    assert amber_programs.called(out) == ["minimise.in", "md-001.in", "md-001.in", "md-002.in"]


SAYS = "#!/bin/sh\necho '{}' >&2\nexit {}\n"


@pytest.mark.parametrize(
    ("program", "code", "told"),
    [
        (SAYS.format("libnetcdf.so: cannot open", 127), 78, "cannot be started: libnetcdf.so"),
        (SAYS.format("cudaGetDeviceCount failed no CUDA-capable device is detected", 1), 78, "finds no GPU"),
        (SAYS.format("write: No space left on device", 2), 74, "the disk is full"),
        (SAYS.format("write: Disk quota exceeded", 2), 74, "the disk is full"),
        ("#!/bin/sh\nkill -15 $$\n", 75, "ended by signal 15; called again it goes on"),
        ("#!/bin/sh\nkill -USR2 $$\n", 75, "ended by signal 12; called again it goes on"),
    ],
)
def test_what_is_no_failure_of_the_science_counts_as_none(out, program, code, told):
    done = amber_programs.run(out, "run-local.bash", program=program)
    assert done.returncode == code and told in done.stderr
    assert failed(out) is None and not (out / "window_03" / "attempts").exists()


def test_names_of_other_things(out):
    for name in ("", "../leg", "window_03; touch harm", "$(touch harm)", "none"):
        assert amber_programs.run(out, "run-segment.bash", name).returncode == 65 and not list(out.rglob("harm"))


def test_called_from_another_folder_where_cd_looks_elsewhere(out):
    """With CDPATH cd prints where it went, and goes to a folder of the same name."""
    (out / "elsewhere" / out.name).mkdir(parents=True)
    amber_programs.run(out, "-c", "true")  # which puts the program there
    for path in (out.parent, out / "elsewhere"):
        words = ("bash", f"{out.name}/run-segment.bash", "window_03")
        changed = {"AMBER_PROGRAM": str(out.parent / "program"), "CDPATH": str(path)}
        done = subprocess.run(words, cwd=out.parent, env=os.environ | changed, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr
    assert amber_programs.called(out) == ["minimise.in", "md-001.in"]


def test_slurm_has_a_task_for_each_folder(out):
    changed = {"SLURM_SUBMIT_DIR": str(out), "SLURM_ARRAY_TASK_ID": "1"}
    assert amber_programs.run(out, "run-slurm.bash", **changed).returncode == 0
    assert (out / "window_04" / "FINISHED").exists() and not (out / "window_03" / "FINISHED").exists()
    assert "--gres=gpu:1" in (out / "run-slurm.bash").read_text()
    write_run_scripts(out, "sander", NAMES)
    assert "gres" not in (out / "run-slurm.bash").read_text() and (out / "program").read_text() == "sander\n"


def test_a_folder_is_for_one_thing(tmp_path):
    begin_folder(tmp_path / "new", {"inputs_hash": "a"})
    begin_folder(tmp_path / "new", {"inputs_hash": "a"})
    with pytest.raises(InputError, match="written for something else"):
        begin_folder(tmp_path / "new", {"inputs_hash": "b"})
    assert group_steps_text([500, 250]) == "md-001 500 -\nmd-002 250 -\n"
