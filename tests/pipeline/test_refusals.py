"""Bad input: one clear message, before any task, and no stack trace."""

from __future__ import annotations

import os
import re
from pathlib import Path

from pipeline.launcher import REPO, Launcher, Run

from gibbsflow.config.launch.generate import groups


def refused(run: Run) -> str:
    assert run.code != 0
    assert run.submitted == 0
    assert "\tat " not in run.text and "Exception" not in run.text
    return run.text


def test_help_names_every_parameter_with_unit_and_default(nextflow: Launcher) -> None:
    usual = nextflow("run", str(REPO / "main.nf"), "--help")
    assert usual.code == 0 and "--window_ps " in usual.text and "--soft_core " not in usual.text, usual.text
    assert "--help_full lists the others" in usual.text
    run = nextflow("run", str(REPO / "main.nf"), "--help_full")
    assert run.code == 0, run.text
    for section in groups().values():
        for key in section.model_fields:
            assert re.search(rf"^  --{key} ", run.text, flags=re.M), key
    assert "[number > 0 <= 10000000 ps; default 1000.0]" in run.text
    assert run.submitted == 0


def test_all_parameter_faults_at_once(nextflow: Launcher) -> None:
    wrong = (
        "--windows_ps",
        "40",
        "--replicates",
        "50",
        "--timestep_fs",
        "fast",
        "--mode",
        "abf",
        "--receptor",
        "no.sdf",
    )
    text = refused(nextflow.pipeline(*wrong))
    assert "5 problems in the parameters" in text
    assert "--windows_ps: unknown parameter (right: did you mean --window_ps?)" in text
    assert "--replicates: 50 is out of range (right: whole number >= 1 <= 20)" in text
    assert "--timestep_fs: 'fast' is not usable (right: number > 0 <= 5 fs)" in text
    assert "--mode: 'abf' is not usable (right: abfe | asfe | rbfe | rsfe | md | potential)" in text
    assert "--receptor: no such file no.sdf" in text


def test_grouped_windows_need_the_independent_sampler(nextflow: Launcher) -> None:
    text = refused(nextflow.pipeline("--windows_per_task", "4"))
    assert "--windows_per_task: 4 means nothing with --sampler exchange" in text


def test_missing_input_and_receptor(nextflow: Launcher) -> None:
    text = refused(nextflow("run", str(REPO / "main.nf"), "--outdir", "out"))
    assert "--input: missing" in text and "--receptor: missing" in text


def test_samplesheet_by_row_and_column(nextflow: Launcher, tmp_path: Path) -> None:
    sheet = tmp_path / "ligands.csv"
    sheet.write_text("ligand,smiles,charge\nb2,OCC12CCC(CC1)(CC2)CO,\nb2,CCO,\n../x y,CC(,0\n")
    text = refused(
        nextflow.pipeline("--input", "ligands.csv", "--complex_schedule", "complex_61", "--sample_ps", "0.001")
    )
    assert "complex_61: neither a shipped" in text and "sample_ps: 0.001 ps is not usable" in text
    assert re.search(r"ligands\.csv, row 3, ligand: 'b2' is already", text)
    assert re.search(r"ligands\.csv, row 4, ligand: '\.\./x y' is not usable", text)


def test_a_file_of_parameters_is_read_strictly_before_nextflow_starts(nextflow: Launcher, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "p.yaml").write_text('outdir: out\nreplicates: 1\nreplicates: 2\ntimestep_fs: "2"\n')
    for option, name, told in (
        ("-params-file", "p.yaml", "row 3, replicates: given twice"),
        ("-params-file", "pipe.yaml", "is no regular file but a pipe"),
        ("-c", "pipe.yaml", "is no regular file"),
    ):
        run = nextflow("run", str(REPO / "main.nf"), option, name, timeout_s=30)
        assert run.code == 65 and told in run.text and not (tmp_path / ".nextflow").exists()


def test_outdir_that_is_the_launch_folder(nextflow: Launcher, tmp_path: Path) -> None:
    (tmp_path / "dd").mkdir()
    text = refused(nextflow("run", str(REPO / "main.nf"), "-profile", "test", "--outdir", "dd/.."))
    assert "--outdir: dd/.. is the launch folder" in text and not (tmp_path / "state").exists()


def test_outdir_that_cannot_be_written(nextflow: Launcher, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    run = nextflow("run", str(REPO / "main.nf"), "-profile", "test", "--outdir", "file/out")
    assert run.code != 0 and run.submitted == 0
    assert "file/out" in run.text
