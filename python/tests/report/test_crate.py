"""The RO-Crate of a run: every entity that is referred to is there, every file is, and records make it up."""

import json

import pytest

from gibbsflow.errors import InputError
from gibbsflow.report.crate import FILE_NAME, PROFILES, write_crate
from gibbsflow.workflow.artifacts import ArtifactStore
from gibbsflow.workflow.files import sha256_file, write_json

KNOWN_ELSEWHERE = (
    "http://schema.org",
    "https://bioschemas.org",
    "https://w3id.org/ro/crate",
    "https://www.nextflow.io",
)


@pytest.fixture
def outdir(tmp_path):
    """Results of a run, its inputs elsewhere."""
    home = tmp_path / "home"
    home.mkdir()
    for name in ("main.nf", "my ligands.csv", "host.sdf"):
        (home / name).write_text(name)
    out = tmp_path / "out"
    (out / "pipeline_info").mkdir(parents=True)
    (out / "figures").mkdir()
    (out / "results.csv").write_text("transformation\nb2\n")
    (out / "figures" / "b2.svg").write_text("<svg/>")
    (out / "pipeline_info" / "trace.txt").write_text("task_id\n")
    (out / "pipeline_info" / "versions.yml").write_text("FE_RUN:\n  openmm: '8.6.1'\nPARAM:\n  openmm: '8.6.1'\n")
    store = ArtifactStore(out)
    store.add("results", out / "results.csv", "table")
    store.add("figures", out / "figures", "figure")
    store.write()
    write_json(
        out / "pipeline_info" / "run.json",
        {
            "name": "happy_pauling", "session": "1-2", "start": "2026-01-01T00:00:00.987654321Z",
            "complete": "2026-01-01T01:00:00Z", "stub": False, "nextflow": "25.04.4", "command": "nextflow run main.nf",
            "workflow": {"name": "gibbsflow", "description": "d", "version": "0.1.0", "main": str(home / "main.nf")},
            "inputs": {"input": str(home / "my ligands.csv"), "receptor": str(home / "host.sdf")},
            "parameters": {
                "input": "my ligands.csv", "receptor": "host.sdf", "mode": "abfe", "window_ps": 36.5, "replicates": 2,
                "clean_failures": False,
            },
        },
    )  # fmt: skip
    return out


def graph(outdir):
    content = json.loads((outdir / FILE_NAME).read_text())
    entities = {entity["@id"]: entity for entity in content["@graph"]}
    assert len(entities) == len(content["@graph"])
    return entities


def references(value):
    if isinstance(value, dict):
        if set(value) == {"@id"}:
            yield value["@id"]
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def test_everything_referred_to_is_there(outdir):
    write_crate(outdir)
    entities = graph(outdir)
    for entity in entities.values():
        for name in references(entity):
            assert name in entities or name.startswith(KNOWN_ELSEWHERE)
    root = entities["./"]
    assert {item["@id"] for item in root["conformsTo"]} == set(PROFILES)
    for part in root["hasPart"]:
        assert (outdir / part["@id"].replace("%20", " ")).exists()


def test_the_run_names_inputs_parameters_results_and_versions(outdir):
    write_crate(outdir)
    entities = graph(outdir)
    run = entities[entities["./"]["mentions"]["@id"]]
    assert run["@type"] == "CreateAction" and run["startTime"] == "2026-01-01T00:00:00.987+00:00"
    assert run["endTime"] == entities["./"]["datePublished"] == "2026-01-01T01:00:00.000+00:00"
    main = entities[run["instrument"]["@id"]]
    assert main == entities[entities["./"]["mainEntity"]["@id"]] and "ComputationalWorkflow" in main["@type"]
    given = {name["@id"] for name in run["object"]}
    assert {"pipeline_info/inputs/my%20ligands.csv", "pipeline_info/inputs/host.sdf", "#value/window_ps"} <= given
    assert entities["#value/window_ps"]["value"] == 36.5
    assert entities["#param/clean_failures"]["additionalType"] == "Boolean"
    assert entities["pipeline_info/inputs/host.sdf"]["exampleOfWork"] == {"@id": "#param/receptor"}
    assert {item["@id"] for item in run["result"]} == {"results.csv", "figures/", "manifest.json"}
    assert entities["results.csv"]["sha256"] == sha256_file(outdir / "results.csv")
    assert [entities[item["@id"]]["softwareVersion"] for item in main["softwareRequirements"]] == ["8.6.1"]
    assert (outdir / "pipeline_info" / "inputs" / "my ligands.csv").read_text() == "my ligands.csv"


def test_written_again_after_inputs_are_gone_and_refused_without_a_run(outdir, tmp_path):
    write_crate(outdir)
    before = graph(outdir)
    for path in (tmp_path / "home").iterdir():
        path.unlink()
    write_crate(outdir)
    assert graph(outdir) == before
    with pytest.raises(InputError, match=r"holds no pipeline_info/run\.json"):
        write_crate(tmp_path)


def test_no_link_leads_out_of_a_crate(outdir, tmp_path):
    (tmp_path / "secret").write_text("x")
    (outdir / "figures" / "link.svg").symlink_to(tmp_path / "secret")
    with pytest.raises(InputError, match="a link that leads out of the results, to .*secret .right: .*copy"):
        write_crate(outdir)
    (outdir / "figures" / "link.svg").unlink()
    (outdir / "pipeline_info" / "inputs" / "host.sdf").unlink()
    (outdir / "pipeline_info" / "inputs" / "host.sdf").symlink_to(tmp_path / "secret")
    write_crate(outdir)
    assert (tmp_path / "secret").read_text() == "x" and not (outdir / "pipeline_info/inputs/host.sdf").is_symlink()


@pytest.mark.parametrize("change", [{"workflow": None}, {"inputs": 3}, {"start": "yesterday"}, {"parameters": {}}])
def test_a_record_of_another_version_is_told(outdir, change):
    path = outdir / "pipeline_info" / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InputError, match="damaged, or of another version"):
        write_crate(outdir)
