"""ASE calculator of the untuned model."""

import numpy as np
import pytest
from ase import Atoms
from foundation_models import stand_in

from gibbsflow.engines.foundation.calculator import FoundationCalculator
from gibbsflow.errors import EngineError

_ONCE = """
import numpy as np
for _ in range(2):
    receive(requests)
    send(out, {}, {"energy": np.float64(-1.5), "forces": np.ones((1, 3)), "stress": np.arange(6.0)})
"""


def test_it_gives_what_the_process_gives_and_starts_another_where_that_has_died(monkeypatch):
    stand_in(monkeypatch, _ONCE)
    atoms = Atoms("Si", cell=[4, 4, 4], pbc=True)
    atoms.calc = FoundationCalculator()
    assert atoms.get_potential_energy() == -1.5
    assert atoms.get_stress() == pytest.approx(np.arange(6))
    first = atoms.calc._model.process.pid
    atoms.positions += 0.1
    assert atoms.get_forces() == pytest.approx(np.ones((1, 3)))
    assert atoms.calc._model.process.pid == first
    atoms.calc._model.process.wait(10)
    atoms.positions += 0.1
    atoms.get_forces()
    assert atoms.calc._model.process.pid != first
    atoms.calc.close()


def test_a_failure_is_told(monkeypatch):
    stand_in(monkeypatch, "receive(requests); send(out, {'error': 'RuntimeError: no'}, {})")
    atoms = Atoms("Si")
    atoms.calc = FoundationCalculator("r2scan")
    with pytest.raises(EngineError, match="RuntimeError: no"):
        atoms.get_potential_energy()
    atoms.calc.close()
