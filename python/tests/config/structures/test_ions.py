from __future__ import annotations

import pytest

from gibbsflow.config.structures.ions import ionic, opposite


@pytest.mark.parametrize("elements", ["Mg O", "Ga N", "Si O", "Na Cl", "Sr Ti O", "Ca F Cl", "Zn S"])
def test_metals_and_formers_of_anions_are_ionic(elements: str) -> None:
    assert ionic(elements.split())


@pytest.mark.parametrize("elements", ["Ga As", "Si C", "Li H", "C O", "Cu Au", "O", "Na", "Na O H", "", "S O"])
def test_others_are_not(elements: str) -> None:
    assert not ionic(elements.split())


def test_opposite_are_a_metal_and_a_former_of_anions() -> None:
    assert opposite("Mg", "O") and opposite("O", "Mg")
    assert not any(opposite(*pair) for pair in (("Mg", "Al"), ("O", "S"), ("O", "H"), ("C", "Mg"), ("O", "O")))
