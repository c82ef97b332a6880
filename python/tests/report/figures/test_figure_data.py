"""Data of figures: those that are drawn, and in them the record's own numbers."""

import csv
import io

from gibbsflow.report.figures.figure_data import figure_data
from gibbsflow.report.figures.leg_figures import record_figures
from gibbsflow.workflow.files import read_json


def rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_every_figure_of_a_record_has_its_numbers(campaign):
    root, _, _ = campaign
    record = read_json(root / "first" / "out" / "record.json")
    found = figure_data(record)
    assert found.keys() == record_figures(record).keys()
    leg = next(one for one in record["legs"] if one["leg"] == "complex" and one["replicate"] == 1)
    profile = [row for row in rows(found["profile_complex"]) if row["replicate"] == "1"]
    assert [float(row["dg_kcal_per_mol"]) for row in profile] == leg["profile"]["dg_kcal_per_mol"]
    assert [float(row["lambda_sterics"]) for row in profile] == [state["lambda_sterics"] for state in leg["states"]]
    forward = [row for row in rows(found["convergence_complex"]) if (row["replicate"], row["from"]) == ("1", "forward")]
    assert [float(row["part_of_the_data"]) for row in forward] == leg["forward"]["fraction"]
    assert len(rows(found["overlap_solvent"])) == len(rows(found["overlap_solvent"])[0]) - 1 == 3
    assert float(rows(found["cycle"])[-1]["dg_kcal_per_mol"]) == record["dg_kcal_per_mol"]
    assert [row["replicate"] for row in rows(found["replicates"])][:3] == ["0", "1", "mean"]


def test_frames_and_poses():
    seen = {"time_ps": [1.0, 2.0], "ligand_rmsd_angstrom": [0.5, 0.6], "site_rmsd_angstrom": [0.1, 0.2]}
    seen["buried_waters"] = [3, 4]
    walk = {"time_ps": [1.0, 2.0], "walkers": [0, 1], "window_of_walker": [[0, 1], [1, 0]], "round_trips": [0, 0]}
    record = {
        "dg_kcal_per_mol": None, "leg_summary": {}, "legs": [],
        "motion": {"equilibration": seen, "legs": [{"leg": "complex", "replicate": 0, "coupled": seen, "walk": walk}]},
    }  # fmt: skip
    found = figure_data(record)
    both = {f"{kind}_{where}" for kind in ("rmsd", "waters") for where in ("equilibration", "complex")}
    assert found.keys() == both | {"walk_complex"}
    assert found["walk_complex"] == "time_ps,walker_0,walker_1\n1.0,0,1\n2.0,1,0\n"
    assert found["rmsd_complex"].splitlines()[1] == "0,coupled,1.0,0.5,0.1,3"
    of_edge = [
        {"leg": "complex", "replicate": 0, "ligand_a": seen | {"ligand": "a"}, "ligand_b": seen | {"ligand": "b"}}
    ]
    rows_of_edge = figure_data(record | {"motion": {"legs": of_edge}})["waters_complex"].splitlines()
    assert [row.split(",")[:3] for row in rows_of_edge[2:4]] == [["0", "a", "2.0"], ["0", "b", "1.0"]]
    pose = {"transformation": "=a", "dg_kcal_per_mol": -1.0, "dg_error_kcal_per_mol": None, "weight": 0.5}
    poses = figure_data({"poses": [pose], "dg_kcal_per_mol": -1.0})
    assert poses["poses"].splitlines()[1] == "'=a,-1.0,,0.5"
