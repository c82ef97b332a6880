"""The loop's own commands on this machine: which are run, which are skipped, and how failures are passed on."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from loop_states import config, finished

from gibbsflow.errors import InputError, ScienceError, StateError, StoppedEarly
from gibbsflow.potential.loop import run_local
from gibbsflow.potential.loop.run_local import Command, LocalLoop
from gibbsflow.potential.loop.state import Phase
from gibbsflow.workflow.care.campaign_note import CampaignNote

VERB = """
import pathlib, sys
out = pathlib.Path(sys.argv[sys.argv.index("--out") + 1])
(out / "calls").write_text((out / "calls").read_text() + "x" if (out / "calls").exists() else "x")
(out / "labels.jsonl").touch()
print("error: told by the verb")
sys.exit(int(sys.argv[1]) if sys.argv[1].isdigit() else 0)
"""
SLOW = """
import pathlib, signal, sys, time
told = pathlib.Path(__file__).with_name("told")
def end(*_):
    told.write_text("saved\\n")
    sys.exit(75)
signal.signal(signal.SIGTERM, end)
told.write_text("runs\\n")
time.sleep(60)
"""


@pytest.fixture
def loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalLoop:
    """A loop whose verbs are a small program: `gibbsflow.cli.PROGRAM CODE` ends with that exit code."""
    program = tmp_path / "verb"
    (tmp_path / "verb.py").write_text(VERB)
    program.write_text(f'#!/bin/sh\nshift 2\nexec {sys.executable} {tmp_path}/verb.py "$@"\n')
    program.chmod(0o755)
    monkeypatch.setattr(run_local.sys, "executable", str(program))
    (tmp_path / "state").mkdir()
    return LocalLoop(tmp_path / "si.yaml", config(), tmp_path / "out", tmp_path / "state")


def _command(folder: Path, code: int = 0, **changes: object) -> Command:
    given = folder / "input"
    given.write_text("given")
    return Command("dft", str(code), (), folder / "done", (given,), **changes)  # type: ignore[arg-type]


def test_what_is_done_is_skipped_until_its_input_changes(loop: LocalLoop, tmp_path: Path) -> None:
    command = _command(tmp_path)
    for calls in ("x", "x"):
        loop._one(command)
        assert (tmp_path / "done" / "calls").read_text() == calls
    (tmp_path / "input").write_text("changed")
    loop._one(command)
    assert (tmp_path / "done" / "calls").read_text() == "xx"


@pytest.mark.parametrize(
    ("code", "error"), [(65, InputError), (70, ScienceError), (75, StoppedEarly), (1, ScienceError)]
)
def test_a_verb_fails_in_its_own_words_and_is_run_again(
    loop: LocalLoop, tmp_path: Path, code: int, error: type[Exception]
) -> None:
    words = rf"dft {code} ended with code {code} \(log: .*command\.log\): error: told by the verb"
    with pytest.raises(error, match=words):
        loop._one(_command(tmp_path, code))
    assert not (tmp_path / "done" / "command.json").exists()


def test_a_batch_of_failed_labels_is_an_outcome(loop: LocalLoop, tmp_path: Path) -> None:
    loop._one(_command(tmp_path, 70, tolerate=True))
    assert (tmp_path / "done" / "command.json").exists()
    with pytest.raises(InputError):
        loop._one(_command(tmp_path, 65, tolerate=True))


def test_a_verb_ends_with_a_loop_that_is_killed(tmp_path: Path) -> None:
    config().write(tmp_path / "config.json")
    (tmp_path / "slow.py").write_text(SLOW)
    program = f"""
import sys
from pathlib import Path
from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.potential.loop.run_local import Command, LocalLoop

here = Path({str(tmp_path)!r})
loop = LocalLoop(here / "si.yaml", PotentialConfig.expand(here / "config.json"), here, here)
sys.executable = here / "verb"
loop._run([Command("dft", "label", (), here / "done", ())])
"""
    (tmp_path / "verb").write_text(f"#!/bin/sh\nexec {sys.executable} {tmp_path}/slow.py\n")
    (tmp_path / "verb").chmod(0o755)
    loop = subprocess.Popen([sys.executable, "-c", program])
    told = tmp_path / "told"
    _until(lambda: told.exists() and told.read_text().endswith("runs\n"), loop)
    loop.kill()
    loop.wait()
    _until(lambda: told.read_text().endswith("saved\n"))


def _until(done: Callable[[], bool], process: subprocess.Popen[bytes] | None = None) -> None:
    for _ in range(1200):
        if done():
            return
        assert process is None or process.poll() is None
        time.sleep(0.05)
    pytest.fail("not within a minute")


def test_other_settings_need_another_state(loop: LocalLoop, tmp_path: Path) -> None:
    loop._settle()
    again = LocalLoop(tmp_path / "si.yaml", config(), tmp_path / "out", tmp_path / "state")
    again.config.dft.__dict__["engine_because"] = "pw.x is on PATH now"  # decides nothing
    again._settle()
    other = LocalLoop(tmp_path / "si.yaml", config(loop={"trajectories": 2}), tmp_path / "out", tmp_path / "state")
    with pytest.raises(StateError, match="the state was begun with other settings"):
        other._settle()


def test_what_is_no_generation_is_refused_before_the_state_is_begun(loop: LocalLoop, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no generation of a loop"):
        loop.run(tmp_path)
    assert not list(loop.state.iterdir())


def test_results_of_a_loop_with_other_settings_are_not_written_over(loop: LocalLoop, tmp_path: Path) -> None:
    made = tmp_path / "out" / "generation_00"
    made.mkdir(parents=True)
    config(loop={"trajectories": 2}).write(made / "config.json")
    with pytest.raises(
        InputError, match=r"out, --out: generation_00 in it is of a loop .*: loop\.trajectories was 2 and"
    ):
        loop._refuse_results_of_another(None)
    loop._refuse_results_of_another(made)  # gone on from, with a larger budget
    loop.config.write(made / "config.json")
    loop._refuse_results_of_another(None)


def test_structure_files_are_found_beside_the_settings(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "si.extxyz").write_text("structure")
    loop = LocalLoop(tmp_path / "si.yaml", config(structure="si.extxyz"), tmp_path / "out", tmp_path / "state")
    loop._settle()
    assert (tmp_path / "state" / "si.extxyz").read_text() == "structure"
    assert json.loads((tmp_path / "state" / "config.json").read_text())["target"]["structure_file"] == "si.extxyz"


def test_what_no_loop_can_be_made_of_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    plan = config(elements=["O", "H", "N"], structure="HCN", engine="tblite")
    with pytest.raises(InputError, match=r"hcn\.yaml, elements: HCN holds C \(right: elements: \[C, H, N\]\)"):
        LocalLoop(tmp_path / "hcn.yaml", plan, tmp_path / "out", tmp_path / "state").run()
    assert list(tmp_path.iterdir()) == []


def test_a_loop_that_has_stopped_runs_nothing(loop: LocalLoop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    monkeypatch.setattr(run_local.preflight, "check", lambda _, where: looked.append(where) or {})
    begun = loop.state / "start"
    begun.mkdir(parents=True)
    finished(begun)
    finished(tmp_path / "from")
    manager = loop.run(tmp_path / "from")
    noted = CampaignNote.read(tmp_path / "state")  # where a live view finds what came of it
    assert noted is not None and noted.mode == "potential"
    assert [one.outdir for one in noted.results] == [str((tmp_path / "out").resolve())]
    assert manager.checkpoint.phase is Phase.STOPPED
    assert (begun / "calls").read_text() == "x"  # `infer start --from`, and nothing after it
    assert not loop.out.exists()
    loop.run(tmp_path / "from")
    assert looked == [str(tmp_path / "si.yaml")]  # what was begun is not looked at again


def test_a_potential_is_validated_where_that_decides(tmp_path: Path) -> None:
    fit, train, work = tmp_path / "fit", tmp_path / "train.extxyz", tmp_path / "work"
    plain = LocalLoop(tmp_path / "si.yaml", config(), tmp_path / "out", tmp_path / "state")
    assert plain._validation(fit, train, work) == []
    asked = config(convergence={"validation": "WARN"})
    (command,) = LocalLoop(tmp_path / "si.yaml", asked, tmp_path / "out", tmp_path / "state")._validation(
        fit, train, work
    )
    assert (command.program, command.verb, command.out) == ("train", "validate", work / "validated")
    given = dict(zip(command.options[::2], command.options[1::2], strict=True))
    assert given["--potential"] == str(fit / "potential") and given["--data"] == str(train)
    assert given["--state"] == str(tmp_path / "state" / "validation") and command.inputs == (fit / "potential", train)


def test_no_verb_keeps_its_state_where_its_log_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Command] = []
    monkeypatch.setattr(LocalLoop, "_run", lambda _, commands: made.extend(commands))
    plan = config(convergence={"validation": "WARN"})
    LocalLoop(tmp_path / "si.yaml", plan, tmp_path / "out", tmp_path / "state")._generation(tmp_path / "start", 0)
    assert {(one.program, one.verb) for one in made} >= {("train", "fit"), ("train", "validate")}
    for one in made:  # state of other inputs is set aside with all that lies there
        given = dict(zip(one.options, one.options[1:], strict=False))
        assert given.get("--state") != str(one.out), one


@pytest.mark.parametrize(("begun", "state"), [(True, "fit"), (False, "fitting")])
def test_a_fit_that_an_earlier_version_has_begun_stays_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begun: bool, state: str
) -> None:
    made: list[Command] = []
    monkeypatch.setattr(LocalLoop, "_run", lambda _, commands: made.extend(commands))
    work = tmp_path / "state" / "generation_00"
    (work / "fit").mkdir(parents=True)
    if begun:  # else today's, whose state is beside it
        (work / "fit" / "inputs.json").write_text("{}")
    LocalLoop(tmp_path / "si.yaml", config(), tmp_path / "out", tmp_path / "state")._generation(tmp_path / "start", 0)
    (fit,) = (one for one in made if one.verb == "fit")
    assert fit.options[-2:] == ("--state", str(work / state))


def test_a_trainer_without_a_grade_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    plan = config(training={"backend": "pace"})
    with pytest.raises(InputError, match="'pace' makes potentials without a grade"):
        LocalLoop(tmp_path / "si.yaml", plan, tmp_path / "out", tmp_path / "state").run()
    assert list(tmp_path.iterdir()) == []


def _with_structure(tmp_path: Path, structure: str) -> LocalLoop:
    plan = config(structure=structure)
    return LocalLoop(tmp_path / "settings" / "si.yaml", plan, tmp_path / "out", tmp_path / "state")


@pytest.mark.parametrize("structure", ["s.cif", "sub/s.cif", "ABSOLUTE/s.cif"])
def test_a_changed_structure_file_is_a_changed_input(tmp_path: Path, structure: str) -> None:
    structure = structure.replace("ABSOLUTE", str(tmp_path))
    file = tmp_path / "settings" / structure
    file.parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "state").mkdir()
    file.write_text("first")
    loop = _with_structure(tmp_path, structure)
    loop._settle()
    _with_structure(tmp_path, structure)._settle()
    kept = json.loads(loop.settings.read_text())["target"]["structure_file"]
    assert (tmp_path / "state" / kept).read_text() == "first"
    file.write_text("second")
    with pytest.raises(StateError, match=r"target\.structure_file: the content of .*s\.cif is another"):
        _with_structure(tmp_path, structure)._settle()
    assert (tmp_path / "state" / kept).read_text() == ("second" if Path(structure).is_absolute() else "first")


def test_a_state_of_an_earlier_version_is_known_by_its_copy(tmp_path: Path) -> None:
    (tmp_path / "settings").mkdir()
    (tmp_path / "state").mkdir()
    (tmp_path / "settings" / "s.cif").write_text("first")
    _with_structure(tmp_path, "s.cif")._settle()
    (tmp_path / "state" / "structure_file.json").unlink()
    _with_structure(tmp_path, "s.cif")._settle()
    (tmp_path / "settings" / "s.cif").write_text("second")
    (tmp_path / "state" / "structure_file.json").unlink()
    with pytest.raises(StateError, match="structure_file"):
        _with_structure(tmp_path, "s.cif")._settle()


def test_a_missing_structure_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"settings/s\.cif: no such file"):
        _with_structure(tmp_path, "s.cif")._settle()


@pytest.mark.parametrize("changes", [{"goal": "speed"}, {"committee": True}, {"chgnet": {"epochs": 3}}])
def test_a_setting_that_goes_back_to_its_default_is_a_changed_one(tmp_path: Path, changes: dict[str, object]) -> None:
    (tmp_path / "state").mkdir()
    LocalLoop(tmp_path / "si.yaml", config(training=changes), tmp_path / "out", tmp_path / "state")._settle()
    with pytest.raises(StateError, match=rf"begun with other settings: training\.{next(iter(changes))} was"):
        LocalLoop(tmp_path / "si.yaml", config(), tmp_path / "out", tmp_path / "state")._settle()


def test_auto_is_what_a_loop_selected_by_before_there_was_auto(tmp_path: Path) -> None:
    for method in ("maxvol", "auto", "maxvol"):
        LocalLoop(
            tmp_path / "si.yaml", config(selection={"method": method}), tmp_path / "out", tmp_path / "state"
        )._settle()
    with pytest.raises(StateError, match=r"selection\.method was 'maxvol' and is 'fps'"):
        LocalLoop(
            tmp_path / "si.yaml", config(selection={"method": "fps"}), tmp_path / "out", tmp_path / "state"
        )._settle()


def test_a_changed_file_of_the_surrogate_is_a_changed_input(tmp_path: Path) -> None:
    section = {"model": "classical", "pair_style": "sw", "pair_file": "Si.sw"}
    (tmp_path / "state").mkdir()

    def settle() -> None:
        plan = config(surrogate=section)
        LocalLoop(tmp_path / "si.yaml", plan, tmp_path / "out", tmp_path / "state")._settle()

    with pytest.raises(InputError, match=r"Si\.sw: no such file"):
        settle()
    (tmp_path / "Si.sw").write_text("first")
    settle()
    settle()
    (tmp_path / "Si.sw").write_text("second")
    with pytest.raises(StateError, match=r"Si\.sw: the content of the surrogate's file is another"):
        settle()
    (tmp_path / "Si.sw").write_text("first")
    plain = LocalLoop(tmp_path / "si.yaml", config(), tmp_path / "out", tmp_path / "state")
    with pytest.raises(StateError, match=r"surrogate\.model was 'classical' and is 'none'"):
        plain._settle()


def test_what_has_changed_is_named_and_a_setting_that_is_new_has_its_default(loop: LocalLoop, tmp_path: Path) -> None:
    loop._settle()
    content = json.loads(loop.settings.read_text())
    del content["labels"]["corrections_max"], content["resources"]
    loop.settings.write_text(json.dumps(content))
    loop._settle()
    other = LocalLoop(tmp_path / "si.yaml", config(loop={"trajectories": 2}), tmp_path / "out", tmp_path / "state")
    with pytest.raises(StateError, match=r"loop\.trajectories was \d and is 2"):
        other._settle()


def test_a_criterion_of_a_later_version_is_no_other_setting(loop: LocalLoop) -> None:
    elastic = config(goal="elastic")  # whose rule sets the stress error
    before = elastic.model_dump(mode="json")
    del before["convergence"]["stress_mae_gpa"]
    assert run_local._changes(before, elastic) == []
    before["convergence"]["stress_mae_gpa"] = 2.0
    assert run_local._changes(before, elastic) == ["convergence.stress_mae_gpa was 2.0 and is 0.3"]
    del before["audit"]
    before["convergence"]["stress_mae_gpa"] = 0.3
    assert run_local._changes(before, elastic) == []
