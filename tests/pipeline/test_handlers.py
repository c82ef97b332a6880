"""What is done at the end of a run is done once, however often Nextflow calls its handlers."""

from __future__ import annotations

from pathlib import Path

from pipeline.launcher import REPO, Launcher

TWICE = """
include {{ holdCampaign; letGo }} from '{repo}/subworkflows/launch'
include {{ writeCrate         }} from '{repo}/subworkflows/completion'

workflow {{
    main:
    def state = "${{launchDir}}/state/one"
    def hold = holdCampaign(state, workflow, [:])
    letGo(hold[0])
    assert !file("${{state}}/.head.json").exists()
    // the next head comes while the first still ends
    file("${{state}}/.head.json").text = 'of another'
    letGo(hold[0])
    assert file("${{state}}/.head.json").text == 'of another'

    // what a handler sees of a run, at its end
    def run = [success: true, manifest: [name: 'x'], nextflow: [version: '1'], complete: 'now']
    file('out/pipeline_info').mkdirs()
    file('out/manifest.json').text = '{{}}'
    def schema = [io: [properties: [:]]]
    writeCrate(run, [outdir: 'out', mode: 'abfe'], schema, "${{launchDir}}/core")
    writeCrate(run, [outdir: 'out', mode: 'abfe'], schema, "${{launchDir}}/core")
    // a later run with the same results is another one
    writeCrate(run + [complete: 'later'], [outdir: 'out', mode: 'abfe'], schema, "${{launchDir}}/core")
}}
"""


def test_handlers_may_be_called_twice(nextflow: Launcher, tmp_path: Path) -> None:
    (tmp_path / "twice.nf").write_text(TWICE.format(repo=REPO))
    core = tmp_path / "core"
    core.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n')
    core.chmod(0o755)
    run = nextflow("run", "twice.nf")
    assert run.code == 0, run.text
    assert (tmp_path / "asked").read_text() == f"crate {tmp_path}/out\n" * 2
