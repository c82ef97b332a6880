from __future__ import annotations

import pytest

from gibbsflow.potential.label.recovery.corrections import Attempt, Case, Handler
from gibbsflow.potential.label.recovery.scf_outcome import Outcome
from gibbsflow.potential.label.recovery.scf_settings import ScfSettings

SCF = ScfSettings(80, 0.7, restart=True)


def attempt(*, density: bool, accuracies: tuple[float, ...] = (1.0, 0.1)) -> Attempt:
    return Attempt(SCF, Outcome("UNCONVERGED", "", 2, accuracies, density=density), Case(SCF))


@pytest.mark.parametrize(
    ("density", "accuracies", "kept"),
    [(True, (1.0, 0.1), "charge density"), (True, (0.1, 1.0), "nothing"), (False, (1.0, 0.1), "nothing")],
)
def test_a_change_keeps_the_density_where_it_is_worth_it(
    density: bool, accuracies: tuple[float, ...], kept: str
) -> None:
    correction = attempt(density=density, accuracies=accuracies).change("less", beta=0.4)
    assert (correction.scf.beta, correction.scf.restart, correction.kept) == (0.4, False, kept)
    assert attempt(density=True).change("anew", from_density=False).kept == "nothing"


def test_a_handler_knows_its_errors_and_where_it_applies() -> None:
    handler = Handler("one", frozenset({"BROYDEN"}), 1, lambda attempt: None)
    failed = Attempt(SCF, Outcome("BROYDEN", "", 1), Case(SCF))
    assert handler.check(failed) and not handler.check(attempt(density=True))
    nowhere = Handler("two", frozenset({"BROYDEN"}), 1, lambda attempt: None, lambda attempt: attempt.case.anisotropic)
    assert not nowhere.check(failed) and nowhere.check(Attempt(SCF, failed.outcome, Case(SCF, anisotropic=True)))
