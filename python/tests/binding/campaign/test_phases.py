"""The phases: their order in each mode, and that whoever carries them out knows them."""

import re
from pathlib import Path
from typing import get_args

import pytest
import yaml

from gibbsflow.binding.alchemy.protocols import PROTOCOLS, mode_of_legs
from gibbsflow.binding.campaign import phases
from gibbsflow.binding.campaign.run_local import LocalRun
from gibbsflow.binding.system import SimSystem
from gibbsflow.cli.gibbsflow import verbs
from gibbsflow.cli.launch_checks import CHECKS
from gibbsflow.config.binding import Launch
from gibbsflow.config.modes import MODES, Mode

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


def test_every_mode_of_the_binding_half_has_its_row_in_each_table():
    assert tuple(MODES) == get_args(Mode)
    of_binding = {mode for mode, row in MODES.items() if row.half == "binding"}
    assert phases.PIPELINES.keys() == of_binding
    sampled = {mode for mode, pipeline in phases.PIPELINES.items() if any(step.verb == "fe run" for step in pipeline)}
    assert PROTOCOLS.keys() == sampled and mode_of_legs("md") in PROTOCOLS
    assert {mode for mode in of_binding if MODES[mode].free_energies} == sampled
    assert all(MODES[mode].title and MODES[mode].items for mode in of_binding)
    assert all(row.results and row.text and row.needs and row.half in CHECKS for row in MODES.values())


@pytest.mark.parametrize("mode", phases.PIPELINES)
def test_run_local_carries_out_every_phase_of_every_mode(mode):
    local = LocalRun(Launch.model_validate({"run": {"mode": mode}}), (), {})
    assert local.runners().keys() >= {step.name for step in phases.PIPELINES[mode]}
    assert local.pipeline is phases.PIPELINES[mode] and phases.CAMPAIGN_VERB in verbs()


def test_main_gives_settings_to_each_process_that_reads_some():
    root = MODULES.parent
    parts = [root / "workflows" / "binding" / "main.nf", root / "subworkflows" / "transformations" / "main.nf"]
    asked = {name for part in parts for name in re.findall(r"settings\.([A-Z_]+)", part.read_text())}
    given = set(re.findall(r"([A-Z_]+): settings\(", (root / "main.nf").read_text()))
    assert asked == given and len(asked) > 4
