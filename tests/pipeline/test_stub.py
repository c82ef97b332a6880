"""Runs of the whole with -stub: every process, channel and output, nothing computed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import yaml
from pipeline.dag import assert_phases_follow_each_other
from pipeline.launcher import REPO, Launcher
from pipeline.mail_server import KNOWN, PASSWORD, receiving

LIGANDS = ("adamantanol", "b2")
DAG = ("-with-dag", "dag.dot")
ITEM = ("SYSTEM_PREP", "PARAM_LIGAND", "EQUIL_PREPARE", "EQUIL_RUN", "EQUIL_ANALYSE")


def expected(*extra: str) -> list[str]:
    return sorted([f"{process} ({ligand})" for process in ITEM for ligand in LIGANDS] + list(extra))


def test_abfe_then_resume_then_another_analysis(nextflow: Launcher, tmp_path: Path) -> None:
    with receiving() as box:
        mail = ("-c", str(box.settings(tmp_path)), "--email", KNOWN)
        first = nextflow.pipeline("-stub", "-resume", *mail)  # the very first run may be told to resume
    assert first.code == 0, first.text
    ((subject, text),) = box.texts()
    assert subject.endswith(": finished") and "Tasks:    23 done, 0 from the cache" in text
    assert "transformation  dG (kcal/mol)" in text and "CPU hours" in text and f"{first.outdir}/report.html" in text
    legs = [f"{leg}_replicate_{replicate}" for leg in ("complex", "solvent") for replicate in (0, 1)]
    runs = [f"FE_RUN ({ligand} {leg})" for ligand in LIGANDS for leg in legs]
    ends = [f"{process} ({ligand})" for process in ("FE_PREPARE", "ANALYSIS_TRANSFORMATION") for ligand in LIGANDS]
    assert first.tasks("COMPLETED") == expected(*runs, *ends, "ANALYSIS_CAMPAIGN (campaign)")
    assert all(task["tag"] and task["tag"] != "null" for task in first.trace)

    out = first.outdir
    made = {path.name for path in (out / "pipeline_info").iterdir()}
    assert made == {
        "timeline.html", "report.html", "trace.txt", "dag.mmd", "versions.yml", "run.json", "inputs", "workflow",
        "campaign.json", "summary.txt",
    }  # fmt: skip
    processes = {task["name"].split(":")[-1].split(" ")[0] for task in first.trace}
    assert set(yaml.safe_load((out / "pipeline_info" / "versions.yml").read_text())) == processes
    assert {path.name for path in (out / "phases" / "b2").iterdir()} == {
        "system_prep", "param_ligands", "prepare_equil", "equil", "equil_analysis", "prepare_fe", "fe", "analysis",
    }  # fmt: skip
    assert "Report:" in first.text and f"{out}/report.html" in first.text
    crate = json.loads((out / "ro-crate-metadata.json").read_text())["@graph"]
    (action,) = [entity for entity in crate if entity["@type"] == "CreateAction"]
    assert {"@id": "pipeline_info/inputs/ligands.csv"} in action["object"] and action["startTime"] < action["endTime"]
    assert {entity["name"] for entity in crate if entity["@type"] == "SoftwareApplication"} == {"gibbsflow"}
    assert {glob: files for glob, files in first.reports.items() if files != [glob]} == {
        "record.*.json": ["record.stub.json"],
        **dict.fromkeys(("ligands.csv", "edges.csv"), []),  # of relative free energies, and of a potential:
        **dict.fromkeys(("learning_curve.csv", "structures.csv", "dataset_card.md", "checkpoint.json"), []),
    }

    again = nextflow.pipeline("-stub", "-resume")
    assert (again.code, again.submitted, again.cached) == (0, 0, len(first.trace)), again.text

    with receiving() as box:
        mail = ("-c", str(box.settings(tmp_path, password=True)), "--email", "nobody@example.org")
        other = nextflow.pipeline("-stub", "-resume", "--overlap_warn", "0.1", "--entropy", *mail)
    assert other.code == 0, other.text  # a mail that nobody takes is a warning, and no secret is told
    assert not box.mails and "No mail could be sent to nobody@example.org" in other.text
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "mail.config"]
    assert PASSWORD not in other.text and not [path for path in kept if PASSWORD.encode() in path.read_bytes()]
    analyses = [f"ANALYSIS_TRANSFORMATION ({ligand})" for ligand in LIGANDS] + ["ANALYSIS_CAMPAIGN (campaign)"]
    assert other.tasks("COMPLETED") == sorted(analyses)


def test_windows_that_place_themselves_have_a_pilot_for_each_leg(nextflow: Launcher, tmp_path: Path) -> None:
    (tmp_path / "site.config").write_text("process { withName: FE_RUN { time = 7.h; memory = 3.GB } }\n")
    run = nextflow.pipeline("-stub", "-c", "site.config", "--schedule", "auto", "--replicates", "1", *DAG)
    assert run.code == 0, run.text
    assert_phases_follow_each_other(run, "abfe")
    names = ("FE_PREPARE", "ANALYSIS_TRANSFORMATION")
    legs = [
        f"{process} ({ligand} {leg}{replicate})"
        for process, replicate in (("FE_PILOT", ""), ("FE_RUN", "_replicate_0"))
        for ligand in LIGANDS
        for leg in ("complex", "solvent")
    ]
    ends = [f"{process} ({ligand})" for process in names for ligand in LIGANDS]
    assert run.tasks("COMPLETED") == expected(*legs, *ends, "ANALYSIS_CAMPAIGN (campaign)")
    asked = {task["name"].split(":")[-1].split(" ")[0]: (task["time"], task["memory"]) for task in run.trace}
    assert asked["FE_PILOT"] == asked["FE_RUN"] == ("7h", "3 GB")


def test_sdr_has_one_leg(nextflow: Launcher) -> None:
    run = nextflow.pipeline("-stub", "--solvent", "tip3p", "--abfe_protocol", "sdr", "--replicates", "1", *DAG)
    assert run.code == 0, run.text
    assert_phases_follow_each_other(run, "abfe")
    names = ("FE_PREPARE", "ANALYSIS_TRANSFORMATION")
    legs = [f"FE_RUN ({ligand} sdr_replicate_0)" for ligand in LIGANDS]
    ends = [f"{process} ({ligand})" for process in names for ligand in LIGANDS]
    assert run.tasks("COMPLETED") == expected(*legs, *ends, "ANALYSIS_CAMPAIGN (campaign)")


def test_rbfe_runs_edges_of_the_ligands_that_are_left(nextflow: Launcher) -> None:
    run = nextflow.pipeline("-stub", "--mode", "rbfe", "--replicates", "1", *DAG)
    assert run.code == 0, run.text
    assert_phases_follow_each_other(run, "rbfe")
    edge = "adamantanol~b2"
    legs = [f"FE_RUN ({edge} {leg}_replicate_0)" for leg in ("complex", "solvent")]
    ends = [f"{process} ({edge})" for process in ("FE_PREPARE", "ANALYSIS_TRANSFORMATION")]
    plans = ["NETWORK_PLAN (plan)", "NETWORK_REPLAN (replan)"]
    assert run.tasks("COMPLETED") == expected(*plans, *legs, *ends, "ANALYSIS_CAMPAIGN (campaign)")
    assert (run.outdir / "network" / "plan" / "edges" / edge / "edge.json").exists()


def test_rsfe_has_edges_without_a_receptor(nextflow: Launcher, tmp_path: Path) -> None:
    (tmp_path / "alone.csv").write_text("ligand,smiles\nbenzene,c1ccccc1\ntoluene,Cc1ccccc1\n")
    words = ("run", str(REPO / "main.nf"), "-stub", "--mode", "rsfe", "--input", "alone.csv", "--replicates", "1")
    run = nextflow(*words, "--outdir", "out")
    assert run.code == 0, run.text
    legs = [f"FE_RUN (benzene~toluene {leg}_replicate_0)" for leg in ("solvent", "vacuum")]
    assert set(legs) < set(run.tasks("COMPLETED")) and len(run.tasks("COMPLETED")) == 17
    assert (run.outdir / "network" / "plan" / "edges" / "benzene~toluene" / "edge.json").exists()


def test_legs_are_extended_as_long_as_records_ask_for_it(nextflow: Launcher, tmp_path: Path) -> None:
    (tmp_path / "asked.config").write_text("process { withName: ANALYSIS_TRANSFORMATION { ext.rounds = 2 } }\n")
    target = ("-c", "asked.config", "--target_error_kcal_per_mol", "0.2", "--max_window_ps", "5000")
    run = nextflow.pipeline("-stub", "--mode", "abfe", "--replicates", "1", *target)
    assert run.code == 0, run.text
    legs = [f"FE_RUN ({ligand} {leg}_replicate_0)" for ligand in LIGANDS for leg in ("complex", "solvent")]
    longer = [f"FE_EXTEND ({ligand} complex_replicate_0)" for ligand in LIGANDS] * 2
    analyses = [f"ANALYSIS_TRANSFORMATION ({ligand})" for ligand in LIGANDS] * 3
    prepared = [f"FE_PREPARE ({ligand})" for ligand in LIGANDS]
    assert run.tasks("COMPLETED") == expected(*prepared, *legs, *longer, *analyses, "ANALYSIS_CAMPAIGN (campaign)")
    assert all(run.text.count(f"{ligand}: round {number}\n") == 1 for ligand in LIGANDS for number in (0, 1))
    made = {path.name for path in (run.outdir / "phases" / "b2").iterdir()}
    assert {"fe", "analysis", "extension_1", "extension_2"} <= made and "extension_3" not in made
    last = [path.name for path in sorted((run.outdir / "phases" / "b2" / "extension_2").iterdir())]
    assert last == ["analysis", "complex_replicate_0"]
    again = nextflow.pipeline("-stub", "-resume", "--mode", "abfe", "--replicates", "1", *target)
    assert (again.code, again.submitted, again.cached) == (0, 0, len(run.trace)), again.text


def test_md_stops_after_equil_analysis_and_still_writes_results(nextflow: Launcher) -> None:
    run = nextflow.pipeline("-stub", "--mode", "md", *DAG)
    assert run.code == 0, run.text
    assert_phases_follow_each_other(run, "md")
    assert run.tasks("COMPLETED") == expected("ANALYSIS_CAMPAIGN (campaign)")
    assert {"results.csv", "report.html"} <= {path.name for path in run.outdir.iterdir()}


def test_independent_windows_schedules_by_file_and_the_strict_parser(nextflow: Launcher, tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text('{"states": [[0, 1, 1], [0, 0, 1], [0, 0, 0]]}\n')
    (tmp_path / "held").mkdir()  # two files of one name, and of any ending
    (tmp_path / "held" / "mine.json").write_text('{"states": [[0, 1, 1], [1, 0, 1], [1, 0, 0]]}\n')
    demo = REPO / "assets" / "demo"
    given = ("--input", str(demo / "ligands.csv"), "--receptor", str(demo / "cb7.sdf"))
    settings = ("--sampler", "independent", "--replicates", "1", "--solvent_schedule", "mine.json")
    settings += ("--complex_schedule", "held/mine.json")
    run = nextflow("run", str(REPO / "main.nf"), "-stub", *given, *settings, NXF_SYNTAX_PARSER="v2")
    run = replace(
        run, outdir=tmp_path / "results"
    )  # the default: 25.04's strict parser shows the configuration no other
    assert run.code == 0, run.text
    windows = [task for task in run.tasks("COMPLETED") if task.startswith("FE_RUN (b2")]
    assert windows == [
        f"FE_RUN (b2 {leg}_replicate_0_window_{k:02d})" for leg in ("complex", "solvent") for k in (0, 1)
    ]
    prepared = next(Path(task["workdir"]) for task in run.trace if "FE_PREPARE" in task["name"])
    staged = [(prepared / f"schedule{k}" / "mine.json").read_text() for k in (1, 2)]
    assert sorted("[1, 0, 1]" in text for text in staged) == [False, True]


def test_windows_share_tasks_and_state_stays_where_it_is(nextflow: Launcher, tmp_path: Path) -> None:
    (tmp_path / "five.config").write_text("process { withName: FE_PREPARE { ext.windows = 5 } }\n")
    settings = ("-c", "five.config", "--sampler", "independent", "--replicates", "1", "--windows_per_task", "2")
    run = nextflow.pipeline("-stub", *settings)
    assert run.code == 0, run.text
    names = ("windows_00-01", "windows_02-03", "window_04")
    tasks = {task["name"].split(":")[-1]: Path(task["workdir"]) for task in run.trace if ":FE_RUN (b2" in task["name"]}
    assert list(sorted(tasks)) == sorted(
        f"FE_RUN (b2 {leg}_replicate_0_{name})" for leg in ("complex", "solvent") for name in names
    )
    group = tasks["FE_RUN (b2 complex_replicate_0_windows_02-03)"]
    files = {path.name for path in (run.outdir / "phases/b2/fe/complex_replicate_0_windows_02-03").iterdir()}
    assert {"window_02.parquet", "window_03.parquet"} <= files and len(list(group.rglob("*.parquet"))) == 2

    again = nextflow.pipeline("-stub", *settings[:-1], "5", "-resume")
    assert again.code == 0, again.text
    changed = ("FE_RUN", "ANALYSIS_TRANSFORMATION", "ANALYSIS_CAMPAIGN")
    assert {name.split(" ")[0] for name in again.tasks("COMPLETED")} == set(changed)
    assert "FE_RUN (b2 solvent_replicate_0_windows_00-04)" in again.tasks("COMPLETED")


def test_legs_share_a_gpu_and_one_that_fails_there_gets_a_task_of_its_own(nextflow: Launcher, tmp_path: Path) -> None:
    lost = "task.tag.startsWith('b2 complex') ? 'rm -r phases/b2/fe/complex_replicate_1' : ''"
    legs = "withName: FE_PREPARE { ext.legs_per_gpu = 2 }"
    (tmp_path / "shared.config").write_text(
        f"process {{\n    {legs}\n    withName: FE_SHARE {{ afterScript = {{ {lost} }} }}\n"
        "    withName: 'EQUIL_RUN|FE_RUN' { time = 7.h; memory = 3.GB; afterScript = 'true' }\n}\n"
    )
    run = nextflow.pipeline("-stub", "-c", "shared.config", "--replicates", "3")
    assert run.code == 0, run.text
    found = [task for task in run.tasks("COMPLETED") if task.startswith("FE_")]
    pairs = [
        f"FE_SHARE ({ligand} {leg}_replicate_0_and_1_more)" for ligand in LIGANDS for leg in ("complex", "solvent")
    ]
    singles = [f"FE_RUN ({ligand} {leg}_replicate_2)" for ligand in LIGANDS for leg in ("complex", "solvent")]
    prepared = [f"FE_PREPARE ({ligand})" for ligand in LIGANDS]
    assert found == sorted([*pairs, *singles, *prepared, "FE_RUN (b2 complex_replicate_1)"])
    asked = {task["name"].split(":")[-1].split(" ")[0]: (task["time"], task["memory"]) for task in run.trace}
    assert (
        asked["FE_RUN"] == asked["EQUIL_RUN"] == ("7h", "3 GB")
    )  # what is said of FE_RUN holds where legs share a GPU,
    assert asked["FE_SHARE"] == ("7h", "2 GB")  # but for what one leg needs of a task
    assert {path.name for path in (run.outdir / "phases/b2/fe").iterdir()} == {
        f"{leg}_replicate_{replicate}" for leg in ("complex", "solvent") for replicate in range(3)
    }
