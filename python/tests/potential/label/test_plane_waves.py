from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml
from ase import Atoms
from ase.build import bulk, molecule

from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.potential.data.formats.mesh_cells import keep_mesh
from gibbsflow.potential.generators.generate import generate
from gibbsflow.potential.label.plane_waves import (
    foreign_mesh,
    in_cell,
    k_mesh,
    own_mesh,
    reboxed,
    uneven,
    within_reach,
    without_images,
)

ROOT = Path(__file__).resolve().parents[4]


def test_k_mesh_comes_from_reciprocal_vectors() -> None:
    # in the primitive cell of fcc, |b| = 2π sqrt(3)/a, not 2π divided by the length of a vector
    primitive = bulk("Si", a=5.43)
    assert k_mesh(primitive, 2 * np.pi * np.sqrt(3) / 5.43 / 3.9) == (4, 4, 4)
    assert k_mesh(bulk("Si", cubic=True, a=5.43), 2 * np.pi / 5.43 / 2) == (2, 2, 2)
    slab = Atoms("Si", cell=[3, 3, 20], pbc=[True, True, False])
    assert k_mesh(slab, 0.5)[2] == 1


def test_every_cell_of_the_demo_has_the_same_k_points() -> None:
    settings = yaml.safe_load((ROOT / "assets" / "demo-potential" / "si.yaml").read_text())
    # what `auto` stands for depends on the machine
    config = PotentialConfig.from_mapping({**settings, "engine": "quantum_espresso"}, where="si.yaml")
    frames = [
        frame
        for hold_out in (False, True)
        for frame in generate(config.target, config.generator, holdout=hold_out).frames
    ]
    assert {k_mesh(frame, config.dft.kspacing_per_angstrom) for frame in frames} == {(2, 2, 2)}


def test_what_has_no_cell_gets_one_with_vacuum_on_either_side() -> None:
    water = molecule("H2O")
    boxed = in_cell(water)
    assert boxed.positions.min(axis=0) == pytest.approx([6.0] * 3)
    assert boxed.cell.lengths() - boxed.positions.max(axis=0) == pytest.approx([6.0] * 3)
    assert water.cell.rank == 0


def test_cells_that_are_there_stay() -> None:
    silicon = bulk("Si")
    assert in_cell(silicon) is silicon
    slab = Atoms("Cu2", [[0, 0, 0], [0, 0, 2]], cell=[[3, 0, 0], [1, 3, 0], [0, 0, 0]], pbc=[True, True, False])
    boxed = in_cell(slab)
    assert boxed.cell.array[:2] == pytest.approx(slab.cell.array[:2])
    assert boxed.cell.lengths()[2] == pytest.approx(14.0)


def test_images_of_a_molecule_are_kept_away_from_it() -> None:
    dimer = Atoms("Si2", [[0, 0, 0], [2.2, 0, 0]])
    small = dimer.copy()
    small.set_cell([4.6, 3.2, 3.2])
    assert in_cell(small).cell.array == pytest.approx(in_cell(dimer).cell.array)
    assert in_cell(small).positions == pytest.approx(in_cell(dimer).positions)
    assert reboxed(small) and not reboxed(dimer)
    wide = dimer.copy()
    wide.set_cell([12.0, 12.0, 12.0])
    assert in_cell(wide) is wide
    # 6 Å and 6 Å make the 12 Å of the boxes that are made here
    longest = Atoms("Si2", [[6, 6, 3], [6, 6, 9]], cell=[12.0] * 3)
    assert in_cell(longest) is longest


def test_a_slab_keeps_its_periodic_vectors() -> None:
    slab = Atoms("Cu2", [[0, 0, 0], [0, 0, 2]], cell=[[3, 0, 0], [1, 3, 0], [0, 0, 4]], pbc=[True, True, False])
    boxed = in_cell(slab)
    assert boxed.cell.array[:2] == pytest.approx(slab.cell.array[:2])
    assert boxed.cell.array[2] == pytest.approx([0, 0, 14.0])
    assert boxed.pbc.tolist() == [True, True, False]


def test_charge_may_slosh_where_there_is_vacuum_or_a_long_cell() -> None:
    cubic = bulk("Cu", cubic=True)
    assert not uneven(cubic) and not uneven(bulk("Cu")) and not uneven(cubic.repeat((2, 2, 2)))
    # an oblique cell is as high as it is, whatever its vectors' lengths
    assert not uneven(Atoms("Cu", cell=[[2.5, 0, 0], [2.5, 2.5, 0], [0, 2.5, 2.5]], pbc=True))
    assert uneven(cubic.repeat((1, 1, 3)))
    slab = cubic.repeat((2, 2, 2))
    slab.center(vacuum=3.0, axis=2)
    shifted = slab.copy()
    shifted.positions[:, 2] += 4.0  # its vacuum lies across the border or not
    assert uneven(slab) and uneven(shifted) and uneven(in_cell(molecule("H2O")))


def test_the_box_of_an_ion_is_twice_as_long_as_its_density() -> None:
    water = molecule("H2O")
    boxed = without_images(water)
    span = np.ptp(water.positions, axis=0)
    assert np.allclose(boxed.cell.array, np.diag(2 * span + 12))
    assert np.allclose((boxed.positions.min(axis=0) + boxed.positions.max(axis=0)) / 2, boxed.cell.lengths() / 2)
    assert np.allclose(boxed.get_all_distances(), water.get_all_distances())
    assert not boxed.pbc.any() and not water.cell.any()


def test_atoms_far_away_come_back_by_whole_cells() -> None:
    crystal = bulk("Si", a=5.43)
    assert within_reach(crystal) is crystal
    far = crystal.copy()
    far.positions += np.array([[-120, 7, 2000], [3, 0, -4]]) @ crystal.cell.array
    back = within_reach(far)
    assert back.positions == pytest.approx(crystal.positions, abs=1e-9) and far.positions.max() > 1000


def test_a_strained_copy_has_the_mesh_of_its_cell_at_any_spacing() -> None:
    cell, larger = bulk("Fe", cubic=True), bulk("Fe", a=3.0, cubic=True)
    assert (k_mesh(cell, 0.545), k_mesh(larger, 0.545), foreign_mesh(larger, 0.545)) == ((5, 5, 5), (4, 4, 4), None)
    keep_mesh(larger, cell)
    spacings = (0.7, 0.545, 0.437, 0.3)
    assert [k_mesh(larger, one) for one in spacings] == [k_mesh(cell, one) for one in spacings]
    assert (own_mesh(larger, 0.545), foreign_mesh(larger, 0.545)) == ((4, 4, 4), (5, 5, 5))
    assert in_cell(larger) is larger and foreign_mesh(larger, 0.5) is None
