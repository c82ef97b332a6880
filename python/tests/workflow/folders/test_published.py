"""A folder of results holds today's: what others or earlier runs have left is refused or set aside, never deleted."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from gibbsflow.workflow.folders.published import (
    IDENTITY,
    MadeFrom,
    digest,
    file_given,
    other_campaign,
    set_aside,
    set_strays_aside,
)

FILES = {"input": ("/d/ligands.csv", "aa"), "receptor": ("/d/cb7.sdf", "bb")}
TODAY = MadeFrom("c", FILES, "s", {"b2": "1", "a1": "2"}, "r")


@pytest.fixture
def out(tmp_path):
    """Results of two ligands, and what the user keeps beside them."""
    for name in (
        "results.csv", "report.html", "manifest.json", "record.b2.json", "record.a1.json", "figures/b2/cycle.svg",
        "figures/a1/cycle.svg", "phases/b2/fe/x", "phases/a1/fe/x", "pipeline_info/trace.txt", "pipeline_info/run.json",
        "notes.txt", "figures.old/x",
    ):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}")
    return tmp_path


def _files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_first_run_signs_the_folder(tmp_path):
    assert set_aside(tmp_path / "out", TODAY) == []
    assert MadeFrom.read(tmp_path / "out") == TODAY


def test_the_same_inputs_leave_all_as_it_is(out):
    set_aside(out, TODAY)
    again = out / "again"
    (out / "superseded-000").rename(again)
    before = _files(out)
    assert set_aside(out, TODAY) == [] and _files(out) == before
    moved = replace(TODAY, campaign="other", files={key: ("/moved" + path, sha) for key, (path, sha) in FILES.items()})
    assert other_campaign(out, moved) == [] and set_aside(out, moved) == [] and _files(out) == before


def test_a_ligand_that_is_gone_is_set_aside_with_the_tables(out):
    (out / IDENTITY).write_text(json.dumps(vars(TODAY)))
    before = _files(out)
    (told,) = set_aside(out, replace(TODAY, items={"b2": "1"}))
    assert "superseded-000" in told and "a1" in told and "b2" not in told
    aside = _files(out / "superseded-000")
    assert aside == {
        "record.a1.json", "figures/a1/cycle.svg", "phases/a1/fe/x", "results.csv", "report.html", "manifest.json",
        "pipeline_info/run.json",
    }  # fmt: skip
    assert _files(out) == (before - aside) | {f"superseded-000/{name}" for name in aside}


def test_a_ligand_that_is_added_or_measured_takes_the_tables_alone(out):
    for today in (replace(TODAY, items=TODAY.items | {"c3": "3"}), replace(TODAY, remarks="other")):
        (out / IDENTITY).write_text(json.dumps(vars(TODAY)))
        (out / "results.csv").write_text("x")
        set_aside(out, today)
        assert not (out / "results.csv").exists() and (out / "record.a1.json").exists()
    assert (out / "superseded-000" / "results.csv").exists() and (out / "superseded-001" / "results.csv").exists()


@pytest.mark.parametrize("identity", [None, "{", "[]", '{"files": 3}', '{"files": {}, "items": {"../..": "x"}}', "3"])
def test_of_other_settings_or_unknown_inputs_all_goes_and_nothing_else(out, identity):
    if identity is None:
        (out / IDENTITY).write_text(json.dumps(vars(TODAY)))
    else:
        (out / IDENTITY).write_text(identity)
    (told,) = set_aside(out, replace(TODAY, settings="other"))
    assert "superseded-000" in told
    own = {name for name in _files(out) if not name.startswith("superseded-")}
    assert own == {"notes.txt", "figures.old/x", "pipeline_info/trace.txt", "pipeline_info/campaign.json"}
    assert len(_files(out / "superseded-000")) == 10


def test_generations_that_are_read_stay(tmp_path):
    for number in (0, 1):
        (tmp_path / f"generation_0{number}").mkdir()
    set_aside(tmp_path, TODAY, keep=[tmp_path / "generation_00"])
    assert (tmp_path / "generation_00").is_dir() and (tmp_path / "superseded-000" / "generation_01").is_dir()


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({}, False),
        ({"campaign": "d"}, False),  # the same inputs
        ({"campaign": "d", "settings": "t"}, True),
        ({"settings": "t"}, False),
        ({"files": FILES | {"receptor": ("/d/cb8.sdf", "cc")}}, True),
        ({"files": FILES | {"receptor": ("/d/cb7.sdf", "cc")}}, False),  # mended
        ({"files": FILES | {"receptor": ("/e/cb7.sdf", "bb")}, "settings": "t"}, False),  # moved
        ({"files": FILES | {"input": ("/d/more.csv", "dd")}, "items": {"b2": "1", "c3": "3"}}, False),
        ({"files": FILES | {"input": ("/d/more.csv", "dd")}, "items": {"c3": "3"}}, True),
        ({"files": {"config": ("/d/si.yaml", "ee")}, "items": {}}, True),
    ],
)
def test_another_campaign_is_refused_before_anything_moves(out, change, refused):
    (out / IDENTITY).write_text(json.dumps(vars(TODAY)))
    before = _files(out)
    problems = other_campaign(out, replace(TODAY, **change))
    assert bool(problems) == refused and _files(out) == before
    if refused:
        assert problems[0].where == "--outdir" and "(c: input /d/ligands.csv, receptor /d/cb7.sdf)" in str(problems[0])


def test_what_a_manifest_does_not_list_is_set_aside(out):
    listed = [
        {"path": name} for name in ("record.b2.json", "figures/b2/cycle.svg", "results.csv", "../x", "/etc/passwd")
    ]
    (out / "manifest.json").write_text(json.dumps({"artifacts": listed}))
    (told,) = set_strays_aside(out)
    assert "figures/a1, record.a1.json" in told
    assert _files(out / "superseded-000") == {"record.a1.json", "figures/a1/cycle.svg"}
    assert (out / "record.b2.json").exists() and set_strays_aside(out) == []
    (out / "manifest.json").write_text("{")
    assert set_strays_aside(out) == []


def test_files_are_known_by_content_and_place(tmp_path):
    (tmp_path / "a").write_text("x")
    path, sha = file_given(tmp_path / "a")
    assert (
        path == str(tmp_path / "a")
        and len(sha) == 64
        and digest({"b": 1, "a": Path("x")}) == digest({"a": "x", "b": 1})
    )
