"""The figures of a split carry their units."""

import pytest

from gibbsflow.binding.analyse.entropy.split import FIGURES, Split


def test_figures_in_kcal_per_mol():
    figures = Split(2.0, 0.5, -1.0, 0.25, 19.0).as_dict(0.6)
    assert tuple(figures) == FIGURES and list(figures.values()) == pytest.approx([1.2, 0.3, -0.6, 0.15])
