"""A ligand laid on the pose of another: core in place, isomer kept, clear of the receptor where it can be."""

import numpy as np
import pytest
from posed_ligands import fullerane, heavy_pairs, posed
from rdkit import Chem

from gibbsflow.binding.prepare.atom_map.aligned_pose import align_pose, common_graphs
from gibbsflow.binding.prepare.atom_map.atom_maps import AtomMap, MapRules
from gibbsflow.binding.prepare.atom_map.common_core import map_atoms
from gibbsflow.binding.prepare.molecules import MoleculeError
from gibbsflow.binding.prepare.small_molecule.stereo import specified

REFERENCE = posed("CCc1cccc(C)c1", "reference")


def drawn(smiles: str, name: str = "new") -> Chem.Mol:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    mol.SetProp("_Name", name)
    return mol


@pytest.mark.parametrize("smiles", ["CCCc1cccc(C)c1", "CCc1ccncc1", "C[C@H](N)c1cccc(C)c1", "CCc1ccc(O)cc1"])
def test_the_core_is_in_its_place(smiles):
    mol = drawn(smiles)
    found = align_pose(mol, REFERENCE, seed=1)
    assert found.rmsd_angstrom < 0.2 and found.furthest_angstrom < 0.5
    assert Chem.MolToSmiles(Chem.RemoveHs(found.mol)) == Chem.MolToSmiles(Chem.RemoveHs(mol))
    assert not specified(mol).against(found.mol)
    assert len(heavy_pairs(found.mol, map_atoms(found.mol, REFERENCE))) >= len(found.atom_map.pairs)
    assert f"laid on reference by {len(found.atom_map.pairs)} heavy atoms" in found.notes[0]


def test_the_same_seed_gives_the_same_pose():
    one, two = (align_pose(drawn("CCCc1ccccc1"), REFERENCE, seed=5).mol for _ in range(2))
    assert np.array_equal(one.GetConformer().GetPositions(), two.GetConformer().GetPositions())


def test_a_receptor_turns_the_ring_and_clashes_are_told():
    """A wall at one of two meta places: the chlorine goes to the other; walls at both are said."""
    toluene = posed("Cc1ccccc1", "toluene")
    xyz = np.asarray(toluene.GetConformer().GetPositions())
    hydrogens = [n.GetIdx() for i in (3, 5) for n in toluene.GetAtomWithIdx(i).GetNeighbors() if n.GetSymbol() == "H"]
    walls = xyz[hydrogens] + 1.5 * (xyz[hydrogens] - xyz[[3, 5]])
    for wall, other in ((walls[:1], walls[1]), (walls[1:], walls[0])):
        found = align_pose(drawn("Cc1cccc(Cl)c1"), toluene, seed=1, receptor_angstrom=wall)
        (chlorine,) = [a.GetIdx() for a in found.mol.GetAtoms() if a.GetSymbol() == "Cl"]
        place = np.asarray(found.mol.GetConformer().GetPositions())[chlorine]
        assert found.clashes == 0 and np.linalg.norm(place - other) < 1.5
    found = align_pose(drawn("Cc1cccc(Cl)c1"), toluene, seed=1, receptor_angstrom=walls)
    assert found.clashes == 1 and "1 heavy atoms clash with the receptor (nearer than 2 Å)" in found.notes


def test_a_map_decides_where_it_is_given():
    toluene = posed("Cc1ccccc1", "toluene")
    for ring in ((1, 2, 3, 4, 5, 6), (1, 6, 5, 4, 3, 2)):
        pairs = ((0, 0), *zip((1, 2, 3, 4, 5, 7), ring, strict=True))
        found = align_pose(drawn("Cc1cccc(Cl)c1"), toluene, AtomMap("new", "toluene", pairs), seed=1)
        assert found.atom_map.pairs == tuple(sorted(pairs)) and found.rmsd_angstrom < 0.2


def test_too_little_in_common_is_refused():
    with pytest.raises(MoleculeError, match="new and reference have 2 heavy atoms in common"):
        align_pose(drawn("CC#N"), REFERENCE, seed=1)


def test_an_enantiomer_stays_one_and_what_is_off_its_place_is_told():
    r, s = posed("C[C@H](F)Cl", "r"), drawn("C[C@@H](F)Cl")
    found = align_pose(s, r, AtomMap("new", "r", tuple((i, i) for i in range(4))), seed=1)
    assert not specified(s).against(found.mol)
    assert found.furthest_angstrom > 0.5 and "could not stay at its place" in " ".join(found.notes)


def test_rings_are_common_as_a_whole():
    (way, *_), _ = common_graphs(posed("C1CCCCC1CC"), posed("C1CCCC1CC"))
    assert len(way) == 3, "the ethyl and the atom that bears it"
    ways, notes = common_graphs(posed("C1C2CC3CC1CC(C2)C3"), posed("OC12CC3CC(C1)CC(C3)C2"))
    assert len(ways[0]) == 10 and "8 of 24 ways to lay one on the other are tried" in notes
    assert common_graphs(posed("Cc1ccccc1"), posed("Cc1ccncc1"), MapRules(element_changes=False))[0] != []


def test_ways_put_a_group_at_each_place_first():
    """Adamantanol on adamantane: the oxygen at all four bridgeheads among the eight ways that are tried."""
    adamantanol, adamantane = posed("OC12CC3CC(C1)CC(C3)C2"), posed("C1C2CC3CC1CC(C2)C3")
    ways, _ = common_graphs(adamantanol, adamantane)
    assert len(ways) == 8 and len({way[1] for way in ways[:4]}) == 4


def test_a_search_that_is_stopped_is_told(monkeypatch):
    """Two cages with two groups each, at other distances: no common graph is proved to be the largest in time."""
    monkeypatch.setattr("gibbsflow.binding.prepare.atom_map.aligned_pose.SEARCH_S", 1)
    cages = [Chem.RWMol(fullerane()), Chem.RWMol(fullerane())]
    for cage, at in zip(cages, ((0, 7), (0, 30)), strict=True):
        for i in at:
            cage.AddBond(i, cage.AddAtom(Chem.Atom(8)), Chem.BondType.SINGLE)
        Chem.SanitizeMol(cage)
    assert common_graphs(*cages)[1][0] == "the search for a common graph was stopped after 1 s: a larger one may exist"
    assert not common_graphs(fullerane(), fullerane())[1][0].startswith("the search")
