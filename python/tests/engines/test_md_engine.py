"""Messages of an engine, with what was being done."""

import pytest

from gibbsflow.engines.md_engine import during
from gibbsflow.errors import NumericalError, StoppedEarly


def test_what_was_being_done_comes_first():
    with pytest.raises(NumericalError) as caught, during("heating"):
        raise NumericalError("Particle coordinate is NaN")
    assert str(caught.value) == "heating: Particle coordinate is NaN"


def test_other_errors_pass():
    with pytest.raises(StoppedEarly, match="^enough$"), during("heating"):
        raise StoppedEarly("enough")
