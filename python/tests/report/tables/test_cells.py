"""Cells that a spreadsheet would execute are marked as text; numbers stay numbers."""

import csv

import pytest

from gibbsflow.report.potential_page import write_table
from gibbsflow.report.tables.cells import cell
from gibbsflow.report.tables.results_table import TableRow, write_csv


@pytest.mark.parametrize("text", ["=1+1", "+cmd|'/C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "-", "\uff1d1"])
def test_what_would_be_executed_is_text(text):
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["-13.4", "+1e-3", "-.5", "b2", "", "a=1", -5.2, 3, None, True])
def test_all_else_stays(value):
    assert cell(value) is value


def test_tables_hold_no_formula(tmp_path):
    row = TableRow("b2", "b2", "abfe", "failed", "FAIL", -5.25, cause='=HYPERLINK("x")\nmore')
    write_csv([row], tmp_path / "results.csv")
    (read,) = csv.DictReader(open(tmp_path / "results.csv"))
    assert read["cause"] == '\'=HYPERLINK("x") more' and read["dg_kcal_per_mol"] == "-5.2500"
    write_table(tmp_path / "structures.csv", [{"id": "@x", "energy": -1.5}])
    assert list(csv.DictReader(open(tmp_path / "structures.csv"))) == [{"id": "'@x", "energy": "-1.5"}]
