from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from pair_crystals import TOUCHING, Pairs, touching

from gibbsflow.errors import EngineError, NumericalError, UnconvergedError
from gibbsflow.potential.train.shared.metrics import Prediction
from gibbsflow.potential.validate.properties.plans import (
    Measured,
    all_relaxed,
    answered,
    asked,
    by_calculator,
    energy_of,
    relaxed,
)


def test_structures_relax_side_by_side() -> None:
    pairs = [Atoms("Cu2", [[0, 0, 0], [0, 0, d]]) for d in (2.4, 2.5, 2.7)]
    batches = []

    def counting(frames):
        batches.append(len(frames))
        return touching(frames)

    made = answered(all_relaxed(pairs, force_max=1e-3, steps=50), counting)
    assert [atoms.get_distance(0, 1) for atoms in made] == pytest.approx([TOUCHING] * 3, abs=1e-3)
    assert batches[0] == 3 and batches[1] == 2  # what is at rest is not asked for again
    assert pairs[0].get_distance(0, 1) == 2.4


def test_a_cell_relaxes_and_keeps_its_volume_where_it_must() -> None:
    start = bulk("Cu", "fcc", a=3.7)
    (free,) = answered(all_relaxed([start], force_max=1e-4, steps=50, cell="free"), touching)
    assert free.get_volume() == pytest.approx(TOUCHING**3 / 2**0.5, rel=1e-3)
    start.set_cell(start.cell.array @ np.diag([1.03, 1, 1]), scale_atoms=True)
    (shape,) = answered(all_relaxed([start], force_max=1e-3, steps=80, cell="shape"), touching)
    assert shape.get_volume() == pytest.approx(start.get_volume(), rel=1e-6)


def test_what_does_not_relax_ends_the_plan_unless_it_is_tolerated() -> None:
    far = Atoms("Cu2", [[0, 0, 0], [0, 0, 2.9]])
    with pytest.raises(UnconvergedError, match="Cu2 does not relax within 2 steps"):
        answered(all_relaxed([far], force_max=1e-3, steps=2), touching)
    assert answered(relaxed([far], force_max=1e-3, steps=2, tolerate=True), touching) == [None]


def test_numbers_that_are_not_finite_are_refused() -> None:
    def broken(frames):
        return [Prediction(float("nan"), np.zeros((len(frame), 3)), None) for frame in frames]

    frames = [Atoms("Cu2", [[0, 0, 0], [0, 0, 2.9]])]
    with pytest.raises(NumericalError, match="Cu2: energy or forces are not finite"):
        answered(asked(frames), broken)
    assert np.isnan(energy_of(answered(asked(frames, whatever=True), broken)[0]))


def test_what_is_measured_goes_through_a_file() -> None:
    measured = Measured({"a": 1.0, "b": float("nan")}, ("bad",), curves={"x": [1.0, float("inf")], "y": {"z": [2]}})
    kept = measured.finite()
    assert kept.values == {"a": 1.0} and kept.warnings == ("no finite b",) and kept.curves["x"] == [1.0, None]
    assert Measured.of_json(kept.as_json()) == kept


def test_a_calculator_whose_program_is_gone_is_ended() -> None:
    class Dying(Pairs):
        closed = False

        def calculate(self, *_):
            raise EngineError("lost atoms")

        def close(self):
            self.closed = True

    calculator = Dying()
    with pytest.raises(EngineError):
        by_calculator(calculator)([bulk("Cu")])
    assert calculator.closed
