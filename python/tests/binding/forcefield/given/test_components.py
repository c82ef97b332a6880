"""Ligand, receptor, water and ions of a topology; ambiguity is refused."""

import dataclasses

import pytest
import solvated_systems as boxes

from gibbsflow.binding.forcefield.given.components import complex_with, ligand_alone, named_residue
from gibbsflow.binding.forcefield.given.prmtop_terms import read_terms
from gibbsflow.errors import InputError


@pytest.fixture(scope="module")
def terms():
    folder = boxes.boxes("tip3p", "Na+ 2 Cl- 2")
    return {role: read_terms(folder / f"{role}.prmtop", where=role) for role in ("complex", "solvent")}


def test_parts_are_found_without_a_word(terms):
    free = ligand_alone(terms["solvent"], None, where="s")
    bound = complex_with(terms["complex"], None, (terms["solvent"], free.ligand), where="c")
    assert free.ligand == tuple(range(6)) and free.receptor == () and free.ions == {"Na+": 2, "Cl-": 2}
    assert bound.receptor_kind == "protein" and bound.receptor == tuple(range(22))
    assert bound.ligand == tuple(range(22, 28))
    atoms = len(terms["complex"].elements)
    assert 28 + 4 + 3 * bound.waters == atoms
    assert complex_with(terms["complex"], "MOH", None, where="c") == bound
    assert complex_with(terms["complex"], "MOH:4", None, where="c") == bound


@pytest.mark.parametrize(
    ("residue", "said"),
    [
        ("LIG", "has no residue LIG"),
        ("MOH:2", "has no residue MOH:2"),
        ("WAT", "residues WAT"),
        ("ALA", "are bonded: the ligand is no molecule of its own"),
    ],
)
def test_a_residue_that_cannot_be_the_ligand_is_refused(terms, residue, said):
    with pytest.raises(InputError, match=said):
        complex_with(terms["complex"], residue, None, where="c")


def test_a_box_of_two_solutes_and_one_of_none_are_refused(terms):
    with pytest.raises(InputError, match="could be any of"):
        ligand_alone(terms["complex"], None, where="c")
    with pytest.raises(InputError, match="beside the ligand"):
        ligand_alone(terms["complex"], "MOH", where="c")
    with pytest.raises(InputError, match="can be the receptor"):
        complex_with(terms["solvent"], "MOH", None, where="s")


def test_a_ligand_of_other_charges_is_not_found(terms):
    charges = terms["complex"].charges_e.copy()
    charges[22] += 0.01
    other = dataclasses.replace(terms["complex"], charges_e=charges)
    with pytest.raises(InputError, match="no molecule is the ligand of the solvent's box"):
        complex_with(other, None, (terms["solvent"], range(6)), where="c")


def test_names_of_residues():
    assert named_residue("MOL") == ("MOL", None) and named_residue("MOL:A:12") == ("MOL", 12)
    assert named_residue("Na+:3") == ("Na+", 3)
