"""Figures of frames and of poses: well-formed, with what they draw."""

import re
import xml.etree.ElementTree as ET

from gibbsflow.report.figures.motion_figures import draw_poses, motion_figures


def seen(*waters: int) -> dict:
    count = len(waters) or 3
    part = {"time_ps": [10.0 * n for n in range(count)], "site_rmsd_angstrom": [0.5] * count}
    part["ligand_rmsd_angstrom"] = [1.0 + n for n in range(count)]
    return part | ({"buried_waters": list(waters)} if waters else {})


WALK = {"time_ps": [1, 2, 3], "walkers": [0, 1], "window_of_walker": [[0, 1, 0], [1, 0, 1]], "round_trips": [1, 0]}


def test_what_there_is_is_drawn():
    stuck = WALK | {"round_trips": [0, 0], "window_of_walker": [[0, 1, 1], [1, 0, 0]]}
    legs = [
        {"leg": "complex", "replicate": 0, "coupled": seen(1, 2, 1), "decoupled": seen(4, 5, 4), "walk": WALK},
        {"leg": "complex", "replicate": 1, "coupled": seen(1, 1, 1), "walk": stuck},
        {"leg": "solvent", "replicate": 0, "walk": WALK},
    ]
    made = motion_figures({"motion": {"equilibration": seen(), "legs": legs}})
    assert list(made) == ["rmsd_equilibration", "rmsd_complex", "waters_complex", "walk_complex", "walk_solvent"]
    for svg in made.values():
        ET.fromstring(svg)
    assert made["rmsd_complex"].count('<path class="line"') == 6  # ligand and site, of three trajectories
    assert made["waters_complex"].count("stroke-dasharray") == 1  # the decoupled one
    assert "replicate 1" in made["walk_complex"] and made["walk_complex"].count(": 0 round trips") == 2
    named = [node.text for node in ET.fromstring(made["rmsd_complex"]).iter() if "named" in node.get("class", "")]
    assert named == ["0", "0", "1"]  # known without their colours
    ends = [node.text for node in ET.fromstring(made["walk_complex"]).iter() if "named" in node.get("class", "")]
    assert ends == ["0", "0", "1", "1"]
    assert len(set(re.findall('stroke-dasharray="(.*?)"', made["walk_complex"]))) == 2
    assert motion_figures({"motion": {"legs": []}}) == motion_figures({}) == {}


def test_both_ends_of_an_edge_are_drawn():
    legs = [{"leg": "complex", "replicate": n, "ligand_a": seen(2, 2, 2), "ligand_b": seen(1, 1, 0)} for n in range(2)]
    made = motion_figures({"motion": {"legs": legs}})
    assert list(made) == ["rmsd_complex", "waters_complex"]
    assert made["rmsd_complex"].count('<path class="line"') == 8  # ligand and site at both ends, twice
    assert made["waters_complex"].count("stroke-dasharray") == 2  # the second ligand


def test_poses_and_their_sum():
    pose = {"transformation": "lig_<a>", "dg_kcal_per_mol": -7.0, "dg_error_kcal_per_mol": 0.3}
    lost = {"transformation": "lig_b", "dg_kcal_per_mol": None}
    record = {"poses": [pose, lost], "dg_kcal_per_mol": -7.2, "dg_error_kcal_per_mol": 0.2}
    svg = draw_poses(record | {"experimental_dg_kcal_per_mol": -8.0}, "Poses of lig")
    texts = [element.text for element in ET.fromstring(svg).iter() if element.tag.endswith("}text")]
    assert {"lig_<a>", "all poses", "experiment"} <= set(texts) and "lig_b" not in texts
