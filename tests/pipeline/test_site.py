"""Settings of a site or an institution: none of them undoes what the pipeline does about tasks that fail."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest
from pipeline.launcher import REPO, Launcher, Run

MAIN = str(REPO / "main.nf")
STAND_INS = REPO / "tests/pipeline"
EVERYTHING = """
params { config_profile_name = 'Here'; max_cpus = 8; max_time = '48.h'; igenomes_base = '/genomes'; account = 'mine' }
env.SITE = 'here'
executor { queueSize = 20; exitReadTimeout = '20 sec' }
process {
    beforeScript = "module() { echo MODULE \\$* >&2; }; module load openmm"
    afterScript = 'echo AFTER >&2'
    clusterOptions = { "--constraint=${task.memory.toMega()}" }
    containerOptions = '--cleanenv'
    errorStrategy = 'ignore'
    maxRetries = 1
    maxErrors = 1
    memory = 1.GB
    time = 3.h
    cpus = 1
    queue = { task.time > 2.h ? 'long' : 'short' }
    resourceLimits = [memory: 3.GB, cpus: 2]
    scratch = true
    stageInMode = 'copy'
    shell = ['/bin/bash', '-u']
    withLabel: 'process_md' { memory = 2.GB; time = 30.min; beforeScript = 'echo MD >&2' }
    withName: 'EQUIL_RUN' { cpus = 1; errorStrategy = { 'terminate' }; maxRetries = 0 }
    withName: '.+' { errorStrategy = 'retry'; maxRetries = 16 }
    withName: '.*' { errorStrategy = { 'retry' }; shell = 'sh' }
    withName: '!SYSTEM_PREP' { maxErrors = 3 }
    withLabel: 'policy' { maxRetries = 3; errorStrategy = 'retry' }
}
"""


@pytest.fixture
def slurm(tmp_path: Path) -> dict[str, str]:
    """Environment with stand-ins for SLURM's commands and for the core."""
    for name in ("bin", "jobs", "plan"):
        (tmp_path / name).mkdir()
    for name in ("sbatch", "squeue", "scancel", "scontrol", "sacct"):
        (tmp_path / "bin" / name).symlink_to(STAND_INS / "stand_in_slurm.sh")
    core = tmp_path / "bin" / "core"
    core.write_text(f'#!/bin/sh\nexec {sys.executable} {STAND_INS}/stand_in_core.py "$@"\n')
    core.chmod(0o755)
    return {
        "PATH": f"{tmp_path}/bin:{os.environ['PATH']}",
        "STAND_IN_SLURM": f"{tmp_path}/jobs",
        "STAND_IN_PLAN": f"{tmp_path}/plan",
        "GIBBSFLOW_PYTHON": str(core),
    }


def attempts(run: Run, process: str) -> dict[str, list[tuple[str, str, str]]]:
    """Exit code, memory and time of each attempt, by the item of a process."""
    found: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for task in sorted(run.trace, key=lambda t: int(t["attempt"])):
        if task["name"].split(":")[-1].startswith(f"{process} "):
            found[task["tag"]].append((task["exit"], task["memory"], task["time"]))
    return dict(found)


def test_no_directive_of_a_site_undoes_the_policy(nextflow: Launcher, slurm: dict[str, str], tmp_path: Path) -> None:
    plan = {
        "short": "137=OUT_OF_MEMORY 137=OUT_OF_MEMORY 0",
        "slow": "140=TIMEOUT 0",
        "node": "137=NODE_FAIL " * 6,
        "stops": "75 75 0",
        "lost": "70 70 0",
    }
    for name, codes in plan.items():
        (tmp_path / "plan" / f"{name}.equil.run").write_text("\n".join(codes.split()))
    (tmp_path / "ligands.csv").write_text("ligand,smiles\n" + "".join(f"{name},CCO\n" for name in plan))
    (tmp_path / "site.config").write_text(EVERYTHING)
    wanted = ("--mode", "md", "--input", "ligands.csv", "--poll_interval", "1sec", "-c", "site.config")
    run = nextflow("run", MAIN, "-profile", "test,slurm", "--outdir", "out", *wanted, **slurm)
    assert run.code == 0, run.text
    gb, more, most = ("2 GB", "30m"), ("3 GB", "30m"), ("2 GB", "1h")  # no more than the site has
    assert attempts(run, "EQUIL_RUN") == {
        "short": [("137", *gb), ("137", *more), ("0", *more)],
        "slow": [("140", *gb), ("0", *most)],
        "node": [("137", *gb)] * 5,
        "stops": [("75", *gb), ("75", *gb), ("0", *gb)],
        "lost": [("70", *gb), ("70", *gb)],
    }
    for note in (
        "errorStrategy",
        "maxRetries",
        "maxErrors",
        "shell",
        "withName:EQUIL_RUN.maxRetries",
        "withName:.+.errorStrategy",
    ):
        assert f"note: process.{note} of your settings is not used" in run.text
    assert "note: igenomes_base in a settings file: parameters of other pipelines" in run.text
    scripts = [path.read_text() for path in (tmp_path / "jobs").glob("*.sbatch")]
    md = [text for text in scripts if "-J nf-BINDING_EQUIL_RUN_(slow)" in text]
    lines = [re.findall(r"^#SBATCH (.*)$", text, flags=re.M) for text in md]
    fixed = "--constraint=2048 --account=mine --signal=B:USR1@"
    assert {line[-1] for line in lines} == {f"{fixed}90", f"{fixed}180"}
    assert all("-p short" in line for line in lines) and all("slurm_signals.sh" in text for text in md)
    work = [path.parent for path in (tmp_path / "work").glob("*/*/.command.run") if "(slow)" in path.read_text()]
    md_work = [folder for folder in work if "equil run" in (folder / ".command.sh").read_text()]
    budgets = sorted(re.findall(r"--time-budget (\d+)s", (folder / ".command.sh").read_text())[0] for folder in md_work)
    assert budgets == ["1620", "3300"]
    logs = {(folder / ".command.log").read_text() for folder in md_work}
    assert all(log.startswith("MD\n") and "AFTER" in log for log in logs)
    assert any("MODULE load openmm" in (folder / ".command.log").read_text() for folder in work)
    told = json.loads((tmp_path / "state/out/.killed/BINDING_EQUIL_RUN.node.json").read_text())
    assert (told["cause"], told["exit"], told["memory"]) == ("NODE_FAIL", 137, "2 GB")


def test_what_is_read_before_a_settings_file_is_refused_there(nextflow: Launcher, tmp_path: Path) -> None:
    (tmp_path / "late.config").write_text("params { queue_size = 3; windows_ps = 4 }\n")
    run = nextflow.pipeline("-preview", "-c", "late.config")
    assert run.code != 0 and "\tat " not in run.text
    assert "--queue_size: given in a settings file, which Nextflow reads too late for it" in run.text
    (tmp_path / "late.config").write_text("params { windows_ps = 4 }\n")
    run = nextflow.pipeline("-preview", "-c", "late.config")
    assert run.code != 0 and "--windows_ps: unknown parameter (right: did you mean --window_ps?)" in run.text


def example(name: str) -> str:
    """A settings file of docs/cluster.md."""
    (text,) = re.findall(rf"```nextflow\n(// {name}\n.*?)```", (REPO / "docs/cluster.md").read_text(), flags=re.S)
    return str(text)


def test_the_example_of_the_docs(nextflow: Launcher, slurm: dict[str, str], tmp_path: Path) -> None:
    """Its precedence; and jobs of a head that has died are ended, other campaigns' are not."""
    for name in ("institution.config", "site.config"):
        (tmp_path / name).write_text(example(name))
    # as the core asks for legs that pmemd.cuda runs, on the platform of sander
    (tmp_path / "pmemd.config").write_text("process { withName: 'FE_PREPARE' { ext.gpus = 1 } }\n")
    sleeping = {}
    for number, campaign in ((7, "out"), (8, "out2")):
        folder = tmp_path / "orphans" / str(number)
        folder.mkdir(parents=True)
        (folder / ".command.sh").write_text(f"equil run --state '{tmp_path}/state/{campaign}/cb7/b2/equil'\n")
        sleeping[number] = subprocess.Popen(["sleep", "300"], start_new_session=True)
        (tmp_path / "jobs" / f"{number}.dir").write_text(str(folder))
        (tmp_path / "jobs" / f"{number}.pid").write_text(str(sleeping[number].pid))
    more = (
        "--memory_md_gb",
        "6",
        "--poll_interval",
        "1sec",
        "-c",
        "institution.config",
        "-c",
        "pmemd.config",
        "--site_config",
        "site.config",
    )
    try:
        fixed = ("-stub", "-profile", "test,slurm", "--outdir", "out", "--replicates", "1")
        run = nextflow("run", MAIN, *fixed, *more, **slurm)
    finally:
        for process in sleeping.values():
            process.kill()
            process.wait()
    assert run.code == 0, run.text
    assert (tmp_path / "jobs" / "cancelled").read_text().split() == ["7"] and "Ended 1 jobs" in run.text
    scripts = [path.read_text() for path in (tmp_path / "jobs").glob("*.sbatch")]
    asked = {
        re.findall(r"-J nf-BINDING_(?:TRANSFORMATIONS_)?(\w+?)_\(", text)[0]: re.findall(
            r"^#SBATCH (-p .*|-t .*|--mem .*|--\w+=.*)$", text, re.M
        )
        for text in scripts
    }
    assert asked["EQUIL_RUN"][:3] == ["-t 24:00:00", "--mem 6144M", "-p long"]
    assert asked["FE_RUN"][:3] == ["-t 48:00:00", "--mem 6144M", "-p gpu"] and "--gres=gpu:1" in asked["FE_RUN"][-1]
    assert not any("--gres" in line for line in asked["EQUIL_RUN"])
    assert asked["SYSTEM_PREP"][:3] == ["-t 04:00:00", "--mem 2048M", "-p short"]
    assert all("--account=chem" in lines[-1] and "--signal=B:USR1@" in lines[-1] for lines in asked.values())


def test_a_dry_run_for_a_cluster_needs_neither_its_scheduler_nor_its_cards(nextflow: Launcher) -> None:
    """As on a laptop: the tasks would go to SLURM, and MD to GPUs that this machine may lack."""
    run = nextflow("run", MAIN, "-profile", "test,slurm,gpu", "--outdir", "out", "--dry_run")
    assert run.code == 0, run.text
    assert "platform                     CUDA" in run.text and "GPU hours, by a table" in run.text
    assert run.submitted == 0 and not run.outdir.exists()
