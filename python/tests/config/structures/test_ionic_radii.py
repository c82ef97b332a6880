"""Distances of ions beside measured lattice constants."""

from __future__ import annotations

import math

import pytest

from gibbsflow.config.structures.ionic_radii import distance_angstrom, neutral_fluorite


@pytest.mark.parametrize(
    ("crystal", "elements", "over_distance", "measured"),
    [
        ("rocksalt", ("Li", "F"), 2.0, 4.03), ("rocksalt", ("Cl", "K"), 2.0, 6.29),
        ("rocksalt", ("Ti", "N"), 2.0, 4.24), ("rocksalt", ("Ni", "O"), 2.0, 4.18),
        ("rocksalt", ("Pb", "Te"), 2.0, 6.46), ("cesiumchloride", ("Cs", "Cl"), 2 / math.sqrt(3), 4.12),
        ("fluorite", ("Ce", "O"), 4 / math.sqrt(3), 5.41), ("rocksalt", ("Li", "H"), 2.0, 4.084),
        ("rocksalt", ("H", "K"), 2.0, 5.704), ("rocksalt", ("Ti", "C"), 2.0, 4.328),
        ("rocksalt", ("U", "C"), 2.0, 4.961),
    ],
)  # fmt: skip
def test_ions_are_as_far_apart_as_in_crystals(
    crystal: str, elements: tuple[str, str], over_distance: float, measured: float
) -> None:
    distance = distance_angstrom(crystal, elements)
    assert distance is not None
    assert over_distance * distance == pytest.approx(measured, rel=0.055)


@pytest.mark.parametrize(
    ("crystal", "elements"),
    [
        ("rocksalt", ("Ti", "B")),
        ("zincblende", ("Zn", "S")),
        ("rocksalt", ("Zr", "O")),
        ("rocksalt", ("Na", "K")),
        ("fluorite", ("O", "Li")),
    ],
)
def test_what_is_not_known_is_left_to_others(crystal: str, elements: tuple[str, str]) -> None:
    assert distance_angstrom(crystal, elements) is None


def test_fluorites_are_neutral_in_one_order() -> None:
    there = [("Ca", "F"), ("Zr", "O"), ("O", "Li"), ("S", "Na"), ("Ca", "H")]
    assert all(neutral_fluorite(pair) and not neutral_fluorite(pair[::-1]) for pair in there)
    assert not any(neutral_fluorite(pair) for pair in [("Al", "Au"), ("Au", "Al"), ("F", "O"), ("Cl", "Ti")])
