from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ase.build import bulk
from pair_crystals import DEPTH, SMALL, TOUCHING, caesium_chloride, fcc, touching

from gibbsflow.potential.validate.properties.crystals import Crystal
from gibbsflow.potential.validate.properties.plans import answered
from gibbsflow.potential.validate.properties.surface_energies import slab, surface_name, surfaces, uneven_faces


def test_broken_bonds_are_counted() -> None:
    # an atom of a face (111), (100), (110) of fcc misses 3, 4, 5 and 1 of 12 neighbours: bonds 3, 4, 6 an area
    areas = {"111": 3**0.5 / 2, "100": 1.0, "110": 2**0.5}
    measured = answered(surfaces(fcc(), SMALL), touching)
    for name, bonds in {"111": 3, "100": 4, "110": 6}.items():
        expected = bonds * DEPTH / 2 / (areas[name] * TOUCHING**2) * 16.02176634
        assert measured.values[f"surface_energy_{name}"] == pytest.approx(expected, rel=1e-3)
    assert not measured.failures


@pytest.mark.parametrize("atoms", [bulk("Ti"), bulk("Fe"), bulk("Si"), caesium_chloride()])
@pytest.mark.parametrize("indices", [(1, 0, 0), (0, 0, 1), (1, -1, 2)])
def test_slabs_are_whole_crystals_as_thick_as_asked(atoms, indices) -> None:
    crystal = Crystal.of(atoms, 0.01)
    made = slab(crystal, indices, SMALL)
    assert len(made) % len(crystal.primitive) == 0 and made.pbc.all()
    area = np.linalg.norm(np.cross(made.cell.array[0], made.cell.array[1]))
    volume = len(made) / len(crystal.primitive) * crystal.primitive.get_volume()
    thickness = volume / area
    spacing = thickness / (len(made) / len(crystal.primitive))
    assert SMALL.surface_thickness_angstrom - 1e-6 <= thickness < SMALL.surface_thickness_angstrom + spacing + 1e-6
    assert np.allclose(made.cell.array[2, :2], 0, atol=1e-6) or abs(made.cell.array[2] @ made.cell.array[0]) < 1e-6
    # the planes lie as far apart as those of the conventional cell, or a whole fraction of it
    whole = 1 / np.linalg.norm(crystal.conventional.cell.reciprocal().array.T @ np.array(indices))
    assert whole / spacing == pytest.approx(round(whole / spacing), abs=1e-6) or spacing / whole == pytest.approx(
        round(spacing / whole), abs=1e-6
    )


def test_bulk_and_volumes_are_of_one_cell() -> None:
    """Aluminium at 0.45 /Å: 36 meV an atom between the cells of one and four atoms, 0.13 J/m^2."""
    for whole, atoms in ((False, 1), (True, 4)):
        (first,) = next(surfaces(replace(fcc(), whole=whole), SMALL))
        assert len(first) == atoms


def test_names_have_no_signs() -> None:
    assert surface_name((1, -1, 0)) == "1m10"


def test_faces_that_end_on_different_elements_are_told() -> None:
    salt, zinc_blende = bulk("MgO", "rocksalt", a=4.2), bulk("ZnS", "zincblende", a=5.4)
    told = {
        (name, indices): uneven_faces(slab(Crystal.of(atoms, 0.01), indices, SMALL))
        for name, atoms in (("MgO", salt), ("ZnS", zinc_blende))
        for indices in ((1, 0, 0), (1, 1, 0), (1, 1, 1))
    }
    polar = {place for place, words in told.items() if words}
    assert polar == {("MgO", (1, 1, 1)), ("ZnS", (1, 0, 0)), ("ZnS", (1, 1, 1))}
    assert "it ends on Mg and on O" in told["MgO", (1, 1, 1)] or "it ends on O and on Mg" in told["MgO", (1, 1, 1)]
