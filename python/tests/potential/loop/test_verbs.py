"""The verbs of a learned potential as functions: one turn of the loop, and that each finds again what it had done."""

import pytest
from ase.build import bulk
from labelled_sets import fitted_copper, rattled

from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.errors import InputError, StoppedEarly
from gibbsflow.potential.data.structures import structure_id
from gibbsflow.potential.loop.verbs import (
    explore_from,
    fit_potential,
    generate_structures,
    label_structures,
    select_structures,
)
from gibbsflow.workflow.state.segments import Stopper


def settings(element, **sections):
    content = {"elements": [element], "structure": {"Si": "diamond", "Cu": "fcc"}[element], "engine": "tblite"}
    return PotentialConfig.from_mapping(content | sections, where="test")


def test_generated_and_labelled(tmp_path):
    config = settings("Si", generator={"supercell": [1, 1, 1], "methods": ["bulk", "rattle"], "rattle_count": 1})
    made = generate_structures(config, generation=3)
    assert {frame.info["generation"] for frame in made.frames} == {3}
    known = generate_structures(config, known=made.frames[:1])
    assert len(known.frames) == len(made.frames) - 1
    batch = label_structures(made.frames[:2], config, tmp_path / "labels")
    assert batch.figures()["counts"] == {"labelled": 2, "failed": 0} and batch.reused == 0
    energies = [frame.get_potential_energy() for frame in batch.labelled()]
    assert energies[0] != energies[1]
    again = label_structures(made.frames[:2], config, tmp_path / "labels")
    assert again.reused == 2 and [frame.get_potential_energy() for frame in again.labelled()] == energies


def test_candidates_that_all_fail_are_said_and_end_nothing(tmp_path, caplog):
    collapsed = bulk("Si", "diamond", a=0.4)
    batch = label_structures([collapsed], settings("Si"), tmp_path / "labels")
    assert batch.figures()["counts"] == {"labelled": 0, "failed": 1} and batch.labelled() == []
    assert "no label succeeded: 1 " in caplog.text


def test_fitted(tmp_path):
    training = {"cutoff_angstrom": 5.0, "max_coefficients": 70, "processes": 1, "time_budget_min": 0.1}
    potential, figures = fit_potential(rattled(24, 1), rattled(6, 2), settings("Cu", training=training), tmp_path)
    assert potential == tmp_path / "potential" and (potential / "in.potential").is_file()
    assert figures["test"]["frames"] == 6 and figures["test"]["force_mae_ev_per_angstrom"] < 0.3
    assert (tmp_path / "train.extxyz").is_file()
    assert figures["labels"]["test"] == ["energy", "forces", "stress"] and figures["warnings"] == []
    assert figures["account"]["train"]["frames"] == 24 and figures["account"]["test"]["ranges"]["atoms_per_frame"]


def test_explored_and_selected(tmp_path):
    potential = fitted_copper()[0] / "potential"
    md = {"steps": 200, "segment_steps": 50, "grade_interval": 10, "upper_grade": 1e6, "lower_grade": 1e-3}
    config = settings("Cu", temperature_k=900, exploration=md, selection={"budget": 2})
    start = bulk("Cu", cubic=True)
    frames, figures = explore_from(start, potential, config, tmp_path / "md", generation=2)
    assert figures["stopped_by"] == "steps" and figures["steps"] == 200 and len(frames) == figures["frames"] > 0
    assert {frame.info["generation"] for frame in frames} == {2}
    again, told = explore_from(start, potential, config, tmp_path / "md", generation=2)
    assert [structure_id(a) for a in again] == [structure_id(a) for a in frames] and told == figures
    chosen = select_structures(frames, rattled(4, 1), potential, config)
    assert 1 <= len(chosen) <= 2 and all(any(a is frame for frame in frames) for a in chosen)


def test_an_element_that_the_potential_does_not_know(tmp_path):
    with pytest.raises(InputError, match="holds Au, unknown to"):
        explore_from(bulk("Au"), fitted_copper()[0] / "potential", settings("Cu"), tmp_path)


def test_interrupted(tmp_path, monkeypatch):
    monkeypatch.setattr(Stopper, "reason", lambda _: "stopped by SIGINT")
    with pytest.raises(StoppedEarly):
        explore_from(bulk("Cu", cubic=True), fitted_copper()[0] / "potential", settings("Cu"), tmp_path / "md")
    monkeypatch.undo()
    config = settings("Cu", exploration={"steps": 20, "segment_steps": 20})
    assert explore_from(bulk("Cu", cubic=True), fitted_copper()[0] / "potential", config, tmp_path / "md")[1]["steps"]
