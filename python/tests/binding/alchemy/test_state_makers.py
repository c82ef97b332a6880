"""Makers of λ states: one for each engine, and each gives the parent back at full coupling."""

import host_guest as hg
import pytest

from gibbsflow.binding.alchemy.schedules import LambdaState
from gibbsflow.binding.alchemy.state_makers import STATE_MAKERS
from gibbsflow.config.binding import Md
from gibbsflow.engines.md_engines import MD_ENGINES


def test_every_engine_has_one():
    assert STATE_MAKERS.keys() == MD_ENGINES.keys()


@pytest.mark.parametrize("name", STATE_MAKERS)
def test_the_coupled_state_has_the_energy_of_the_parent(name):
    md, engine, make = Md(), MD_ENGINES[name](), STATE_MAKERS[name]()
    parent = engine.system(hg.data("ligand.prmtop"), md)
    energies = []
    for system in (
        parent,
        make(parent, range(30), LambdaState(0, 1, 1)),
        make(parent, range(30), LambdaState(0, 0, 0)),
    ):
        simulation = engine.simulation(system, md, 1)
        simulation.place(hg.positions_nm("ligand"))
        energies.append(simulation.potential_kj_per_mol())
    whole, coupled, decoupled = energies
    assert coupled == pytest.approx(whole, abs=1e-3) and abs(decoupled - whole) > 10
