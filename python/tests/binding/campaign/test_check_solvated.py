"""Rows whose systems come solvated, checked before the first task: each fault by row and column."""

import pytest
import solvated_systems as boxes
from known_molecules import CB7

from gibbsflow.binding.campaign.check import check_campaign, made_from
from gibbsflow.binding.campaign.check_solvated import box_files, check_solvated, topology_bytes
from gibbsflow.binding.forcefield.given import given_topologies
from gibbsflow.binding.forcefield.given.rebuilt.counter_ions import with_counter_ions
from gibbsflow.binding.prepare.samplesheet import check_samplesheet
from gibbsflow.config.binding import BindingConfig
from gibbsflow.workflow.seeds import derive_seed

COLUMNS = "ligand,complex_topology,complex_coordinates,solvent_topology,solvent_coordinates,ligand_residue"


def sheet(folder, name="moh", complex_box="complex", solvent="solvent", residue=""):
    cells = [f"{part}.{suffix}" if part else "" for part in (complex_box, solvent) for suffix in ("prmtop", "inpcrd")]
    path = folder / "in.csv"
    path.write_text(f"{COLUMNS}\n{name},{','.join(cells)},{residue}\n")
    return path


@pytest.fixture
def folder(tmp_path):
    return boxes.copied(boxes.boxes(), tmp_path / "given")


def checked(path, **settings):
    config = BindingConfig.from_params({"cutoff_angstrom": 7.0} | settings)
    rows, problems = check_samplesheet(path)
    assert not problems
    return check_solvated(rows[0], config, str(path))


@pytest.mark.parametrize("mode", ["abfe", "asfe", "md"])
def test_a_sound_row_needs_no_receptor(folder, tmp_path, mode):
    settings = tmp_path / "s.yaml"
    settings.write_text(f"{{mode: {mode}, cutoff_angstrom: 7}}")
    found = check_campaign(sheet(folder), None, settings, None)
    assert found.problems == [] and [row.ligand for row in found.rows] == ["moh"] and found.warnings == []
    assert [box.role for box in box_files(found.rows[0])] == ["complex", "solvent"]
    assert topology_bytes(found.rows[0]) > 100_000


def test_a_file_that_is_missing_does_not_make_settings_of_boxes_wrong(folder, tmp_path):
    settings = tmp_path / "s.yaml"
    settings.write_text("{cutoff_angstrom: 7, engine: gromacs}")
    found = check_campaign(sheet(folder, complex_box="other"), None, settings, None, programs=False)
    assert [problem.field for problem in found.problems] == ["complex_topology", "complex_coordinates"]
    assert found.warnings == []


@pytest.mark.parametrize(
    ("given", "settings", "field", "said"),
    [
        ({"solvent": ""}, {}, "solvent_topology", "in mode abfe"),
        ({"complex_box": ""}, {"mode": "md"}, "complex_topology", "in mode md"),
        ({}, {"cutoff_angstrom": 14.0}, "cutoff_angstrom", "too small for a cutoff of 14 Å"),
        ({}, {"solvent": "opc"}, "solvent", "the water of the topologies is tip3p"),
        ({"residue": "LIG"}, {}, "ligand_residue", "has no residue LIG"),
        ({"solvent": "complex"}, {}, "ligand_residue", "could be any of"),
    ],
)
def test_faults_name_row_column_and_what_would_be_right(folder, given, settings, field, said):
    problems, _ = checked(sheet(folder, **given), **settings)
    assert problems[0].row == 2 and problems[0].field == field and problems[0].right
    assert said in str(problems[0])


def test_a_ligand_whose_14_pairs_are_scaled_otherwise_is_refused_before_anything_runs(folder):
    boxes.replaced(folder / "solvent.prmtop", "SCEE_SCALE_FACTOR", lambda scales: [1.0] * len(scales))
    (problem,), _ = checked(sheet(folder))
    assert (problem.row, problem.field) == (2, "complex_topology") and "are divided by 1.2" in problem.what


@pytest.fixture(scope="module")
def charged(tmp_path_factory):
    """Boxes of an anion, wide enough for an ion that is kept away from it."""
    return boxes.anion(boxes.boxes("tip3p", "Na+ 2 Cl- 2", 12), tmp_path_factory.mktemp("charged"))


def test_a_charged_ligand_without_correction_is_refused(charged):
    problems, _ = checked(sheet(charged))
    assert [problem.field for problem in problems] == ["charge_correction"] and "charge of -1 e" in problems[0].what
    assert not checked(sheet(charged), mode="md")[0]


@pytest.mark.parametrize(
    "settings", [{"charge_correction": "counter_ion"}, {"charge_correction": "analytic"}, {"abfe_protocol": "sdr"}]
)
def test_each_way_to_account_for_its_charge_is_taken(charged, settings):
    assert checked(sheet(charged), **settings) == ([], [])


def test_ions_are_chosen_for_a_trial_as_they_will_be(charged, monkeypatch):
    asked = []

    def told(boxes, charge_e, md, seeds, *, where):
        asked.append((seeds, where))
        return with_counter_ions(boxes, charge_e, md, seeds, where=where)

    monkeypatch.setattr(given_topologies, "with_counter_ions", told)
    assert checked(sheet(charged), charge_correction="counter_ion", seed=7) == ([], [])
    assert asked == [({role: derive_seed(7, "moh", role) for role in ("complex", "solvent")}, "moh")]


def test_sdr_needs_no_box_of_the_ligand_alone(charged):
    assert checked(sheet(charged, solvent=""), abfe_protocol="sdr") == ([], [])
    assert checked(sheet(charged, solvent=""), charge_correction="analytic")[0][0].field == "solvent_topology"
    problems, _ = checked(sheet(charged), abfe_protocol="sdr", mode="asfe")
    assert problems[0].field == "abfe_protocol" and "sdr in mode asfe" in problems[0].what


def test_a_box_without_room_or_ions_for_a_counter_ion_is_refused_before_anything_runs(tmp_path):
    narrow = boxes.anion(boxes.boxes("tip3p", "Na+ 2 Cl- 2"), tmp_path / "narrow")
    problems, _ = checked(sheet(narrow), charge_correction="counter_ion")
    assert problems[0].row == 2 and problems[0].field == "charge_correction"
    assert "complex: the box has no room for a counter-ion" in problems[0].what and "a larger box" in problems[0].right
    folder = boxes.anion(boxes.boxes("tip3p", "Na+ 1 Cl- 1", 12), tmp_path / "none")
    problems, _ = checked(sheet(folder), charge_correction="counter_ion")
    assert [p.what for p in problems] == ["moh: no monovalent cation to change with the ligand"]


def test_results_depend_on_the_files_content(folder, tmp_path):
    path = sheet(folder)

    def made():
        rows, _ = check_samplesheet(path)
        return made_from(rows, path, None, BindingConfig(), "c").items["moh"]

    before = made()
    assert before == made()
    boxes.replaced(folder / "solvent.prmtop", "MASS", lambda masses: [12.0, *masses[1:]])
    assert made() != before


@pytest.mark.parametrize(
    ("cells", "settings", "field", "said"),
    [
        (",2", {"restraint": "com"}, "symmetry_number", "2, but a restraint of kind com holds no orientation"),
        (",2", {"mode": "asfe"}, "symmetry_number", "2, but nothing is restrained"),
        (",", {"restraint": "com", "symmetry_number": 3}, "symmetry_number", "3, but a restraint of kind com"),
        (",", {"restraint": "boresch"}, "restraint", "2 heavy atoms, where a Boresch restraint needs three"),
        (",", {"boresch_atoms": "1:2:CA,1:2:N,1:2:CX,C1,O1,C2"}, "boresch_atoms", "no heavy atom '1:2:CX'"),
    ],
)
def test_restraints_are_looked_at_before_anything_runs(folder, cells, settings, field, said):
    path = sheet(folder)
    path.write_text(path.read_text().replace("\nmoh", ",symmetry_number\nmoh").rstrip("\n") + cells + "\n")
    problems, _ = checked(path, **settings)
    assert problems[0].field == field and problems[0].row == 2 and said in problems[0].what


def test_anchors_are_named_as_the_topology_numbers_them(folder):
    problems, _ = checked(sheet(folder), boresch_atoms="1:2:CA,1:2:N,1:2:C,C1,O1,C2")
    (problem,) = problems  # methanol has two heavy atoms
    assert "the ligand has no heavy atom 'C2'" in problem.what


def test_poses_in_boxes_are_of_one_molecule(folder, tmp_path):
    other = boxes.copied(folder, tmp_path / "other")
    for role, first in (("complex", 22), ("solvent", 0)):  # its oxygen becomes a sulfur
        prmtop = other / f"{role}.prmtop"
        boxes.replaced(prmtop, "ATOMIC_NUMBER", lambda z, k=first + 4: [16 if i == k else v for i, v in enumerate(z)])
    path = tmp_path / "in.csv"
    ends = [f"{role}.{suffix}" for role in ("complex", "solvent") for suffix in ("prmtop", "inpcrd")]
    places = {"a": "given", "b": "given", "c": "other"}
    rows = [f"{name},{','.join(f'{place}/{end}' for end in ends)},,x" for name, place in places.items()]
    path.write_text("\n".join([f"{COLUMNS},pose_of", *rows, ""]))
    settings = tmp_path / "s.yaml"
    settings.write_text("{mode: abfe, cutoff_angstrom: 7}")
    (problem,) = check_campaign(path, None, settings, None).problems
    assert (
        problem.row == 4 and problem.field == "pose_of" and "c: a pose of x is another molecule than a" in problem.what
    )
    settings.write_text("{mode: asfe, cutoff_angstrom: 7}")
    assert [p.field for p in check_campaign(path, None, settings, None).problems] == ["pose_of"] * 3


def test_a_receptor_beside_boxes_is_noted_and_none_is_missed_where_a_row_is_wrong(folder, tmp_path):
    settings = tmp_path / "s.yaml"
    settings.write_text("{mode: abfe, cutoff_angstrom: 7}")
    found = check_campaign(sheet(folder), CB7, settings, None)
    assert found.problems == [] and "not used for systems that come in their boxes" in found.warnings[0].what
    path = sheet(folder)
    path.write_text(path.read_text().replace("solvent.inpcrd", ""))
    (problem,) = check_campaign(path, None, settings, None).problems
    assert problem.field == "solvent_coordinates"
