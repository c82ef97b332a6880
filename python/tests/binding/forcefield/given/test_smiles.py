"""SMILES of a molecule of a topology."""

import solvated_systems as boxes
from rdkit import Chem

from gibbsflow.binding.forcefield.given.coordinate_files import read_coordinates
from gibbsflow.binding.forcefield.given.prmtop_terms import read_terms
from gibbsflow.binding.forcefield.given.smiles import constitution, constitution_of, smiles_of


def test_bond_orders_are_found_from_elements_bonds_and_charge():
    folder = boxes.boxes()
    terms = read_terms(folder / "complex.prmtop", where="x")
    positions = read_coordinates(folder / "complex.inpcrd", field="x", where="x").positions_angstrom
    assert smiles_of(terms, range(22, 28), positions[22:28], 0) == "CO"
    assert smiles_of(terms, range(22), positions[:22], 0) == "CNC(=O)[C@H](C)NC(C)=O"


def test_constitution_is_of_elements_and_bonds_alone():
    terms = read_terms(boxes.boxes() / "complex.prmtop", where="x")
    methanol, order = Chem.AddHs(Chem.MolFromSmiles("OC")), [27, 24, 22, 26, 23, 25]
    assert constitution_of(terms, order) == constitution_of(terms, range(22, 28)) == constitution(methanol)
    charged, neutral = (Chem.AddHs(Chem.MolFromSmiles(text)) for text in ("CC(=O)[O-]", "CC(=O)O"))
    assert len({constitution(charged), constitution(neutral), constitution(methanol)}) == 3
    left, right = (Chem.AddHs(Chem.MolFromSmiles(text)) for text in ("C[C@H](O)F", "[13CH3][C@@H](O)F"))
    assert constitution(left) == constitution(right)
