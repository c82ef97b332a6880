"""The network as its program sees it, where its environment is installed."""

import subprocess

import numpy as np
import pytest
from foundation_models import needs_model

import gibbsflow
from gibbsflow.engines.foundation.environment import find_environment
from gibbsflow.engines.foundation.session import Model
from gibbsflow.errors import EngineError

pytestmark = [needs_model, pytest.mark.slow]

_CHECK = """
import sys
sys.path.append(sys.argv[1])
import pathlib
from gibbsflow.engines.foundation.elements import ELEMENTS
from gibbsflow.engines.foundation.program import network
model = network.load("0.3.0")
from ase.data import chemical_symbols
# r2SCAN's energies of the composition are zero but for rounding where its data had no such element; ytterbium neither
fitted = network.load("r2scan").composition_model.fc.weight.detach().numpy()[0]
seen = {chemical_symbols[k + 1] for k, energy in enumerate(fitted) if abs(energy) > 1e-9}
assert seen | {"Yb"} == set(ELEMENTS), seen ^ set(ELEMENTS)
network.save(pathlib.Path(sys.argv[2]), model.state_dict())
back = network.load("0.3.0", pathlib.Path(sys.argv[2]))
assert all((a == b).all() for a, b in zip(model.state_dict().values(), back.state_dict().values()))
"""


def test_its_elements_are_those_of_the_table_and_parameters_come_back(tmp_path):
    root = gibbsflow.__path__[0].rpartition("/")[0]
    command = [str(find_environment().python), "-P", "-s", "-c", _CHECK, root, str(tmp_path / "a.npz")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr


def test_parameters_of_another_network_are_refused(tmp_path):
    np.savez(tmp_path / "other.npz", weight=np.zeros(3))
    with pytest.raises(EngineError, match="other.npz"):
        Model("0.3.0", tmp_path / "other.npz")
