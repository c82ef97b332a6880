"""A surrogate's settings: whole, or refused; and unsaid where there is none."""

import pytest

from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.errors import InputError


def test_none_is_left_unsaid() -> None:
    config = PotentialConfig.from_mapping({"elements": ["Si"]}, where="here")
    assert "surrogate" not in config.model_dump(mode="json")


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"model": "classical"}, "pair_style"),
        ({"model": "classical", "pair_style": "sw"}, "pair_file"),
        ({"model": "tblite", "pair_style": "sw"}, "no effect"),
        ({"model": "classical", "pair_style": "lj/cut", "pair_file": "a"}, "sw"),
        ({"model": "tblite", "max_force_ev_per_angstrom": -1}, "a number > 0"),
    ],
)
def test_half_a_surrogate_is_refused(given: dict[str, object], word: str) -> None:
    with pytest.raises(InputError, match=word):
        PotentialConfig.from_mapping({"elements": ["Si"], "surrogate": given}, where="here")
