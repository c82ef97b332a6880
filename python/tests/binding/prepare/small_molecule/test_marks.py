"""Marks of SMILES and wedges: refused where they would be lost, or contradict the geometry."""

import pytest
from rdkit import Chem

from gibbsflow.binding.prepare import molecules
from gibbsflow.binding.prepare.conformers import embed
from gibbsflow.binding.prepare.molecules import MoleculeError
from gibbsflow.binding.prepare.small_molecule.marks import lost_marks, marks_against_geometry


@pytest.mark.parametrize("smiles", ["CC=[C@]=CC", "C1CC/C=C/CC1"])
def test_marks_that_cannot_be_kept_are_refused(smiles):
    with pytest.raises(MoleculeError, match="which cannot be kept"):
        molecules.from_smiles(smiles)
    assert lost_marks(r"C1CC/C=C\CC1") == lost_marks("C/C=C/C") == []


def test_wedges_that_contradict_the_geometry(tmp_path):
    mol = embed(molecules.from_smiles("C[C@H](O)F"), count=1, seed=1).mol
    block = Chem.MolToMolBlock(mol)
    assert marks_against_geometry(block) == []
    lines = block.splitlines()
    wedged = next(i for i, line in enumerate(lines) if len(line) == 12 and line[9:].strip() in ("1", "6"))
    lines[wedged] = lines[wedged][:9] + {"1": "  6", "6": "  1"}[lines[wedged][9:].strip()]
    path = tmp_path / "m.sdf"
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(MoleculeError, match="its wedges say another stereoisomer than its geometry at centre C2"):
        molecules.from_file(path)


@pytest.mark.parametrize(
    "smiles",
    [
        r"C/C=C1/CC[C@H](C)CC1",
        r"F/C=C\1CCC(=C/Cl)CC1",
        "C[C@H]1CC[C@]2(CC1)CC[C@@H](O)CC2",
        "Cc1ccc2c(c1)C[N@]1C[N@@]2Cc2cc(C)ccc21",
    ],
)
def test_marks_that_rdkit_drops_are_refused_where_isomers_differ(smiles):
    with pytest.raises(MoleculeError, match="which cannot be kept"):
        molecules.from_smiles(smiles)


@pytest.mark.parametrize(
    "smiles", ["C1[C@@H]2C[C@H]3C[C@@H]1C[C@@H](C2)C3", "C1C[N@]2CC[C@@H]1CC2", "[H]/C(C)=C(/F)Cl"]
)
def test_marks_that_tell_no_isomers_apart_may_go(smiles):
    assert lost_marks(smiles) == []
