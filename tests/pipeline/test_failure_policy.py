"""What becomes of tasks that fail, by exit code and --on_failure: the codes are planned, all else is as in any run."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections import defaultdict
from pathlib import Path

import pytest
from pipeline.launcher import Launcher, Run
from pipeline.mail_server import KNOWN, receiving

from gibbsflow.workflow.care.campaign_note import CampaignNote
from gibbsflow.workflow.state.locks import campaign_lock

SMILES = r"F/C(=C\F)[C@@H](O)C#N"  # a shell would make something else of it
STAND_IN = Path(__file__).parent / "stand_in_core.py"


@pytest.fixture
def run_planned(nextflow: Launcher, tmp_path: Path):
    """Run ligands whose items exit as planned: ``{"b2.equil.run": "70 0"}``."""

    def run(plan: dict[str, str], *arguments: str, **more: str) -> Run:
        core = tmp_path / "python"
        core.write_text(f'#!/bin/sh\nexec {sys.executable} {STAND_IN} "$@"\n')
        core.chmod(0o755)
        (tmp_path / "plan").mkdir(exist_ok=True)
        for item, codes in plan.items():
            (tmp_path / "plan" / item.replace("/", "_")).write_text("\n".join(codes.split()))
        names = sorted(
            {item.rsplit(".", 2)[0] if item.startswith(".") else item.split(".")[0] for item in plan} | {"good"}
        )
        (tmp_path / "ligands.csv").write_text("ligand,smiles\n" + "".join(f"{name},{SMILES}\n" for name in names))
        environment = {"GIBBSFLOW_PYTHON": str(core), "STAND_IN_PLAN": str(tmp_path / "plan"), **more}
        return nextflow.pipeline("--input", "ligands.csv", *arguments, **environment)

    return run


def attempts(run: Run) -> dict[str, list[int]]:
    """Exit codes of each task that was run more than once or failed, in order."""
    out: dict[str, list[int]] = defaultdict(list)
    for task in sorted(run.trace, key=lambda t: int(t["attempt"])):
        if task["exit"] != "-":  # of one that was ended with the run
            out[task["name"].split(":")[-1]].append(int(task["exit"]))
    return {name: codes for name, codes in out.items() if codes != [0]}


def asked(run: Run, task: str) -> list[tuple[str, str]]:
    """Memory and time that each attempt of a task asked for."""
    found = [t for t in run.trace if t["name"].split(":")[-1] == task]
    return [(t["memory"], t["time"]) for t in sorted(found, key=lambda t: int(t["attempt"]))]


def test_retry_is_the_default(run_planned) -> None:
    run = run_planned(
        {
            "twice.equil.run": "70 0",
            "lost.equil.run": "70 70 0",
            "stops.equil.run": "75 75 70 0",
            "killed.equil.run": "137 0",
            "mixed.equil.run": "75 75 75 75 137 0",
            "relapsed.equil.run": "70 75 70 0",
            "wrong.system_prep.system": "65 0",
            "short.fe.run.complex_replicate_1": "70 70 0",
        }
    )
    assert run.code == 0, run.text
    assert attempts(run) == {
        "EQUIL_RUN (twice)": [70, 0],
        "EQUIL_RUN (lost)": [70, 70],
        "EQUIL_RUN (stops)": [75, 75, 70, 0],
        "EQUIL_RUN (killed)": [137, 0],
        "EQUIL_RUN (mixed)": [75, 75, 75, 75, 137, 0],  # stops do not use up what a kill is allowed
        "EQUIL_RUN (relapsed)": [70, 75, 70],  # a stop in between makes no new failure the first one
        "SYSTEM_PREP (wrong)": [65],
        "FE_RUN (short complex_replicate_1)": [70, 70],
    }
    records = json.loads((run.outdir / "record.all.json").read_text())
    assert sorted(records) == ["good", "killed", "mixed", "short", "stops", "twice"]
    every = [f"{leg}_replicate_{replicate}" for leg in ("complex", "solvent") for replicate in (0, 1)]
    assert records["good"] == every  # in one order, whatever came first
    assert records["short"] == ["complex_replicate_0", "solvent_replicate_0", "solvent_replicate_1"]
    prepared = run.outdir / "phases" / "good" / "system_prep" / "system.json"
    assert json.loads(prepared.read_text())["meta"]["smiles"] == SMILES
    # nobody says why it was killed: the same once more
    assert asked(run, "EQUIL_RUN (killed)") == [("1 GB", "1d"), ("1 GB", "1d")]


def test_prune_tries_nothing_twice_and_the_table_is_written_with_nothing_in_it(run_planned) -> None:
    plan = {"lost.equil.run": "70 0", "good.param.ligand": "70 0", "slow.equil.run": "75 75 0"}
    run = run_planned(plan, "--on_failure", "prune", "--time_limit_h", "1e-9")
    assert run.code == 0, run.text
    assert attempts(run) == {
        "EQUIL_RUN (lost)": [70],
        "PARAM_LIGAND (good)": [70],
        "EQUIL_RUN (slow)": [75, 75],  # its time is up
    }
    assert json.loads((run.outdir / "record.all.json").read_text()) == {}
    told = "NOTHING FINISHED: none of 0 rows has a result; out/results.csv has the causes"
    assert (run.outdir / "pipeline_info" / "summary.txt").read_text().splitlines()[-1] == told and told in run.text


def test_raise_ends_the_campaign_and_says_where_to_look(run_planned, tmp_path: Path) -> None:
    (tmp_path / "two.config").write_text("executor { cpus = 2; queueSize = 2 }\n")  # both at once, on any machine
    plan = {"lost.equil.run": "70@good.equil.run", "good.equil.run": "wait"}
    with receiving() as box:
        mail = ("-c", str(box.settings(tmp_path)), "--email", KNOWN)
        run = run_planned(plan, "--on_failure", "raise", "-c", "two.config", *mail)
    assert run.code != 0
    ((subject, text),) = box.texts()
    assert subject.endswith(": failed (EQUIL_RUN (lost): planned to exit with 70)")
    for told in ("Failed: EQUIL_RUN (lost)\nCause:  planned", "-resume goes on", ", 1 failed", "CPU hours"):
        assert told in text and told in (run.outdir / "pipeline_info" / "summary.txt").read_text()
    assert attempts(run) == {"EQUIL_RUN (lost)": [70]}
    (said,) = re.findall(r"^Failed: .*\n.*\n.*$", run.text, flags=re.M)
    assert re.fullmatch(r"Failed: EQUIL_RUN \(lost\)\nCause:  planned to exit with 70\nLog:    \S+\.command\.log", said)
    assert "--on_failure prune" in run.text
    assert not (run.outdir / "results.csv").exists()
    deadline = time.monotonic() + 20
    while not (tmp_path / "plan" / "good.equil.saved").exists():  # the other one was asked to save its state
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_what_a_failed_run_says_that_prune_would_drop_is_what_it_drops() -> None:
    """The policy decides in a closure of a setting, which a script cannot call."""
    root = Path(__file__).parents[2]
    policy = (root / "conf/base.config").read_text()
    ((first, last, others),) = set(re.findall(r"\((\d+)\.\.(\d+)\) \+ \[([\d, ]+),", policy))
    (own,) = set(re.findall(r"killed \+ \[([\d, ]+)\]\) \? 'finish'", policy))
    dropped = {*range(int(first), int(last) + 1), *map(int, f"{others}, {own}".split(", "))}
    (droppable,) = re.findall(r"droppable: .* ==~ /(.*)/,", (root / "subworkflows/completion/main.nf").read_text())
    assert {code for code in range(256) if re.fullmatch(droppable, str(code))} == dropped


def test_a_defect_ends_the_run_under_every_policy(run_planned) -> None:
    run = run_planned({"lost.equil.prepare": "1 0"}, "--on_failure", "prune")
    assert run.code != 0
    assert attempts(run) == {"EQUIL_PREPARE (lost)": [1]}
    assert "-resume goes on; --clean_failures forgets what failed." in run.text  # prune, which it had, would not help


def test_clean_failures_forgets_failures_alone(run_planned, tmp_path: Path) -> None:
    folder = tmp_path / "state" / "out" / "cb7" / "good" / "equil"
    folder.mkdir(parents=True)
    for name in ("FAILED", "attempts.json", "progress.json", "FINISHED", "checkpoint-current.bin", "inputs.json"):
        (folder / name).write_text("{}")
    run = run_planned({}, "--clean_failures", "--mode", "md", "-preview")
    assert run.code == 0, run.text
    assert sorted(path.name for path in folder.iterdir()) == ["FINISHED", "checkpoint-current.bin", "inputs.json"]


def test_one_head_a_campaign(run_planned, tmp_path: Path) -> None:
    state = tmp_path / "state" / "out"
    with campaign_lock(state):  # as run-local, or another Nextflow, holds it
        refused = run_planned({}, "-preview")
    assert refused.code != 0 and refused.submitted == 0
    assert f"is held by another run: run-local, pid {os.getpid()} on " in refused.text and "\tat " not in refused.text
    (state / ".head.json").write_text(json.dumps({"run": "dead_run", "pid": 1, "host": "here", "since": "yesterday"}))
    taken = run_planned({}, "-preview")
    assert taken.code == 0, taken.text
    assert "was held by dead_run, pid 1 on here, since yesterday, which has ended without letting go" in taken.text
    assert not (state / ".head.json").exists()
    note = CampaignNote.read(state)
    assert note is not None and [one.outdir for one in note.results] == [str(tmp_path / "out")]
    assert not (state / ".campaign.json.tmp").exists()


def test_without_a_core_beside_nextflow_each_task_checks_its_own_row(run_planned) -> None:
    run = run_planned({}, "-preview", STAND_IN_LAUNCH="127")
    assert run.code == 0, run.text
    assert "No gibbsflow core beside Nextflow: each task checks its own input." in run.text


def test_without_a_core_what_no_task_would_notice_is_refused(run_planned) -> None:
    wrong = ("--windows_ps", "40", "--windows_per_task", "some", "--clean_failures")
    run = run_planned({}, "-preview", *wrong, STAND_IN_LAUNCH="127")
    assert run.code != 0 and "\tat " not in run.text
    assert "--windows_ps: unknown parameter" in run.text and "--clean_failures: needs a gibbsflow core" in run.text
    assert "--windows_per_task: 'some' is not usable (right: whole number >= 1 <= 1000)" in run.text


def test_without_a_core_no_name_leaves_the_state_folder(run_planned) -> None:
    run = run_planned({"../x.equil.run": "0"}, "-preview", STAND_IN_LAUNCH="127")
    assert run.code != 0
    assert "cannot name a ligand" in run.text and "\tat " not in run.text
