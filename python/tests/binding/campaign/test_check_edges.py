"""Ligands of a network against each other: all that is wrong is said before anything runs."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from rdkit import Chem
from rdkit.Chem import AllChem
from rdkit.Geometry import Point3D

from gibbsflow.binding.campaign.check_edges import edge_problems
from gibbsflow.binding.prepare.molecules import Molecule
from gibbsflow.binding.prepare.samplesheet import Row
from gibbsflow.config.binding import BindingConfig, Md
from gibbsflow.config.binding_parts import Relative
from gibbsflow.workflow.progress import Progress


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


def test_isotopologues_are_one_ligand() -> None:
    """They are computed as the element: an edge between them would sample nothing, and find nothing."""
    labelled = {"heavy": "[13CH3]c1ccccc1", "deuterated": "[2H]C([2H])([2H])c1ccccc1"}
    text = told(ligands(**SOUND, **labelled))
    assert "heavy is the molecule of toluene" in text and "deuterated is the molecule of toluene" in text


def test_long_comparisons_tell_how_far_they_are(monkeypatch, capsys) -> None:
    told(ligands(**SOUND))
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(Progress, "interval_s", 0.0)
    told(ligands(**SOUND))
    assert "common substructures of ligands without poses: 1/3 pairs (33%" in capsys.readouterr().err


def test_one_ligand_and_names_that_are_too_long() -> None:
    assert "1 usable ligand: no edge" in told(ligands(toluene="Cc1ccccc1"))
    assert "too long together" in told(ligands(**{"t" * 60: "Cc1ccccc1", "c" * 60: "Cc1ccc(O)cc1"}))


def test_ligands_that_no_edge_reaches() -> None:
    found = ligands(**SOUND, salicylate="O=C([O-])c1ccccc1O", benzoate="O=C([O-])c1ccccc1")
    text = told(found, solvent="tip3p")
    together = "l.csv, row 5, ligand: salicylate (-1 e) (with benzoate (-1 e)): no edges connect them with "
    assert together + "cresol (+0 e), toluene (+0 e), xylene (+0 e)" in text and text.count("no edges") == 1
    assert "or charge_correction counter_ion" in text
    params = {"mode": "rbfe", "solvent": "tip3p", "charge_correction": "counter_ion"}
    for settings in (BindingConfig.from_params(params), BindingConfig()):  # nothing in OBC2 depends on a box
        assert edge_problems(found, settings, "l.csv")[0] == []


def test_ions_make_up_for_no_charge_where_one_leg_alone_is_in_water() -> None:
    found = ligands(toluene="Cc1ccccc1", cresol="Cc1ccc(O)cc1", salicylate="O=C([O-])c1ccccc1O")
    params = {"mode": "rsfe", "solvent": "tip3p", "charge_correction": "counter_ion", "engine": "gromacs"}
    (problem,) = edge_problems(found, BindingConfig.from_params(params), "l.csv")[0]
    assert "salicylate (-1 e): no edges" in problem.what
    assert "or solvent obc2, with which the net charge may change" in problem.right
    assert edge_problems(found, BindingConfig.from_params({"mode": "rsfe"}), "l.csv")[0] == []


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
    problems, _ = edge_problems(ligands(**SOUND), settings, "l.csv", {"bad": None})
    assert [problem.what for problem in problems] == ["'nobody' is none of the ligands"]
    (tmp_path / "net.csv").write_text("ligand_a,ligand_b\ntoluene,bad\nxylene,cresol\nbad,cresol\n")
    assert edge_problems(ligands(**SOUND), settings, "l.csv", {"bad": None})[0] == []


def test_edges_of_a_row_that_is_left_out_are_no_fault_of_the_network(tmp_path) -> None:
    """One bad pose of a series in its poses: the others run, as the failure policy has it."""
    (tmp_path / "net.csv").write_text("ligand_a,ligand_b\ntoluene,cresol\nxylene,toluene\nxylene,bad\n")
    settings = BindingConfig(relative=Relative(network=str(tmp_path / "net.csv"), edge_topology="dual"))
    posed = [(replace(row, pose="given"), ligand) for row, ligand in ligands(**SOUND, bad="CCc1ccccc1")]
    problems, notes = edge_problems(posed[:-1], settings, "l.csv", {"bad": posed[-1][1]})
    assert problems == [] and notes[0].what == "xylene~bad cannot be run: bad is lost"


def test_what_is_left_out_is_asked_what_it_connects_only_where_it_may_matter(monkeypatch) -> None:
    """Common substructures of large ligands take seconds a pair: a sheet with some bad rows took minutes."""

    def asked(*_: object) -> None:
        raise AssertionError("a common substructure was sought")

    monkeypatch.setattr("gibbsflow.binding.network.design.comparison.common_difficulty", asked)
    posed = [(replace(row, pose="given"), ligand) for row, ligand in ligands(**SOUND, bad="CCc1ccccc1")]
    assert edge_problems(posed[:-1], BindingConfig(), "l.csv", {"bad": posed[-1][1]})[0] == []


def test_gromacs_exchanges_whole_ligands_where_it_may() -> None:
    water = {"mode": "rbfe", "solvent": "tip3p", "engine": "gromacs"}
    pair = ligands(b2="OCC12CCC(CC1)(CC2)CO", cage="OC12CC3CC(CC(C3)C1)C2")
    for topology in ("auto", "dual"):
        assert edge_problems(pair, BindingConfig.from_params(water | {"edge_topology": topology}), "l.csv")[0] == []
    apart = ligands(toluene="Cc1ccccc1", amine="NCCO")
    problems, _ = edge_problems(apart, BindingConfig.from_params(water | {"edge_topology": "hybrid"}), "l.csv")
    (told,) = map(str, problems)
    assert told.endswith("; or edge_topology auto)")


def test_no_advice_that_gromacs_cannot_follow() -> None:
    settings = BindingConfig.from_params({"mode": "rbfe", "solvent": "tip3p", "engine": "gromacs"})
    problems, _ = edge_problems(ligands(toluene="Cc1ccccc1", acid="Cc1ccc([O-])cc1"), settings, "l.csv")
    assert any("or engine openmm with charge_correction counter_ion" in str(problem) for problem in problems)


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


def test_all_that_is_wrong_with_maps_and_network_at_once(tmp_path) -> None:
    (tmp_path / "net.csv").write_text("ligand_a,ligand_b\ntoluene,cresol\nxylene,nobody\n")
    maps = [
        {"ligand_a": "toluene", "ligand_b": "stranger", "pairs": [[0, 0], [1, 1]]},
        {"ligand_a": "toluene", "ligand_b": "cresol", "pairs": [[0, 0], [1, 1], [2, 3], [3, 2], [4, 4]]},
        {"ligand_a": "toluene", "ligand_b": "xylene", "pairs": [[0, 0], [1, 1], [2, 2], [3, 3], [4, 4]]},
    ]
    (tmp_path / "maps.json").write_text(json.dumps({"atom_maps": maps}))
    files = {"network": str(tmp_path / "net.csv"), "map": str(tmp_path / "maps.json")}
    text = told(ligands(**SOUND, again="c1ccccc1C"), hub="none", **files)
    for what in (
        "again is the molecule of toluene", "'none' is none of the ligands", "'stranger' is none of the ligands",
        "'nobody' is none of the ligands", "the bond C2-C3", "rings are mapped whole or not at all",
    ):  # fmt: skip
        assert what in text, what
    beside = told(ligands(**SOUND, again="c1ccccc1C", water="O"), anchor="nobody", edge_topology="hybrid")
    assert all(what in beside for what in ("again is the molecule of", "water: no edges", "'nobody' is none of"))


def test_a_map_of_ligands_that_are_placed_is_held_against_a_geometry_of_theirs(tmp_path) -> None:
    series = {"one": "C[C@H](O)c1ccccc1", "two": "C[C@@H](O)c1ccc(C)cc1"}
    heavy = [[i, i] for i in range(9)]
    (tmp_path / "maps.json").write_text(json.dumps({"ligand_a": "one", "ligand_b": "two", "pairs": heavy}))
    bare = [(row, replace(ligand, mol=unbuilt(ligand.mol))) for row, ligand in ligands(**series)]
    text = told(bare, map=str(tmp_path / "maps.json"))
    assert "the chirality at C2 to C2 is inverted" in text and text.count("chirality") == 1


def unbuilt(mol: Chem.Mol) -> Chem.Mol:
    mol = Chem.Mol(mol)
    mol.RemoveAllConformers()
    return mol


def test_an_edge_of_a_file_between_placed_ligands_without_a_common_core(tmp_path) -> None:
    (tmp_path / "net.csv").write_text("ligand_a,ligand_b\ntoluene,cresol\nxylene,toluene\nxylene,ether\n")
    text = told(ligands(**SOUND, ether="COC"), network=str(tmp_path / "net.csv"), edge_topology="hybrid")
    assert "xylene~ether: no atom map can be found" in text and text.count("no atom map") == 1


def test_what_no_ligand_connects_that_is_yet_to_be_mended() -> None:
    """A row that cannot be used may connect others once it can: it is asked what it has in common with them."""
    series = ligands(**SOUND, hexanol="OCCCCCC", heptanol="OCCCCCCC", phenylhexane="CCCCCCc1ccccc1")
    hybrid = BindingConfig(relative=Relative(edge_topology="hybrid"))
    unread, bridge = {"bad": None}, {"bridge": series[-1][1]}
    wrong, _ = edge_problems(series[:-1], hybrid, "l.csv", {})
    assert [problem.what.split(":")[0] for problem in wrong] == ["hexanol (with heptanol)"]
    alone = {"toluidine": ligands(x="Cc1ccc(N)cc1")[0][1]}
    assert len(edge_problems(series[:-1], hybrid, "l.csv", alone)[0]) == 1
    for left_out in (unread, bridge):
        assert edge_problems(series[:-1], hybrid, "l.csv", left_out)[0] == []


def test_maps_of_a_network_file_are_noted_unless_they_are_taken(tmp_path) -> None:
    found = [(replace(row, pose="given"), ligand) for row, ligand in ligands(**SOUND)]
    atoms = [[0, 0], *([i, i] for i in range(1, 7))]
    rows = (("toluene", "cresol", None), ("toluene", "xylene", atoms))
    edges = [{"ligand_a": a, "ligand_b": b, "atoms": pairs} for a, b, pairs in rows]
    (tmp_path / "net.json").write_text(json.dumps({"ligands": list(SOUND), "edges": edges}))
    for taken in ({}, {"map": tmp_path / "net.json"}):
        relative = Relative(network=str(tmp_path / "net.json"), **taken)
        _, notes = edge_problems([(replace(row, pose="place"), one) for row, one in found],
                                 BindingConfig(relative=relative), "l.csv")  # fmt: skip
        assert any("its atom maps are not used" in note.what for note in notes) is not bool(taken)
