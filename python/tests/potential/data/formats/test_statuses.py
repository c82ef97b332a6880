from __future__ import annotations

import pytest

from gibbsflow.errors import StateError
from gibbsflow.potential.data.formats.statuses import TRANSITIONS, Status, check_transition


def test_every_status_has_its_row_and_two_are_final() -> None:
    assert set(TRANSITIONS) == set(Status)
    assert {status for status, following in TRANSITIONS.items() if not following} == {"labelled", "rejected"}


def test_every_status_can_be_reached_from_the_first() -> None:
    reached = {Status.PENDING}
    while more := {new for old in reached for new in TRANSITIONS[old]} - reached:
        reached |= more
    assert reached == set(Status)


@pytest.mark.parametrize("old", list(Status))
@pytest.mark.parametrize("new", list(Status))
def test_only_listed_transitions(old: Status, new: Status) -> None:
    if new in TRANSITIONS[old]:
        check_transition("x", old, new)
    else:
        with pytest.raises(StateError, match=f"x: {old} cannot become {new}"):
            check_transition("x", old, new)
