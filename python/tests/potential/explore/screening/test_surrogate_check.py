"""A surrogate is looked at before anything is run."""

from pathlib import Path

import pytest

from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.errors import InputError
from gibbsflow.potential.explore.screening.surrogate_check import check_surrogate
from gibbsflow.workflow.account import Account


def doubts(**surrogate: object) -> tuple[dict[str, str], list[str]]:
    content = {"elements": ["Si"], "engine": "tblite", "surrogate": surrogate}
    account = Account("si.yaml")
    return check_surrogate(PotentialConfig.from_mapping(content, where="si.yaml"), account), list(
        map(str, account.doubts)
    )


def test_limits_that_leave_nothing_out_are_doubts() -> None:
    told, said = doubts(model="last_generation", max_force_ev_per_angstrom=200.0)
    assert "first generation is not screened" in told["surrogate"]
    assert ["labels above 100" in said[0], "the selection refuses forces above 100" in said[1]] == [True, True]
    assert doubts(model="last_generation")[1] == []


def test_a_surrogate_that_is_what_labels_saves_nothing() -> None:
    assert "both tblite GFN1-xTB" in doubts(model="tblite")[1][0]
    told, said = doubts(model="tblite", tblite_method="GFN2-xTB")
    assert (told, said) == ({"surrogate": "tblite GFN2-xTB"}, [])


def test_none_is_asked_nothing_and_a_missing_one_is_refused(tmp_path: Path) -> None:
    assert doubts() == ({}, [])
    with pytest.raises(InputError, match=r"lost.sw, surrogate.pair_file: no such file"):
        doubts(model="classical", pair_style="sw", pair_file=str(tmp_path / "lost.sw"))
    with pytest.raises(InputError, match=r"lost, surrogate.potential: no such folder"):
        doubts(model="potential", potential=str(tmp_path / "lost"))
    with pytest.raises(InputError, match=r"surrogate.potential: no potential given"):
        doubts(model="potential")
