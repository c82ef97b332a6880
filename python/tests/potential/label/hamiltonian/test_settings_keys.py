from __future__ import annotations

import shutil

import pytest
from loop_states import config

from gibbsflow.potential.label.engines import ENGINES, make_engine
from gibbsflow.potential.label.hamiltonian import settings_keys


@pytest.mark.parametrize("engine", sorted(ENGINES))
def test_a_key_is_that_of_the_engine(engine: str) -> None:
    if engine == "quantum_espresso" and shutil.which("pw.x") is None:
        pytest.skip("no pw.x")
    if engine == "gpaw":
        pytest.importorskip("gpaw_data")
    dft = {"pseudo_library": "gth"} if engine == "quantum_espresso" else {}
    plan = config(engine=engine, dft=dft)
    elements = ["Si", "Ge"]
    made = make_engine(elements, plan.dft, plan.labels)
    assert ENGINES[plan.dft.engine].key(elements, plan.dft) == made.settings_hash


def test_pseudopotentials_tell_a_key_without_the_program() -> None:
    plan = config(engine="quantum_espresso", dft={"pseudo_library": "gth", "pw_command": "no-such-program"})
    one, two = (settings_keys.quantum_espresso(elements, plan.dft) for elements in (["Si"], ["Si", "Ge"]))
    assert one != two == settings_keys.quantum_espresso(["Ge", "Si", "Si"], plan.dft)
