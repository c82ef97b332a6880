from __future__ import annotations

import json

import pytest

from gibbsflow.potential.label.recovery.corrections import Case, Handler
from gibbsflow.potential.label.recovery.scf_outcome import Outcome, ScfError
from gibbsflow.potential.label.recovery.scf_settings import ScfSettings
from gibbsflow.potential.label.recovery.supervision import HANDLERS, Recovery

OWN = ScfSettings(80, 0.7)
STUCK = (1e-2,) * 20


def failed(error: ScfError = "UNCONVERGED", accuracies: tuple[float, ...] = STUCK) -> Outcome:
    return Outcome(error, f"{error} it said", 2, accuracies, bands=8, density=True)


def climb(recovery: Recovery, outcome: Outcome, scf: ScfSettings = OWN) -> list[str]:
    while (following := recovery.next(scf, outcome)) is not None:
        scf = following
    return [entry["handler"] for entry in recovery.audit]


def test_neutral_corrections_come_before_those_that_change_the_physics() -> None:
    recovery = Recovery(Case(OWN, free_moment_ub=2.0), 50)
    handlers = climb(recovery, failed())
    assert handlers == [
        "mixing_ladder", "mixing_ladder", "mixing_ladder", "local_screening", "mixing_ladder", "mixing_ladder",
        "wider_smearing", "mixing_ladder", "wider_smearing", "held_moment",
    ]  # fmt: skip
    assert [entry["changes_physics"] for entry in recovery.audit] == [False] * 6 + [True] * 4
    assert recovery.end == "EXHAUSTED"
    assert recovery.corrections[:4] == [
        "mixing_beta 0.4 from its charge density", "mixing_beta 0.2 from its charge density",
        "mixing_beta 0.1 from its charge density", "mixing_mode local-TF, mixing_ndim 12 from its charge density",
    ]  # fmt: skip


def test_the_trail_says_what_was_wrong_what_was_done_and_what_was_kept() -> None:
    recovery = Recovery(Case(OWN), 8)
    recovery.next(OWN, failed("S_MATRIX"))
    assert json.loads(json.dumps(recovery.audit)) == [
        {
            "run": 1, "error": "S_MATRIX", "message": "S_MATRIX it said", "handler": "diagonalization",
            "action": "diagonalization paro",
            "changes": {"diagonalization": ["david", "paro"], "from_density": [False, True]},
            "kept": "charge density", "changes_physics": False, "count": 1,
        }
    ]  # fmt: skip


def test_each_handler_and_all_together_have_a_limit() -> None:
    recovery = Recovery(Case(OWN), 2)
    assert climb(recovery, failed()) == ["mixing_ladder"] * 2 and recovery.end == "LIMIT"
    assert climb(none := Recovery(Case(OWN), 0), failed()) == [] and none.end == "LIMIT"
    for_ever = Handler("for_ever", frozenset({"UNCONVERGED"}), 3, lambda attempt: attempt.change("again"))
    recovery = Recovery(Case(OWN), 50, [for_ever])
    assert climb(recovery, failed()) == ["for_ever"] * 3 and recovery.end == "EXHAUSTED"
    assert [entry["count"] for entry in recovery.audit] == [1, 2, 3]


@pytest.mark.parametrize("error", ["STRUCTURE", "PSEUDO", "KILLED", "CRASH", "MACHINE", "STORAGE"])
def test_what_nothing_mends_ends_at_once(error: ScfError) -> None:
    recovery = Recovery(Case(OWN), 8)
    assert recovery.next(OWN, failed(error)) is None
    assert (recovery.end, recovery.audit) == ("NO_CORRECTION", [])


def test_there_is_an_end_to_every_error() -> None:
    errors = set().union(*(handler.errors for handler in HANDLERS))
    assert len({handler.name for handler in HANDLERS}) == len(HANDLERS)
    for error in errors:
        for accuracies in (STUCK, tuple(10.0**-n for n in range(20))):
            outcome = Outcome(error, "", 1, accuracies, bands=8, density=True, restartable=True)
            recovery = Recovery(Case(OWN, True, 1.0), 1000)
            climb(recovery, outcome)
            assert len(recovery.audit) < 30, error


def test_only_a_mixing_that_mended_alone_serves_others() -> None:
    assert not Recovery(Case(OWN), 9).mended_mixing
    for most, mended in ((1, True), (7, False)):  # the seventh widens the smearing
        recovery = Recovery(Case(OWN), most)
        climb(recovery, failed())
        assert recovery.mended_mixing is mended
    steps = Recovery(Case(OWN), 1)
    climb(steps, failed(accuracies=tuple(10.0**-n for n in range(20))))
    assert not steps.mended_mixing
