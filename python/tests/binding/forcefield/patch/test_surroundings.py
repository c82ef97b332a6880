"""Waters give way to ligand and ions, lipids do not; files that tleap reads."""

import numpy as np
import pytest

from gibbsflow.binding.forcefield.patch.lipid_names import AmberNames
from gibbsflow.binding.forcefield.patch.surroundings import (
    Lipid,
    Surroundings,
    named_lipid,
    with_ions,
    without_clashes,
    write_surroundings,
)
from gibbsflow.errors import InputError


def packed(**changes):
    """Two lipids of a carbon and a hydrogen about z = 0, and waters on a grid above and below."""
    lipids = np.array([[[0, 0, 10.0], [0, 0, 11.0]], [[8, 8, -10.0], [8, 8, -11.0]]])
    x, y, z = np.meshgrid(np.arange(0, 24, 3.0), np.arange(0, 24, 3.0), [-26, -23, -20, 12, 20, 23, 26], indexing="ij")
    oxygens = np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1)
    waters = oxygens[:, None] + np.array([[0, 0, 0], [0.9, 0, 0], [0, 0.9, 0.0]])
    each = tuple(Lipid(("C1", "H1"), ("PA", "PA"), (0, 0), xyz) for xyz in lipids)
    return Surroundings(each, waters, np.array([24.0, 24.0, 60.0]), **changes)


def test_water_gives_way_to_the_ligand_and_lipids_do_not():
    found = without_clashes(packed(), np.array([[3.0, 3.0, 20.0]]), where="x")
    assert len(found.waters) == len(packed().waters) - 1
    with pytest.raises(InputError, match="the ligand is in the lipid: 1 lipids"):
        without_clashes(packed(), np.array([[0.0, 1.0, 10.0]]), where="x")
    near_hydrogen = without_clashes(packed(), np.array([[0.0, 0.0, 12.0]]), where="x")  # heavy atoms alone count
    assert len(near_hydrogen.lipids) == 2
    with pytest.raises(InputError, match="where an ion Na"):
        without_clashes(packed(ions={"Na+": np.array([[3.0, 3.0, 20.5]])}), np.array([[3.0, 3.0, 20.0]]), where="x")


def test_ions_neutralise_and_stand_outside_the_membrane_away_from_the_solute():
    solute = np.array([[12.0, 12.0, 23.0]])
    left = with_ions(packed(), solute, -2, 0.3, 5, where="x")
    cations, anions = left.ions["Na+"], left.ions["Cl-"]
    pairs = round(0.3 * len(packed().waters) / 55.5)
    assert (len(cations), len(anions)) == (pairs + 2, pairs)
    both = np.concatenate([cations, anions])
    assert (np.abs(both[:, 2]) > 14).all() and np.linalg.norm(both - solute, axis=1).min() > 5
    assert len(left.waters) == len(packed().waters) - len(both)
    again = with_ions(packed(), solute, -2, 0.3, 5, where="x")
    np.testing.assert_array_equal(again.ions["Na+"], cations)
    with pytest.raises(InputError, match="ions do not fit outside the membrane"):
        with_ions(packed(), solute, -500, 0.0, 5, where="x")


def test_ions_that_are_there_stay_and_others_keep_away_from_them():
    there = np.array([[12.0, 12.0, 26.0]])
    left = with_ions(packed(ions={"K+": there}), np.zeros((1, 3)), -3, 0.0, 5, where="x")
    np.testing.assert_array_equal(left.ions["K+"], there)
    assert len(left.ions["Na+"]) == 3 and len(left.ions["Cl-"]) == 0
    assert np.linalg.norm(left.ions["Na+"] - there, axis=1).min() > 5


def test_names_charges_and_kinds_of_lipids():
    names = AmberNames((1, 0, 2), ("C1", "P31", "C1"), ("PA", "PS", "OL"), (0, 1, 2))
    lipid = named_lipid(names, np.arange(9.0).reshape(3, 3))
    assert lipid.kind == "PA-PS-OL" and lipid.charge_e == -1 and lipid.positions_angstrom[0, 0] == 3
    both = Surroundings((lipid, lipid, packed().lipids[0]), np.zeros((0, 3, 3)), np.ones(3))
    assert both.composition() == {"PA-PS-OL": 2, "PA": 1} and both.atoms == 8


def test_files_for_tleap(tmp_path):
    assert write_surroundings(packed(), tmp_path) == ["lipids", "water"]
    assert (tmp_path / "lipids.pdb").read_text().count("TER") == 2
    assert write_surroundings(packed(ions={"Na+": np.zeros((1, 3))}), tmp_path) == ["lipids", "ions", "water"]
    assert "Na+" in (tmp_path / "ions.pdb").read_text()
