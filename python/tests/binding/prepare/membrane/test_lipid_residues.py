"""Lipids by their names: lipid21's parts, CHARMM's wholes; amino acids, water and other molecules are none."""

import pytest

from gibbsflow.binding.prepare.membrane.lipid_residues import is_lipid


@pytest.mark.parametrize("name", ["PA", "PC", "OL", "PGR", "CHL", "POPC", "DOPE", "DPPG", "CHL1", "POP", "PSM"])
def test_lipids(name):
    assert is_lipid(name, 42)


@pytest.mark.parametrize("name", ["PRO", "SER", "ASP", "LEU", "WAT", "SPC", "TIP3", "POT", "SOD", "LIG", "DUM", "P5P"])
def test_others(name):
    assert not is_lipid(name, 42)


@pytest.mark.parametrize("name", ["PLP", "PAP", "DAP", "PMP"])
def test_cofactors_with_the_name_of_a_lipid_that_was_cut(name):
    assert not is_lipid(name, 10) and is_lipid("POP", 42)
