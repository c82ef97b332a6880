"""What is said of a restraint before anything runs."""

from dataclasses import replace

import pytest
from known_molecules import CB7, LYSOZYME

from gibbsflow.binding.campaign.check import check_campaign
from gibbsflow.binding.campaign.check_restraints import kind_held, row_problems, setting_problems
from gibbsflow.binding.prepare.complex import row_from_options
from gibbsflow.binding.prepare.conformers import embed
from gibbsflow.binding.prepare.ligands import read_ligand
from gibbsflow.binding.prepare.receptor_file import read_receptor
from gibbsflow.config.binding import BindingConfig


def settings(**given):
    return BindingConfig.from_params(given)


def row(smiles, **changed):
    return replace(row_from_options("a", None, smiles, None, None), **changed)


@pytest.fixture(scope="module")
def host():
    return read_receptor(CB7, BindingConfig().system)


@pytest.fixture(scope="module")
def protein():
    return read_receptor(LYSOZYME / "receptor.pdb", BindingConfig().system, complete=False)


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"boresch_atoms": "C1,C2"}, "no six atoms"),
        ({"boresch_atoms": "a,b,c,d,e,f", "restraint": "com"}, "given with restraint com"),
        ({"boresch_atoms": "a,b,c,d,e,f", "mode": "asfe", "solvent": "tip3p"}, "mode asfe, which restrains nothing"),
        ({"symmetry_number": 2, "mode": "asfe", "solvent": "tip3p"}, "nothing is restrained"),
        ({"symmetry_number": 2, "mode": "md"}, "nothing is restrained"),
    ],
)
def test_settings_that_contradict(given, what):
    (problem,) = setting_problems(settings(**given))
    assert what in problem.what and problem.field in given


def test_kinds():
    assert kind_held(settings(), host=True) == "com" and kind_held(settings(), host=False) == "boresch"
    assert kind_held(settings(boresch_atoms="a,b,c,d,e,f"), host=True) == "boresch"
    assert kind_held(settings(mode="md"), host=True) is None
    assert setting_problems(settings()) == []


def test_symmetry_numbers_of_rows(host, protein):
    xylene = row("Cc1ccc(C)cc1")
    ligand = read_ligand(xylene)
    assert row_problems(xylene, ligand, protein, settings(symmetry_number=2)) == []
    assert row_problems(replace(xylene, symmetry_number=4), ligand, protein, settings(symmetry_number=3)) == []
    (wrong,) = row_problems(replace(xylene, symmetry_number=3), ligand, protein, settings())
    assert "map onto themselves in 4 ways" in wrong.what and wrong.right == "a divisor of 4"
    (free,) = row_problems(replace(xylene, symmetry_number=2), ligand, host, settings())
    assert "kind com holds no orientation" in free.what
    assert row_problems(replace(xylene, symmetry_number=14), ligand, host, settings(restraint="boresch")) == []


def test_small_ligands(host, protein):
    """Methane, argon, water: Boresch is refused where it is asked for, and auto takes another."""
    for smiles in ("C", "O", "CO"):
        given = row(smiles)
        ligand = read_ligand(given)
        (problem,) = row_problems(given, ligand, protein, settings(restraint="boresch"))
        assert "heavy atoms, where a Boresch restraint needs three anchors" in problem.what
        assert row_problems(given, ligand, protein, settings()) == []
        assert row_problems(given, ligand, host, settings(restraint="flat_bottom")) == []


def test_names_in_a_protein_and_a_host(host, protein):
    propanol = row("CCCO")
    ligand = read_ligand(propanol)
    chain = protein.heavy_atoms[0][0].split()[1].split(":")[0]
    good = f"{chain}:99:CA,{chain}:102:CA,{chain}:84:N,C1,C2,O1"
    assert row_problems(propanol, ligand, protein, settings(boresch_atoms=good)) == []
    for right, wrong, near in (
        (f"{chain}:99:CA", f"{chain}:99:CX", f"{chain}:99:C"),
        ("O1", "N1", "heavy atoms of the"),
    ):
        (problem,) = row_problems(propanol, ligand, protein, settings(boresch_atoms=good.replace(right, wrong)))
        assert wrong in problem.what and near in problem.right
    assert row_problems(propanol, ligand, host, settings(boresch_atoms="O1,O3,N5,C1,C2,C3")) == []
    (problem,) = row_problems(propanol, ligand, host, settings(boresch_atoms="O1,O3,H5,C1,C2,C3"))
    assert "the receptor has no heavy atom 'H5'" in problem.what


def test_anchors_in_a_line_are_refused_before_anything_runs(host):
    """Those of a nitrile; of a ligand without a pose its shape is not known yet."""
    given = row("CC#N", pose="given")
    chosen = settings(boresch_atoms="O1,O3,N5,C1,C2,N1")
    (problem,) = row_problems(given, embed(read_ligand(given), count=1, seed=1), host, chosen)
    assert "C1,C2,N1 lie in a line (1" in problem.what and problem.field == "boresch_atoms"
    assert row_problems(row("CC#N"), read_ligand(given), host, chosen) == []


def test_a_campaign_is_refused_with_file_row_and_field(tmp_path):
    sheet, config = tmp_path / "l.csv", tmp_path / "c.yaml"
    sheet.write_text("ligand,smiles,symmetry_number\na,CCCCO,2\nb,CCCCN,0\n")
    config.write_text("fe: {restraint: boresch}\n")
    found = check_campaign(sheet, CB7, config, None)
    told = [(p.row, p.field) for p in found.problems]
    assert told == [(3, "symmetry_number")] and [r.symmetry_number for r in found.rows] == [2]
    sheet.write_text("ligand,smiles,symmetry_number\na,CCCCO,5\n")
    (problem,) = check_campaign(sheet, CB7, config, None).problems
    assert (problem.where, problem.row, problem.field) == (str(sheet), 2, "symmetry_number")
    assert "a: 5, but ligand and receptor map onto themselves in 14 ways" in problem.what
