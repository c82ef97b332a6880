"""The input of a campaign as a whole: everything that is wrong, from whichever file, at once."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from known_molecules import CB7
from peptides import hetero, peptide

from gibbsflow.binding.campaign.check import check_campaign, check_row, made_from, outdir_problems
from gibbsflow.binding.prepare.receptor_file import read_receptor
from gibbsflow.binding.prepare.receptors import Receptor
from gibbsflow.binding.prepare.samplesheet import Row
from gibbsflow.config.binding import BindingConfig
from gibbsflow.report.tables import results_table

PROTEIN = Receptor("p", "protein", None, np.zeros((1, 3)))


def row(smiles: str, **cells) -> Row:
    given = dict(structure=None, charge=None, pose="place", experimental_dg_kcal_per_mol=None, group=None) | cells
    return Row(line=4, ligand="a", smiles=smiles, **given)


def test_problems_of_a_row_name_sheet_line_column_and_ligand():
    problems, _ = check_row(row("CCO", charge=1), None, BindingConfig(), "l.csv")
    assert [(p.where, p.row, p.field) for p in problems] == [("l.csv", 4, "charge")]
    assert problems[0].what.startswith("a: 1 given")


def test_pose_is_checked_only_against_a_receptor_that_could_be_read():
    assert check_row(row("CCO"), None, BindingConfig(), "l.csv") == ([], [])
    problems, _ = check_row(row("CCO"), PROTEIN, BindingConfig(), "l.csv")
    assert [(p.field, p.row) for p in problems] == [("pose", 4)]


def test_what_was_assumed_of_a_ligand_is_a_warning():
    problems, warnings = check_row(row("CCC(C)O"), None, BindingConfig(), "l.csv")
    assert problems == [] and [(w.field, w.row) for w in warnings] == [("smiles", 4)]
    assert "stereochemistry left open" in warnings[0].what


def test_a_ligand_without_a_place_is_near_to_nothing_that_is_left_out(tmp_path):
    beside = hetero("MTH", 201, "C1", "C", 6.0, -9.0, 6.0)
    (tmp_path / "p.pdb").write_text(peptide("ACE ALA NME") + "TER\n" + beside + "END\n")
    settings = BindingConfig.from_params({"mode": "md"})
    read = read_receptor(tmp_path / "p.pdb", settings.system, complete=False)
    assert read.left_out
    assert check_row(row("c1ccccc1", pose="align"), read, settings, "l.csv") == ([], [])


def test_results_are_made_from_files_rows_and_what_changes_them(tmp_path):
    for name in ("l.csv", "r.sdf", "a.sdf", "s.yaml"):
        (tmp_path / name).write_text(name)
    given = row("CCO")

    def made(one=given, **settings):
        return made_from([one], tmp_path / "l.csv", tmp_path / "r.sdf", BindingConfig.from_params(settings), "c")

    first = made()
    assert first.files["receptor"][0] == str(tmp_path / "r.sdf") and list(first.items) == ["a"]
    assert made(on_failure="prune", clean_failures=True, param_memory_gb=9) == first
    for settings in ({"threads": 4}, {"platform": "CUDA"}, {"legs_per_gpu": "2"}, {"trajectory": "all"}):
        assert made(**settings) == first, settings  # no leg is another for them
    assert made(cost_per_cpu_hour=0.1) == replace(first, remarks=made(cost_per_cpu_hour=0.1).remarks) != first
    assert made(replace(given, line=9, group="g")) == replace(first, remarks=made(replace(given, group="g")).remarks)
    assert made(replace(given, experimental_dg_kcal_per_mol=-3.0)).remarks != first.remarks
    for settings in ({"seed": 7}, {"mode": "md"}, {"timestep_fs": 2}, {"complex_schedule": str(tmp_path / "s.yaml")}):
        assert made(**settings).settings != first.settings and made(**settings).items == first.items
    structure = replace(given, smiles=None, structure=str(tmp_path / "a.sdf"))
    before = made(structure)
    assert before.items != first.items and before.settings == first.settings
    (tmp_path / "a.sdf").write_text("another")
    assert made(structure).items != before.items
    (tmp_path / "r.sdf").write_text("another")
    assert made().settings != first.settings


def test_a_receptor_has_a_name_of_its_own(tmp_path):
    for name in ("...sdf", "superseded-1.sdf"):
        shutil.copy(CB7, tmp_path / name)
        found = check_campaign(CB7.parent / "ligands.csv", tmp_path / name, None, None)
        assert any(p.field == "receptor" and "its name" in p.what for p in found.problems)


def test_a_folder_that_can_be_made_and_one_that_cannot(tmp_path):
    (tmp_path / "file").touch()
    assert outdir_problems(tmp_path / "new" / "deep") == []
    assert not (tmp_path / "new").exists()
    (problem,) = outdir_problems(tmp_path / "file" / "out")
    assert problem.field == "outdir" and f"{tmp_path / 'file'} is a file" in problem.what


@pytest.mark.parametrize("receptor", [CB7, CB7.parent / "nix.sdf"], ids=["receptor", "no receptor"])
def test_all_files_are_looked_at_whatever_one_lacks(tmp_path, receptor):
    sheet, config = tmp_path / "l.csv", tmp_path / "c.yaml"
    sheet.write_text("ligand,smiles\ngood,CCO\nbad,c1cc\nx y,C\n")
    config.write_text("fe: {window_ps: -1}\n")
    (tmp_path / "file").touch()
    found = check_campaign(sheet, receptor, config, tmp_path / "file" / "out")
    assert [row.ligand for row in found.rows] == ["good"]
    fields = [(problem.field, problem.row) for problem in found.problems]
    expected = [("smiles", 3), ("ligand", 4), ("outdir", None)]
    assert fields[-3:] == expected and "window_ps" in str(found.problems[0])
    assert len(fields) == 4 + (receptor != CB7)


def test_a_ligand_that_does_not_fit_is_named_with_the_nearest_distance(tmp_path):
    sheet = tmp_path / "l.csv"
    sheet.write_text("ligand,smiles,pose\nsmall,CCCC,place\ncoronene,c1cc2ccc3ccc4ccc5ccc6ccc1c1c2c3c4c5c61,place\n")
    found = check_campaign(sheet, CB7, None, None)
    assert [row.ligand for row in found.rows] == ["small"]
    (problem,) = found.problems
    assert (problem.row, problem.field) == (3, "pose")
    assert problem.what.startswith("coronene: the ligand does not fit into the host's cavity") and "Å" in problem.what


def test_input_with_nothing_wrong(tmp_path):
    sheet = tmp_path / "l.csv"
    sheet.write_text("ligand,smiles\na,CCO\n")
    found = check_campaign(sheet, CB7, None, tmp_path / "out")
    assert (len(found.rows), found.problems, found.warnings) == (1, [], [])


def test_a_campaign_is_told_of_ions_marks_and_hypervalent_centres_before_it_starts():
    (ion,), _ = check_row(row("[Cl-]"), None, BindingConfig(), "l.csv")
    assert "a single atom, [Cl-]" in ion.what and ion.field == "smiles"
    (mark,), _ = check_row(row("C1CC/C=C/CC1"), None, BindingConfig(), "l.csv")
    assert "a trans double bond in a ring of 7" in mark.what
    problems, warnings = check_row(row("CS(F)(F)(F)(F)F"), None, BindingConfig(), "l.csv")
    assert problems == [] and "S2 is hypervalent (6 neighbours)" in warnings[0].what


def test_an_isomer_without_a_geometry_is_told():
    problems, _ = check_row(row("C1#CC#CC1"), None, BindingConfig(), "l.csv")
    assert "no 3-D structure can be built" in problems[0].what


@pytest.fixture
def one_bad_row(tmp_path):
    """A sheet whose second ligand has an atom that no force field here knows."""
    sheet = tmp_path / "ligands.csv"
    sheet.write_text("ligand,smiles\ngood,OCC12CC3CC(C1)CC(C3)C2\nbad,C[Hg]C\n")
    return sheet


@pytest.mark.parametrize("policy", ["prune", "retry"])
def test_a_molecule_that_cannot_be_used_drops_out_by_name(one_bad_row, tmp_path, policy):
    found = check_campaign(one_bad_row, CB7, None, None, on_failure=policy)
    assert [row.ligand for row in found.rows] == ["good"] and found.problems == []
    (fault,) = found.left_out["bad"]
    assert (fault.row, fault.field) == (3, "smiles") and fault.what.startswith("bad: ")
    assert found.notes[0].startswith(f"left out, the rest runs: {one_bad_row}, row 3, smiles: bad: ")
    found.record(tmp_path / "cb7")
    (told,) = (tmp_path / "cb7").rglob("FAILED")
    assert told == tmp_path / "cb7/bad/check/FAILED"
    assert results_table.failures(tmp_path)["bad"].message.startswith(f"{one_bad_row}, row 3, smiles: bad: ")
    one_bad_row.write_text("ligand,smiles\nbad,OCC12CC3CC(C1)CC(C3)C2\n")
    check_campaign(one_bad_row, CB7, None, None, on_failure=policy).record(tmp_path / "cb7")
    assert not told.exists()  # mended


def test_under_raise_it_is_refused_as_is_a_sheet_without_a_good_row(one_bad_row):
    refused = check_campaign(one_bad_row, CB7, None, None)
    assert [p.row for p in refused.problems] == [3] and refused.left_out == {}
    one_bad_row.write_text("ligand,smiles\nbad,C[Hg]C\n")
    none_left = check_campaign(one_bad_row, CB7, None, None, on_failure="prune")
    assert [p.row for p in none_left.problems] == [2] and none_left.left_out == {}


def test_what_is_refused_for_another_reason_names_its_bad_rows_too(one_bad_row, tmp_path):
    (tmp_path / "file").touch()
    found = check_campaign(one_bad_row, CB7, None, tmp_path / "file", on_failure="prune")
    assert [p.field for p in found.problems] == ["smiles", "outdir"] and found.left_out == {}


def of_solvation(folder, smiles: str = "C", receptor=None, **settings):
    """What is found wrong with the solvation of a ligand, and what is noted."""
    (folder / "l.csv").write_text(f"ligand,smiles\nfirst,{smiles}\nsecond,{smiles}\n")
    (folder / "s.json").write_text(json.dumps({"mode": "asfe", "solvent": "tip3p"} | settings))
    found = check_campaign(folder / "l.csv", receptor, folder / "s.json", None)
    notes = [str(note) for note in found.warnings]
    twice = f"{folder / 'l.csv'}, row 3, ligand: second is the molecule of first (row 2), and is computed again"
    assert twice in notes or found.problems
    return [str(problem) for problem in found.problems], [note for note in notes if note != twice]


def test_solvation_takes_a_ligand_alone(tmp_path):
    assert of_solvation(tmp_path) == ([], [])
    problems, _ = of_solvation(tmp_path, receptor=CB7)
    assert problems == [f"io, receptor: {CB7} (right: none in mode asfe)"]


def test_a_fault_of_all_rows_is_said_once(tmp_path):
    assert of_solvation(tmp_path, solvent="vacuum")[0] == [
        "settings, solvent: nothing is solvated in vacuum (right: a water model, or obc2)"
    ]
    # whether a receptor is missing is not known where the mode is not
    assert [problem.split(" (")[0] for problem in of_solvation(tmp_path, solvent="tip5p")[0]] == [
        f"{tmp_path / 's.json'}, md.solvent: 'tip5p' is not usable"
    ]


@pytest.mark.parametrize(
    ("smiles", "settings", "padding", "sure"),
    [
        ("C", {"padding_angstrom": 8}, 10, True),
        ("C", {"padding_angstrom": 9}, 10, False),
        ("C", {"padding_angstrom": 5, "cutoff_angstrom": 12}, 14, True),
        ("C", {"padding_angstrom": 5, "box_shape": "box"}, 8, True),
        ("Cc1ccccc1", {"padding_angstrom": 6}, 9, True),
        ("Cc1ccccc1", {"padding_angstrom": 7}, 9, False),
        ("CCCCCCCCCC", {"padding_angstrom": 5}, 7, False),
    ],
)
def test_a_box_that_will_be_too_small_is_foretold(tmp_path, smiles, settings, padding, sure):
    refused, noted = of_solvation(tmp_path, smiles, **settings)
    told, nothing = (refused, noted) if sure else (noted, refused)
    assert len(told) == 2 and nothing == []
    for row, problem in enumerate(told, 2):
        assert problem.startswith(f"{tmp_path / 'l.csv'}, row {row}, padding_angstrom: ")
        assert f"{'is' if sure else 'may be'} too small for a cutoff of" in problem
        assert problem.endswith(f"(right: padding_angstrom of {padding})")
    assert of_solvation(tmp_path, smiles, **settings | {"padding_angstrom": padding}) == ([], [])


def test_what_is_given_and_not_used_is_noted(tmp_path):
    _, notes = of_solvation(tmp_path, site="A:3", restraint="com")
    assert notes == ["settings: site, restraint: given, and not used in mode asfe, which has no receptor"]


def test_poses_of_a_ligand_are_checked_together(tmp_path):
    sheet = tmp_path / "l.csv"
    sheet.write_text("ligand,smiles,pose_of\na,OCC12CCC(CC1)(CC2)CO,b2\nb,OCC12CCC(CC1)(CC2)CO,b2\n")
    found = check_campaign(sheet, CB7, None, None)
    assert [(p.row, p.field) for p in found.problems] == [(3, "pose_of")] and "one pose twice" in found.problems[0].what
    dropped = check_campaign(sheet, CB7, None, None, on_failure="prune")
    assert [r.ligand for r in dropped.rows] == ["a"] and list(dropped.left_out) == ["b"]


def test_whose_pose_a_row_is_changes_the_table_alone(tmp_path):
    (tmp_path / "l.csv").write_text("l")
    one, other = (
        made_from([r], tmp_path / "l.csv", None, BindingConfig(), "c") for r in (row("C"), row("C", pose_of="x"))
    )
    assert one.items == other.items and one.remarks != other.remarks


def test_an_engine_that_is_not_here_is_told_before_anything_runs(tmp_path, monkeypatch):
    sheet, settings = tmp_path / "ligands.csv", tmp_path / "run.yaml"
    sheet.write_text("ligand,smiles\nethane,CC\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    found = {}
    for name, more in {"water": "solvent: tip3p", "implicit": "solvent: obc2", "soft": "solvent: opc"}.items():
        settings.write_text(
            f"mode: asfe\nengine: gromacs\n{more}\n" + ("soft_core: gapsys\n" if name == "soft" else "")
        )
        for programs in (True, False):
            problems = check_campaign(sheet, None, settings, None, programs=programs).problems
            found[name, programs] = [str(problem) for problem in problems]
    (missing,) = found["water", True]
    assert "run.yaml" in missing and "no gmx on PATH" in missing and "--engine openmm" in missing
    assert found["water", False] == []  # in a container it is in the image
    assert "no implicit solvent since 2019" in found["implicit", False][0]
    (soft,) = found["soft", False]
    assert "gapsys with engine gromacs" in soft
    settings.write_text("mode: asfe\nengine: auto\nsolvent: tip3p\n")
    assert check_campaign(sheet, None, settings, None).problems == []


def test_charges_of_a_structure_are_asked_for_before_anything_runs():
    chosen = BindingConfig.from_params({"charge_source": "sdf"})
    (problem,), _ = check_row(row("CCO"), None, chosen, "l.csv")
    assert (problem.field, problem.row) == ("structure", 4) and "a SMILES has no partial charges" in problem.what
