"""Figures of a record: all that its data allow, each a file of its own, weak overlap outlined."""

import xml.etree.ElementTree as ElementTree

import pytest
from campaign_records import record_folder

from gibbsflow.report.figures import leg_figures
from gibbsflow.report.figures.svg import Chart
from gibbsflow.workflow.files import read_json


@pytest.fixture(scope="module")
def record(tmp_path_factory):
    return read_json(record_folder(tmp_path_factory.mktemp("records"), "first") / "record.json")


def test_figures_are_whole_svg_files(campaign):
    _, out, _ = campaign
    files = sorted((out / "figures" / "first").glob("*.svg"))
    assert len(files) == 11
    for file in files:
        assert ElementTree.parse(file).getroot().tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 - our own


def test_a_record_has_all_its_figures(record):
    kinds = ("profile", "convergence", "overlap", "walk")
    names = {f"{kind}_{leg}" for kind in kinds for leg in ("complex", "solvent")}
    assert set(leg_figures.record_figures(record)) == names | {"cycle", "replicates"}
    none = record | {"dg_kcal_per_mol": None, "legs": [leg for leg in record["legs"] if leg["leg"] == "solvent"]}
    # frames and walkers are there whatever became of the leg
    assert set(leg_figures.record_figures(none)) == {n for n in names if n.endswith("solvent")} | {"walk_complex"}


def test_replicates_without_a_result_are_left_out(record):
    legs = [leg | {"dg_kcal_per_mol": None} if leg["replicate"] == 0 else leg for leg in record["legs"]]
    found = leg_figures.analysed_replicates({"legs": legs[::-1]}, "complex")
    assert [leg["replicate"] for leg in found] == [1]
    assert [leg["replicate"] for leg in leg_figures.analysed_replicates(record, "solvent")] == [0, 1]


def test_few_samples_that_only_the_whole_can_be_analysed_of(record):
    items = leg_figures.analysed_replicates(record, "solvent")
    none = {"fraction": [0.5, 1.0], "dg_kcal_per_mol": [None, None], "dg_error_kcal_per_mol": [None, None]}
    svg = leg_figures.draw_convergence([item | {"forward": none, "backward": none} for item in items], "c")
    assert ElementTree.fromstring(svg).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 - our own


def test_weak_overlap_of_neighbours_is_outlined():
    matrix = [[0.9, 0.02, 0.08], [0.02, 0.9, 0.08], [0.08, 0.08, 0.84]]
    item = {"overlap": {"matrix": matrix}, "sampled_states": [0, 1, 3]}
    assert leg_figures.draw_overlap(item, 0.03, "o").count("var(--fail)") == 2  # both sides of one pair
    assert leg_figures.draw_overlap(item, 0.1, "o").count("var(--fail)") == 4
    assert "windows 1 and 3: 0.080" in leg_figures.draw_overlap(item, 0.01, "o")


def test_the_profile_tells_each_window(record):
    (first, second) = leg_figures.analysed_replicates(record, "solvent")
    svg = leg_figures.draw_profile([first, second], "p")
    for item in (first, second):
        last = item["profile"]["dg_kcal_per_mol"][-1]
        assert f"replicate {item['replicate']}, window {item['profile']['state'][-1]}: {last:.2f} ± " in svg


def test_a_legend_of_one_is_none():
    chart = Chart((0, 1), (0, 1))
    leg_figures.draw_legend(chart, [("s0", "alone", False)])
    assert chart.parts == []
    leg_figures.draw_legend(chart, [("s0", "<a>", False), ("s1", "b", True)])
    text = "".join(chart.parts)
    assert "&lt;a&gt;" in text and text.count("stroke-dasharray") == 1
