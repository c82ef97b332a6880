"""Handedness of centres, sides of double bonds, and what a map would turn inside out."""

import pytest
from posed_ligands import moved, posed
from rdkit import Chem

from gibbsflow.binding.prepare.atom_map.side import Side, inversions


def mirrored(mol: Chem.Mol) -> Chem.Mol:
    copy = Chem.Mol(mol)
    for i, (x, y, z) in enumerate(copy.GetConformer().GetPositions()):
        copy.GetConformer().SetAtomPosition(i, (-x, y, z))
    return copy


def test_handedness_changes_in_the_mirror_and_by_no_rotation():
    mol = posed("C[C@H](N)CC")
    (centre,) = Side(mol).centres
    arms = tuple(sorted(Side(mol).neighbours[centre]))[:3]
    sign = Side(mol).handedness(centre, arms)
    assert abs(sign) == 1
    assert Side(moved(mol, (1, 2, 3), (4, 5, 6))).handedness(centre, arms) == sign
    assert Side(mirrored(mol)).handedness(centre, arms) == -sign


def test_sides_of_a_double_bond():
    for smiles, sign in (("C/C=C/C", -1), (r"C/C=C\C", 1)):
        assert Side(posed(smiles)).same_side(0, 1, 2, 3) == sign


@pytest.mark.parametrize(
    ("smiles", "count"),
    [("C[C@H](N)CC", 1), ("C[C@H]1CC[C@@H](C)CC1", 2), ("C[S@](=O)CC", 1), ("CCN(C)CCC", 0), ("CC(C)C", 0)],
)
def test_the_mirror_image_inverts_what_is_a_centre(smiles, count):
    """Ring centres that are so by each other count; nitrogen and a centre with two equal arms do not."""
    mol = posed(smiles)
    identity = {i: i for i in range(mol.GetNumAtoms())}
    assert len(inversions(Side(mol), Side(mirrored(mol)), identity)) == count
    assert inversions(Side(mol), Side(mol), identity) == []


def test_e_on_z():
    e, z = Side(posed("C/C=C/C")), Side(posed(r"C/C=C\C"))
    assert inversions(e, z, {i: i for i in range(4)}) == [(1, 2, 0, 3)]
    assert inversions(e, z, {i: i for i in range(3)}) == []


def test_rings_and_what_holds_its_form():
    side = Side(posed("C1C2CC3CC1CC(C2)C3"))
    assert len(side.rings) == 4, "all rings of adamantane that are equal, not a smallest set"
    assert all(len(rings) in (2, 3) for rings in (side.rings_of[i] for i in side.heavy))
    amine = Side(posed("CNC"))
    assert not amine.holds_its_form(1) and amine.holds_its_form(0)
    assert amine.hydrogens(1) and not amine.in_ring_bond(0, 1)
