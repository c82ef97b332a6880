"""What is asked for, and what of it cannot be had."""

from pathlib import Path

import pytest

from gibbsflow.binding.forcefield.patch.choice import MembraneChoice


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (MembraneChoice("CHOL"), "a lipid that no patch is known of: CHOL"),
        (MembraneChoice("POPC:POPE"), "is left out, for 2 lipids"),
        (MembraneChoice("POPC:POPE", "3"), "is 3, for 2 lipids"),
        (MembraneChoice("POPC:POPE", "3:0"), "is 3:0, for 2 lipids"),
        (MembraneChoice("POPC:POPC", "3:1"), "names a lipid twice"),
        (MembraneChoice("POPC:-h", "3:1"), "a lipid that no mixture is known of: -h"),
        (MembraneChoice("POPC", "3"), "is 3, with one lipid"),
        (MembraneChoice(padding_angstrom=2), "2 Å round the protein"),
        (MembraneChoice(orientation="opm"), "given or search"),
        (MembraneChoice(salt_mol_per_l=-1), "0 to 5 mol/L"),
        (MembraneChoice(orientation="search", pdb=Path("x.pdb")), "membrane_pdb says it already"),
    ],
)
def test_choices_that_cannot_be_had(choice, said):
    (problem,) = choice.problems()
    assert said in str(problem)


def test_what_can_be_had():
    mixed = MembraneChoice("POPC:CHL1", "3:1")
    assert MembraneChoice().problems() == mixed.problems() == MembraneChoice(pdb=Path("x.pdb")).problems() == []
    assert mixed.is_mixture and mixed.asked == "POPC:CHL1 3:1" and MembraneChoice(pdb=Path("a/x.pdb")).asked == "x.pdb"
