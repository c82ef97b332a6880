"""A living process of the foundation model: answers, failures, waits; and the real one where it is installed."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111
from foundation_models import needs_model, stand_in

from gibbsflow.engines.foundation import session
from gibbsflow.errors import EngineError, InputError

_ECHO = """
import numpy as np
while (message := receive(requests)) is not None:
    number = float(message[1]["numbers"][0])
    send(out, {}, {"energy": np.float64(np.nan if number == 1 else number), "forces": np.zeros((1, 3)),
                   "stress": np.arange(6.0)})
"""


def test_one_process_answers_many_structures(monkeypatch):
    stand_in(monkeypatch, _ECHO)
    with session.Model("0.3.0") as model:
        first = model.process.pid
        assert [model.predict(Atoms(s))[0] for s in ("Si", "Ge")] == [14.0, 32.0]
        assert model.predict(Atoms("Si"))[2] is None  # no stress without a cell
        assert model.predict(Atoms("Si", cell=[3, 3, 3], pbc=True))[2] == pytest.approx(np.arange(6))
        with pytest.raises(EngineError, match="figures of H are not finite"):
            model.predict(Atoms("H"))
        with pytest.raises(InputError, match="does not know Cm"):
            model.predict(Atoms("Cm"))
        assert model.process.pid == first
        assert model.record["lock_sha256"] == "0" * 64
    assert model.process.returncode == 0


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("receive(requests); sys.exit('boom: no such error')", "ended with code 1: boom: no such error"),
        ("receive(requests); send(out, {'error': 'ValueError: so'}, {})", "failed: ValueError: so"),
        ("receive(requests); out.write(b'1234'); out.flush()", "ended with code 0"),
        ("import os; receive(requests); os.kill(os.getpid(), 9)", "code -9: out of memory, perhaps"),
    ],
)
def test_what_ends_it_is_told(monkeypatch, script, message):
    stand_in(monkeypatch, script)
    with pytest.raises(EngineError, match=message), session.Model("0.3.0") as model:
        model.predict(Atoms("Si"))


def test_waits_are_bounded_and_can_be_ended(monkeypatch):
    stand_in(monkeypatch, "time.sleep(100)")
    model = session.Model("0.3.0")
    with pytest.raises(EngineError, match=r"ran over its 0 s"):
        model.answer(0.1)
    assert model.process.poll() is not None

    def _stop():
        raise KeyboardInterrupt

    with session.Model("0.3.0") as model:
        model.check = _stop
        with pytest.raises(KeyboardInterrupt):
            model.answer(100)
        assert model.process.poll() is None  # it would have gone on: the wait alone was ended
        model.process.kill()


@pytest.mark.parametrize(
    "atoms", [Atoms("H2", positions=[[0, 0, 0], [0, 0, 9.0]]), fcc111("Cu", (1, 1, 2), vacuum=5.0)]
)
def test_images_that_are_added_are_beyond_the_cutoff(atoms):
    cell = session.periodic_cell(atoms)
    closed = Atoms(atoms.numbers, atoms.get_positions(), cell=cell, pbc=True)
    apart = closed.get_all_distances(mic=False)
    for axis in np.flatnonzero(~atoms.pbc):
        for shift in (-1, 1):
            image = closed.get_positions() + shift * cell[axis]
            away = np.linalg.norm(closed.get_positions()[:, None] - image[None], axis=2)
            assert away.min() > session.CUTOFF_ANGSTROM
    assert cell[atoms.pbc] == pytest.approx(atoms.cell[atoms.pbc])
    assert apart == pytest.approx(atoms.get_all_distances())


@needs_model
@pytest.mark.slow
def test_forces_and_stress_are_derivatives_of_the_energy():
    atoms = bulk("NaCl", "rocksalt", a=5.6)
    atoms.rattle(0.1, seed=3)
    with session.Model("0.3.0") as model:
        energy, forces, stress = model.predict(atoms)
        assert energy / 2 == pytest.approx(-3.66, abs=0.1)  # as CHGNet's own StructureOptimizer has it
        step = 0.01
        moved = [atoms.copy(), atoms.copy()]
        for sign, copy in zip((1, -1), moved, strict=True):
            copy.positions[0, 0] += sign * step
        up, down = (model.predict(copy, forces=False)[0] for copy in moved)
        assert forces[0, 0] == pytest.approx(-(up - down) / (2 * step), abs=2e-3)
        strained = []
        for sign in (1, -1):
            copy = atoms.copy()
            copy.set_cell(atoms.cell[:] @ (np.eye(3) + sign * 1e-3 * np.diag([0, 0, 1])), scale_atoms=True)
            strained.append(model.predict(copy, forces=False)[0])
        assert stress[2] == pytest.approx((strained[0] - strained[1]) / 2e-3 / atoms.get_volume(), abs=2e-4)
        molecule = Atoms("OH2", positions=[[0, 0, 0], [0, 0.76, 0.59], [0, -0.76, 0.59]])
        boxed = molecule.copy()
        boxed.set_cell([20, 20, 20])
        boxed.pbc = True
        assert model.predict(molecule)[0] == pytest.approx(model.predict(boxed)[0], abs=1e-4)
