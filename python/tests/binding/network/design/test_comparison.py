"""Ligands compared two by two, wherever each of them lies."""

from __future__ import annotations

import pytest
from rdkit import Chem
from rdkit.Chem import AllChem, rdMolTransforms

from gibbsflow.binding.network.design.comparison import GivenMaps, Posed, Ways, compare
from gibbsflow.binding.prepare.atom_map.atom_maps import AtomMap
from gibbsflow.errors import InputError


def ligand(smiles: str, *, given: bool, seed: int = 7) -> Posed:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    AllChem.EmbedMolecule(mol, randomSeed=seed)
    return Posed(mol, Chem.GetFormalCharge(mol), given=given)


def moved(one: Posed, by: float) -> Posed:
    mol = Chem.Mol(one.mol)
    turn = rdMolTransforms.ComputeCanonicalTransform(mol.GetConformer())
    turn[:3, 3] += by
    rdMolTransforms.TransformConformer(mol.GetConformer(), turn)
    return Posed(mol, one.charge, given=one.given)


def test_where_a_ligand_was_placed_does_not_matter_and_where_it_was_given_does() -> None:
    toluene, phenol = "Cc1ccccc1", "Oc1ccccc1"
    placed = {"toluene": ligand(toluene, given=False), "phenol": moved(ligand(phenol, given=False, seed=3), 5.0)}
    found = compare(placed, seed=1)
    score, atom_map = found.scores["phenol", "toluene"], found.maps["phenol", "toluene"]
    assert score.difficulty < 0.2 and score.figures["rmsd_angstrom"] < 0.3
    assert found.candidates().difficulty == {("phenol", "toluene"): score.difficulty}
    assert found.edge("toluene", "phenol").atoms == atom_map.reversed().pairs
    given = {name: Posed(one.mol, one.charge, given=True) for name, one in placed.items()}
    apart = compare(given, seed=1)
    assert apart.candidates().difficulty == {} and "0 heavy atoms" in apart.scores["phenol", "toluene"].faults[0]
    # a map that is given lays them on one another as well
    known = AtomMap("toluene", "phenol", atom_map.reversed().pairs)
    again = compare(placed, GivenMaps((known,)), seed=1).scores["phenol", "toluene"]
    assert again.difficulty == pytest.approx(score.difficulty, abs=0.05)


def test_pairs_without_an_edge_say_why() -> None:
    found = compare({"methanol": ligand("CO", given=False), "toluene": ligand("Cc1ccccc1", given=False)}, seed=1)
    assert found.maps == {} and found.candidates().ligands == ("methanol", "toluene")
    with pytest.raises(InputError, match="heavy atoms in common"):
        found.edge("methanol", "toluene")


def test_a_ring_that_is_shared_in_part_is_exchanged_as_a_whole_if_it_may() -> None:
    """As by B2 and 1-adamantanol: such a group would tie both ends together, and its legs are refused."""
    pair = {"b2": ligand("OCC12CCC(CC1)(CC2)CO", given=False), "cage": ligand("OC12CC3CC(CC(C3)C1)C2", given=False)}
    found = compare(pair, seed=1, ways=Ways("auto"))
    edge = found.edge("b2", "cage")
    assert edge.topology == "dual" and edge.difficulty == found.candidates().difficulty["b2", "cage"] > 0.8
    assert "grows a ring that is fused on, or bridges" in found.why_whole(("b2", "cage"))
    with pytest.raises(
        InputError, match="grows a ring that is fused on, or bridges.*or both as a whole: edge_topology auto"
    ):
        compare(pair, seed=1).edge("b2", "cage")
