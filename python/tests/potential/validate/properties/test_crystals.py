from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111, molecule
from pair_crystals import SMALL, TOUCHING, fcc, touching

from gibbsflow.errors import InputError
from gibbsflow.potential.data.formats.mesh_cells import MESH_HEIGHTS
from gibbsflow.potential.label.plane_waves import foreign_mesh, k_mesh, own_mesh
from gibbsflow.potential.train.shared.metrics import Prediction
from gibbsflow.potential.validate.properties.crystals import Crystal, at_rest, rest_of
from gibbsflow.potential.validate.properties.elasticity import elastic
from gibbsflow.potential.validate.properties.equations_of_state import equation_of_state
from gibbsflow.potential.validate.properties.phonons import phonons
from gibbsflow.potential.validate.properties.plans import answered
from gibbsflow.potential.validate.properties.point_defects import vacancy
from gibbsflow.potential.validate.properties.surface_energies import slab


def test_standard_cells_of_whatever_cell_was_given() -> None:
    odd = bulk("Cu", "fcc", a=3.6).repeat((1, 2, 3))
    odd.rotate(30, "x", rotate_cell=True)
    crystal = Crystal.of(odd, 0.01)
    assert (crystal.number, crystal.system, len(crystal.primitive), len(crystal.conventional)) == (225, "cubic", 1, 4)
    assert np.allclose(crystal.conventional.cell.array, 3.6 * np.eye(3)) and crystal.isotropic
    hcp = Crystal.of(bulk("Ti"), 0.01)
    assert (hcp.system, hcp.isotropic, hcp.elements) == ("hexagonal", False, ["Ti"])


def test_what_is_no_crystal_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="slab: is periodic in 2 of three directions"):
        Crystal.of(fcc111("Cu", (1, 1, 3), vacuum=5), 0.01, where="slab")
    with pytest.raises(InputError, match="periodic in 0 of three"):
        Crystal.of(molecule("H2O"), 0.01)
    overlapping = Atoms("Cu2", [[0, 0, 0], [0, 0, 1e-4]], cell=[3] * 3, pbc=True)
    with pytest.raises(InputError, match="spglib finds no standard cell"):
        Crystal.of(overlapping, 0.01)


def test_supercells_are_wide_and_hold_enough_atoms() -> None:
    crystal = fcc()
    assert crystal.repeats(8.0) == (3, 3, 3) and len(crystal.supercell(3.0, least_atoms=30)) >= 30
    flat = Crystal.of(bulk("Ti"), 0.01)
    wide = flat.supercell(8.0)
    assert (1 / np.linalg.norm(wide.cell.reciprocal().array, axis=1)).min() >= 8.0


def test_volumes_and_strains_may_be_those_of_the_conventional_cell() -> None:
    """Whose mesh of k points is that of labels: the crystal is the same."""
    whole = replace(fcc(), whole=True)
    sizes: set[int] = set()

    def asked(frames: list[Atoms]) -> list[Prediction]:
        sizes.update(map(len, frames))
        return touching(frames)

    rest, energy, _ = answered(at_rest(whole, SMALL), asked)
    assert rest.whole and len(rest.unit) == 4
    for measure in (equation_of_state, elastic):
        mine, other = answered(measure(rest, SMALL), asked), answered(measure(fcc(), SMALL), touching)
        assert mine.values == pytest.approx(other.values, rel=2e-2)
    assert sizes == {4}
    again, same = rest_of(answered(at_rest(whole, SMALL), asked)[2], 0.01, whole)
    assert again.whole and same == energy


def test_at_rest_atoms_touch() -> None:
    start = Crystal.of(bulk("Cu", "fcc", a=3.7), 0.01)
    crystal, energy, measured = answered(at_rest(start, SMALL), touching)
    assert measured.values["lattice_a"] == pytest.approx(TOUCHING * 2**0.5, abs=1e-3)
    assert set(measured.values) == {"lattice_a", "volume"} and not measured.warnings
    again, same = rest_of(measured, 0.01, start)
    assert same == energy and np.allclose(again.primitive.cell.array, crystal.primitive.cell.array)
    far = Crystal.of(bulk("Cu", "fcc", a=4.1), 0.01)
    *_, told = answered(at_rest(far, SMALL), touching)
    assert "off that of the structure it started from" in told.warnings[0]


def test_supercells_are_those_of_the_start_whatever_the_volume() -> None:
    start = Crystal.of(bulk("Cu", "fcc", a=4.01), 0.01)
    smaller = Crystal.of(bulk("Cu", "fcc", a=3.99), 0.01)
    assert start.repeats(8.0) == (2, 2, 2) and smaller.repeats(8.0) == (3, 3, 3)
    assert Crystal.of(bulk("Cu", "fcc", a=3.99), 0.01, like=start).repeats(8.0) == (2, 2, 2)


def test_all_that_is_made_of_a_crystal_has_the_mesh_of_the_start() -> None:
    """Volumes, strains and displaced supercells of a crystal at rest; a slab is a cell of its own."""
    start = Crystal.of(bulk("Cu", "fcc", a=3.45), 0.01)
    rest = Crystal.of(bulk("Cu", "fcc", a=TOUCHING * 2**0.5), 0.01, like=start)
    spacing = 2 * np.pi / 3.45 / 4.03
    assert (k_mesh(start.conventional, spacing), own_mesh(rest.conventional, spacing)) == ((5, 5, 5), (4, 4, 4))

    def meshes(plan) -> set[tuple[int, int, int]]:  # type: ignore[no-untyped-def]
        seen: list[Atoms] = []
        with pytest.raises(StopIteration):
            frames = next(plan)
            while True:
                seen += frames
                frames = plan.send(touching(frames))
        return {k_mesh(atoms, spacing) for atoms in seen}

    own = k_mesh(start.primitive, spacing)
    assert meshes(equation_of_state(rest, SMALL)) == meshes(elastic(rest, SMALL)) == {own}
    supercell = start.supercell(SMALL.supercell_angstrom)
    assert meshes(phonons(rest, SMALL)) == {k_mesh(supercell, spacing)} == {own_mesh(supercell, spacing)}
    assert meshes(vacancy(rest, SMALL)) == {k_mesh(supercell, spacing)}
    assert MESH_HEIGHTS not in slab(rest, (1, 1, 1), SMALL).info
    other = Crystal.of(bulk("Cu", "bcc", a=2.9), 0.01, like=start)
    assert foreign_mesh(other.primitive, spacing) is None
