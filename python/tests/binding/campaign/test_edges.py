"""Edges of a campaign: maps of all pairs, the network, and what is run when something is lost or added."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import AllChem

from gibbsflow.binding.campaign.edges import (
    EDGE,
    EDGES,
    PlannedEdge,
    compare,
    given_maps,
    ligands_of,
    plan_edges,
    planned,
)
from gibbsflow.binding.facts import PreparedFacts
from gibbsflow.binding.network.design.comparison import Ways
from gibbsflow.binding.network.design.network_files import read_network
from gibbsflow.binding.prepare.atom_map.aligned_pose import align_pose
from gibbsflow.binding.prepare.atom_map.atom_maps import AtomMap
from gibbsflow.binding.prepare.atom_map.map_files import write_maps
from gibbsflow.binding.prepare.molecules import Molecule, MoleculeError, write_sdf
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import BindingConfig
from gibbsflow.config.binding_parts import Relative
from gibbsflow.errors import InputError, StateError
from gibbsflow.workflow.result import Result

SERIES = {"toluene": "Cc1ccccc1", "ethylbenzene": "CCc1ccccc1", "xylene": "Cc1ccc(C)cc1", "cresol": "Cc1ccc(O)cc1"}


def built(smiles: str) -> Chem.Mol:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    AllChem.EmbedMolecule(mol, randomSeed=7)
    return mol


def on(first: Chem.Mol, mol: Chem.Mol) -> Chem.Mol:
    """A ligand where another one is, atom on atom if they have atoms in common."""
    try:
        return align_pose(mol, first, seed=1).mol
    except MoleculeError:
        shift = (one.GetConformer().GetPositions().mean(axis=0) for one in (first, mol))
        by = np.subtract(*shift)
        for atom, place in enumerate(mol.GetConformer().GetPositions() + by):
            mol.GetConformer().SetAtomPosition(atom, place)
        return mol


def systems(folder: Path, series: dict[str, str], pose: str = "given") -> list[SimSystem]:
    """Prepared systems of ligands whose poses lie on that of the first."""
    found: list[SimSystem] = []
    first = built(next(iter(series.values())))
    for name, smiles in series.items():
        mol = first if not found else on(first, built(smiles))
        mol = mol if pose == "given" else built(smiles)
        (folder / name).mkdir(parents=True, exist_ok=True)
        charge = Chem.GetFormalCharge(mol)
        write_sdf(Molecule(mol, charge), folder / name / "ligand.sdf", name)
        facts = PreparedFacts(
            receptor_kind="host", receptor_charge=0, receptor_name="host", ligand_charge=charge,
            ligand_smiles=Chem.CanonSmiles(smiles), site=None, pose=pose,
        )  # fmt: skip
        found.append(SimSystem(name, folder / name).with_artifacts(ligand="ligand.sdf").with_facts(facts))
    return found


def record(folder: Path, edge: PlannedEdge) -> Path:
    """A record of an edge that came through."""
    (folder / edge.name).mkdir(parents=True, exist_ok=True)
    (folder / edge.name / "record.json").write_text(json.dumps({"ligands": [edge.ligand_a, edge.ligand_b]}))
    return folder / edge.name


def planned_edges(folder: Path) -> list[PlannedEdge]:
    return [PlannedEdge.read(path) for path in sorted((folder / EDGES).iterdir())]


def test_a_network_with_the_maps_of_its_edges(tmp_path: Path) -> None:
    made, result = systems(tmp_path, SERIES), Result()
    network = plan_edges(made, Relative(), 1, tmp_path / "out", result)
    edges = planned_edges(tmp_path / "out")
    assert [edge.name for edge in edges] == sorted(map(str, network.edges)) == sorted(result.figures["to_be_run"])
    for name in SERIES:
        assert sum(name in (edge.ligand_a, edge.ligand_b) for edge in edges) >= 2
    mols = {name: one.mol for name, one in ligands_of(made).items()}
    for edge in edges:
        a, b = mols[edge.ligand_a], mols[edge.ligand_b]
        same = [a.GetAtomWithIdx(i).GetAtomicNum() == b.GetAtomWithIdx(j).GetAtomicNum() for i, j in edge.pairs]
        assert sum(same) >= 11  # six carbons of the ring, and what hangs on five of them
    told = json.loads((tmp_path / "out" / EDGES / edges[0].name / EDGE).read_text())
    assert 0 < told["difficulty"] < 1 and told["name"] == edges[0].name


def test_placed_ligands_are_laid_on_one_another(tmp_path: Path) -> None:
    pair = {"toluene": SERIES["toluene"], "cresol": SERIES["cresol"]}
    (edge,) = plan_edges(systems(tmp_path, pair, "place"), Relative(), 1, tmp_path / "out", Result()).edges
    assert len(edge.atoms or ()) >= 11
    assert edge.difficulty is not None and edge.difficulty < 0.3  # wherever in the host each of them was placed


def test_what_is_lost_is_made_up_for_and_what_came_through_stays(tmp_path: Path) -> None:
    made = systems(tmp_path, SERIES)
    before = plan_edges(made, Relative(network="mst"), 1, tmp_path / "plan", Result())
    lost, *kept = planned_edges(tmp_path / "plan")
    records = [record(tmp_path / "records", edge) for edge in kept]
    tree, before_that = Relative(network="mst"), tmp_path / "plan"
    again = plan_edges(made, tree, 1, tmp_path / "replan", Result(), before=before_that, records=records)
    fresh = planned_edges(tmp_path / "replan")
    assert len(fresh) == 1 and fresh[0].name not in {str(edge) for edge in before.edges}
    assert [str(edge) for edge in again.edges] == [*map(str, before.edges), fresh[0].name]  # what is lost keeps its row
    assert any(f"{lost.name} is lost" in text for text in again.warnings)
    whole = [record(tmp_path / "records", edge) for edge in (lost, *kept)]
    plan_edges(made, Relative(network="mst"), 1, tmp_path / "none", Result(), before=tmp_path / "plan", records=whole)
    assert planned_edges(tmp_path / "none") == []


def test_what_took_a_place_stays_when_what_was_lost_comes_through(tmp_path: Path) -> None:
    made, tree, plan, state = systems(tmp_path, SERIES), Relative(network="mst"), tmp_path / "plan", tmp_path / "state"
    plan_edges(made, tree, 1, plan, Result())
    every = [record(tmp_path / "records", edge) for edge in planned_edges(plan)]
    plan_edges(made, tree, 1, tmp_path / "re", Result(), state=state, before=plan, records=every[1:])
    (taken,) = planned_edges(tmp_path / "re")
    again = plan_edges(made, tree, 1, tmp_path / "re", Result(), state=state, before=plan, records=every)
    assert planned_edges(tmp_path / "re") == [taken] and taken.name in map(str, again.edges)
    assert not any("is lost" in text for text in again.warnings)
    star = Relative(network="star")
    plan_edges(made, star, 1, plan, Result())
    every = [record(tmp_path / "records", edge) for edge in planned_edges(plan)]
    plan_edges(made, star, 1, tmp_path / "re", Result(), state=state, before=plan, records=every)
    assert planned_edges(tmp_path / "re") == []  # of another kind of network


def test_a_hub_that_is_lost_takes_no_other_ligand_with_it_and_new_ones_get_the_hub_asked_for(tmp_path: Path) -> None:
    made, star = systems(tmp_path, SERIES), Relative(network="star", hub="xylene")
    left = [one for one in made if one.name != "xylene"]
    network = plan_edges(left, star, 1, tmp_path / "out", Result())
    assert len(network.edges) == 2 and network.warnings == ("the hub xylene is lost: another in its place",)
    two = [one for one in made if one.name in ("cresol", "xylene")]
    plan_edges(two, star, 1, tmp_path / "out", Result(), state=tmp_path / "state")
    grown = plan_edges(made, star, 1, tmp_path / "out", Result(), state=tmp_path / "state")
    assert len(grown.edges) == 3 and all("xylene" in edge.pair for edge in grown.edges)


def test_a_hub_that_is_hard_to_reach_is_told_of_and_its_network_stays(tmp_path: Path) -> None:
    some = {"toluene": SERIES["toluene"], "xylene": SERIES["xylene"], "amine": "NCCO"}
    made, star, ways = systems(tmp_path, some | {"cresol": SERIES["cresol"]}), Relative(hub="amine"), Ways("auto")
    star = star.model_copy(update={"network": "star"})
    told = {"ways": ways, "state": tmp_path / "state"}
    first = plan_edges([one for one in made if one.name in some], star, 1, tmp_path / "out", Result(), **told)
    (far,) = [text for text in first.warnings if "the hub" in text]
    assert far.startswith("not from amine, the hub,")
    grown = plan_edges(made, star, 1, tmp_path / "out", Result(), **told)
    assert {edge.pair for edge in first.edges} < {edge.pair for edge in grown.edges} and len(grown.edges) == 3
    whole = plan_edges(made, star, 1, tmp_path / "out", Result(), ways=Ways("dual"))
    assert len(whole.edges) == 3 and all("amine" in edge.pair for edge in whole.edges)


def test_a_ligand_that_is_added_leaves_the_edges_as_they_are(tmp_path: Path) -> None:
    few = {name: SERIES[name] for name in ("toluene", "ethylbenzene", "xylene")}
    before = plan_edges(systems(tmp_path, few), Relative(), 1, tmp_path / "one", Result(), state=tmp_path / "state")
    after = plan_edges(systems(tmp_path, SERIES), Relative(), 1, tmp_path / "two", Result(), state=tmp_path / "state")
    assert set(map(str, before.edges)) <= set(map(str, after.edges))
    new = {str(edge) for edge in after.edges} - {str(edge) for edge in before.edges}
    assert new and all("cresol" in name for name in new)


def test_one_ligand_that_is_left_has_no_edge(tmp_path: Path) -> None:
    result = Result()
    plan_edges(systems(tmp_path, {"toluene": SERIES["toluene"]}), Relative(), 1, tmp_path / "out", result)
    assert planned_edges(tmp_path / "out") == [] and result.figures["warnings"] == ["1 ligands left: no edge"]


def test_charges_of_two_signs_have_no_edge(tmp_path: Path) -> None:
    ligands = ligands_of(systems(tmp_path, {"cresol": SERIES["cresol"], "cresolate": "Cc1ccc([O-])cc1"}))
    found = compare(ligands, seed=1)
    assert found.candidates().difficulty == {} and "+0 and -1 e" in found.causes["cresol", "cresolate"]
    with pytest.raises(InputError, match="charge_correction counter_ion"):
        found.edge("cresol", "cresolate")


def test_charges_of_two_signs_have_one_where_the_change_is_made_up_for(tmp_path: Path) -> None:
    ligands = ligands_of(systems(tmp_path, {"cresol": SERIES["cresol"], "cresolate": "Cc1ccc([O-])cc1"}))
    found = compare(ligands, seed=1, ways=Ways("auto", charge_changes=True))
    edge = found.edge("cresol", "cresolate")
    assert edge.topology == "hybrid" and edge.difficulty >= 0.7 and len(edge.atoms) >= 14


def test_what_ways_settings_leave_open() -> None:
    water = {"mode": "rbfe", "solvent": "tip3p"}
    assert Ways.of(BindingConfig()) == Ways("auto", charge_changes=True)
    assert Ways.of(BindingConfig.from_params(water)) == Ways("auto", charge_changes=False)
    params = water | {"charge_correction": "counter_ion", "edge_topology": "dual"}
    assert Ways.of(BindingConfig.from_params(params)) == Ways("dual", charge_changes=True)
    assert Ways.of(BindingConfig.from_params(water | {"engine": "gromacs"})) == Ways("auto", charge_changes=False)


def test_a_pair_without_a_map_is_exchanged_as_a_whole_and_the_plan_says_so(tmp_path: Path) -> None:
    made = systems(tmp_path, {"toluene": SERIES["toluene"], "ethylbenzene": SERIES["ethylbenzene"], "amine": "NCCO"})
    network = plan_edges(made, Relative(), 1, tmp_path / "out", Result(), ways=Ways("auto"))
    whole = [edge for edge in planned_edges(tmp_path / "out") if edge.dual]
    assert {edge.name for edge in whole} == {str(e) for e in network.edges if "amine" in e.pair} and len(whole) == 2
    assert all(edge.pairs == () for edge in whole) and sum("dual topology" in note for note in network.notes) == 2
    told = json.loads((tmp_path / "out" / EDGES / whole[0].name / EDGE).read_text())
    assert told["topology"] == "dual" and told["difficulty"] >= 0.8 and told["notes"]
    again = read_network(tmp_path / "out" / "network.json")
    assert [edge.topology for edge in again.edges] == [edge.topology for edge in network.edges]
    shared = plan_edges(made, Relative(), 1, tmp_path / "hybrid", Result(), ways=Ways("hybrid"))
    assert {edge.topology for edge in shared.edges} == {"hybrid"} and len(shared.edges) == 1
    every = plan_edges(made, Relative(), 1, tmp_path / "dual", Result(), ways=Ways("dual"))
    assert {edge.topology for edge in every.edges} == {"dual"} and len(every.edges) == 3


def test_maps_of_a_network_with_whole_ligands_are_taken_as_they_are(tmp_path: Path) -> None:
    made = systems(tmp_path, {"toluene": SERIES["toluene"], "ethylbenzene": SERIES["ethylbenzene"], "amine": "NCCO"})
    ways, told = Ways("auto"), tmp_path / "one" / "network.json"
    first = plan_edges(made, Relative(), 1, tmp_path / "one", Result(), ways=ways)
    again = plan_edges(made, Relative(map=told), 1, tmp_path / "two", Result(), ways=ways)
    assert again.edges == first.edges and {edge.topology for edge in again.edges} == {"dual", "hybrid"}
    with pytest.raises(InputError, match="amine and toluene: the common core has 0 heavy atoms"):
        plan_edges(made, Relative(map=told), 1, tmp_path / "two", Result(), ways=Ways("hybrid"))
    nothing = tmp_path / "whole.json"
    write_maps(nothing, [AtomMap("toluene", "ethylbenzene", ())])
    asked = plan_edges(made, Relative(map=nothing), 1, tmp_path / "two", Result(), ways=ways)
    assert {edge.topology for edge in asked.edges} == {"dual"}


def test_a_map_that_was_given_is_taken_however_hard_it_is_or_refused(tmp_path: Path) -> None:
    ligands = ligands_of(systems(tmp_path, {name: SERIES[name] for name in ("cresol", "toluene")}))
    (ring,) = ligands["cresol"].mol.GetRingInfo().AtomRings()
    on = dict(compare(ligands, seed=1).maps["cresol", "toluene"].pairs)
    turned = AtomMap("cresol", "toluene", tuple(sorted((ring[k], on[ring[(k + 2) % 6]]) for k in range(6))))
    write_maps(tmp_path / "m.json", [turned])
    ways = Ways("auto", charge_changes=True)
    maps = given_maps(Relative(map=tmp_path / "m.json"), ligands, ways=ways)
    edge = compare(ligands, maps, seed=1, ways=ways).edge("cresol", "toluene")
    assert edge.atoms == turned.pairs and (edge.difficulty or 0) > 0.99  # two whole ligands would be easier
    fused = ligands_of(systems(tmp_path, {"toluene": SERIES["toluene"], "naphthalene": "Cc1ccc2ccccc2c1"}))
    write_maps(tmp_path / "m.json", [compare(fused, seed=1).maps["naphthalene", "toluene"]])
    with pytest.raises(InputError, match="hang on|shared in part"):
        given_maps(Relative(map=tmp_path / "m.json"), fused, ways=ways)


def test_maps_that_cannot_be_used_are_replaced_on_request_and_the_record_says_so(tmp_path: Path) -> None:
    made = systems(tmp_path, SERIES | {"naphthalene": "Cc1ccc2ccccc2c1"})
    ligands = ligands_of(made)
    found = compare(ligands, seed=1).maps
    sound = found["toluene", "xylene"]
    sound = replace(sound, pairs=sound.pairs[:-1])
    open_ring = replace(found["cresol", "toluene"], pairs=found["cresol", "toluene"].pairs[1:])
    write_maps(tmp_path / "m.json", [sound, open_ring.reversed(), found["naphthalene", "xylene"]])
    (tmp_path / "net.csv").write_text("ligand_a,ligand_b\ntoluene,cresol\nxylene,toluene\nnaphthalene,xylene\n")
    asked, ways = Relative(network=str(tmp_path / "net.csv"), map=tmp_path / "m.json"), Ways("auto")
    with pytest.raises(InputError, match="unusable_maps replace") as refused:
        given_maps(asked, ligands, ways=ways)
    assert {problem.what.partition(":")[0] for problem in refused.value.problems} == {
        "toluene and cresol", "naphthalene and xylene"
    }  # fmt: skip
    asked, result = asked.model_copy(update={"unusable_maps": "replace"}), Result()
    network = plan_edges(made, asked, 1, tmp_path / "out", result, ways=ways)
    first, second, third = network.edges
    assert first.atoms == found["cresol", "toluene"].reversed().pairs and second.atoms == sound.reversed().pairs
    assert third.topology == "dual"
    told = [text for text in result.figures["notes"] if "given map cannot be used" in text]
    assert [text.partition(":")[0] for text in told] == ["toluene~cresol", "naphthalene~xylene"]
    notes = {str(edge): PlannedEdge.read(tmp_path / "out" / EDGES / str(edge)).notes for edge in network.edges}
    assert "falls into" in notes["toluene~cresol"][0] and notes["xylene~toluene"] == ()
    assert [text.partition(" (")[0].partition(":")[0] for text in notes["naphthalene~xylene"]] == [
        "dual topology", "the given map cannot be used, and what is found takes its place"
    ]  # fmt: skip


def test_maps_and_networks_from_files(tmp_path: Path) -> None:
    ligands = ligands_of(systems(tmp_path, SERIES))
    found = compare(ligands, seed=1)
    atom_map = found.maps["toluene", "xylene"]
    mine = replace(atom_map, pairs=atom_map.pairs[:-1])
    write_maps(tmp_path / "maps.json", [mine])
    maps = given_maps(Relative(map=tmp_path / "maps.json"), ligands)
    assert compare(ligands, maps, seed=1).maps["toluene", "xylene"].pairs == mine.pairs
    write_maps(tmp_path / "wrong.json", [replace(atom_map, pairs=((0, 0), (1, 40)))])
    with pytest.raises(InputError, match="toluene and xylene"):
        given_maps(Relative(map=tmp_path / "wrong.json"), ligands)
    (tmp_path / "net.csv").write_text("ligand_a,ligand_b\nxylene,toluene\ncresol,toluene\n")
    network = planned(Relative(network=str(tmp_path / "net.csv")), found)
    assert [str(edge) for edge in network.edges] == ["xylene~toluene", "cresol~toluene"]
    assert network.edges[0].atoms == atom_map.reversed().pairs


def test_foreign_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="network edges"):
        PlannedEdge.read(tmp_path)
    with pytest.raises(StateError, match="nothing to compare"):
        ligands_of([SimSystem("boxed", tmp_path)])


def test_an_edge_that_has_become_impossible_is_planned_around(tmp_path: Path) -> None:
    few = {name: SERIES[name] for name in ("toluene", "ethylbenzene", "xylene")}
    plan_edges(systems(tmp_path, few), Relative(), 1, tmp_path / "one", Result(), state=tmp_path / "state")
    other = few | {"xylene": "Cc1ccc([O-])cc1", "cresolate": "Cc1cccc([O-])c1"}
    after = plan_edges(systems(tmp_path, other), Relative(), 1, tmp_path / "two", Result(), state=tmp_path / "state")
    assert {edge.pair for edge in after.edges} == {("ethylbenzene", "toluene"), ("cresolate", "xylene")}


def test_a_network_of_a_file_calls_ligands_by_their_records_and_tells_what_is_lost(tmp_path: Path) -> None:
    ligands = ligands_of(systems(tmp_path, {"p_xylene": SERIES["xylene"], "toluene": SERIES["toluene"]}))
    (tmp_path / "net.csv").write_text("ligand_a,ligand_b\np xylene,toluene\ncresol,toluene\n")
    given = Relative(network=str(tmp_path / "net.csv"))
    network = planned(given, compare(ligands, seed=1), whole=False)
    assert [str(edge) for edge in network.edges] == ["p_xylene~toluene", "cresol~toluene"]
    assert network.edges[0].atoms and network.edges[1].atoms is None
    assert network.warnings == ("cresol~toluene cannot be run: cresol is lost",)
    assert planned(given, compare(ligands, seed=1)) == network  # no fault of the file
    (tmp_path / "net.csv").write_text("ligand_a,ligand_b\np xylene,cresol\ncresol,toluene\n")
    *_, told = planned(given, compare(ligands, seed=1)).warnings
    assert told == "without them 2 parts, each with a scale of its own: p_xylene; toluene"


def test_an_edge_of_a_lost_ligand_is_named_and_not_run(tmp_path: Path) -> None:
    made = systems(tmp_path, {name: SERIES[name] for name in ("toluene", "xylene")})
    (tmp_path / "net.csv").write_text("ligand_a,ligand_b\nxylene,toluene\ncresol,toluene\n")
    given, plan = Relative(network=str(tmp_path / "net.csv")), tmp_path / "plan"
    plan_edges(made, given, 1, plan, Result())
    (edge,) = planned_edges(plan)
    again = plan_edges(made, given, 1, tmp_path / "re", Result(), before=plan, records=[record(tmp_path, edge)])
    assert [str(one) for one in again.edges] == ["xylene~toluene", "cresol~toluene"]
    assert planned_edges(tmp_path / "re") == []
    alone = plan_edges(made[:1], given, 1, plan, Result())
    assert len(alone.edges) == 2 and planned_edges(plan) == []  # nor is what the earlier plan has left


def test_an_edge_of_a_file_that_turns_out_impossible_stops_no_other(tmp_path: Path) -> None:
    """A ring that is fused on hangs on two shared atoms, which no edge can have."""
    series = {"toluene": SERIES["toluene"], "xylene": SERIES["xylene"], "naphthalene": "Cc1ccc2ccccc2c1"}
    made = systems(tmp_path, series)
    (tmp_path / "net.csv").write_text("ligand_a,ligand_b\nxylene,toluene\nnaphthalene,toluene\n")
    given = Relative(network=str(tmp_path / "net.csv"))
    network = plan_edges(made, given, 1, tmp_path / "plan", Result())
    assert [edge.name for edge in planned_edges(tmp_path / "plan")] == ["xylene~toluene"]
    assert [edge.cause[:3] for edge in network.edges] == ["", "C6,"]
    assert "of naphthalene hang on C5 and C10 of what is shared" in network.edges[1].cause
    assert read_network(tmp_path / "plan" / "network.json").edges[1].cause == network.edges[1].cause
    with pytest.raises(InputError, match="hang on C5 and C10"):
        planned(given, compare(ligands_of(made), seed=1))


def test_another_hub_makes_another_star(tmp_path: Path) -> None:
    made, state = systems(tmp_path, SERIES), tmp_path / "state"
    for hub in ("toluene", "cresol", None):
        star = plan_edges(made, Relative(network="star", hub=hub), 1, tmp_path / "out", Result(), state=state)
        assert all((hub or "cresol") in edge.pair for edge in star.edges) and len(star.edges) == 3
        assert len(planned_edges(tmp_path / "out")) == 3
