"""`gibbsflow`: a campaign in one process, its verbs as functions, and what it says of results."""

from pathlib import Path

import pytest
import typer
import yaml
from known_molecules import CB7
from typer.testing import CliRunner

from gibbsflow.binding.campaign import run_local
from gibbsflow.binding.campaign.phases import PIPELINES
from gibbsflow.cli import gibbsflow
from gibbsflow.config.binding import Launch
from gibbsflow.errors import EXIT_INPUT, EXIT_SCIENCE
from gibbsflow.workflow.care.campaign_note import CampaignNote
from gibbsflow.workflow.files import write_json
from gibbsflow.workflow.state.sentinels import Sentinel


@pytest.fixture
def campaign(tmp_path):
    """Write the settings of the demo's campaign: file of them."""

    def written(**run):
        io = {"input": str(CB7.parent / "ligands.csv"), "receptor": str(CB7)}
        io |= {"outdir": str(tmp_path / "out"), "state_dir": str(tmp_path / "state")}
        path = tmp_path / "run.yaml"
        path.write_text(yaml.safe_dump({"io": io, "run": run}))
        return path

    return written


def asked(*words):
    return CliRunner().invoke(gibbsflow.app, [str(word) for word in words])


def test_a_measurement_without_a_dry_run_starts_nothing(campaign, tmp_path):
    done = asked("run-local", campaign(mode="md"), "--measure")
    assert done.exit_code == 2 and "--dry-run" in done.output and not (tmp_path / "out").exists()


def test_a_dry_run_names_the_phases_and_makes_nothing(campaign, tmp_path):
    done = asked("run-local", campaign(mode="md"), "--dry-run")
    assert done.exit_code == 0, done.output
    assert "2 ligands, receptor" in done.stderr and "nothing wrong" in done.stderr
    assert (
        done.stdout.startswith(PIPELINES["md"].describe() + "\n") and "EQUIL_RUN                       2" in done.stdout
    )
    assert [path.name for path in tmp_path.iterdir()] == ["run.yaml"]


def test_a_row_that_is_left_out_is_counted_and_warned_of(campaign, tmp_path):
    path = campaign(mode="md", on_failure="prune")
    sheet = Path(yaml.safe_load(path.read_text())["io"]["input"])
    path.write_text(path.read_text().replace(str(sheet), str(tmp_path / "more.csv")))
    (tmp_path / "more.csv").write_text("ligand,smiles\ngood,OCC12CC3CC(C1)CC(C3)C2\nbad,C[Hg]C\n")
    done = asked("run-local", path, "--dry-run")
    assert done.exit_code == 0 and "1 ligand, receptor" in done.stderr
    assert "nothing wrong with it; 1 left out" in done.stderr
    assert "row 3, smiles: bad: " in asked("run-local", path, "--dry-run", "--quiet").stderr


def test_a_dry_run_without_the_gpu_warns_and_a_measurement_on_it_is_refused(campaign):
    import openmm

    there = {openmm.Platform.getPlatform(n).getName() for n in range(openmm.Platform.getNumPlatforms())}
    if not (missing := {"CUDA", "OpenCL"} - there):
        pytest.skip("this machine has every platform of OpenMM")
    path = campaign(mode="md")
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {"md": {"platform": min(missing)}}))
    done = asked("run-local", path, "--dry-run")
    assert done.exit_code == 0 and "GPU hours" in done.stdout
    assert "cannot be used on this machine" in done.stderr and "a dry run foresees" in done.stderr
    for words in ((), ("--dry-run", "--measure")):
        assert asked("run-local", path, *words).exit_code == 78


def launched(settings: Path) -> run_local.LocalRun:
    return run_local.LocalRun(Launch.read(settings), [], {})


@pytest.mark.parametrize("clean", [True, False])
def test_a_campaign_runs_under_its_lock_cleaned_where_that_is_asked_for(campaign, monkeypatch, clean):
    seen = []

    def run(local):
        failure = local.state / "cb7" / "b2" / "equil" / "FAILED"
        seen.append((failure.exists(), (local.state / ".head.json").exists()))
        write_json(local.out / "result.json", {"cause": ""})
        return EXIT_SCIENCE if clean else 0

    monkeypatch.setattr(run_local.LocalRun, "run", run)
    settings = campaign(clean_failures=clean)
    state = launched(settings).state
    Sentinel("FAILED", "0").write(state / "cb7" / "b2" / "equil")
    done = asked("run-local", settings)
    assert seen == [(not clean, True)]
    note = CampaignNote.read(state)
    assert (note.mode, [one.outdir for one in note.results]) == ("abfe", [str(state.parents[1] / "out")])
    assert (done.exit_code, "report: " in done.stdout) == ((EXIT_SCIENCE, False) if clean else (0, True))


def test_the_verbs_are_those_of_all_phases():
    wanted = {step.verb for pipeline in PIPELINES.values() for step in pipeline.steps}
    assert wanted <= set(gibbsflow.verbs())
    assert all(callable(command) for command in gibbsflow.verbs().values())


def test_a_verb_as_a_function_returns_its_exit_code():
    def command(code):
        if code:
            raise typer.Exit(code)

    returning = gibbsflow._returning(command)
    assert (returning(code=0), returning(code=70)) == (0, 70)


def test_a_file_of_parameters_is_checked(tmp_path):
    (tmp_path / "p.yaml").write_text("replicates: 2\n")
    assert asked("params", tmp_path / "p.yaml").exit_code == 0
    (tmp_path / "p.yaml").write_text("replicates: yes\n")
    done = asked("params", tmp_path / "p.yaml")
    assert done.exit_code == EXIT_INPUT and "replicates: 'true' is not usable" in done.stderr


def test_results_of_no_run_have_no_crate(tmp_path):
    done = asked("crate", tmp_path)
    assert done.exit_code == EXIT_INPUT and "holds no pipeline_info/run.json" in done.stderr
