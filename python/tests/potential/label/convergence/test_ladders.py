from __future__ import annotations

import numpy as np
import pytest

from gibbsflow.errors import ScienceError
from gibbsflow.potential.data.labels import LabelResult
from gibbsflow.potential.label.convergence.ladders import Errors, Rung, climb, converged
from gibbsflow.units import GPA_PER_EV_PER_ANGSTROM3

STATED = Errors(1.0, 0.01, 0.1)


def labels(error: float) -> list[LabelResult]:
    """Of two atoms, whose energy is off by so many eV, forces and stress by a tenth of it in their units."""
    forces = np.array([[1.0, 0, 0], [-1.0, 0, 0]]) * (1 + error / 10)
    stress = np.full(6, error / 10 / GPA_PER_EV_PER_ANGSTROM3)
    return [
        LabelResult("gf-1", "labelled", energy_ev=-5.0 + error, forces_ev_per_angstrom=forces.tolist(),
                    stress_ev_per_angstrom3=stress.tolist(), wall_s=1.0)
    ]  # fmt: skip


def rung(value: float, error: float) -> Rung:
    return Rung({"cutoff": value}, labels(error))


def test_errors_are_the_largest_differences() -> None:
    found = rung(1, 0.5).against(rung(2, 0.1))
    assert found.energy_mev_per_atom == pytest.approx(200.0)
    assert found.force_ev_per_angstrom == pytest.approx(0.04) and found.stress_gpa == pytest.approx(0.04)
    assert found.within(Errors(200.1, 0.041, 0.041)) and not found.within(Errors(200.1, 0.039, 0.041))


def test_two_finer_rungs_must_agree() -> None:
    good = [rung(1, 0.5), rung(2, 0.001), rung(3, 0.0)]
    assert converged(good, STATED) is None
    assert converged([*good, rung(4, 0.0)], STATED) == 1
    # a rung that agrees with the finest by chance is none, where one between them does not
    assert converged([rung(1, 0.0), rung(2, 0.4), rung(3, 0.0), rung(4, 0.0), rung(5, 0.0)], STATED) == 2


def test_climbing_ends_at_the_first_that_is_converged() -> None:
    asked: list[float] = []

    def label(values: dict[str, float]) -> list[LabelResult]:
        asked.append(values["cutoff"])
        return labels(np.exp(-values["cutoff"]))

    seen: list[Rung] = []
    found = climb("cutoff", [{"cutoff": float(x)} for x in range(1, 20)], label, STATED, seen.append)
    # exp(-x) eV of two atoms: half a millielectronvolt an atom from 7 on
    assert found.values == {"cutoff": 7.0} and asked == [float(x) for x in range(1, 10)]
    assert [round(e.energy_mev_per_atom, 3) for e in found.errors[-3:]] == [0.394, 0.106, 0.0]
    assert seen[0].seconds == 1.0 and len(seen) == 9


def test_a_ladder_that_ends_too_early_says_how_far_it_is() -> None:
    with pytest.raises(ScienceError, match=r"cutoff: not converged up to cutoff 4: still .* meV/atom"):
        climb("cutoff", [{"cutoff": float(x)} for x in range(1, 5)], lambda v: labels(1 / v["cutoff"]), STATED)
