"""SMILES of a molecule of a topology."""

import solvated_systems as boxes

from gibbsflow.binding.forcefield.given.coordinate_files import read_coordinates
from gibbsflow.binding.forcefield.given.prmtop_terms import read_terms
from gibbsflow.binding.forcefield.given.smiles import smiles_of


def test_bond_orders_are_found_from_elements_bonds_and_charge():
    folder = boxes.boxes()
    terms = read_terms(folder / "complex.prmtop", where="x")
    positions = read_coordinates(folder / "complex.inpcrd", field="x", where="x").positions_angstrom
    assert smiles_of(terms, range(22, 28), positions[22:28], 0) == "CO"
    assert smiles_of(terms, range(22), positions[:22], 0) == "CNC(=O)[C@H](C)NC(C)=O"
