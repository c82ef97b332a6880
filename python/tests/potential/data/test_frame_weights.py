"""Weights of frames."""

import numpy as np
import pytest
from ase import Atoms

from gibbsflow.potential.data.frame_weights import FrameWeights, read_weights, refuse_other_weights
from gibbsflow.workflow.account import Account


@pytest.mark.parametrize(
    ("info", "weights"),
    [
        ({}, FrameWeights()),
        ({"config_weight": "2", "energy_weight": "3"}, FrameWeights(6, 2, 2)),
        ({"config_forces_weight": 0.5, "config_virials_weight": 0}, FrameWeights(1, 0.5, 0)),
        ({"force_weight": "0.1", "stress_weight": "4"}, FrameWeights(1, 0.1, 4)),
        ({"molecular_weight": "18.0"}, FrameWeights()),
    ],
)
def test_weights_multiply(info, weights):
    assert read_weights(Atoms("Cu", info=info)) == (weights, [])


@pytest.mark.parametrize("value", ["heavy", "-1", "nan", "1 2", "T"])
def test_weights_that_are_none_are_named(value):
    assert read_weights(Atoms("Cu", info={"config_weight": value}))[1][0][0] == "config_weight"


def test_weights_that_cannot_be_honoured_are_refused():
    account = Account("a.xyz")
    frames = [Atoms("Cu2", info={"weight": w, "energy_sigma": 0.01}) for w in (1.0, 2.0)]
    frames[1].arrays["forces_weight"] = np.array([1.0, 0.0])
    refuse_other_weights(frames, account)
    assert [problem.field for problem in account.of_weight("refuse")] == ["weight", "forces_weight"]
    assert "energy_sigma is 0.01 everywhere" in str(account.of_weight("note")[0])


def test_a_weight_of_some_frames_alone_is_not_that_of_all():
    for value, fields in ((2.0, ["weight"]), (1.0, [])):
        account = Account("a.xyz")
        refuse_other_weights([Atoms("Cu"), Atoms("Cu", info={"weight": value})], account)
        assert [problem.field for problem in account.of_weight("refuse")] == fields
