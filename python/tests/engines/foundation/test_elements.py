"""Elements that CHGNet has seen."""

import pytest

from gibbsflow.engines.foundation.elements import ELEMENTS, refuse_unknown
from gibbsflow.errors import InputError


def test_they_are_those_of_its_data():
    assert len(ELEMENTS) == 89 and {"H", "Pu", "Ac"} <= set(ELEMENTS)
    refuse_unknown(ELEMENTS, "here")


def test_others_are_refused_by_name_and_row():
    with pytest.raises(InputError, match=r"train, row 7: CHGNet does not know Po, Am \(right: elements up to Pu"):
        refuse_unknown(["Si", "Am", "Po", "Am"], "train", row=7)
