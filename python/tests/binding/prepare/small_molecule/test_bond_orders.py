"""Bond orders and formal charges from atoms, neighbours and hydrogens alone."""

import pytest
from rdkit import Chem

from gibbsflow.binding.prepare.small_molecule.bond_orders import MARGIN, penalty, perceive


def skeleton(smiles: str) -> Chem.Mol:
    """All atoms of a molecule, its bonds single and its charges forgotten."""
    mol = Chem.RWMol(Chem.AddHs(Chem.MolFromSmiles(smiles)))
    Chem.Kekulize(mol, clearAromaticFlags=True)
    for bond in mol.GetBonds():
        bond.SetBondType(Chem.BondType.SINGLE)
    for atom in mol.GetAtoms():
        atom.SetFormalCharge(0)
        atom.SetNoImplicit(True)
    return mol.GetMol()


def found(smiles: str, charge: int | None) -> str | None:
    mol = skeleton(smiles)
    read = perceive(mol, [(1, 2, 3)] * mol.GetNumBonds(), charge=charge)
    return None if read is None else Chem.MolToSmiles(Chem.RemoveHs(read))


@pytest.mark.parametrize(
    ("smiles", "charge"),
    [
        ("O=[N+]([O-])c1ccccc1", 0),
        ("CCS(=O)(=O)[O-]", -1),
        ("COP(=O)([O-])[O-]", -2),
        ("C[n+]1ccc(-c2cc[n+](C)cc2)cc1", 2),
        ("C[N+]#[C-]", 0),
        ("C=[N+]=[N-]", 0),
        ("CN=[N+]=[N-]", 0),
        ("[O-][n+]1ccccc1", 0),
        ("CS(C)=O", 0),
        ("C[S+](C)C", 1),
        ("C[N+](C)(C)CC(=O)[O-]", 0),
        ("c1cc[cH-]c1", -1),
        ("CC(C)=O", 0),
        ("CC#N", 0),
    ],
)
def test_charge_and_bond_orders_of_known_groups(smiles, charge):
    wanted = Chem.CanonSmiles(smiles)
    assert found(smiles, charge) == wanted
    assert found(smiles, None) == wanted or charge == 2  # of two charges that leave a closed shell the smaller wins


def test_no_closed_shell_is_none():
    assert found("CC", 1) is None and found("C[NH3+]", 0) is None and found("[SiH4]", 0) is None


def test_penalties_tell_a_drawing_from_a_mistake():
    """Nitro with two single bonds at -2 is a mistake, an azide's other form a drawing."""
    right, mistake = (Chem.AddHs(Chem.MolFromSmiles(s)) for s in ("C[N+](=O)[O-]", "CN([O-])[O-]"))
    assert penalty(mistake) == 4.0 and penalty(right) == 4.0  # the charge, not the penalty, tells these two
    one, other = (Chem.AddHs(Chem.MolFromSmiles(s)) for s in ("CN=[N+]=[N-]", "C[N-][N+]#N"))
    assert abs(penalty(one) - penalty(other)) <= MARGIN
    cumulated = Chem.AddHs(Chem.MolFromSmiles("CC1=[N+]=NN=N1"))
    assert penalty(cumulated) == float("inf")
