"""How near atoms are, by their covalent radii."""

import pytest
from ase.build import bulk

from gibbsflow.potential.explore.distances import shortest_distance


def test_shortest_distance_is_relative_to_covalent_radii():
    share, pair = shortest_distance(bulk("Cu"))
    assert share == pytest.approx(2.553 / 2.64, abs=0.01)
    assert pair.startswith("Cu-Cu 2.55")
