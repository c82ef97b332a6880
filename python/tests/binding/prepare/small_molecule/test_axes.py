"""Allenes, biaryls and pyramids: told where they are open, kept from a geometry."""

from dataclasses import replace

import pytest
from rdkit import Chem

from gibbsflow.binding.prepare import molecules
from gibbsflow.binding.prepare.conformers import embed, settle_stereo
from gibbsflow.binding.prepare.small_molecule.axes import axes
from gibbsflow.binding.prepare.small_molecule.stereo import specified


@pytest.mark.parametrize(("smiles", "kind"), [("CC=C=CO", "allene"), ("Cc1cccc(F)c1-c1c(C)cccc1Br", "biaryl")])
def test_axes_are_kept_from_a_geometry(smiles, kind):
    """The isomer of a geometry is found again when conformers are built anew, and is told where no geometry says it."""
    from_smiles = settle_stereo(molecules.from_smiles(smiles))
    assert f"{kind} axis" in from_smiles.notes[0]
    assert [axis.kind for axis in axes(from_smiles.mol)] == [kind]
    source = embed(from_smiles, count=1, seed=1)
    mirrored = Chem.Mol(source.mol)
    for i, (x, y, z) in enumerate(source.mol.GetConformer().GetPositions()):
        mirrored.GetConformer().SetAtomPosition(i, (-x, y, z))
    for mol in (source.mol, mirrored):
        wanted = specified(mol)
        assert len(wanted.axes) == 1
        again = embed(replace(source, mol=mol), count=6, seed=5).mol
        assert all(not wanted.against(again, c.GetId()) for c in again.GetConformers())


@pytest.mark.parametrize("smiles", ["C1CN2CCC1CC2", "C[C@H]1CN2CC[C@@H]1CC2", "CN(C)CC", "CP(C)CC"])
def test_pyramids_that_are_one_isomer_are_not_told(smiles):
    assert settle_stereo(molecules.from_smiles(smiles)).notes == ()


def test_a_phosphine_keeps_its_mark():
    given = molecules.from_smiles("C[P@](CC)c1ccccc1")
    (axis,) = axes(given.mol)
    ccw, cw = (embed(molecules.from_smiles(f"C[P{mark}](CC)c1ccccc1"), count=1, seed=1).mol for mark in ("@", "@@"))
    assert (axis.kind, axis.called(given.mol)) == ("pyramid", "centre P2")
    assert specified(given.mol).against(ccw) == [] and specified(given.mol).against(cw) == ["centre P2"]
