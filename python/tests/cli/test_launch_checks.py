"""What is looked at in each half, and what is done with a campaign that may begin."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from known_molecules import CB7
from launch_questions import DEMO

from gibbsflow.errors import EXIT_INPUT
from gibbsflow.workflow.state.locks import campaign_lock
from gibbsflow.workflow.state.sentinels import Sentinel


def test_a_bad_row_follows_the_policy(ask, tmp_path):
    (tmp_path / "ligands.csv").write_text("ligand,smiles\ngood,OCC12CC3CC(C1)CC(C3)C2\nbad,C[Hg]C\n")
    code, answer = ask(DEMO | {"input": "ligands.csv", "on_failure": "prune"})
    assert (code, answer["problem"], [row["ligand"] for row in answer["rows"]]) == (0, None, ["good"])
    assert answer["notes"][0].startswith("left out, the rest runs: ligands.csv, row 3, smiles: bad: ")
    assert (tmp_path / "state/out/cb7/bad/check/FAILED").exists()
    assert answer["takeover"] is None and not (tmp_path / "state/out/.head.json").exists()
    code, answer = ask(DEMO | {"input": "ligands.csv", "on_failure": "raise"})
    assert code == EXIT_INPUT and "row 3, smiles: bad: " in answer["problem"]


def test_a_potential_is_checked_by_its_own_rules(ask, tmp_path):
    (tmp_path / "si.yaml").write_text("elements: [Sii]\nstructure: diamond\ngoal: md\nengine: tblite\n")
    code, answer = ask({"mode": "potential", "config": "si.yaml"}, "--containers")
    assert code == EXIT_INPUT and "did you mean 'Si'?" in answer["problem"]
    (tmp_path / "si.yaml").write_text(
        "elements: [Si]\nstructure: diamond\ngoal: md\ntemperature_k: 300\nengine: tblite\n"
    )
    assert ask({"mode": "potential", "config": "si.yaml"}, "--containers")[1]["problem"] is None
    with open(tmp_path / "si.yaml", "a") as file:
        file.write("training: {backend: pace}\n")
    code, answer = ask({"mode": "potential", "config": "si.yaml"}, "--containers")
    assert code == EXIT_INPUT and "'pace' makes potentials without a grade" in answer["problem"]
    (tmp_path / "si.yaml").write_text("elements: [Si]\nstructure: nowhere.cif\ngoal: md\nengine: tblite\n")
    code, answer = ask({"mode": "potential", "config": "si.yaml"})
    assert code == EXIT_INPUT and "nowhere.cif" in answer["problem"]
    with open(tmp_path / "si.yaml", "w") as file:
        file.write("elements: [Si]\nstructure: diamond\ngoal: md\ntemperature_k: 300\nengine: tblite\n")
        file.write("surrogate: {model: classical, pair_style: sw, pair_file: no.sw}\n")
    code, answer = ask({"mode": "potential", "config": "si.yaml"})
    assert code == EXIT_INPUT and "no.sw, surrogate.pair_file: no such" in answer["problem"]
    code, answer = ask({"mode": "potential"}, "--containers")
    assert code == EXIT_INPUT and "--config: missing" in answer["problem"]


def test_failures_are_forgotten_where_that_is_asked_for_and_nobody_is_at_work(ask, tmp_path):
    state = tmp_path / "state" / "out"
    item = state / "cb7" / "b2" / "equil"
    item.mkdir(parents=True)
    Sentinel("FINISHED", "0").write(item)
    (item / "FAILED").write_text('{"inputs_hash": "0"}')
    clean = DEMO | {"clean_failures": True}
    (tmp_path / "params.json").write_text(json.dumps(clean))
    with campaign_lock(state):
        # from another process, for no process's own lock stops it
        words = [sys.executable, "-m", "gibbsflow.cli.gibbsflow", "launch", "--params", "params.json", "--state", state]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0 and f"run-local, pid {os.getpid()} on " in json.loads(done.stdout)["refusal"]
        assert (item / "FAILED").exists() and (state / ".head.json").exists()
    assert ask(clean)[0] == 0
    assert [path.name for path in item.iterdir()] == ["FINISHED"]


def test_what_is_refused_keeps_its_failures(ask, tmp_path):
    item = tmp_path / "state" / "out" / "cb7" / "b2" / "equil"
    item.mkdir(parents=True)
    left = {"FAILED", "progress.json"}
    for name in left:
        (item / name).write_text('{"inputs_hash": "0"}')
    (tmp_path / "ligands.csv").write_text("ligand,smiles\nb2,CC(\n")
    code, answer = ask(DEMO | {"input": "ligands.csv", "clean_failures": True})
    assert code == EXIT_INPUT and "CC(" in answer["problem"] and "refusal" not in answer
    assert {path.name for path in item.iterdir()} == left
    assert ask(DEMO | {"clean_failures": True})[0] == 0 and list(item.iterdir()) == []


def test_results_of_other_inputs_are_set_aside_and_said(ask, tmp_path):
    charges = ["net charge: receptor 0 e, ligand 0 e (b2, adamantanol)"]
    assert ask(DEMO)[1]["notes"] == charges
    (tmp_path / "out" / "phases" / "b2").mkdir(parents=True)
    assert ask(DEMO)[1]["notes"] == charges and (tmp_path / "out" / "phases" / "b2").is_dir()
    (told,) = set(ask(DEMO | {"window_ps": 3})[1]["notes"]) - set(charges)
    assert told.startswith("out: earlier results moved to superseded-000/")
    assert (tmp_path / "out" / "superseded-000" / "phases" / "b2").is_dir()
    shutil.copy(CB7, tmp_path / "cb8.sdf")
    (tmp_path / "cb8.sdf").write_bytes((tmp_path / "cb8.sdf").read_bytes() + b"\n")
    code, answer = ask(DEMO | {"receptor": "cb8.sdf"})
    assert code == EXIT_INPUT and "out holds the results of another campaign (out: input " in answer["problem"]


def test_while_another_head_fills_the_folder_nothing_moves(ask, tmp_path):
    ask(DEMO)
    (tmp_path / "out" / "results.csv").write_text("x")
    (tmp_path / "params.json").write_text(json.dumps(DEMO | {"seed": 7}))
    with campaign_lock(tmp_path / "state" / "out"):
        words = [sys.executable, "-m", "gibbsflow.cli.gibbsflow", "launch", "--params", "params.json", "--state"]
        subprocess.run([*words, "state/out"], cwd=tmp_path, capture_output=True, check=True)
        assert (tmp_path / "out" / "results.csv").exists()
    ask(DEMO | {"seed": 7})
    assert (tmp_path / "out" / "superseded-000" / "results.csv").exists()


def test_an_earlier_run_whose_batches_could_run_something_is_refused(ask, tmp_path):
    (tmp_path / "si.yaml").write_text(
        "elements: [Si]\nstructure: diamond\ngoal: md\ntemperature_k: 300\nengine: tblite\n"
    )
    given = {"mode": "potential", "config": "si.yaml", "resume_from": "generation_00"}
    (tmp_path / "generation_00" / "batches").mkdir(parents=True)
    assert ask(given, "--containers")[1]["problem"] is None
    (tmp_path / "generation_00" / "batches" / "$(touch x).extxyz").touch()
    code, answer = ask(given, "--containers")
    assert code == EXIT_INPUT and "generation_00: a batch is called '$(touch x).extxyz'" in answer["problem"]


def missing_platform():
    import openmm

    there = {openmm.Platform.getPlatform(n).getName() for n in range(openmm.Platform.getNumPlatforms())}
    return next(iter({"CUDA", "OpenCL"} - there), "") or pytest.skip("this machine has every platform of OpenMM")


def test_a_machine_without_the_gpu_is_told_before_anything_runs(ask, tmp_path):
    """Only where MD will run on this machine: a login node has no GPU, and images bring platforms of their own."""
    platform = missing_platform()
    given = DEMO | {"platform": platform}
    for words in ((), ("--here", "--containers")):
        assert ask(given, *words)[1]["problem"] is None
    (tmp_path / "params.json").write_text(json.dumps(given))
    words = ["launch", "--params", "params.json", "--state", "state/out", "--here"]
    done = subprocess.run(
        [sys.executable, "-m", "gibbsflow.cli.gibbsflow", *words], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 78
    assert f"error: OpenMM's platform {platform} cannot be used on this machine" in done.stderr
    assert "with --platform CPU it runs without a GPU" in done.stderr and "Traceback" not in done.stderr


def test_a_dry_run_foresees_without_the_gpu_and_notes_it(ask):
    """As on a login node; what else is wrong is refused as ever."""
    given = DEMO | {"platform": missing_platform(), "dry_run": True}
    code, answer = ask(given, "--here")
    assert (code, answer["problem"]) == (0, None) and "GPU hours" in answer["plan"]
    (note,) = (note for note in answer["notes"] if not note.startswith("net charge"))
    assert f"platform {given['platform']} cannot be used on this machine" in note and "a dry run foresees" in note
    assert ask(given | {"input": "none.csv"}, "--here")[0] == EXIT_INPUT


def test_results_of_another_state_are_refused_and_those_of_today_name_theirs(ask, tmp_path):
    code, _ = ask(DEMO)
    assert code == 0
    (tmp_path / "state" / "out" / "cb7").mkdir(parents=True)
    assert ask(DEMO)[1]["problem"] is None
    (tmp_path / "state").rename(tmp_path / "before")
    record = tmp_path / "out" / "pipeline_info" / "campaign.json"
    content = json.loads(record.read_text())
    assert content["state"] == str(tmp_path / "state" / "out")
    record.write_text(json.dumps(content | {"state": str(tmp_path / "before" / "out")}))
    before = record.read_bytes()
    code, answer = ask(DEMO)
    assert code == EXIT_INPUT and f"--state_dir {tmp_path / 'before'} to go on with it" in answer["problem"]
    assert record.read_bytes() == before and not (tmp_path / "state").exists()
