from __future__ import annotations

import numpy as np
import pytest

from gibbsflow.config.potential import Generator, Target
from gibbsflow.potential.generators import surfaces
from gibbsflow.potential.generators.parents import parents

SI = Target(elements=("Si",))


def test_surfaces_have_vacuum() -> None:
    settings = Generator(surface_indices=((1, 1, 1), (1, 0, 0)), surface_layers=2)
    made = surfaces.make(parents(SI, settings), SI, settings)
    assert [slab.info["miller"] for slab in made] == ["(1)(1)(1)", "(1)(0)(0)"]
    for slab in made:
        assert slab.pbc.all()
        assert slab.cell.lengths()[2] - np.ptp(slab.positions[:, 2]) == pytest.approx(10.0, abs=1e-6)


def test_the_area_is_that_of_the_plane() -> None:
    settings = Generator(surface_indices=((1, 0, 0),))
    (silicon,) = parents(SI, settings)
    (slab,) = surfaces.make([silicon], SI, settings)
    area = np.linalg.norm(np.cross(slab.cell[0], slab.cell[1]))
    assert area == pytest.approx(silicon.cell.lengths()[0] ** 2, rel=1e-6)
