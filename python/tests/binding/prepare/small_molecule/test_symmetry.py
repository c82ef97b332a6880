"""Ways of mapping a molecule onto itself."""

import pytest
from known_molecules import CB7
from rdkit import Chem

from gibbsflow.binding.prepare.small_molecule.symmetry import MOST_COUNTED, self_mappings


@pytest.mark.parametrize(
    ("smiles", "ways"),
    [
        ("Cc1ccc(C)cc1", 4),
        ("c1ccccc1", 12),
        ("CCO", 1),
        ("CC(=O)[O-]", 2),  # its two oxygens differ in the drawing alone
        ("C[C@H](N)C(=O)O", 2),
        ("C[NH+](C)C", 6),
        ("OCC12CCC(CC1)(CC2)CO", 12),
        ("O", 1),
        ("F[C@@H](Cl)c1ccc([C@@H](F)Cl)cc1", 4),
        ("F[C@@H](Cl)c1ccc([C@H](F)Cl)cc1", 2),  # its ends are mirror images
        ("C=CC", 1),  # its ends differ in hydrogens
    ],
)
def test_of_small_molecules(smiles, ways):
    assert self_mappings(Chem.AddHs(Chem.MolFromSmiles(smiles))) == ways


def test_of_a_host():
    """Cucurbit[7]uril: seven turns, and over."""
    assert self_mappings(Chem.MolFromMolFile(str(CB7), removeHs=False)) == 14


def test_counting_ends():
    many = Chem.MolFromSmiles(".".join(["c1ccccc1"] * 4))
    assert self_mappings(many) == MOST_COUNTED
