from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from ase import Atoms

from gibbsflow.config.potential import Audit, Labels
from gibbsflow.potential.data.known_labels import KnownLabel
from gibbsflow.potential.validate.labels.audited import Audited, audited
from gibbsflow.potential.validate.labels.single_checks import check_alone

GOOD: dict[str, Any] = {"energy": -8.0, "forces": np.array([[1.0, 0, 0], [-1.0, 0, 0]]), "stress": np.full(6, 0.1)}
RUN = {"status": "labelled", "physics_changed": False}


def checked(result: dict[str, Any] = RUN, cell: float = 4.0, **figures: Any) -> Audited:
    atoms = Atoms("Cu2", [[0, 0, 0], [2.2, 0, 0]], cell=[cell] * 3, pbc=True, info={"gibbsflow_id": "gf-1"})
    (one,) = audited([KnownLabel(atoms, {**GOOD, **figures}, "emt-1", result)])
    check_alone(one, Audit(), Labels())
    return one


def test_a_label_that_is_right_has_figures_and_no_reason() -> None:
    one = checked()
    assert one.reasons == {}
    assert one.figures["energy_ev_per_atom"] == -4.0 and one.figures["largest_force_ev_per_angstrom"] == 1.0
    assert one.figures["net_force_ev_per_angstrom"] == 0.0
    assert one.figures["largest_stress_gpa"] == pytest.approx(16.02, abs=0.01)


@pytest.mark.parametrize(
    ("check", "words", "given"),
    [
        ("net_force", "0.05 eV/Å an atom, 0.02 are allowed", {"forces": np.array([[1.1, 0, 0], [-1.0, 0, 0]])}),
        ("threshold", "largest force 200.0 eV/Å", {"forces": np.array([[200.0, 0, 0], [-200.0, 0, 0]])}),
        ("stress", "a stress of 1282 GPa", {"stress": np.array([0, 0, 0, 8.0, 0, 0])}),
        ("stress", "not symmetric", {"stress": np.array([[0.1, 0.05, 0], [0.01, 0.1, 0], [0, 0, 0.1]])}),
        ("convergence", "stress not finite", {"stress": np.full(6, np.nan)}),
        ("convergence", "energy not finite", {"energy": np.inf}),
        ("convergence", "without a stress", {"stress": None}),
        (
            "convergence",
            "changed physics: smearing",
            {"result": {"physics_changed": True, "corrections": ["smearing"]}},
        ),
        ("convergence", "its run says failed: UNCONVERGED", {"result": {"status": "failed", "cause": "UNCONVERGED"}}),
    ],
)
def test_each_fault_has_its_reason(check: str, words: str, given: dict[str, Any]) -> None:
    reasons = checked(**given).reasons
    assert list(reasons) == [check] and words in reasons[check]


def test_labels_of_another_program_may_have_no_stress() -> None:
    assert checked(result={}, stress=None).reasons == {}
