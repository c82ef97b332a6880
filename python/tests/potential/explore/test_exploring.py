from __future__ import annotations

import shutil

import pytest
from ase.build import bulk
from ase.io import write
from labelled_sets import fitted_copper

from gibbsflow.config.potential import Labels
from gibbsflow.config.potential_training import Exploration
from gibbsflow.errors import InputError
from gibbsflow.potential.explore.exploring import Exploring
from gibbsflow.workflow.state.segments import Stopper

SETTINGS = Exploration(steps=20, segment_steps=10, grade_interval=10, lower_grade=1e9, upper_grade=1e10)


def prepare(structure, potential, state, stopper=None, **options):
    given = {"seed": 1, "generation": 0, "labels": Labels(), "stopper": stopper or Stopper()} | options
    return Exploring.prepare(structure, potential, SETTINGS, state, **given)


def test_a_trajectory_runs_from_files_to_files_and_says_what_was_read(tmp_path):
    atoms = bulk("Cu", cubic=True)
    atoms.info["gibbsflow_id"] = "gf-stale"
    write(tmp_path / "cu.extxyz", [bulk("Cu"), atoms])
    with Stopper() as stopper:
        ready = prepare(tmp_path / "cu.extxyz", fitted_copper()[0] / "potential", tmp_path / "s", stopper, frame=-1)
        figures = ready.run(stopper, tmp_path / "o")
    assert (figures["steps"], figures["stopped_by"], figures["atoms"]) == (20, "steps", 4)
    assert "gibbsflow_id of frame 1 is not that of its content" in figures["notes"][0]
    assert (tmp_path / "o" / "frames.extxyz").read_text() == ""
    assert (tmp_path / "s" / "FINISHED").exists()


@pytest.mark.parametrize(
    ("name", "text"), [("coefficients.pod", "1.0\n"), ("potential.json", "{"), ("potential.json", "{}")]
)
def test_a_damaged_potential_is_wrong_input(tmp_path, name, text):
    folder = shutil.copytree(fitted_copper()[0] / "potential", tmp_path / "potential")
    (folder / name).write_text(text)
    write(tmp_path / "cu.extxyz", bulk("Cu", cubic=True))
    with pytest.raises(InputError, match="a folder as `train fit` wrote it"):
        prepare(tmp_path / "cu.extxyz", folder, tmp_path / "s")
    with pytest.raises(InputError, match="a folder as `train fit` wrote it"):
        prepare(tmp_path / "cu.extxyz", tmp_path, tmp_path / "s")
