"""The protocol of engines: what they make has its methods, with the same words."""

import inspect

import pytest

from gibbsflow.engines.amber.amber_engine import AmberSimulation
from gibbsflow.engines.md_engine import Simulation, StateSimulation, Walker
from gibbsflow.engines.openmm_engine import OpenMmSimulation
from gibbsflow.engines.openmm_walkers import OpenMmWalker


@pytest.mark.parametrize(
    ("made", "protocol"),
    [
        (OpenMmSimulation, Simulation),
        (OpenMmSimulation, StateSimulation),
        (AmberSimulation, Simulation),
        (OpenMmWalker, Walker),
    ],
)
def test_engines_have_the_methods_of_their_protocol(made, protocol):
    methods = {name: function for name, function in vars(protocol).items() if inspect.isfunction(function)}
    named = {name: list(inspect.signature(function).parameters) for name, function in methods.items() if name[0] != "_"}
    assert named
    assert {name: list(inspect.signature(getattr(made, name)).parameters) for name in named} == named
