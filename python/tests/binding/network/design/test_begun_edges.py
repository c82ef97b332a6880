"""Edges that were begun keep the atoms that they were planned with, or it is said why not."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from rdkit import Chem
from rdkit.Chem import AllChem

from gibbsflow.binding.campaign.edges import EDGE, EDGES, MOLECULES, PlannedEdge, plan_edges
from gibbsflow.binding.facts import PreparedFacts
from gibbsflow.binding.network.design.begun_edges import BegunEdges, constitutions
from gibbsflow.binding.network.design.comparison import Posed, Ways
from gibbsflow.binding.network.design.links import Edge
from gibbsflow.binding.network.design.network_files import read_network, write_network
from gibbsflow.binding.prepare.atom_map.atom_maps import AtomMap
from gibbsflow.binding.prepare.atom_map.map_files import write_maps
from gibbsflow.binding.prepare.molecules import Molecule, write_sdf
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding_parts import Relative
from gibbsflow.workflow.result import Result

LIGANDS = {"butylbenzene": "CCCCc1ccccc1", "butylnaphthalene": "CCCCc1ccc2ccccc2c1"}
NAME = "~".join(LIGANDS)
TAIL = tuple((k, k) for k in range(4))
"""Atoms of the chain: with the ring, which is shared in part, today's map is refused, and whole ligands are taken."""


def prepared(folder: Path, smiles: dict[str, str]) -> list[SimSystem]:
    found = []
    for name, text in smiles.items():
        mol = Chem.AddHs(Chem.MolFromSmiles(text))
        AllChem.EmbedMolecule(mol, randomSeed=7)
        (folder / name).mkdir(parents=True, exist_ok=True)
        write_sdf(Molecule(mol, 0), folder / name / "ligand.sdf", name)
        facts = PreparedFacts(
            receptor_kind="host", receptor_charge=0, receptor_name="host", ligand_charge=0,
            ligand_smiles=Chem.CanonSmiles(text), site=None, pose="place",
        )  # fmt: skip
        found.append(SimSystem(name, folder / name).with_artifacts(ligand="ligand.sdf").with_facts(facts))
    return found


class Campaign:
    """A campaign's state as an earlier version left it: a network whose edge shares a chain, and a leg of it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.home = folder, folder / "state" / "host"
        self.plan = self.home / "network" / "plan"
        first = self.planned()
        assert [edge.topology for edge in first.edges] == ["dual"]  # what this version takes
        self.edges = (replace(first.edges[0], atoms=TAIL, difficulty=0.875),)
        write_network(replace(first, edges=self.edges), self.plan)
        (self.plan / MOLECULES).unlink()  # of this version
        (self.home / NAME / "complex" / "replicate_0").mkdir(parents=True)

    def planned(self, *, topology: str = "auto", ligands: dict[str, str] = LIGANDS, **relative: object):
        self.result = Result()
        systems = prepared(self.folder, ligands)
        settings = Relative(network="mst", **relative)
        out = self.folder / "plan"
        return plan_edges(systems, settings, 1, out, self.result, state=self.plan, ways=Ways(topology))  # type: ignore[arg-type]

    @property
    def told(self) -> str:
        return "\n".join(self.result.figures["notes"])


@pytest.fixture
def campaign(tmp_path: Path) -> Campaign:
    return Campaign(tmp_path)


def test_it_goes_on_as_it_was_planned(campaign: Campaign) -> None:
    for _ in range(2):  # and the next time, too
        (edge,) = campaign.planned().edges
        assert (edge.atoms, edge.difficulty) == (TAIL, 0.875)  # λ windows depend on the difficulty
        assert f"{NAME}: begun with 4 atoms shared, and goes on so; planned today it would have dual" in campaign.told
        read = PlannedEdge.read(campaign.folder / "plan" / EDGES / NAME)
        assert (read.pairs, read.dual, read.difficulty) == (TAIL, False, 0.875)
        assert read_network(campaign.plan / "network.json").edges == campaign.edges


def test_one_that_was_not_begun_is_planned_anew(campaign: Campaign) -> None:
    shutil.rmtree(campaign.home / NAME)
    (campaign.home / NAME / "prepare_fe").mkdir(parents=True)
    (campaign.home / NAME / "prepare_fe" / "plan.json").write_text("{}")
    assert [edge.topology for edge in campaign.planned().edges] == ["dual"] and "begun" not in campaign.told


def test_what_is_asked_for_goes_before_and_is_said(campaign: Campaign) -> None:
    assert [edge.topology for edge in campaign.planned(topology="dual").edges] == ["dual"]
    assert "begun with 4 atoms shared, which is not possible any more: planned anew" in campaign.told
    write_network(replace(read_network(campaign.plan / "network.json"), edges=campaign.edges), campaign.plan)
    more = (*TAIL, (10, 14))
    write_maps(campaign.folder / "maps.json", [AtomMap(*LIGANDS, more)])
    (edge,) = campaign.planned(map=campaign.folder / "maps.json").edges
    assert edge.atoms == more and "planned anew by the map that is given" in campaign.told


def test_a_map_of_other_molecules_is_not_kept(campaign: Campaign) -> None:
    campaign.planned()
    other = LIGANDS | {"butylbenzene": "CCCCc1ccncc1"}
    (edge,) = campaign.planned(ligands=other).edges
    assert edge.topology == "dual" and "begun" not in campaign.told
    told = json.loads((campaign.plan / MOLECULES).read_text())
    assert told.keys() == other.keys()


def test_a_map_that_cannot_be_used_is_said(campaign: Campaign) -> None:
    broken = tuple(replace(edge, atoms=((0, 0), (1, 40))) for edge in campaign.edges)
    write_network(replace(read_network(campaign.plan / "network.json"), edges=broken), campaign.plan)
    (edge,) = campaign.planned().edges
    assert edge.topology == "dual" and "begun with 2 atoms shared, which is not possible any more" in campaign.told


def test_whole_ligands_stay_whole(campaign: Campaign) -> None:
    """Asked for once, and begun; the settings say `auto` by now, and toluene and cresol have a good map."""
    ligands = {"cresol": "Cc1ccc(O)cc1", "toluene": "Cc1ccccc1"}
    campaign.planned(topology="dual", ligands=ligands)
    (campaign.home / "cresol~toluene" / "solvent" / "pilot").mkdir(parents=True)
    (edge,) = campaign.planned(ligands=ligands).edges
    assert edge.atoms == () and "begun with dual topology, and goes on so" in campaign.told
    told = json.loads((campaign.folder / "plan" / EDGES / "cresol~toluene" / EDGE).read_text())
    assert told["topology"] == "dual" and told["notes"]
    (edge,) = campaign.planned(topology="hybrid", ligands=ligands).edges
    assert edge.topology == "hybrid" and "not possible any more" in campaign.told


def test_maps_and_constitutions() -> None:
    begun = BegunEdges({("a", "b"): Edge("b", "a", 0.5, ((1, 2),)), ("a", "c"): Edge("a", "c", None, ())})
    assert begun.maps == [AtomMap("b", "a", ((1, 2),)), AtomMap("a", "c", ())]
    mols = {text: Posed(Chem.MolFromSmiles(text), 0, given=False) for text in ("CCO", "OCC", "CC=O")}
    assert len(set(constitutions(mols).values())) == 2  # the order of atoms counts, that of bonds does not
