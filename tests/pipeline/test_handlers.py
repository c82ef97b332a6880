"""What is done at the end of a run is done once, however often Nextflow calls its handlers."""

from __future__ import annotations

import csv
from pathlib import Path

from pipeline.launcher import REPO, Launcher

TWICE = """
include {{ holdCampaign; letGo }} from '{repo}/subworkflows/launch'
include {{ writeCrate; resultsTable; rankingTable }} from '{repo}/subworkflows/completion'
include {{ unnoticed; readSchema; samplesheet }} from '{repo}/subworkflows/launch'

workflow {{
    main:
    def state = "${{launchDir}}/state/one"
    // whoever may write there may have left a link
    file(state).mkdirs()
    file('theirs').text = 'theirs'
    file('theirs').mklink("${{state}}/.head.json")
    def hold = holdCampaign(state, workflow, [:])
    letGo(hold[0])
    assert file('theirs').text == 'theirs'
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

    file('table.txt').text = resultsTable(file('results.csv'))
    file('ranking.txt').text = rankingTable(file('ligands.csv'))
    // ligands of an SDF that no core has read
    def rows = samplesheet(file("${{launchDir}}/two.sdf"), null, 'state', workflow.workDir)
    def seen = rows.collect {{ row -> [row[0].ligand, row[0].pose, row[1].name] }}
    assert seen == [['a_b', 'given', 'two.sdf'], ['c', 'given', 'two.sdf']]
    def given = [mode: 'potential', config: 'zero.yaml', outdir: 'out']
    file('refused.txt').text = unnoticed([], given, readSchema('{repo}/nextflow_schema.json'))
}}
"""


def test_handlers_may_be_called_twice(nextflow: Launcher, tmp_path: Path) -> None:
    (tmp_path / "twice.nf").write_text(TWICE.format(repo=REPO))
    core = tmp_path / "core"
    core.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n')
    core.chmod(0o755)
    with open(tmp_path / "results.csv", "w", newline="") as file:
        causes = ('no such file "x, y"', "two\nlines", "")
        rows = [[f"l{k}", "" if cause else "-5.126", "failed", cause] for k, cause in enumerate(causes)]
        csv.writer(file).writerows([["transformation", "dg_kcal_per_mol", "status", "cause"], *rows])
    (tmp_path / "ligands.csv").write_text(
        "ligand,dg_kcal_per_mol,dg_error_kcal_per_mol,edges,cause\nb,-1.256,0.5,2,\nc,,,0,lost\n"
    )
    (tmp_path / "two.sdf").write_text("a b\n\n\nM  END\n$$$$\nc\n\n\nM  END\n$$$$\n")
    (tmp_path / "zero.yaml").symlink_to("/dev/zero")
    run = nextflow("run", "twice.nf")
    assert run.code == 0, run.text
    ranking = [line.split() for line in (tmp_path / "ranking.txt").read_text().splitlines()]
    assert ranking[1:] == [["b", "-1.26", "+-", "0.50", "2"], ["c", "0", "lost"]]
    table = [line.split() for line in (tmp_path / "table.txt").read_text().splitlines()]
    assert table[1:] == [
        ["l0", "failed", "no", "such", "file", '"x,', 'y"'], ["l1", "failed", "two", "lines"],
        ["l2", "-5.13", "failed"],
    ]  # fmt: skip
    assert (tmp_path / "refused.txt").read_text().startswith("--config: zero.yaml is no regular file\n")
    assert (tmp_path / "asked").read_text() == f"crate {tmp_path}/out\n" * 2
