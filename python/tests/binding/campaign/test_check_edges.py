"""Ligands of a network against each other: all that is wrong is said before anything runs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from rdkit import Chem
from rdkit.Chem import AllChem
from rdkit.Geometry import Point3D

from gibbsflow.binding.campaign.check_edges import edge_problems
from gibbsflow.binding.prepare.molecules import Molecule
from gibbsflow.binding.prepare.samplesheet import Row
from gibbsflow.config.binding import BindingConfig, Md
from gibbsflow.config.relative import Relative


def ligands(**smiles: str) -> list[tuple[Row, Molecule]]:
    found = []
    for line, (name, text) in enumerate(smiles.items(), 2):
        mol = Chem.AddHs(Chem.MolFromSmiles(text))
        AllChem.EmbedMolecule(mol, randomSeed=7)
        row = Row(line, name, None, text, None, "place", -5.0 if name == "toluene" else None, None)
        found.append((row, Molecule(mol, Chem.GetFormalCharge(mol))))
    return found


def told(found: list[tuple[Row, Molecule]], *, solvent: str = "obc2", **relative: str) -> str:
    settings = BindingConfig(relative=Relative(**relative), md=Md(solvent=solvent))
    problems, _ = edge_problems(found, settings, "l.csv")
    return "\n".join(map(str, problems))


SOUND = {"toluene": "Cc1ccccc1", "cresol": "Cc1ccc(O)cc1", "xylene": "Cc1ccc(C)cc1"}


@pytest.mark.parametrize("kind", ["star", "mst", "redundant"])
def test_a_sound_series(kind: str) -> None:
    assert told(ligands(**SOUND), network=kind, anchor="toluene", hub="cresol") == ""


def test_all_that_is_wrong_at_once() -> None:
    text = told(ligands(**SOUND, again="c1ccccc1C"), hub="nobody", anchor="cresol")
    assert "l.csv, row 5, ligand: again is the molecule of toluene (row 2)" in text
    assert "'nobody' is none of the ligands" in text and "'cresol' is not measured" in text


def test_one_ligand_and_names_that_are_too_long() -> None:
    assert "1 usable ligands: no edge" in told(ligands(toluene="Cc1ccccc1"))
    assert "too long together" in told(ligands(**{"t" * 60: "Cc1ccccc1", "c" * 60: "Cc1ccc(O)cc1"}))


def test_ligands_that_no_edge_reaches() -> None:
    found = ligands(**SOUND, salicylate="O=C([O-])c1ccccc1O", benzoate="O=C([O-])c1ccccc1")
    text = told(found, solvent="tip3p")
    assert "l.csv, row 5, ligand: salicylate (with benzoate): no edges connect it with cresol, toluene, xylene" in text
    assert "or charge_correction counter_ion" in text
    params = {"mode": "rbfe", "solvent": "tip3p", "charge_correction": "counter_ion"}
    for settings in (BindingConfig.from_params(params), BindingConfig()):  # nothing in OBC2 depends on a box
        assert edge_problems(found, settings, "l.csv")[0] == []


def test_a_network_that_names_strangers(tmp_path) -> None:
    (tmp_path / "net.csv").write_text("ligand_a,ligand_b\ntoluene,cresol\nxylene,nobody\n")
    assert "'nobody' is none of the ligands" in told(ligands(**SOUND), network=str(tmp_path / "net.csv"))


def test_strangers_are_refused_where_all_poses_are_given(tmp_path) -> None:
    (tmp_path / "net.csv").write_text("ligand_a,ligand_b\ntoluene,cresol\nxylene,cresol\nxylene,nobody\n")
    posed = [(replace(row, pose="given"), ligand) for row, ligand in ligands(**SOUND)]
    assert "'nobody' is none of the ligands" in told(posed, network=str(tmp_path / "net.csv"))


def test_names_of_records_in_a_network(tmp_path) -> None:
    (tmp_path / "net.csv").write_text("ligand_a,ligand_b\nm cresol,toluene\np xylene,toluene\n")
    series = {"toluene": "Cc1ccccc1", "m_cresol": "Cc1cccc(O)c1", "p_xylene": "Cc1ccc(C)cc1"}
    assert told(ligands(**series), network=str(tmp_path / "net.csv")) == ""


def test_an_element_may_change_in_a_ring_and_one_atom_is_no_core() -> None:
    assert told(ligands(toluene="Cc1ccccc1", picoline="Cc1ccncc1", pyridine="c1ccncc1")) == ""
    assert "water: no edges connect it" in told(ligands(**SOUND, water="O"), edge_topology="hybrid")


def test_two_whole_ligands_where_there_is_no_common_core_and_in_one_place_alone() -> None:
    found = ligands(**SOUND, water="O")
    problems, warnings = edge_problems(found, BindingConfig(), "l.csv")
    assert problems == [] and any("water" in str(warning) for warning in warnings)
    posed = [(replace(row, pose="given"), ligand) for row, ligand in found]
    problems, warnings = edge_problems(posed, BindingConfig(), "l.csv")
    assert problems == []
    assert any("~water: dual topology (the common core has" in str(warning) for warning in warnings)
    xyz = posed[-1][1].mol.GetConformer()
    for atom in range(3):
        xyz.SetAtomPosition(atom, xyz.GetAtomPosition(atom) + Point3D(9, 0, 0))
    assert "water: no edges connect it" in "\n".join(map(str, edge_problems(posed, BindingConfig(), "l.csv")[0]))


def test_a_row_that_is_left_out_hides_nothing_of_the_others(tmp_path) -> None:
    (tmp_path / "net.csv").write_text("ligand_a,ligand_b\ntoluene,bad\nxylene,cresol\nbad,cresol\nbad,nobody\n")
    settings = BindingConfig(relative=Relative(network=str(tmp_path / "net.csv")))
    problems, _ = edge_problems(ligands(**SOUND), settings, "l.csv", ["bad"])
    assert [problem.what for problem in problems] == ["'nobody' is none of the ligands"]
    (tmp_path / "net.csv").write_text("ligand_a,ligand_b\ntoluene,bad\nxylene,cresol\nbad,cresol\n")
    assert edge_problems(ligands(**SOUND), settings, "l.csv", ["bad"])[0] == []


def test_a_box_with_a_copy_of_the_ligand_is_refused_before_it_is_built() -> None:
    settings = BindingConfig.from_params({"mode": "rbfe", "solvent": "tip3p", "abfe_protocol": "sdr"})
    problems, _ = edge_problems(ligands(**SOUND), settings, "l.csv")
    assert [problem.field for problem in problems] == ["abfe_protocol"]
    settings = BindingConfig.from_params({"mode": "rbfe", "solvent": "tip3p"})
    assert edge_problems(ligands(**SOUND), settings, "l.csv")[0] == []


@pytest.mark.parametrize("engine", ["gromacs", "auto"])
def test_either_engine_runs_edges_in_water(engine) -> None:
    settings = BindingConfig.from_params({"mode": "rbfe", "solvent": "tip3p", "engine": engine})
    assert edge_problems(ligands(**SOUND), settings, "l.csv")[0] == []
