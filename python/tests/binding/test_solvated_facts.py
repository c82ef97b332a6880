"""Facts of chosen stages come back from JSON as they were."""

import json

from gibbsflow.binding.solvated_facts import StageFacts
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.equil_stages import Holds, StageSettings


def test_stages_travel_with_the_system(tmp_path):
    stage = StageSettings(name="cold", length_ps=2.0, hold=Holds(ligand=3.0), minimise_steps=5)
    system = SimSystem("x", tmp_path).with_facts(StageFacts(stages=(stage,)))
    system.write()
    assert SimSystem.read(tmp_path).facts(StageFacts).stages == (stage,)
    assert json.loads((tmp_path / "system.json").read_text())["meta"]["stages"][0]["hold"]["ligand"] == 3.0
