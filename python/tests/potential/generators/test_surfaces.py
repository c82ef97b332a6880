from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from ase import Atoms
from ase.spacegroup import crystal

from gibbsflow.config.potential import Generator, Target
from gibbsflow.config.structures.molecules import NON_METALS, parts
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


CO2 = crystal(["C", "O"], [(0, 0, 0), (0.118, 0.118, 0.118)], spacegroup=205, cellpar=[5.55, 5.55, 5.55, 90, 90, 90])
CALCITE = crystal(
    ["Ca", "C", "O"], [(0, 0, 0), (0, 0, 0.25), (0.257, 0, 0.25)], spacegroup=167,
    cellpar=[4.99, 4.99, 17.06, 90, 90, 120],
)  # fmt: skip


@pytest.mark.parametrize("plane", [(1, 0, 0), (1, 1, 0), (1, 1, 1), (2, 1, 0), (1, 0, 4)])
@pytest.mark.parametrize("solid", [CO2, CALCITE], ids=["CO2", "calcite"])
def test_molecules_and_molecular_ions_stay_whole(solid: Atoms, plane: tuple[int, int, int]) -> None:
    bonding = None if solid is CO2 else NON_METALS
    slab = surfaces.cut(solid, plane, 2, 10.0)
    found = parts(slab, bonding)
    assert set(found.sizes[found.sizes > 1]) == ({3} if solid is CO2 else {4})  # CO2, CO3
    assert set(found.sizes) == ({3} if solid is CO2 else {1, 4})
    symbols, of_solid = Counter(slab.symbols), Counter(solid.symbols)
    assert {symbol: count / len(slab) for symbol, count in symbols.items()} == pytest.approx(
        {symbol: count / len(solid) for symbol, count in of_solid.items()}
    )
    area = np.linalg.norm(np.cross(slab.cell[0], slab.cell[1]))
    spacing = 1 / np.linalg.norm(solid.cell.reciprocal().array.T @ np.array(plane))
    assert area * spacing * 2 / len(slab) == pytest.approx(solid.get_volume() / len(solid), rel=1e-6)
    assert slab.cell.lengths()[2] - np.ptp(slab.positions[:, 2]) == pytest.approx(10.0, abs=1e-6)
