from __future__ import annotations

import pytest

from gibbsflow.errors import StateError
from gibbsflow.potential.data.formats.statuses import TRANSITIONS, RowStatus, check_transition


def test_every_status_has_its_row_and_one_is_final() -> None:
    assert set(TRANSITIONS) == set(RowStatus)
    assert {status for status, following in TRANSITIONS.items() if not following} == {"rejected"}


def test_every_status_can_be_reached_from_the_first() -> None:
    reached = {RowStatus.PENDING}
    while more := {new for old in reached for new in TRANSITIONS[old]} - reached:
        reached |= more
    assert reached == set(RowStatus)


@pytest.mark.parametrize("old", list(RowStatus))
@pytest.mark.parametrize("new", list(RowStatus))
def test_only_listed_transitions(old: RowStatus, new: RowStatus) -> None:
    if new in TRANSITIONS[old]:
        check_transition("x", old, new)
    else:
        with pytest.raises(StateError, match=f"x: {old} cannot become {new}"):
            check_transition("x", old, new)
