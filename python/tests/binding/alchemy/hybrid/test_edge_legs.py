"""Legs of an edge, prepared, sampled and analysed as any other: their sums are those of independent ways."""

from __future__ import annotations

import math
from dataclasses import replace

import edges
import numpy as np
import openmm
import pytest

from gibbsflow.binding.alchemy.hybrid.edge_legs import prepare_edge
from gibbsflow.binding.alchemy.hybrid.hybrid_leg import HybridLeg, read_leg_folder
from gibbsflow.binding.alchemy.prepare_fe import prepare_legs
from gibbsflow.binding.alchemy.protocols import (
    RELATIVE,
    RELATIVE_IN_WATER,
    RELATIVE_SOLVATION,
    SOLVATION,
    cycle_sum,
    cycle_terms,
)
from gibbsflow.binding.analyse import collect
from gibbsflow.binding.analyse.verdict import leg_figures
from gibbsflow.binding.facts import AccountFacts, EdgeFacts, GivenFacts, LegFacts
from gibbsflow.binding.sample.sampling import runs_gromacs, sample_leg
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import BindingConfig, Fe, Run
from gibbsflow.config.binding_parts import Relative
from gibbsflow.engines.openmm_engine import OPENMM
from gibbsflow.errors import InputError, UnboundError
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.result import Result
from gibbsflow.workflow.state.segments import Stopper

VACUUM = tuple(leg for leg in RELATIVE_SOLVATION if leg.name == "vacuum")


FEW = [[0, 1, 1, 0, 0], [0.25, 0.5, 1, 0.5, 0], [0.5, 0, 1, 1, 0], [0.75, 0, 0.5, 1, 0.5], [1, 0, 0, 1, 1]]
"""Windows that are enough for few dummies."""


def settings(ps: float = 0.4, equil_ps: float = 0.1, sample_ps: float = 0.1, few=None) -> BindingConfig:
    """Of short windows; with a folder, as few of an edge as will do."""
    schedules = {}
    if few is not None:
        few.mkdir(parents=True, exist_ok=True)
        (few / "few.yaml").write_text(f"states: {FEW}\n")
        schedules = dict.fromkeys(("complex_schedule", "solvent_schedule", "vacuum_schedule"), str(few / "few.yaml"))
    segment_ps = max(ps / 2, sample_ps)
    fe = Fe(window_ps=ps, window_equil_ps=equil_ps, sample_ps=sample_ps, segment_ps=segment_ps, **schedules)
    return BindingConfig(fe=fe, run=Run(replicates=1))


def prepared(
    root, a, b, config, *, solvent="tip3p", protocol=RELATIVE_SOLVATION, pairs=None, engine="openmm", dual=False
):
    result = Result()
    first = edges.system(a, root / "a", solvent=solvent, engine=engine)
    second = edges.system(b, root / "b", solvent=solvent)
    shared = () if dual else edges.pairs(a, b) if pairs is None else pairs
    system = prepare_edge(first, second, shared, config, root / "edge", result, protocol=protocol, dual=dual)
    return system, result


def sampled(system: SimSystem, root) -> dict[str, tuple[float, float]]:
    """Free energy and error of each leg, kcal/mol."""
    found = {}
    for folder in sorted(system.path("legs").iterdir()):
        out = root / "out" / folder.name
        with Stopper(None, None) as stopper:
            sample_leg(read_leg_folder(folder), 0, None, root / "state" / folder.name, out, stopper, Result())
        figures = leg_figures(collect.read_leg(sorted(out.glob("window_*.parquet")), "auto"), "auto")
        found[folder.name] = figures["mbar"]["dg_kcal_per_mol"], figures["mbar"]["dg_error_kcal_per_mol"]
    return found


def summed(protocol, legs: dict[str, tuple[float, float]]) -> tuple[float, float]:
    return (
        cycle_sum(protocol, {name: value for name, (value, _) in legs.items()}, 0.0),
        math.hypot(*(error for _, error in legs.values())),
    )


def test_a_leg_of_an_edge_is_sampled_and_analysed_as_any_other(tmp_path):
    """In water, with frames kept: of all atoms, those that only B has among them."""
    protocol = tuple(leg for leg in RELATIVE_SOLVATION if leg.name == "solvent")
    config = settings(0.04, 0.02, 0.02, tmp_path)
    system, result = prepared(tmp_path, "benzene", "toluene", config, protocol=protocol)
    assert result.figures["windows"] == {"solvent": len(FEW)} and result.figures["pairs"][0] == [0, 1]
    assert any("dual junction" in line for line in result.figures["dummies"])
    ((value, error),) = sampled(system, tmp_path).values()
    assert np.isfinite(value) and error > 0
    assert system.facts(LegFacts).restraint is None
    shown = (tmp_path / "out" / "solvent" / "trajectory.pdb").read_text().splitlines()
    residues = [line[17:20] for line in shown if line.startswith("HETATM")]
    assert residues.count("LIG") == 16 and "HOH" in residues


def test_the_complex_of_an_edge_has_the_surroundings_of_a(tmp_path):
    a = edges.stacked("benzene", "p-xylene", tmp_path / "a")
    a = a.with_facts(GivenFacts(ligand="benzene", experimental_dg_kcal_per_mol=-5.0))
    b = edges.system("toluene", tmp_path / "b", solvent="obc2")
    result = Result()
    system = prepare_edge(a, b, edges.pairs("benzene", "toluene"), settings(), tmp_path / "edge", result)
    assert system.name == "benzene-toluene" and result.figures["windows"] == {"complex": 11, "solvent": 11}
    leg = read_leg_folder(system.path("legs") / "complex")
    assert isinstance(leg, HybridLeg) and leg.receptor_atoms == tuple(range(18))
    assert leg.ligand_atoms == tuple(range(18, 34)) and leg.start_nm.shape[1] == 34
    np.testing.assert_allclose(leg.start_nm[0, :30], np.load(tmp_path / "a" / "complex.npz")["positions_nm"][0])
    made = leg.hybrid(OPENMM)
    assert system.facts(GivenFacts) == GivenFacts()  # what was measured of A is nothing measured of the edge
    assert made.shared.place_a[0] == 18 and not system.facts(AccountFacts).account["warnings"]
    for state in leg.states[::5]:
        simulation = OPENMM.simulation(made.at(state.as_dict()), leg.md, 1)
        simulation.place(leg.start_nm[0])
        assert np.isfinite(simulation.potential_kj_per_mol())


def test_a_hard_map_gets_more_windows_unless_schedules_are_given(tmp_path):
    a, b = (edges.system(name, tmp_path / name, solvent="obc2") for name in ("benzene", "toluene"))
    told = Account("toluene")
    told.note("its pose: laid on benzene by 6 heavy atoms")
    b = b.with_account(told)
    alone = tuple(leg for leg in RELATIVE if leg.name == "solvent")

    def made(difficulty, config, name):
        result, shared = Result(), edges.pairs("benzene", "toluene")
        out = tmp_path / name
        system = prepare_edge(a, b, shared, config, out, result, protocol=alone, difficulty=difficulty)
        notes = "\n".join(map(str, system.facts(AccountFacts).account["notes"]))
        return result.figures["windows"]["solvent"], notes, system.facts(EdgeFacts).edge_difficulty, result.inputs_hash

    plain, own = settings(), settings(few=tmp_path / "few")
    easy = made(0.49, plain, "easy")
    assert easy[0] == 11 and "hard_map" not in easy[1] and "toluene: its pose: laid on benzene" in easy[1]
    hard = made(0.5, plain, "hard")
    assert hard[0] == 21 and "difficulty is 0.50, 0.5 or more (hard_map): 21 windows in solvent" in hard[1]
    assert hard[2] == 0.5 and hard[3] != easy[3]
    mine = made(0.9, own, "own")
    assert mine[0] == len(FEW) and "hard_map" not in mine[1]
    never = plain.model_copy(update={"relative": Relative(hard_map=1.0)})
    assert made(0.99, never, "never")[0] == 11


def test_a_ligand_of_b_in_its_receptor_is_warned_of(tmp_path):
    a = edges.stacked("benzene", "p-xylene", tmp_path / "a", apart_nm=0.1)
    b = edges.system("toluene", tmp_path / "b", solvent="obc2")
    system = prepare_edge(a, b, edges.pairs("benzene", "toluene"), settings(), tmp_path / "edge", Result())
    assert any(
        "C1 is" in text and "of LIG 1" in text for text in map(str, system.facts(AccountFacts).account["warnings"])
    )


def test_an_edge_of_two_whole_ligands(tmp_path):
    """Nothing is shared: B stands where A is, held to it in every state of either leg; and the record says so."""
    a = edges.stacked("neopentane", "p-xylene", tmp_path / "a", apart_nm=0.45)
    b = edges.system("phenol", tmp_path / "b", solvent="obc2")
    result = Result()
    system = prepare_edge(a, b, (), settings(), tmp_path / "edge", result, dual=True)
    assert result.figures["windows"] == {"complex": 21, "solvent": 21} and result.figures["pairs"] == []
    ends = system.facts(EdgeFacts)
    assert (ends.edge_topology, ends.edge_pairs, ends.edge_ions) == ("dual", (), None)
    assert any("dual topology" in text for text in map(str, system.facts(AccountFacts).account["notes"]))
    for name in ("complex", "solvent"):
        leg = read_leg_folder(system.path("legs") / name)
        assert isinstance(leg, HybridLeg) and leg.tether.kind == "boresch" and leg.restraint is None
        assert set(leg.tether.receptor) <= set(leg.old_atoms) and leg.hashed_settings(0, None)["hybrid"]["tether"]
        made = leg.hybrid(OPENMM)
        one, two = (leg.start_nm[0][list(place)].mean(axis=0) for place in (made.shared.place_a, made.shared.place_b))
        assert np.linalg.norm(one - two) < 0.1
        for state in leg.states[::5]:
            simulation = OPENMM.simulation(made.at(state.as_dict()), leg.md, 1)
            simulation.place(leg.start_nm[0])
            assert np.isfinite(simulation.potential_kj_per_mol())
    with pytest.raises(InputError, match="no atom is shared"):
        prepare_edge(a, b, (), settings(), tmp_path / "hybrid", Result())


def test_an_edge_that_changes_the_net_charge_has_the_same_ion_in_both_boxes(tmp_path):
    """So that its work drops out: offset by offset, and behind a wall of the same kind."""
    there = RELATIVE_IN_WATER[1]
    twice = (there, replace(there, name="again", sign=-there.sign))
    config = settings()
    config = config.model_copy(update={"fe": config.fe.model_copy(update={"charge_correction": "counter_ion"})})
    system, result = prepared(tmp_path, "acetate", "ethane", config, protocol=twice)
    assert result.figures["windows"] == {"solvent": 25, "again": 25}
    assert system.facts(EdgeFacts).edge_ions == "1 water far from the ligand becomes Cl-"
    assert any("changes by +1 e" in text for text in map(str, system.facts(AccountFacts).account["notes"]))
    offsets = []
    for folder in sorted(system.path("legs").iterdir()):
        leg = read_leg_folder(folder)
        (water,) = leg.ions.waters
        (wall,) = leg.apart
        assert wall.away == water[:1] and wall.least_angstrom >= 5
        made = leg.hybrid(OPENMM)
        assert any(force.getName() == "KeptApart" for force in made.system.getForces())
        force = next(f for f in made.system.getForces() if isinstance(f, openmm.NonbondedForce))
        rows = map(force.getParticleParameterOffset, range(force.getNumParticleParameterOffsets()))
        offsets.append([(name, water.index(atom), *values) for name, atom, *values in rows if atom in water])
    assert offsets[0] == offsets[1] and len(offsets[0]) == 9
    with pytest.raises(InputError, match="in one leg alone does not drop out"):
        prepared(tmp_path / "solvation", "acetate", "ethane", config)
    with pytest.raises(InputError, match="of an edge waters become ions.*--engine openmm"):
        prepared(tmp_path / "gromacs", "acetate", "ethane", config, protocol=twice, engine="gromacs")


def test_an_edge_between_ligands_of_one_charge_needs_no_ion(tmp_path):
    """Whatever is asked for on behalf of other edges of its network."""
    there = RELATIVE_IN_WATER[1]
    twice = (there, replace(there, name="again", sign=-there.sign))
    config = settings()
    config = config.model_copy(update={"fe": config.fe.model_copy(update={"charge_correction": "counter_ion"})})
    system, result = prepared(tmp_path, "acetate", "acetate", config, protocol=twice)
    assert result.figures["windows"] == {"solvent": 11, "again": 11} and system.facts(EdgeFacts).edge_ions is None
    leg = read_leg_folder(system.path("legs") / "solvent")
    assert leg.ions is None and not leg.apart


def test_what_no_edge_can_be_made_of_is_refused(tmp_path):
    config = settings()
    with pytest.raises(InputError, match="net charge changes by [+]1 e, and nothing"):
        prepared(tmp_path / "1", "acetate", "ethane", config)
    with pytest.raises(InputError, match="no schedule from one ligand to another"):
        named = config.model_copy(update={"fe": config.fe.model_copy(update={"solvent_schedule": "water_17"})})
        prepared(tmp_path / "2", "benzene", "toluene", named)
    a, b = (edges.system(name, tmp_path / name, solvent="obc2") for name in ("benzene", "toluene"))
    with pytest.raises(UnboundError, match="benzene: not bound"):
        prepare_edge(a, b, edges.pairs("benzene", "toluene"), config, tmp_path / "3", Result())
    gapsys = config.model_copy(update={"fe": config.fe.model_copy(update={"soft_core": "gapsys"})})
    with pytest.raises(InputError, match="gapsys with engine gromacs.*beutler, or --engine openmm"):
        prepared(tmp_path / "4", "benzene", "toluene", gapsys, engine="gromacs")
    leg, _ = prepared(tmp_path / "5", "benzene", "toluene", config, engine="gromacs")
    vacuum, solvent = (read_leg_folder(leg.path("legs") / name) for name in ("vacuum", "solvent"))
    assert runs_gromacs(solvent) and not runs_gromacs(vacuum)


def test_the_sum_of_an_edge_is_b_less_a():
    """A kilocalorie more of the complex leg makes B bind a kilocalorie less well than A."""
    assert dict(cycle_terms(RELATIVE)) == dict(cycle_terms(RELATIVE_IN_WATER)) == {"complex": 1, "solvent": -1}
    assert cycle_sum(RELATIVE, {"complex": 3.0, "solvent": 1.0}, 0.0) == 2.0
    assert dict(cycle_terms(RELATIVE_SOLVATION)) == {"solvent": 1, "vacuum": -1}


@pytest.mark.slow
def test_a_methyl_whose_hydrogens_are_taken_apart_at_both_ends_changes_nothing(tmp_path):
    """A→A is 0: toluene whose methyl's hydrogens vanish while three others appear."""
    size = edges.molecule("toluene").GetNumAtoms()
    methyl = [n.GetIdx() for n in edges.molecule("toluene").GetAtomWithIdx(0).GetNeighbors() if n.GetAtomicNum() == 1]
    pairs = [(i, i) for i in range(size) if i not in methyl]
    config = settings(16, 1, 0.2, tmp_path)
    system, result = prepared(tmp_path, "toluene", "toluene", config, solvent="vacuum", protocol=VACUUM, pairs=pairs)
    assert len(result.figures["pairs"]) == size - 3
    value, error = sampled(system, tmp_path)["vacuum"]
    assert error <= 0.1 and abs(value) < 2 * error


@pytest.mark.slow
def test_a_difference_of_solvation_is_that_of_two_absolute_ones(tmp_path):
    """Phenol to fluorobenzene in OBC2 and in vacuum: by shared atoms, as two whole ligands, and each decoupled."""
    config, edges_of = settings(6, 1, 0.2), {}
    for name, ps in (("hybrid", 60), ("dual", 20)):
        few, whole = settings(ps, 2, 0.4, tmp_path), name == "dual"
        edge, _ = prepared(tmp_path / name, "phenol", "fluorobenzene", few, solvent="obc2", dual=whole)
        edges_of[name] = summed(RELATIVE_SOLVATION, sampled(edge, tmp_path / name))
    absolute = {}
    for name in ("phenol", "fluorobenzene"):
        root = tmp_path / name
        alone = prepare_legs(edges.system(name, root / "in", solvent="obc2"), config, root / "fe", Result(), SOLVATION)
        absolute[name] = summed(SOLVATION, sampled(alone, root))
    expected = absolute["fluorobenzene"][0] - absolute["phenol"][0]
    for relative, error in edges_of.values():
        error = math.hypot(error, *(wrong for _, wrong in absolute.values()))
        assert expected > 2 and error < 0.06 and relative == pytest.approx(expected, abs=2.5 * error)
