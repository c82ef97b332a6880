"""Lipids by their names: lipid21's parts, CHARMM's wholes; amino acids, water and other molecules are none."""

import pytest

from gibbsflow.binding.prepare.membrane.lipid_residues import is_lipid


@pytest.mark.parametrize("name", ["PA", "PC", "OL", "PGR", "CHL", "POPC", "DOPE", "DPPG", "CHL1", "POP", "PSM"])
def test_lipids(name):
    assert is_lipid(name)


@pytest.mark.parametrize("name", ["PRO", "SER", "ASP", "LEU", "WAT", "SPC", "TIP3", "POT", "SOD", "LIG", "DUM", "P5P"])
def test_others(name):
    assert not is_lipid(name)
