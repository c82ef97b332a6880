"""The learning loop in Nextflow: a recursion over generations that ends, resumes, and refuses bad settings."""

from __future__ import annotations

import csv
import json
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from pipeline.launcher import REPO, Launcher, Run

SETTINGS = "elements: [Si]\nstructure: diamond\ngoal: md\ntemperature_k: [300, 900]\nengine: tblite\n"
SMALL = """
generator: {volume_steps: 3, cell_strain_count: 1, rattle_sigma_angstrom: [0.05], rattle_count: 4, thermal_count: 2}
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
    (nextflow.folder / "si.yaml").write_text(SETTINGS)
    first = nextflow(*ARGUMENTS, "-stub")
    assert first.code == 0, first.text
    found = processes(first)
    counts = {name: found.count(name) for name in found}
    assert counts["DFT_LABEL"] == 2 + 3 and counts["INFER_EXPLORE"] == 4
    assert all(counts[name] == 2 for name in ("INFER_RECORD", "TRAIN_FIT", "INFER_DECIDE"))
    assert (first.outdir / "generation_00" / "checkpoint.json").exists()
    assert (first.outdir / "generation_01" / "checkpoint.json").exists()
    assert (first.outdir / "potential").is_dir() and (first.outdir / "report.html").exists()
    assert sorted(p.name for p in first.outdir.iterdir() if p.is_dir()) == [
        "generation_00", "generation_01", "pipeline_info", "potential",
    ]  # fmt: skip
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


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "--config: missing"),
        (SETTINGS.replace("Si", "Sii"), "did you mean 'Si'?"),
        (SETTINGS + "dft: {ecutwfc_ry: -5}\n", "si.yaml, dft.ecutwfc_ry: -5 is not usable"),
        (SETTINGS.replace("diamond", "nowhere.cif"), "nowhere.cif"),
    ],
)
def test_bad_settings_are_refused_before_any_task(nextflow: Launcher, content: str | None, message: str) -> None:
    arguments = ARGUMENTS
    if content is None:
        arguments = (*ARGUMENTS[:4], *ARGUMENTS[6:])
    else:
        (nextflow.folder / "si.yaml").write_text(content)
    run = nextflow(*arguments)
    assert run.code != 0 and run.submitted == 0
    assert message in run.text and "\tat " not in run.text


def test_every_module_of_the_loop_is_in_the_pipeline() -> None:
    text = "".join(
        (REPO / "subworkflows" / name / "main.nf").read_text() for name in ("potential", "learning_generation")
    )
    for program in ("train", "infer", "dft"):
        for module in (REPO / "modules" / program).iterdir():
            assert f"modules/{program}/{module.name}'" in text


@pytest.mark.slow
def test_a_real_loop_killed_while_labelling_goes_on(nextflow: Launcher) -> None:
    (nextflow.folder / "si.yaml").write_text(SETTINGS + SMALL)
    state = nextflow.folder / "state" / "out" / "labels"
    with subprocess.Popen(
        [REPO / "nextfloww", *ARGUMENTS], cwd=nextflow.folder, stdout=subprocess.DEVNULL, start_new_session=True
    ) as killed:
        end = time.monotonic() + 240
        while not list(state.glob("*/*/FINISHED")) and time.monotonic() < end:
            time.sleep(0.1)
        killed.send_signal(signal.SIGKILL)
    made = {path: path.stat().st_mtime_ns for path in state.glob("*/*/FINISHED")}
    assert made
    run = nextflow(*ARGUMENTS, "-resume", timeout_s=900)
    assert run.code == 0, run.text
    assert all(path.stat().st_mtime_ns == when for path, when in made.items())
    checkpoint = json.loads((run.outdir / "checkpoint.json").read_text())
    assert len(checkpoint["history"]) == 2 and checkpoint["stopped_by"] in ("generations", "nothing_new")
    with open(run.outdir / "structures.csv") as file:
        assert {row["status"] for row in csv.DictReader(file)} >= {"labelled"}

    again = nextflow(*ARGUMENTS, "-resume")
    assert again.code == 0 and again.submitted == 0

    # the same manager and the same commands without Nextflow: the same numbers
    here = nextflow.folder / "here"
    here.mkdir()
    shutil.copy(nextflow.folder / "si.yaml", here)
    local = [REPO / "bin" / "infer", "loop", "--local", "--config", "si.yaml", "--out", "out", "--state", "state"]
    done = subprocess.run(local, cwd=here, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads((here / "out" / "checkpoint.json").read_text())["history"] == checkpoint["history"]


def test_the_demo_names_files_that_exist() -> None:
    text = (REPO / "conf" / "demo_potential.config").read_text()
    name = text.split("projectDir}/")[1].split('"')[0]
    assert (Path(REPO) / name).exists()
