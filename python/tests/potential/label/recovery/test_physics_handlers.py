from __future__ import annotations

import pytest

from gibbsflow.potential.label.recovery.corrections import Attempt, Case, Correction
from gibbsflow.potential.label.recovery.physics_handlers import PHYSICS_HANDLERS
from gibbsflow.potential.label.recovery.scf_outcome import Outcome, ScfError
from gibbsflow.potential.label.recovery.scf_settings import ScfSettings

SCF = ScfSettings(80, 0.1, mode="local-TF", history=12, from_density=True)
HANDLERS = {handler.name: handler for handler in PHYSICS_HANDLERS}


def correct(
    name: str, error: ScfError, scf: ScfSettings = SCF, moment: float | None = None,
    earlier: tuple[ScfSettings, ...] = (),
) -> Correction | None:  # fmt: skip
    attempt = Attempt(scf, Outcome(error, "", 2, (1.0, 0.1), density=True), Case(SCF, False, moment), earlier)
    return HANDLERS[name].correct(attempt) if HANDLERS[name].check(attempt) else None


def test_a_smearing_widens_twice_and_is_named() -> None:
    first = correct("wider_smearing", "UNCONVERGED")
    second = correct("wider_smearing", "UNCONVERGED", earlier=(SCF, first.scf))
    assert (first.scf.widening, second.scf.widening) == (2.0, 5.0) and first.scf.changes_physics
    assert (first.kept, first.scf.mode, first.scf.beta) == ("nothing", "plain", 0.4)
    assert "changes the physics" in first.action
    assert correct("wider_smearing", "UNCONVERGED", earlier=(SCF, first.scf, second.scf)) is None


def test_a_free_moment_is_held_also_at_zero() -> None:
    assert correct("held_moment", "UNCONVERGED") is None
    for moment in (0.0, 2.2):
        held = correct("held_moment", "UNCONVERGED", moment=moment)
        assert held is not None and held.scf.changes_physics and held.scf.fixed_moment_ub == moment


@pytest.mark.parametrize("changes", [{"widening": 2.0}, {"fixed_moment_ub": 2.2}])
def test_the_reference_comes_after_what_changed_it(changes: dict[str, float]) -> None:
    changed = ScfSettings(80, 0.4, **changes)
    back = correct("reference", "CHANGED_PHYSICS", changed)
    assert back is not None and not back.scf.changes_physics
    assert (back.kept, back.scf.beta, back.scf.steps) == ("charge density", 0.2, 120)
    assert correct("reference", "UNCONVERGED", changed) is None


@pytest.mark.parametrize("error", ["STRUCTURE", "OUT_OF_MEMORY", "OUT_OF_WALLTIME", "CRASH", "NOT_ORTHOGONAL"])
def test_physics_is_not_changed_for_what_it_would_not_mend(error: ScfError) -> None:
    assert all(correct(name, error, moment=2.0) is None for name in HANDLERS)
