from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from ase.build import bulk, molecule

from gibbsflow.config.potential import Generator, Target
from gibbsflow.potential.data.structures import tag
from gibbsflow.potential.generators import rattles, strains, thermal
from gibbsflow.potential.generators.parents import parents
from gibbsflow.potential.label.plane_waves import foreign_mesh, k_mesh

SI = Target(elements=("Si",))
SETTINGS = Generator()


def test_strains_span_the_volumes() -> None:
    parent = parents(SI, SETTINGS)[0]
    made = strains.make([parent], SI, SETTINGS)
    volumes = [a.get_volume() / parent.get_volume() for a in made if a.info["strain_kind"] == "volume"]
    assert volumes == pytest.approx(np.linspace(0.9, 1.1, 7), abs=1e-6)
    shear = next(a for a in made if a.info["strain_kind"] == "shear")
    assert abs(shear.cell.angles() - 90).max() > 0.5


def test_uniaxial_strains_take_the_axes_in_turn_with_alternating_sign() -> None:
    parent = parents(SI, SETTINGS)[0]
    made = strains.make([parent], SI, Generator(cell_strain_max=0.03, cell_strain_count=3))
    ratios = [a.cell.lengths() / parent.cell.lengths() for a in made if a.info["strain_kind"] == "uniaxial"]
    assert np.array(ratios) == pytest.approx(np.diag([0.01, -0.02, 0.03]) + 1, abs=1e-6)


def test_a_deformed_cell_takes_its_atoms_along() -> None:
    silicon = bulk("Si", cubic=True)
    sheared = strains.deformed(silicon, [[0, 0.01, 0], [0.01, 0, 0], [0, 0, 0]])
    assert sheared.cell.angles()[2] == pytest.approx(90 - np.degrees(2 * np.arctan(0.01)))
    assert sheared.get_scaled_positions() == pytest.approx(silicon.get_scaled_positions())
    assert silicon.cell.angles()[2] == 90


def test_what_is_not_periodic_gives_nothing() -> None:
    water = tag(molecule("H2O", vacuum=5), "molecule", generator="test", seed=0)
    assert strains.make([water], Target(molecule="H2O"), SETTINGS) == []


@pytest.mark.parametrize("generator", [strains, rattles, thermal])
def test_deformed_copies_keep_the_mesh_of_their_parent(generator: ModuleType) -> None:
    """At a spacing where a little smaller, or larger, a cell of its own would step to another mesh."""
    (parent,) = parents(SI, Generator(supercell=(1, 1, 1)))
    made = generator.make([parent], SI, SETTINGS)
    step = 2 * np.pi / (2 * parent.cell.lengths()[0])
    for spacing, mesh in ((1.0005 * step, (2, 2, 2)), (0.9995 * step, (3, 3, 3))):
        assert {k_mesh(atoms, spacing) for atoms in (parent, *made)} == {mesh}
    assert any(foreign_mesh(atoms, spacing) for atoms in made)
