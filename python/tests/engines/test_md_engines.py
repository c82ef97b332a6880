"""Engines by name: each answers to the name that it is found by."""

import host_guest as hg
import numpy as np
import pytest

from gibbsflow.config.binding import Md
from gibbsflow.engines.md_engines import MD_ENGINES, WHOLE_RUNS, engine_for
from gibbsflow.workflow.result import versions


@pytest.mark.parametrize("name", MD_ENGINES)
def test_each_engine_knows_its_name_and_its_programs(name):
    engine = MD_ENGINES[name]()
    assert engine.name == name
    assert versions(*engine.programs).keys() >= set(engine.programs)


def test_the_engine_of_the_settings():
    assert engine_for(Md()).name == Md().engine == "openmm"
    # it takes a window for a whole segment: what is asked step by step is OpenMM's
    assert WHOLE_RUNS not in MD_ENGINES and engine_for(Md(engine=WHOLE_RUNS, solvent="opc")).name == "openmm"


@pytest.mark.parametrize("name", MD_ENGINES)
def test_nonbonded_parameters_are_those_of_the_topology(name):
    md, engine = Md(), MD_ENGINES[name]()
    found = engine.nonbonded(engine.system(hg.data("ligand.prmtop"), md))
    assert (
        found.shape == (30, 3) and abs(found[:, 0].sum()) < 0.005
    )  # B2 has no charge, but for the rounding of its topology
    assert np.all(found[:, 1:] >= 0) and found[:, 2].max() < 2
