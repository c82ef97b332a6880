from __future__ import annotations

import pytest
from audited_labels import SETTINGS, displaced, strained

from gibbsflow.config.potential import Audit
from gibbsflow.potential.data.known_labels import KnownLabel
from gibbsflow.potential.validate.labels.audited import Audited, audited
from gibbsflow.potential.validate.labels.work_checks import check_work
from gibbsflow.units import GPA_PER_EV_PER_ANGSTROM3


def prepared(frames: list) -> list[Audited]:
    for number, frame in enumerate(frames):
        frame.info["gibbsflow_id"] = f"gf-{number}"
    return audited([KnownLabel(frame, frame.calc.results, SETTINGS) for frame in frames])


def culprits(found: list[Audited]) -> list[int]:
    return [number for number, one in enumerate(found) if one.reasons]


def test_right_labels_agree_with_each_other() -> None:
    found = prepared(displaced(20) + strained())
    told = check_work(found, Audit())
    assert culprits(found) == [] and told["pairs"] > 40
    assert sum(one.linked for one in found) >= len(found) - 5
    assert told["left_mev_per_atom"] < 20 and abs(told["stress_off_gpa"]) < 0.5


@pytest.mark.parametrize("what", ["stress", "energy"])
def test_a_strained_sibling_that_is_off_is_found_and_no_other(what: str) -> None:
    frames = strained()
    frames[6].calc.results[what] = (
        -frames[6].calc.results[what] if what == "stress" else frames[6].calc.results[what] + 0.4
    )
    found = prepared(frames)
    check_work(found, Audit())
    assert culprits(found) == [6] and not found[6].linked
    assert "meV/atom or more from what forces and stress say" in found[6].reasons["work"]


def test_forces_of_another_sign_are_found() -> None:
    frames = displaced(20)
    frames[4].calc.results["forces"] *= -3
    found = prepared(frames)
    check_work(found, Audit())
    assert culprits(found) == [4]


def test_what_all_stresses_are_off_holds_none_and_is_said() -> None:
    frames = strained()
    for frame in frames:
        frame.calc.results["stress"][:3] -= 5.0 / GPA_PER_EV_PER_ANGSTROM3  # as by Pulay's stress
    found = prepared(frames)
    assert check_work(found, Audit())["stress_off_gpa"] == pytest.approx(5.0, abs=0.3)
    assert culprits(found) == []


def test_two_labels_cannot_tell_which_is_wrong() -> None:
    frames = strained(3)
    frames[1].calc.results["energy"] += 4.0
    found = prepared(frames[:2])
    assert check_work(found, Audit()) == {"pairs": 1} and culprits(found) == []
