"""Maps: symmetric, the identity of a ligand with itself, whatever frame and order; and chemistry that deceives."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from posed_ligands import fullerane, heavy_pairs, laid_on, moved, posed, renumbered

from gibbsflow.binding.prepare.atom_map.atom_maps import AtomMap, MapRules
from gibbsflow.binding.prepare.atom_map.common_core import components, map_atoms, without_stretched_hydrogens
from gibbsflow.binding.prepare.atom_map.map_faults import faults

REFERENCE = posed("CCc1cccc(C)c1")
LIGANDS = [
    laid_on(smiles, REFERENCE)
    for smiles in (
        "Cc1ccccc1", "CC(C)c1ccccc1", "Oc1cccc(C)c1", "CCc1ccncc1", "C[C@H](N)c1ccccc1", "CCc1cccc(Cl)c1",
        "C=Cc1ccccc1",
    )
]  # fmt: skip
CAGES = [posed(smiles) for smiles in ("C1C2CC3CC1CC(C2)C3", "C12C3C4C1C5C2C3C45", "c1ccccc1", "CC(C)(C)C")]
few = settings(max_examples=20, deadline=None)


@few
@given(st.sampled_from(LIGANDS), st.sampled_from(LIGANDS), st.randoms(use_true_random=False))
def test_a_map_is_the_reverse_of_its_reverse_in_any_frame_and_order(a, b, random):
    found = map_atoms(a, b)
    assert map_atoms(b, a).reversed() == found
    assert faults(found, a, b) == []
    turn, shift = ([random.uniform(-3, 3) for _ in range(3)] for _ in range(2))
    orders = [random.sample(range(m.GetNumAtoms()), m.GetNumAtoms()) for m in (a, b)]
    again = map_atoms(*(renumbered(moved(m, turn, shift), o) for m, o in zip((a, b), orders, strict=True)))
    assert sorted((orders[0][i], orders[1][j]) for i, j in again.pairs) == list(found.pairs)


@few
@given(st.sampled_from([*LIGANDS, *CAGES]), st.randoms(use_true_random=False))
def test_a_ligand_on_itself_is_the_identity_in_any_order(mol, random):
    order = random.sample(range(mol.GetNumAtoms()), mol.GetNumAtoms())
    found = map_atoms(mol, renumbered(mol, order))
    assert [(i, order[j]) for i, j in found.pairs] == [(i, i) for i in range(mol.GetNumAtoms())]


def test_a_ring_that_is_turned_by_a_bond_is_mapped_by_place():
    """Benzene on itself, turned in its plane: the nearest of twelve equal maps."""
    mol = CAGES[2]
    xyz = np.asarray(mol.GetConformer().GetPositions())
    axis = np.cross(xyz[0] - xyz[:6].mean(0), xyz[1] - xyz[:6].mean(0))
    axis /= np.linalg.norm(axis)
    centre = xyz[:6].mean(0)
    turned = moved(moved(moved(mol, shift=-centre), axis * np.pi / 3), shift=centre)
    found = map_atoms(mol, turned)
    there = np.asarray(turned.GetConformer().GetPositions())
    assert len(found.pairs) == 12
    assert max(np.linalg.norm(xyz[i] - there[j]) for i, j in found.pairs) < 0.1


@pytest.mark.parametrize("side", [2, 6])
def test_the_pose_decides_on_which_side_a_substituent_is(side):
    """3-Fluorotoluene on 3-chlorotoluene: halogens are mapped where they lie on one another alone."""
    a = posed("Cc1cccc(Cl)c1")  # ring 1 2 3 4 5 7, chlorine 6 at 5
    ring = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 7: 7} if side == 2 else {1: 1, 2: 7, 3: 5, 4: 4, 5: 3, 7: 2}
    b = laid_on("Cc1cccc(F)c1", a, {0: 0} | ring)
    pairs = heavy_pairs(a, map_atoms(a, b))
    assert {i: j for i, j in pairs.items() if i != 6} == {0: 0} | {v: k for k, v in ring.items()}
    assert (6 in pairs) == (side == 2)


def test_ortho_on_meta_leaves_the_substituents():
    a = posed("Cc1ccccc1C")
    b = laid_on("Cc1cccc(C)c1", a, {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 7: 6})
    pairs = heavy_pairs(a, map_atoms(a, b))
    assert len(pairs) == 7 and 7 not in pairs and 6 not in pairs.values()


def test_rings_are_mapped_whole_or_not_at_all():
    stem = "CCCCCC"
    for ring, other, common in (
        ("C1CCCC1", "C1CCCCC1", 6),  # five on six
        ("C1CCCCC1", "CCCC", 6),  # a ring on a chain
        ("c1ccccc1", "C1CCCCC1", 6),  # flat on puckered
    ):
        a = posed(stem + ring)
        b = laid_on(stem + other, a, {i: i for i in range(6)})
        found = map_atoms(a, b, MapRules(max_distance_angstrom=1.5))
        assert heavy_pairs(a, found) == {i: i for i in range(common)}
        assert faults(found, a, b) == []


def test_a_ring_fused_on_leaves_the_other_whole():
    a = posed("c1ccc2ccccc2c1C", seed=1)
    b = laid_on("c1ccccc1C", a)
    pairs = heavy_pairs(a, map_atoms(a, b))
    assert len(pairs) == 7 and {a.GetAtomWithIdx(i).IsInRing() for i in pairs} == {True, False}


def test_a_ring_bond_is_no_bond_between_rings():
    """Biphenyl on fluorene keeps its rings; that of five appears, its CH2 joined to both."""
    a = posed("c1ccc2c(c1)Cc1ccccc12")
    b = laid_on("c1ccc(cc1)-c1ccccc1", a)
    found = map_atoms(a, b)
    assert faults(found, a, b) == []
    for i in heavy_pairs(a, found):
        assert a.GetAtomWithIdx(i).GetIsAromatic()


def test_a_linker_that_grows_leaves_the_larger_half():
    a = posed("c1ccccc1CC(=O)Nc1ccncc1C")
    long = "c1ccccc1CCC(=O)Nc1ccncc1C"
    far = {i + 1: i for i in range(7, 17)}
    b = laid_on(long, a, far)
    pairs = heavy_pairs(a, map_atoms(a, b))
    assert set(range(8, 17)) <= pairs.keys() and not pairs.keys() & set(range(6))


def test_elements_change_by_choice():
    a = posed("Cc1ccccc1")
    b = laid_on("Cc1ccncc1", a)
    found = map_atoms(a, b)
    pairs = heavy_pairs(a, found)
    assert len(pairs) == 7
    changed = next(i for i, j in pairs.items() if b.GetAtomWithIdx(j).GetSymbol() == "N")
    hydrogen = next(n.GetIdx() for n in a.GetAtomWithIdx(changed).GetNeighbors() if n.GetSymbol() == "H")
    assert hydrogen in found.unique_a(a.GetNumAtoms()), "its bond would change its length"
    strict = map_atoms(a, b, MapRules(element_changes=False))
    assert len(heavy_pairs(a, strict)) < 4, "the ring is not whole without its nitrogen"


def test_hydrogens_of_another_element_are_not_mapped():
    a = posed("CCCCO")
    b = laid_on("CCCCN", a)
    found = map_atoms(a, b)
    assert heavy_pairs(a, found)[4] == 4
    assert {i for i, _ in found.pairs} == set(range(a.GetNumAtoms())) - {
        n.GetIdx() for n in a.GetAtomWithIdx(4).GetNeighbors() if n.GetSymbol() == "H"
    }


def test_hydrogens_of_a_map_from_elsewhere():
    """As OpenFE's networks have them: those of a carbon that becomes nitrogen are taken out, with a note."""
    a = posed("CCCCO")
    b = laid_on("CCCCN", a)
    found = map_atoms(a, b)
    (own,) = [n.GetIdx() for n in a.GetAtomWithIdx(4).GetNeighbors() if n.GetSymbol() == "H"]
    theirs = next(n.GetIdx() for n in b.GetAtomWithIdx(4).GetNeighbors() if n.GetSymbol() == "H")
    more = AtomMap("a", "b", (*found.pairs, (own, theirs)))
    less = without_stretched_hydrogens(more, a, b)
    assert less.pairs == found.pairs and less.notes[0].startswith(f"H{own + 1} of a left out of the map")
    assert without_stretched_hydrogens(found, a, b) is found


def test_an_enantiomer_leaves_out_what_would_invert_the_centre():
    a = posed("C[C@H](F)c1ccccc1")
    b = laid_on("C[C@@H](F)c1ccccc1", a, {i: i for i in (1, 3, 4, 5, 6, 7, 8)})
    found = map_atoms(a, b, MapRules(element_changes=False, max_distance_angstrom=3.0))
    assert faults(found, a, b) == []
    assert 7 <= len(heavy_pairs(a, found)) < 9 and len(found.pairs) < a.GetNumAtoms()
    swapped = map_atoms(a, b, MapRules(max_distance_angstrom=3.0))
    assert (0, 2) in swapped.pairs and (2, 0) in swapped.pairs, "methyl and fluorine may become one another"
    assert faults(swapped, a, b) == []


def test_cis_and_trans_on_a_ring_and_e_on_z():
    for one, other in (("C[C@H]1CC[C@@H](C)CC1", "C[C@H]1CC[C@H](C)CC1"), ("CCC/C=C/CCC", r"CCC/C=C\CCC")):
        a = posed(one)
        b = posed(other)
        b = moved(
            b, shift=np.asarray(a.GetConformer().GetPositions()).mean(0) - b.GetConformer().GetPositions().mean(0)
        )
        found = map_atoms(a, b, MapRules(max_distance_angstrom=6.0, most_steps=300))
        assert 0 < len(heavy_pairs(a, found)) < 8
        assert not [f for f in faults(found, a, b) if "heavy atoms" not in f]


def test_a_tautomer_moves_a_hydrogen():
    a = posed("Oc1ccccn1")
    b = laid_on("O=c1cccc[nH]1", a)
    found = map_atoms(a, b)
    assert len(heavy_pairs(a, found)) == 7
    kinds = [
        a.GetAtomWithIdx(found.unique_a(a.GetNumAtoms())[0]).GetNeighbors()[0].GetSymbol(),
        b.GetAtomWithIdx(found.unique_b(b.GetNumAtoms())[0]).GetNeighbors()[0].GetSymbol(),
    ]
    assert kinds == ["O", "N"] and len(found.pairs) == a.GetNumAtoms() - 1


def test_a_charge_change_moves_a_proton():
    a = posed("CCCC(=O)O")
    b = laid_on("CCCC(=O)[O-]", a)
    found = map_atoms(a, b)
    assert len(heavy_pairs(a, found)) == 6
    assert [a.GetAtomWithIdx(i).GetSymbol() for i in found.unique_a(a.GetNumAtoms())] == ["H"]
    assert found.unique_b(b.GetNumAtoms()) == ()


def test_methyls_hydrogens_keep_their_sense():
    a = posed("Cc1ccccc1")
    b = moved(a)
    axis = np.diff(np.asarray(a.GetConformer().GetPositions())[[0, 1]], axis=0)[0]
    xyz = np.asarray(b.GetConformer().GetPositions())
    methyl = [n.GetIdx() for n in b.GetAtomWithIdx(0).GetNeighbors() if n.GetSymbol() == "H"]
    turned = moved(moved(moved(b, shift=-xyz[0]), axis / np.linalg.norm(axis) * 1.0), shift=xyz[0])
    for h in methyl:
        b.GetConformer().SetAtomPosition(h, turned.GetConformer().GetAtomPosition(h))
    found = dict(map_atoms(a, b).pairs)
    assert len(found) == a.GetNumAtoms()
    places = [methyl.index(found[h]) for h in methyl]
    assert places in ([0, 1, 2], [1, 2, 0], [2, 0, 1]), "turned, never mirrored"


@pytest.mark.parametrize("turn", [(0.0, 0.0, 0.0), (0.1, 0.1, 0.1)])
def test_a_cage_of_sixty_is_found_at_once(turn):
    cage = fullerane()
    found = map_atoms(cage, moved(cage, turn))
    assert found.pairs == tuple((i, i) for i in range(60)) and not found.notes


def test_a_search_that_is_stopped_says_so():
    cage = fullerane()
    found = map_atoms(cage, moved(cage, (0.4, 0.3, 0.2), (0.1, 0.1, 0.05)), MapRules(1, 1.5, most_steps=50))
    assert "stopped after 50 steps" in found.notes[0]


def test_poses_of_two_frames_are_told():
    a = posed("CCCCO")
    found = map_atoms(a, moved(a, shift=(50, 0, 0)))
    assert found.pairs == () and "no heavy atoms lie within 1 Å" in found.notes[0]


def test_parts():
    assert components(range(5), [{1}, {0}, {3}, {2}, set()]) == [{0, 1}, {2, 3}, {4}]
