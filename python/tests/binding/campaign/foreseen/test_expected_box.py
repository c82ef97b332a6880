"""The box of a ligand alone, foretold from its geometry."""

from dataclasses import replace

from known_molecules import B2, SMILES

from gibbsflow.binding.campaign.check import check_row
from gibbsflow.binding.prepare.receptor_file import read_receptor
from gibbsflow.binding.prepare.samplesheet import Row
from gibbsflow.config.binding import BindingConfig


def test_the_box_of_a_guest_is_foretold_from_its_pose_or_its_conformers():
    """Of a ligand that is laid on another the length alone is known, which leaves room for doubt."""
    settings = BindingConfig.from_params({"solvent": "tip3p", "padding_angstrom": 5.0})
    host = read_receptor(B2.with_name("cb7_tripos.mol2"), settings.system)
    from_smiles = Row(
        line=4,
        ligand="a",
        structure=None,
        smiles=SMILES["b2"],
        charge=None,
        pose="place",
        experimental_dg_kcal_per_mol=None,
        group=None,
    )
    given = replace(from_smiles, smiles=None, structure=str(B2), pose="given")
    for each, refused in ((given, True), (from_smiles, True), (replace(from_smiles, pose="align"), False)):
        problems, _ = check_row(each, host, settings, "l.csv")
        assert [p.field for p in problems] == ["padding_angstrom"] * refused, problems
