"""The phases: their order in each mode, and that whoever carries them out knows them."""

from pathlib import Path

import pytest
import yaml

from gibbsflow.binding.campaign import phases
from gibbsflow.binding.system import SimSystem
from gibbsflow.cli.gibbsflow import verbs

MODULES = Path(__file__).resolve().parents[4] / "modules"


def test_phases_of_the_design():
    assert [s.name for s in phases.ABFE] == [
        "system_prep",
        "param_ligands",
        "prepare_equil",
        "equil",
        "equil_analysis",
        "prepare_fe",
        "fe",
        "analysis",
    ]
    assert phases.ABFE["equil"].payload is SimSystem
    assert "minimise" in phases.ABFE["equil"].describe()


def test_md_only_stops_after_the_equilibration_analysis():
    assert list(phases.MD.steps)[-1].name == "equil_analysis"
    assert "fe" not in phases.MD.adjacency()


@pytest.mark.parametrize("step", list(phases.ABFE), ids=lambda step: step.name)
def test_each_phase_has_its_verb_and_its_process(step):
    assert step.verb in verbs()
    meta = yaml.safe_load((MODULES / step.verb.replace(" ", "/") / "meta.yml").read_text())
    assert meta["phase"] == step.name
