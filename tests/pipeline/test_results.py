"""A folder of results holds today's run: what an earlier one left is set aside, another campaign's is refused."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from pipeline.launcher import REPO, Launcher

from gibbsflow.workflow.folders.published import IDENTITY

DEMO = REPO / "assets" / "demo"


def test_what_todays_run_did_not_make_is_set_aside(nextflow: Launcher, tmp_path: Path) -> None:
    arguments = ("-stub", "-resume", "--mode", "md")
    out = nextflow.pipeline(*arguments).outdir
    assert {path.name for path in (out / "phases").iterdir()} == {"b2", "adamantanol"}
    (out / "notes.txt").write_text("mine")
    with open(DEMO / "ligands.csv") as file:
        header, *rows = list(csv.reader(file))
    kept = [row for row in rows if row[0] == "b2"]
    with open(tmp_path / "ligands.csv", "w") as file:
        csv.writer(file).writerows([header, *kept])

    fewer = nextflow.pipeline(*arguments, "--input", "ligands.csv")
    assert fewer.code == 0 and "superseded-000/ (ligands that are gone or given otherwise: adamantanol)" in fewer.text
    assert {path.name for path in (out / "phases").iterdir()} == {"b2"} and (out / "results.csv").exists()
    aside = out / "superseded-000"
    assert (aside / "phases" / "adamantanol" / "equil").is_dir() and (aside / "results.csv").exists()
    assert (out / "notes.txt").read_text() == "mine"

    # as Nextflow keeps what cached tasks made, it is published again
    again = nextflow.pipeline(*arguments, "--input", "ligands.csv", "--temperature_k", "300")
    assert again.code == 0 and "superseded-001/ (made with other settings or files)" in again.text
    assert {path.name for path in (out / "phases" / "b2").iterdir()} == {
        path.name for path in (out / "superseded-001" / "phases" / "b2").iterdir()
    }
    assert json.loads((out / IDENTITY).read_text())["items"].keys() == {"b2"}

    other = nextflow.pipeline(*arguments, "--input", "ligands.csv", "--campaign", "other")
    assert other.code != 0 and "holds the results of another campaign (out: input" in other.text
    assert not (out / "superseded-002").exists()
