"""`analysis compare`: what it prints and leaves, and how it refuses."""

import json

from typer.testing import CliRunner

from gibbsflow.cli.analysis import app
from gibbsflow.errors import EXIT_INPUT
from gibbsflow.report.tables.results_table import TableRow, write_parquet


def test_two_campaigns_and_one_that_is_none(tmp_path):
    for name, dg in (("a", -5.0), ("b", -4.0)):
        (tmp_path / name).mkdir()
        write_parquet([TableRow("x", "x", "abfe", "finished", "PASS", dg, 0.3)], tmp_path / name / "results.parquet")
    words = ["compare", str(tmp_path / "a"), str(tmp_path / "b"), "--out", str(tmp_path / "out"), "--json"]
    told = CliRunner().invoke(app, words)
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["mean_difference_kcal_per_mol"] == 1.0
    assert "1.00 ± 0.42" in told.stderr
    assert {"comparison.csv", "comparison.html", "result.json"} == {path.name for path in (tmp_path / "out").iterdir()}
    words[1] = str(tmp_path)
    refused = CliRunner().invoke(app, words)
    assert refused.exit_code == EXIT_INPUT and "results.parquet" in refused.stderr
