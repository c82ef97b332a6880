"""The benchmark of coverage: its legs have the energies that its quadrature is of, and run by `fe run`."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from gibbsflow.binding.alchemy.alchemical_leg import AlchemicalLeg
from gibbsflow.binding.sample.contexts import StateContexts
from gibbsflow.binding.sample.sampling import leg_systems
from gibbsflow.engines.openmm_engine import OPENMM

HERE = Path(__file__).parents[3] / "benchmarks" / "coverage"


def load(name):
    """A module of the benchmark, which is no package."""
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


systems, run = load("systems"), load("run")


@pytest.mark.parametrize("name", systems.TOYS)
def test_legs_have_the_energies_of_the_quadrature(tmp_path, name):
    toy = systems.TOYS[name]
    leg = AlchemicalLeg.read(toy.write_leg(name, tmp_path, exchange=True, samples=2, discarded=0))
    states = StateContexts(leg_systems(leg, OPENMM), leg.md, 1, OPENMM)
    off = []
    for start in (*toy.starts_angstrom, (1.0, -2.0, 2.5)):
        places = np.array([*toy.host_angstrom, start])
        own = [float(toy.u_kt(places[-1], state)) for state in toy.states]
        off.append(states.reduced_potentials(places / 10, 0) - own)
    assert np.ptp(off) < 1e-4  # the fixed atoms' own energy is one constant


def test_the_quadrature_has_what_is_known_in_closed_form():
    assert systems.TOYS["harmonic"].truth_kt == pytest.approx(1.5 * np.log(20), abs=1e-6)


def test_a_seed_is_the_same_again_and_found_in_its_file(tmp_path):
    out = tmp_path / "seeds.csv"
    run.SAMPLES = 40
    run.sample(out, 3, 1, [("harmonic", True)])
    before = out.read_text()
    run.sample(out, 3, 1, [("harmonic", True)])
    assert out.read_text() == before and before.count("\n") == 2
    (row,) = run.read(out)["harmonic", True]
    assert row["low95_kt"] < row["dg_kt"] < row["high95_kt"] and abs(row["dg_kt"] - row["truth_kt"]) < 2
