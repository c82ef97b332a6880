"""What is asked for, waters that give way, ions outside the membrane. The whole is built by benchmarks/membrane.py."""

import numpy as np
import pytest

from gibbsflow.binding.forcefield.membrane.building import MembraneChoice, Packed, with_ions, without_clashes
from gibbsflow.errors import InputError


def packed():
    """Two lipids of a carbon and a hydrogen about z = 0, and waters on a grid above and below."""
    lipids = np.array([[[0, 0, 10.0], [0, 0, 11.0]], [[8, 8, -10.0], [8, 8, -11.0]]])
    x, y, z = np.meshgrid(np.arange(0, 24, 3.0), np.arange(0, 24, 3.0), [-26, -23, -20, 12, 20, 23, 26], indexing="ij")
    oxygens = np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1)
    waters = oxygens[:, None] + np.array([[0, 0, 0], [0.9, 0, 0], [0, 0.9, 0.0]])
    return Packed(lipids, waters, np.array([24.0, 24.0, 60.0]), ("C1", "H1"))


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (MembraneChoice("CHOL"), "a lipid that no patch is known of: CHOL"),
        (MembraneChoice("POPC:POPE"), "packmol-memgen has built is given by --complex_topology"),
        (MembraneChoice(padding_angstrom=2), "2 Å round the protein"),
        (MembraneChoice(orientation="opm"), "given or search"),
        (MembraneChoice(salt_mol_per_l=-1), "0 to 5 mol/L"),
    ],
)
def test_choices_that_cannot_be_had(choice, said):
    (problem,) = choice.problems()
    assert said in str(problem)
    assert MembraneChoice().problems() == []


def test_water_gives_way_to_the_ligand_and_lipids_do_not():
    found = without_clashes(packed(), np.array([[3.0, 3.0, 20.0]]), where="x")
    assert len(found.waters) == len(packed().waters) - 1
    with pytest.raises(InputError, match="the ligand is in the lipid: 1 lipids"):
        without_clashes(packed(), np.array([[0.0, 1.0, 10.0]]), where="x")
    near_hydrogen = without_clashes(packed(), np.array([[0.0, 0.0, 12.0]]), where="x")  # heavy atoms alone count
    assert len(near_hydrogen.lipids) == 2


def test_ions_neutralise_and_stand_outside_the_membrane_away_from_the_solute():
    solute = np.array([[12.0, 12.0, 23.0]])
    ions, left = with_ions(packed(), solute, -2, 0.3, 5, where="x")
    cations, anions = ions["Na+"], ions["Cl-"]
    pairs = round(0.3 * len(packed().waters) / 55.5)
    assert (len(cations), len(anions)) == (pairs + 2, pairs)
    both = np.concatenate([cations, anions])
    assert (np.abs(both[:, 2]) > 14).all() and np.linalg.norm(both - solute, axis=1).min() > 5
    assert len(left.waters) == len(packed().waters) - len(both)
    again, _ = with_ions(packed(), solute, -2, 0.3, 5, where="x")
    np.testing.assert_array_equal(again["Na+"], cations)
    with pytest.raises(InputError, match="ions do not fit outside the membrane"):
        with_ions(packed(), solute, -500, 0.0, 5, where="x")
