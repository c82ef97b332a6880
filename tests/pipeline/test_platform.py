"""What Seqera Platform is told of a run, by its own client where that is installed; and that no token is kept."""

from __future__ import annotations

import base64
import json
import os
import urllib.request
from pathlib import Path

import pytest
import yaml
from pipeline.launcher import REPO, Launcher
from pipeline.platform_recorder import WORKFLOW_ID, recording

TOKEN = "a-token-that-nobody-must-find"


def client_plugins() -> list[Path]:
    """Folders of nf-tower, the client, where Nextflow looks for plugins."""
    homes = [Path(os.environ.get("NXF_HOME") or Path.home() / ".nextflow")]
    if folder := os.environ.get("GIBBSFLOW_HOME"):
        homes.append(Path(folder) / "nxf")
    folders = [Path(path) for path in [os.environ.get("NXF_PLUGINS_DIR")] if path] + [
        home / "plugins" for home in homes
    ]
    return [found for folder in folders for found in sorted(folder.glob("nf-tower-*"))]


def test_the_profile_takes_all_from_the_environment_and_keeps_no_token(nextflow: Launcher) -> None:
    environment = {"TOWER_API_ENDPOINT": "http://127.0.0.1:9/api", "TOWER_WORKSPACE_ID": "123"}
    run = nextflow(
        "config", str(nextflow.repo), "-profile", "test,tower", "-flat", **environment, TOWER_ACCESS_TOKEN=TOKEN
    )
    assert run.code == 0, run.text
    tower = dict(line.split(" = ", 1) for line in run.text.splitlines() if line.startswith("tower."))
    expected = {"enabled": "true", "endpoint": "'http://127.0.0.1:9/api'", "workspaceId": "'123'"}
    assert tower == {f"tower.{key}": value for key, value in expected.items()}
    assert TOKEN not in run.text


def test_reports_are_shown_by_viewers_that_the_platform_has() -> None:
    """HTML, CSV, TSV, PDF and plain text, says its manual; what is of another type is listed alone."""
    shown = {".html": "text/html", ".csv": "text/csv", ".txt": "text/tab-separated-values"}
    for glob, report in yaml.safe_load((REPO / "tower.yml").read_text())["reports"].items():
        assert report["mimeType"] == shown.get(Path(glob).suffix, "text/plain") and report["display"].strip(), glob


def test_the_recorder_speaks_the_protocol() -> None:
    with recording() as recorder:
        for method, path in (("POST", "/trace/create?workspaceId=1"), ("PUT", f"/trace/{WORKFLOW_ID}/begin")):
            request = urllib.request.Request(recorder.url + path, data=b'{"runName": "x"}', method=method)
            with urllib.request.urlopen(request, timeout=10) as answer:
                assert json.load(answer)["workflowId"] == WORKFLOW_ID
    assert [call.what for call in recorder.calls] == ["POST /trace/create", f"PUT /trace/{WORKFLOW_ID}/begin"]
    assert recorder.calls[0].query == "workspaceId=1" and recorder.bodies("POST /trace/create") == [{"runName": "x"}]


@pytest.mark.skipif(
    not client_plugins(), reason="nf-tower, the client of Seqera Platform, is not among Nextflow's plugins"
)
def test_the_client_tells_the_platform_of_every_task(nextflow: Launcher) -> None:
    plugins = str(client_plugins()[0].parent)
    with recording() as recorder:
        environment = {"TOWER_API_ENDPOINT": recorder.url, "TOWER_ACCESS_TOKEN": TOKEN, "TOWER_WORKSPACE_ID": "123"}
        options = ("-profile", "test,tower", "-name", "told_run", "-stub", "--outdir", "out", "--replicates", "1")
        run = nextflow("run", str(nextflow.repo / "main.nf"), *options, NXF_PLUGINS_DIR=plugins, **environment)
    assert run.code == 0, run.text
    steps = [call.what for call in recorder.calls if call.what.endswith(("create", "begin", "complete"))]
    assert steps == ["POST /trace/create", *(f"PUT /trace/{WORKFLOW_ID}/{step}" for step in ("begin", "complete"))]
    # a token that is not signed goes as a password
    secret = base64.b64encode(f"@token:{TOKEN}".encode()).decode()
    assert {(call.query, call.headers["Authorization"]) for call in recorder.calls} == {
        ("workspaceId=123", f"Basic {secret}")
    }
    (created,) = recorder.bodies("POST /trace/create")
    assert created["runName"] == "told_run"
    (begun,) = recorder.bodies(f"PUT /trace/{WORKFLOW_ID}/begin")
    assert "BINDING:TRANSFORMATIONS:FE_RUN" in begun["processNames"]
    told = {t["name"]: t for body in recorder.bodies(f"PUT /trace/{WORKFLOW_ID}/progress") for t in body["tasks"]}
    assert len(told) == len(run.trace) and all(task["tag"] for task in told.values())
    assert told["BINDING:TRANSFORMATIONS:FE_RUN (b2 complex_replicate_0)"]["tag"] == "b2 complex_replicate_0"
    (ended,) = recorder.bodies(f"PUT /trace/{WORKFLOW_ID}/complete")
    assert ended["workflow"]["success"] is True
    kept = [run.folder / ".nextflow.log", *(path for path in run.outdir.rglob("*") if path.is_file())]
    for word in (TOKEN, secret):
        assert word not in run.text and not [path for path in kept if word.encode() in path.read_bytes()]
