from __future__ import annotations

import pytest

from gibbsflow.config.potential import Dft, Target
from gibbsflow.config.section import read_section
from gibbsflow.errors import InputError


def test_composition_defaults_to_equal_parts_in_the_order_of_elements() -> None:
    assert Target(elements=("Ni", "Cu")).composition == {"Ni": 0.5, "Cu": 0.5}
    assert list(Target(elements=("Ni", "Cu"), composition={"Cu": 0.75, "Ni": 0.25}).composition) == ["Ni", "Cu"]


def test_all_problems_come_at_once() -> None:
    with pytest.raises(InputError) as error:
        read_section(Dft, {"degauss_ry": -1, "smearing": "none", "kspacing_per_angstrom": 0}, where="x")
    assert len(error.value.problems) == 3
