"""What a run tells others at its end: mail and web hook, once, without secrets, and never at the cost of the run."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from pipeline.launcher import REPO, Launcher

SCRIPT = """
include {{ readSchema }} from '{repo}/subworkflows/launch'
include {{ parameterSummary; hookOf; tally; tallyText; tellOthers }} from '{repo}/subworkflows/notice'

workflow {{
    main:
    def schema = readSchema('{repo}/nextflow_schema.json')
    def values = [
        mode: 'abfe', outdir: 'out', platform: 'CUDA', temperature_k: 298.150, window_ps: 5,
        hook_url: 'https://a.example/secret',
    ]
    file('summary.txt').text = parameterSummary(values, schema)
    def hours = [1, 2, 0.5].collect {{ number -> new nextflow.util.Duration((number * 3600000).toLong()) }}
    def stats = [
        succeedCount: 3, cachedCount: 2, retriesCount: 1, ignoredCount: 0, failedCount: 1,
        succeedDuration: hours[1], failedDuration: hours[2],
    ]
    def run = [stats: stats, success: true, runName: 'one', manifest: [name: 'g', version: '1'], duration: hours[0]]
    def told = tally(run, values)
    file('tally.txt').text = tallyText(told)
    tellOthers(told, 'the table', 'me@example.org', hookOf([:], schema))
    tellOthers(told, 'the table', null, 'http://127.0.0.1:1/hidden-word')
}}
"""


@pytest.fixture
def hook() -> Iterator[tuple[str, list[dict[str, object]]]]:
    """A web hook of this machine, and what was posted to it."""
    posted: list[dict[str, object]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(302)
            self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/secret-word?key=1", posted
    server.shutdown()


def test_mail_and_hook(nextflow: Launcher, tmp_path: Path, hook: tuple[str, list[dict[str, object]]]) -> None:
    address, posted = hook
    (tmp_path / "one.nf").write_text(SCRIPT.format(repo=REPO))
    (tmp_path / "out" / "pipeline_info").mkdir(parents=True)
    (tmp_path / "out" / "results.csv").write_text(
        "transformation,verdict,status,cause\na,PASS,finished,\nb,PASS,finished,\nc,,unbound,Unbound: `left`\n"
    )
    trace = ["name\tstatus\trealtime", "BINDING:FE_RUN (a)\tCOMPLETED\t1h 30m", "SYSTEM_PREP (a)\tCOMPLETED\t2h"]
    (tmp_path / "out" / "pipeline_info" / "trace.txt").write_text("\n".join([*trace, "FE_RUN (b)\tCACHED\t9h", ""]))
    mailer = tmp_path / "programs" / "sendmail"
    mailer.parent.mkdir()
    mailer.write_text(f"#!/bin/sh\ncat > '{tmp_path}/mail'\n")
    mailer.chmod(0o755)
    path = f"{mailer.parent}:{os.environ['PATH']}"
    run = nextflow("run", "one.nf", PATH=path, GIBBSFLOW_HOOK_URL=address)
    assert run.code == 0, run.text
    assert [line.split() for line in (tmp_path / "summary.txt").read_text().splitlines()[1:]] == [
        ["io"], ["outdir", "out"], ["md"], ["platform", "CUDA"], ["fe"], ["window_ps", "5", "ps"], ["nextflow"],
        ["hook_url", "https://a.example/..."],
    ]  # fmt: skip
    text = (tmp_path / "tally.txt").read_text()
    assert "3 done, 2 from the cache, 1 tried again, 0 dropped" in text
    assert "Tasks of this run took 2.5 CPU hours, 1.5 GPU hours, in 1.0 h (by its trace, whole tasks)" in text
    assert "are another number: gibbsflow watch STATE_FOLDER and costs.csv tell it" in text
    assert "Items:    3 (verdicts: 2 PASS, 1 none)\nFailed:   c (unbound: Unbound: `left`)" in text
    mail = (tmp_path / "mail").read_text()
    assert "To: me@example.org" in mail and "Subject: gibbsflow one: finished" in mail and "the table" in mail
    (said,) = posted  # the redirection is not followed
    assert (
        said["verdicts"] == {"PASS": 2, "none": 1}
        and said["gpu_h"] == 1.5
        and said["hours_of"]
        and "finished" in str(said["text"])
    )
    assert "answered 302" in run.text and "http://127.0.0.1:1/... could not be told" in run.text
    assert "secret-word" not in run.text + run.log and "hidden-word" not in run.text + run.log
