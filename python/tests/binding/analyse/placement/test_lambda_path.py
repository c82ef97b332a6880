"""Components of schedules, and what lies between two states."""

import itertools

import pytest

from gibbsflow.binding.alchemy.schedules import _shipped, check_schedule, read_schedule
from gibbsflow.binding.analyse.placement.lambda_path import as_mappings, between, components, way


def test_components_of_the_complex() -> None:
    found = components(as_mappings(read_schedule("complex_16")))
    assert [(part.title, part.first, part.last) for part in found] == [
        ("restraints", 0, 2),
        ("electrostatics", 2, 7),
        ("sterics", 7, 15),
    ]


def test_sterics_that_leap_with_the_last_charges_are_no_component() -> None:
    rows = as_mappings(read_schedule("solvent_6"))
    assert [(part.title, part.first, part.last) for part in components(rows)] == [("electrostatics", 0, 5)]
    assert list(between(rows[4], rows[5], 0.5).values()) == [0.0, 0.1, 1.0]


def test_an_edge_has_two_components_and_sdr_three() -> None:
    assert len(components(as_mappings(read_schedule("rbfe_11")))) == 2
    assert [part.title for part in components(as_mappings(read_schedule("sdr_41")))] == [
        "restraints + sterics_copy",
        "electrostatics",
        "sterics",
    ]


@pytest.mark.parametrize("name", _shipped())
def test_every_shipped_schedule_may_be_divided_anywhere(name) -> None:
    rows = as_mappings(read_schedule(name))
    finer = [rows[0]]
    for a, b in itertools.pairwise(rows):
        finer += [between(a, b, 0.3), between(a, b, 0.7), b]
    assert len(check_schedule(finer, where=name)) == 3 * len(rows) - 2


def test_the_way_is_the_sum_of_what_changes() -> None:
    a, b = as_mappings(read_schedule("rbfe_11"))[:2]
    assert way(a, b, ("lambda_core", "lambda_electrostatics")) == pytest.approx(0.3)
    assert between(a, b, 0.0) == a and between(a, b, 1.0) == b
