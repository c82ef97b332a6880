"""The zero of the energies."""

import pytest
from labelled_sets import bare_frame

from gibbsflow.potential.train.shared.atomic_energies import reference_energies


def test_isolated_atoms_set_the_references():
    given = (("Cu", -1.5, "isolated_atom"), ("Au", -2.5, "IsolatedAtom"), ("CuAu", -11.0))
    frames = [bare_frame(*one) for one in given]
    references = reference_energies(frames, ("Au", "Cu"))
    assert references.energy_ev == {"Au": -2.5, "Cu": -1.5}
    assert references.source == "isolated atoms"
    assert references.of(frames[2]) == -4.0


def test_references_are_fitted_otherwise():
    frames = [bare_frame(f"Cu{i}Au{j}", -3.0 * i - 4.0 * j) for i, j in ((1, 3), (2, 2), (3, 1))]
    references = reference_energies(frames, ("Au", "Cu"))
    assert references.energy_ev == pytest.approx({"Au": -4.0, "Cu": -3.0})
    assert references.source == "least squares"


def test_references_where_composition_never_varies():
    water = [bare_frame("OH2", -30.0 - 0.01 * i) for i in range(3)]
    references = reference_energies(water, ("H", "O"))
    assert references.of(water[1]) == pytest.approx(-30.01)
