"""Poses that rows take from other rows: which one, who has none to give, and what comes of it in the receptor."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from known_molecules import CB7

from gibbsflow.binding.campaign.check import check_campaign
from gibbsflow.binding.prepare.complex import prepare_system, row_from_options
from gibbsflow.binding.prepare.molecules import Molecule, read_sdf, write_sdf
from gibbsflow.binding.prepare.samplesheet import check_samplesheet
from gibbsflow.config.binding import BindingConfig

CAGES = {
    "adamantane": "C1C2CC3CC1CC(C2)C3",
    "adamantanol": "OC12CC3CC(CC(C3)C1)C2",
    "methyladamantane": "CC12CC3CC(CC(C3)C1)C2",
}


@pytest.fixture(scope="module")
def posed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Adamantane in CB7, and a second one that lies 40 Å away, in files of their own."""
    folder = tmp_path_factory.mktemp("posed")
    row = row_from_options("adamantane", None, CAGES["adamantane"], None, None)
    system, _ = prepare_system(row, CB7, BindingConfig(), folder)
    inside = read_sdf(system.path("ligand"), 0)
    (folder / "ligand.sdf").rename(folder / "adamantane.sdf")
    away = Molecule(inside.mol, 0)
    positions = away.mol.GetConformer().GetPositions() + 40.0
    for i, place in enumerate(positions):
        away.mol.GetConformer().SetAtomPosition(i, place)
    write_sdf(away, folder / "away.sdf", "away")
    return folder


def sheet(folder: Path, rows: list[tuple[str, ...]]) -> Path:
    path = folder / "ligands.csv"
    with open(path, "w") as file:
        csv.writer(file).writerows([("ligand", "structure", "smiles", "pose"), *rows])
    return path


GIVEN = ("adamantane", "adamantane.sdf", "", "")


def test_a_ligand_lies_where_the_other_does(posed: Path, tmp_path: Path) -> None:
    rows = [GIVEN, ("adamantanol", "", CAGES["adamantanol"], "align:adamantane")]
    found = check_campaign(sheet(posed, rows), CB7, None, None)
    assert found.problems == []
    given, row = found.rows
    assert (row.pose, row.aligned_to) == (str(posed / "adamantane.sdf"), "adamantane") and not row.in_its_pose
    assert row.as_dict()["aligned_to"] == "adamantane" and "aligned_to" not in given.as_dict()
    own = row_from_options("adamantanol", None, row.smiles, None, row.pose, aligned_to=row.aligned_to)
    system, facts = prepare_system(own, CB7, BindingConfig(), tmp_path)
    assert facts["pose"] == "aligned"
    assert any("its pose: laid on adamantane by 10 heavy atoms" in note for note in facts["notes"])
    ours, theirs = (read_sdf(path, 0) for path in (system.path("ligand"), posed / "adamantane.sdf"))
    distance = np.linalg.norm(ours.heavy_angstrom[:, None] - theirs.heavy_angstrom[None], axis=-1)
    assert (distance.min(axis=0) < 0.3).all()  # each of the reference's atoms has one of ours in its place


def test_all_that_cannot_be_laid_on_another_is_told_at_once(posed: Path) -> None:
    rows = [
        GIVEN,
        ("hexane", "", "CCCCCC", "align"),
        ("acid", "", "CC(=O)O", "align:adamantane"),
        ("lost", "", CAGES["adamantanol"], "align:nobody"),
        ("chained", "", CAGES["methyladamantane"], "align:hexane"),
        ("outside", "away.sdf", "", "given"),
        ("laid", "", "CC12CC3CC(C)(CC(C3)C1)C2", "align:outside"),
    ]
    text = "\n".join(map(str, check_campaign(sheet(posed, rows), CB7, None, None).problems))
    for what in (
        "row 3, pose: hexane: fewer than 4 heavy atoms are in common with any of the 1 ligands",
        "acid: fewer than 4 heavy atoms are in common with adamantane",
        "lost: 'nobody' is none of the ligands",
        "chained: 'hexane' has no pose",
        "outside: the ligand is outside the cavity",
        "laid: 'outside' cannot be used",
    ):
        assert what in text, what
    alone = check_campaign(sheet(posed, [("one", "", CAGES["adamantanol"], "align")]), CB7, None, None).problems
    assert [p.what for p in alone] == ["one: no ligand has a pose that it could be laid on"]


def test_a_pose_that_has_no_room_is_refused(posed: Path) -> None:
    rows = [GIVEN, ("bulky", "", "C(F)(F)(F)C12CC3(C(F)(F)F)CC(C(F)(F)F)(CC(C3)C1)C2", "align")]
    (problem,) = check_campaign(sheet(posed, rows), CB7, None, None).problems
    assert problem.field == "pose" and "bulky: laid on adamantane, " in problem.what


def test_the_setting_asks_for_all_that_have_no_pose(posed: Path, tmp_path: Path) -> None:
    rows = [GIVEN, ("adamantanol", "", CAGES["adamantanol"], ""), ("away", "away.sdf", "", "")]
    settings = tmp_path / "settings.yaml"
    settings.write_text("system: {align_poses: true}\n")
    found = check_campaign(sheet(posed, rows), CB7, settings, None)
    assert found.problems == [] and [row.aligned_to for row in found.rows] == [None, "adamantane", "adamantane"]
    assert any("away: its place is not taken, as the ligand is outside the cavity" in note for note in found.notes)
    (problem,) = check_campaign(sheet(posed, rows), CB7, None, None).problems  # unless nobody has asked
    assert "outside the cavity" in problem.what
    settings.write_text("system: {align_poses: true}\nrun: {mode: asfe}\n")
    alone = check_campaign(sheet(posed, rows[:2]), None, settings, None)
    assert alone.problems == [] and any("align_poses: given, and not used" in note for note in alone.notes)
    rows[1] = ("adamantanol", "", CAGES["adamantanol"], "align")
    assert "'align' without a receptor" in str(check_campaign(sheet(posed, rows), None, settings, None).problems[0])


def test_records_of_one_file(posed: Path, tmp_path: Path) -> None:
    """An SDF in place of a samplesheet: the record that lies in the host gives its pose to the one that does not."""
    (tmp_path / "all.sdf").write_text((posed / "adamantane.sdf").read_text() + (posed / "away.sdf").read_text())
    settings = tmp_path / "settings.yaml"
    settings.write_text("system: {align_poses: true}\n")
    found = check_campaign(tmp_path / "all.sdf", CB7, settings, None)
    assert found.problems == []
    inside, away = found.rows
    assert (away.pose, away.aligned_to) == (inside.structure, "adamantane")
    own = row_from_options("away", Path(str(away.structure)), None, None, away.pose, aligned_to=away.aligned_to)
    system, _ = prepare_system(own, CB7, BindingConfig(), tmp_path)
    centres = [read_sdf(path, 0).heavy_angstrom.mean(axis=0) for path in
               (system.path("ligand"), posed / "adamantane.sdf")]  # fmt: skip
    assert np.linalg.norm(centres[0] - centres[1]) < 0.3


def test_what_a_samplesheet_may_say(posed: Path) -> None:
    (posed / "aligned.sdf").write_text((posed / "adamantane.sdf").read_text())
    rows = [("a", "aligned.sdf", "", "aligned.sdf"), ("b", "", "CCO", "align:"), ("c", "", "CCO", "align:a b")]
    read, problems = check_samplesheet(sheet(posed, rows))
    assert [row.in_its_pose for row in read] == [True]
    assert [problem.row for problem in problems if problem.field == "pose"] == [3, 4]
