"""The forecast is held against what the phases write: λ states of each leg, and equilibration, of every kind of row."""

from __future__ import annotations

import edges
import pytest
import solutes
import solvated_systems as boxes

from gibbsflow.binding.alchemy.alchemical_leg import AlchemicalLeg
from gibbsflow.binding.alchemy.hybrid.edge_legs import prepare_edge
from gibbsflow.binding.alchemy.hybrid.hybrid_leg import read_leg_folder
from gibbsflow.binding.alchemy.prepare_fe import prepare_legs
from gibbsflow.binding.campaign.check import check_campaign
from gibbsflow.binding.campaign.foreseen.expected_cost import estimate
from gibbsflow.binding.campaign.foreseen.task_counts import foresee
from gibbsflow.binding.campaign.verbs import prepare_topologies
from gibbsflow.binding.equilibrate.equilibration import BOXES, planned
from gibbsflow.binding.facts import SettingsFacts
from gibbsflow.binding.forcefield.given import given_topologies as handed
from gibbsflow.binding.forcefield.given.solvated_system import take_solvated
from gibbsflow.binding.prepare.samplesheet import Row
from gibbsflow.config.binding import BindingConfig, Param
from gibbsflow.workflow.result import Result

ROW = Row(2, "moh", None, "CO", None, "place", None, None)
SMALL = {"cutoff_angstrom": 7.0, "padding_angstrom": 6.0, "restraint": "com", "replicates": 1}


def states(prepared):
    """How many each leg has, and its atoms, as its folder says."""
    legs = [read_leg_folder(folder) for folder in sorted(prepared.path("legs").iterdir())]
    return {leg.leg: (len(leg.states), leg.workload.atoms) for leg in legs}


def foreseen(rows, settings):
    return {work.name: work.windows for work in foresee(rows, settings).work if work.windows}


def equilibrated(system):
    """MD of each box that ``equil run`` finds in a system, ns."""
    own = system.facts(SettingsFacts)
    ns = planned(system, own.md, own.equil).length_ps(own.md.timestep_fs) / 1000
    return {name: ns for name in BOXES if f"{name}_prmtop" in system.artifacts}


def foreseen_equilibrations(rows, settings):
    work = [one for one in foresee(rows, settings).work if not one.windows]
    return {"complex" if one.name == "equilibration" else "solvent": one.ns for one in work}


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """Boxes of a neutral ligand and of an anion."""
    root = tmp_path_factory.mktemp("places")
    charged = boxes.anion(boxes.boxes("tip3p", "Na+ 2 Cl- 2", 12), root / "charged")
    return {"neutral": boxes.boxes(), "charged": charged}


STAGES = "stages: [{name: warm, length_ps: 7}, {name: free, length_ps: 5, ensemble: NPT}]\n"


@pytest.mark.parametrize(
    ("which", "given", "windows"),
    [
        ("neutral", {}, {"complex": 24, "solvent": 17}),
        ("neutral", {"mode": "asfe"}, {"solvent": 17, "vacuum": 5}),
        ("neutral", {"complex_schedule": "complex_16", "equil_stages": "stages.yaml"}, {"complex": 16, "solvent": 17}),
        ("charged", {"charge_correction": "analytic"}, {"complex": 32, "solvent": 29}),
        ("charged", {"charge_correction": "counter_ion"}, {"complex": 32, "solvent": 29}),
        ("charged", {"abfe_protocol": "sdr"}, {"sdr": 41}),
    ],
)
def test_of_systems_that_come_solvated(places, tmp_path, monkeypatch, which, given, windows):
    """Windows, equilibration and atoms as they will be, those of the longer box of sdr too."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stages.yaml").write_text(STAGES)
    folder, settings = places[which], BindingConfig.from_params(SMALL | given)
    kept, _ = handed.parameters_of(
        take_solvated("moh", boxes.files(folder), None, None, tmp_path / "system")[0],
        Param(),
        cache=tmp_path / "cache",
        out=tmp_path / "kept",
    )
    built, _ = prepare_topologies(kept, settings, tmp_path / "built")
    prepared = prepare_legs(
        solutes.as_equilibrated(built, tmp_path / "equil"), settings, tmp_path / "fe", result := Result()
    )
    sheet, config = tmp_path / "in.csv", tmp_path / "settings.json"
    files = [f"{folder}/{role}.{suffix}" for role in ("complex", "solvent") for suffix in ("prmtop", "inpcrd")]
    names = [f"{role}_{kind}" for role in ("complex", "solvent") for kind in ("topology", "coordinates")]
    sheet.write_text(f"ligand,{','.join(names)}\nmoh,{','.join(files)}\n")
    config.write_text(settings.model_dump_json())
    found = check_campaign(sheet, None, config, None)
    assert found.problems == []
    assert foreseen(found.rows, settings) == result.figures["windows"] == windows
    assert foreseen_equilibrations(found.rows, settings) == pytest.approx(equilibrated(built))
    own = found.contents["moh"].boxes
    for leg, (count, atoms) in states(prepared).items():
        role = {"sdr": "complex", "vacuum": "ligand"}.get(leg, leg)
        assert count == windows[leg] and own[role] == atoms
    told = estimate(found.rows, None, settings, contents=found.contents)
    assert not any("do not tell" in note or "charges of" in note for note in told.notes)


def test_of_complexes_in_implicit_solvent(chain):
    legs = [AlchemicalLeg.read(folder) for folder in sorted((chain / "fe" / "legs").iterdir())]
    assert foreseen([ROW], BindingConfig()) == {leg.leg: len(leg.states) for leg in legs}
    assert foreseen_equilibrations([ROW], BindingConfig()).keys() == {"complex"}


@pytest.mark.parametrize("given", [{}, {"abfe_protocol": "sdr"}])
def test_of_boxes_that_are_built(tmp_path, given):
    settings = solutes.settings(mode="abfe", padding_angstrom=8.5, salt_mol_per_l=0.0, **given)
    both = solutes.stacked(tmp_path / "stacked", "c1ccccc1", "CO", settings)
    built = solutes.in_water(both, settings, tmp_path / "water")
    prepared = prepare_legs(
        solutes.as_equilibrated(built, tmp_path / "equil"), settings, tmp_path / "fe", result := Result()
    )
    assert foreseen([ROW], settings) == result.figures["windows"] == {k: n for k, (n, _) in states(prepared).items()}
    assert foreseen_equilibrations([ROW], settings) == pytest.approx(equilibrated(built))


@pytest.mark.parametrize("solvent", ["tip3p", "obc2"])
def test_of_a_ligand_alone(tmp_path, solvent):
    settings = solutes.settings(solvent=solvent)
    system = solutes.built(tmp_path, "CO", settings)
    assert foreseen_equilibrations([ROW], settings) == pytest.approx(equilibrated(system))
    if solvent == "tip3p":
        prepare_legs(solutes.at_rest(system), settings, tmp_path / "fe", result := Result())
        assert foreseen([ROW], settings) == result.figures["windows"]


@pytest.mark.parametrize("dual", [False, True])
def test_of_edges(tmp_path, dual):
    settings = BindingConfig.from_params({"mode": "rsfe", "solvent": "tip3p"})
    a, b = (edges.system(name, tmp_path / name) for name in ("methanol", "ethane"))
    shared = () if dual else edges.pairs("methanol", "ethane")
    prepare_edge(a, b, shared, settings, tmp_path / "edge", result := Result(), dual=dual)
    rows = [ROW, Row(3, "ethane", None, "CC", None, "place", None, None)]
    (count,) = set(result.figures["windows"].values())
    if dual:
        told = f"edges of hard maps and of two whole ligands take {count} windows a leg"
        assert told in foresee(rows, settings).notes
    else:
        assert foreseen(rows, settings) == result.figures["windows"]
