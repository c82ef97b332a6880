"""Lipids told from protein, ligand, water and nucleic acid by their atoms."""

import bilayers
import numpy as np
import pytest

from gibbsflow.binding.forcefield.membrane.lipids import find_lipids, is_membrane, lipids_of


@pytest.fixture(scope="module")
def folder():
    return bilayers.bilayer()


def test_split_residues_of_lipid21_are_one_lipid(folder):
    found = lipids_of(folder / "complex.prmtop")
    assert set(found.counts()) == {"PA-PC-OL"} and {len(atoms) for atoms in found.molecules} == {134}
    assert found.are_a_membrane and len(found.atoms) == 134 * len(found.heads)
    without = lipids_of(folder / "complex.prmtop", without=[int(found.molecules[0][3])])
    assert len(without.heads) == len(found.heads) - 1  # a lipid that is the ligand is not counted


def test_a_box_of_a_ligand_is_no_membrane(folder):
    assert is_membrane(folder / "complex.prmtop") and not is_membrane(folder / "solvent.prmtop")


def molecule(carbons, phosphori, label, names=None, hydrogens=0):
    elements = [6] * carbons + [15] * phosphori + [8] + [1] * hydrogens
    return elements, names or [f"X{k}" for k in range(len(elements))], label


@pytest.mark.parametrize(
    ("one", "kinds"),
    [
        (molecule(42, 1, "POPC"), ("POPC",)),
        (molecule(27, 0, "CHL"), ("CHL",)),
        (molecule(27, 0, "CHO", hydrogens=46), ("CHO",)),  # cholesterol by another program's name
        (molecule(30, 0, "FAT", hydrogens=46), ()),
        (molecule(27, 0, "LIG"), ()),  # carbons alone make no lipid
        (molecule(17, 1, "DPC"), ()),  # a detergent of one chain
        (molecule(30, 1, "DA", ["C1'", "C3'", "C4'", *[f"X{k}" for k in range(29)]]), ()),
    ],
)
def test_kinds_of_molecules(one, kinds):
    elements, names, label = one
    zeros = np.zeros(len(elements), dtype=np.int32)
    found = find_lipids(np.array(elements, dtype=np.int32), names, [label], zeros, zeros)
    assert found.kinds == kinds and not found.are_a_membrane
    if kinds:
        assert elements[found.heads[0]] == (15 if "POPC" in kinds else 8)
