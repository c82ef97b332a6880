"""Protonation by residue: records of one preparation share a table, those without have none."""

import csv
import json

import pytest
from campaign_records import read_page

from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import BindingConfig
from gibbsflow.errors import StateError
from gibbsflow.report.campaign import write_campaign
from gibbsflow.report.tables.protonation_table import COLUMNS, take_in
from gibbsflow.workflow.account import Account

ROWS = [
    ("A", "1", "MET", "N-terminus", "NH3+", "", "only form"),
    ("A", "10", "ASP", "side chain", "ASP", "ASP", "pH"),
    ("A", "11", "GLU", "side chain", "GLH", "GLU", "=a"),
    ("A", "31", "HIS", "side chain", "HIE", "HID or HIE", "hydrogen bonds"),
    ("A", "54", "CYS", "side chain", "CYX", "CYS", "distance", "A:97<b>"),
]
GROUPS = [dict(zip(COLUMNS, row, strict=False)) for row in ROWS]


def record(groups, ph=7.0):
    return {"preparation": {"facts": {"receptor": {"titratable_groups": {"ph": ph, "groups": groups}}}}}


def test_records_of_one_preparation_share_a_table():
    tables = []
    assert take_in(tables, "a", record(GROUPS)) == take_in(tables, "b", record(GROUPS)) == 1
    assert take_in(tables, "c", record(GROUPS, 5.0)) == 2
    assert [(table.names, table.file_name) for table in tables] == [
        (["a", "b"], "titratable_groups.csv"),
        (["c"], "titratable_groups_2.csv"),
    ]
    assert [row["number"] for row in tables[0].striking] == ["11", "31", "54"]


@pytest.mark.parametrize("old", [{}, {"preparation": {"facts": {}}}, {"preparation": {"facts": {"receptor": {}}}}])
def test_earlier_records_and_hosts_have_none(old):
    tables = []
    assert take_in(tables, "a", old) is None and tables == []


@pytest.mark.parametrize("told", [[], {"ph": "acid", "groups": []}, {"ph": 7, "groups": ["A:1"]}, {"ph": 7}])
def test_another_form_is_refused(told):
    with pytest.raises(StateError, match="titratable_groups is no table"):
        take_in([], "a", {"preparation": {"facts": {"receptor": {"titratable_groups": told}}}})


def test_the_page_and_the_csv_have_it(tmp_path):
    folders = []
    for name, facts in (("a", record(GROUPS)["preparation"]["facts"]), ("b", {})):
        (root := tmp_path / name).mkdir()
        known = {"bound": True, "ligand_site_distance_angstrom": 0.9, "equil": {"unbound_threshold_angstrom": 8.0}}
        SimSystem(name, root, {}, known).with_account(Account(name, dict(facts))).write()
        folders.append(root)
    (tmp_path / "l.csv").write_text("ligand\na\nb\n")
    write_campaign(tmp_path / "l.csv", folders, BindingConfig.from_params({"mode": "md"}), None, tmp_path)
    reader, html = read_page(tmp_path / "report.html")
    assert "protonation-1" in reader.ids and html.count('href="#protonation-1"') == 1
    assert "CYX with A:97<b>" in reader.text and "All 5 groups" in reader.text
    assert html.count("hydrogen bonds") == 2  # among those to look at, and among all; not as JSON in what was read
    rows = list(csv.DictReader((tmp_path / "titratable_groups.csv").open()))
    assert [row["state"] for row in rows] == ["NH3+", "ASP", "GLH", "HIE", "CYX"] and rows[2]["decided_by"] == "'=a"
    assert {row["ph"] for row in rows} == {"7"}
    named = [one["name"] for one in json.loads((tmp_path / "manifest.json").read_text())["artifacts"]]
    assert "titratable_groups" in named
