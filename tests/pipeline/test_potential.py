"""The learning loop in Nextflow: a recursion over generations that ends, resumes, and refuses bad settings."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from pipeline.launcher import REPO, Launcher, Run

from gibbsflow.config.label_engines import find_pw

SETTINGS = "elements: [Si]\nstructure: diamond\ngoal: md\ntemperature_k: [300, 900]\nengine: tblite\n"
# the smallest that is real: eight atoms, Γ only
REAL = """engine: quantum_espresso
dft: {functional: lda, pseudo_library: gth, ecutwfc_ry: 10, kspacing_per_angstrom: 1.2, conv_thr_ry: 1.0e-6}
"""
SMALL = """
generator:
  {supercell: [1, 1, 1], volume_steps: 3, cell_strain_count: 1, rattle_sigma_angstrom: [0.05], rattle_count: 4,
   thermal_count: 2}
labels: {batch_size: 5}
training: {cutoff_angstrom: 4.5, max_coefficients: 70, time_budget_min: 2, processes: 1}
exploration: {steps: 100, segment_steps: 50, grade_interval: 10}
selection: {budget: 3}
loop: {trajectories: 2, initial_labels: 10, holdout_labels: 4}
convergence: {max_generations: 2, force_mae_ev_per_angstrom: 0.001}
"""
ARGUMENTS = ("run", str(REPO / "main.nf"), "--mode", "potential", "--config", "si.yaml", "--outdir", "out")


def processes(run: Run) -> list[str]:
    return [name.split(" ")[0] for name in run.tasks()]


def test_two_generations_and_a_resume_that_repeats_nothing(nextflow: Launcher) -> None:
    (nextflow.folder / "si.yaml").write_text(SETTINGS + "convergence: {validation: WARN}\n")
    first = nextflow(*ARGUMENTS, "-stub")
    assert first.code == 0, first.text
    found = processes(first)
    counts = {name: found.count(name) for name in found}
    assert counts["DFT_LABEL"] == 2 + 3 and counts["INFER_EXPLORE"] == 4
    assert all(counts[name] == 2 for name in ("INFER_RECORD", "TRAIN_FIT", "TRAIN_VALIDATE", "INFER_DECIDE"))
    assert (first.outdir / "generation_00" / "checkpoint.json").exists()
    assert (first.outdir / "generation_01" / "checkpoint.json").exists()
    assert (first.outdir / "potential").is_dir() and (first.outdir / "report.html").exists()
    assert sorted(p.name for p in first.outdir.iterdir() if p.is_dir()) == [
        "generation_00", "generation_01", "pipeline_info", "potential",
    ]  # fmt: skip
    binding = ("results.csv", "ligands.csv", "edges.csv", "record.*.json")
    assert {glob: files for glob, files in first.reports.items() if files != [glob]} == {
        **dict.fromkeys(binding, []),
        "checkpoint.json": ["checkpoint.json", "generation_00/checkpoint.json", "generation_01/checkpoint.json"],
    }
    # the batches of a generation, each once and in order
    labelled = (first.outdir / "generation_01" / "labels.txt").read_text().split()
    assert labelled == ["batch_000", "batch_001", "batch_002"]

    again = nextflow(*ARGUMENTS, "-stub", "-resume")
    assert again.code == 0, again.text
    assert (again.submitted, again.cached) == (0, len(found))

    later = nextflow(*ARGUMENTS[:-1], "later", "-stub", "--resume_from", "out/generation_00")
    assert later.code == 0, later.text
    assert (later.folder / "later" / "generation_01").is_dir()
    assert not (later.folder / "later" / "generation_00").exists()


def test_a_surrogate_looks_at_what_each_generation_would_label(nextflow: Launcher) -> None:
    (nextflow.folder / "si.yaml").write_text(SETTINGS + "surrogate: {model: last_generation}\n")
    first = nextflow(*ARGUMENTS, "-stub")
    assert first.code == 0, first.text
    found = processes(first)
    assert found.count("INFER_SCREEN") == 1 + 2 and found.count("DFT_LABEL") == 2 + 3
    # what is published is the state as the surrogate leaves it
    results = [json.loads((first.outdir / f"generation_0{n}" / "checkpoint.json").read_text()) for n in (0, 1)]
    assert [told["stopped_by"] for told in results] == ["", "generations"]
    assert all((first.outdir / f"generation_0{n}" / "screening.json").exists() for n in (0, 1))

    again = nextflow(*ARGUMENTS, "-stub", "-resume")
    assert (again.code, again.submitted, again.cached) == (0, 0, len(found)), again.text


def test_bad_settings_are_refused_before_any_task(nextflow: Launcher) -> None:
    """What is refused, and how, is looked at in python/tests/cli/test_launch_checks.py."""
    (nextflow.folder / "si.yaml").write_text(SETTINGS + "dft: {ecutwfc_ry: -5}\n")
    run = nextflow(*ARGUMENTS)
    assert run.code != 0 and run.submitted == 0
    assert "si.yaml, dft.ecutwfc_ry: -5 is not usable" in run.text and "\tat " not in run.text


def test_every_module_of_the_loop_is_in_the_pipeline() -> None:
    names = ("workflows/potential", "subworkflows/learning_generation")
    text = "".join((REPO / name / "main.nf").read_text() for name in names)
    for program in ("train", "infer", "dft"):
        for module in (REPO / "modules" / program).iterdir():
            assert f"modules/{program}/{module.name}'" in text


def finished(labels: Path) -> dict[str, bytes]:
    """Records of all finished labels in a state folder, by the structure's id."""
    return {path.parent.name: (path.parent / "label.json").read_bytes() for path in labels.glob("*/*/FINISHED")}


@pytest.mark.slow
def test_a_real_loop_killed_while_labelling_goes_on(nextflow: Launcher) -> None:
    engine = REAL if find_pw() else "engine: tblite\n"
    (nextflow.folder / "si.yaml").write_text(SETTINGS.replace("engine: tblite\n", engine) + SMALL)
    state = nextflow.folder / "state" / "out" / "labels"
    with subprocess.Popen(
        [REPO / "nextfloww", *ARGUMENTS],
        cwd=nextflow.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True, start_new_session=True,
    ) as killed:  # fmt: skip
        end = time.monotonic() + 400
        # in the middle of a batch, and after the first
        while len(finished(state)) < 7 and time.monotonic() < end:
            assert killed.poll() is None, "the run ended before it was to be killed"
            time.sleep(0.02)
        os.killpg(killed.pid, signal.SIGKILL)  # with all that it started, at once, as when a machine loses power
    made = finished(state)
    assert 7 <= len(made) < 13  # of nine to train on and four of the hold-out

    run = nextflow(*ARGUMENTS, "-resume", timeout_s=900)
    assert run.code == 0, run.text
    after = finished(state)
    assert {name: after[name] for name in made} == made  # with their times: none was made again
    batches = [task for task in run.trace if "DFT_LABEL" in task["name"]]
    results = [Path(task["workdir"]) / "labels" / task["name"][:-1].split()[-1] / "result.json" for task in batches]
    counts = [(task["status"], json.loads(path.read_text())) for task, path in zip(batches, results, strict=True)]
    cached = sum(sum(result["counts"].values()) for status, result in counts if status == "CACHED")
    reused = sum(result["reused"] for status, result in counts if status == "COMPLETED")
    assert cached + reused == len(made)
    checkpoint = json.loads((run.outdir / "checkpoint.json").read_text())
    assert checkpoint["labels_made"] == len(after) + sum(checkpoint["history"][-1]["failures"].values())
    assert len(checkpoint["history"]) == 2 and checkpoint["stopped_by"] in ("generations", "nothing_new")
    with open(run.outdir / "structures.csv") as file:
        assert {row["status"] for row in csv.DictReader(file)} >= {"labelled"}

    again = nextflow(*ARGUMENTS, "-resume")
    assert again.code == 0 and again.submitted == 0
    assert finished(state) == after

    # without Nextflow's work folder all that is dear comes from the state, and the answer is the same
    shutil.rmtree(nextflow.folder / "work")
    anew = nextflow(*ARGUMENTS, "-resume", timeout_s=900)
    assert anew.code == 0, anew.text
    assert json.loads((anew.outdir / "checkpoint.json").read_text())["history"] == checkpoint["history"]
    assert finished(state) == after

    # the same manager and the same commands without Nextflow, on the same labels: the same numbers
    here = nextflow.folder / "here"
    shutil.copytree(state, here / "state" / "labels")
    shutil.copy(nextflow.folder / "si.yaml", here)
    local = [REPO / "bin" / "infer", "loop", "--local", "--config", "si.yaml", "--out", "out", "--state", "state"]
    done = subprocess.run(local, cwd=here, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads((here / "out" / "checkpoint.json").read_text())["history"] == checkpoint["history"]
    assert finished(here / "state" / "labels") == after


def test_the_demo_names_files_that_exist() -> None:
    text = (REPO / "conf" / "demo_potential.config").read_text()
    name = text.split("projectDir}/")[1].split('"')[0]
    assert (Path(REPO) / name).exists()
