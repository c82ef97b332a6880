"""A ligand without a receptor: one conformer of the isomer that was asked for."""

import pytest
from rdkit import Chem

from gibbsflow.binding.facts import PreparedFacts
from gibbsflow.binding.prepare.complex import prepare_solute, row_from_options, solute_faults, solute_hash
from gibbsflow.binding.prepare.conformers import embed
from gibbsflow.binding.prepare.ligands import read_ligand
from gibbsflow.binding.prepare.molecules import MoleculeError, write_sdf
from gibbsflow.config.binding import BindingConfig
from gibbsflow.errors import InputError

SETTINGS = BindingConfig()


def test_smiles_becomes_one_conformer_of_its_isomer(tmp_path):
    system, facts = prepare_solute(row_from_options("z", None, "C/C=C\\C", None, None), SETTINGS, tmp_path)
    assert system.facts(PreparedFacts).receptor_kind is None and facts["pose"] == "place"
    (written,) = Chem.SDMolSupplier(str(system.path("ligand")), removeHs=False)
    assert written.GetNumAtoms() == 12 and written.GetConformer().Is3D()
    Chem.AssignStereochemistryFrom3D(written)
    assert Chem.MolToSmiles(Chem.RemoveHs(written)) == "C/C=C\\C"


def test_a_structure_keeps_its_coordinates(tmp_path):
    molecule = embed(read_ligand(row_from_options("e", None, "OCCO", None, None)), count=1, seed=3)
    given = write_sdf(molecule, tmp_path / "given.sdf", "given")
    row = row_from_options("e", given, None, None, None)
    (tmp_path / "out").mkdir()
    system, _ = prepare_solute(row, SETTINGS, tmp_path / "out")
    written, before = (
        next(iter(Chem.SDMolSupplier(str(path), removeHs=False))) for path in (system.path("ligand"), given)
    )
    assert written.GetConformer().GetPositions() == pytest.approx(before.GetConformer().GetPositions())
    assert solute_hash(row, SETTINGS) != solute_hash(row_from_options("e", None, "OCCO", None, None), SETTINGS)


def test_a_file_with_another_molecule_is_refused(tmp_path):
    molecule = embed(read_ligand(row_from_options("e", None, "OCCO", None, None)), count=1, seed=3)
    pose = write_sdf(molecule, tmp_path / "pose.sdf", "pose")
    row = row_from_options("m", None, "OCCCO", None, str(pose))
    assert solute_faults(row, read_ligand(row))
    with pytest.raises(InputError, match="holds OCCO"):
        prepare_solute(row, SETTINGS, tmp_path)
    with pytest.raises(MoleculeError):
        read_ligand(row_from_options("m", None, "OCC(", None, None))
