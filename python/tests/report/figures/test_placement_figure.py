"""The figure of a placement."""

from xml.etree import ElementTree

import numpy as np

from gibbsflow.binding.alchemy.schedules import read_schedule
from gibbsflow.binding.analyse.placement.distances import Distances, overlap_of_distance
from gibbsflow.binding.analyse.placement.even_states import place_states
from gibbsflow.report.figures.placement_figure import draw_placement, write_figure
from gibbsflow.workflow.files import write_json


def test_each_interval_is_a_step_before_and_after(tmp_path) -> None:
    lengths = np.linspace(0.2, 3.0, 15)
    given = read_schedule("complex_16")
    placed = place_states(given, Distances(lengths, overlap_of_distance(lengths), (False,) * 15))
    content = placed.as_dict()
    svg = draw_placement(content, "b2 complex")
    lines = [path.get("d", "") for path in ElementTree.fromstring(svg).iter() if path.get("class") == "line"]
    assert {2 * 15 - 1, 2 * (len(placed.states) - 1) - 1} <= {line.count("L") for line in lines}
    assert "16 windows, measured" in svg and "restraints, electrostatics, sterics" in svg
    write_json(tmp_path / "placement.json", content)
    write_figure(tmp_path, "b2 complex")
    assert (tmp_path / "placement.svg").exists()


def test_without_a_measurement_there_is_none(tmp_path) -> None:
    (tmp_path / "placement.svg").write_text("of an earlier placement")
    write_json(tmp_path / "placement.json", {"account": {"warnings": ["not measured"], "notes": []}})
    write_figure(tmp_path, "b2 complex")
    assert not (tmp_path / "placement.svg").exists()
