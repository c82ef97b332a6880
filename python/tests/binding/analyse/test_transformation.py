"""The record of a transformation: what it is made of, where it came from, and what it refuses."""

import json
from dataclasses import replace

import pytest
from oscillators import SOLVENT, Oscillators, write_solvation, write_transformation
from solvation import MODE, SOLVATION

from gibbsflow.binding.alchemy.protocols import PROTOCOLS
from gibbsflow.binding.alchemy.restraint.holding import symmetry_kcal_per_mol
from gibbsflow.binding.analyse.transformation import analyse_md, analyse_transformation
from gibbsflow.binding.facts import BoundFacts, EdgeFacts, EquilibratedFacts, GivenFacts, LegFacts, RunFacts
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import Analysis
from gibbsflow.errors import InputError, StateError
from gibbsflow.workflow.account import Account
from gibbsflow.workflow.files import write_json


def test_independent_windows_come_in_a_folder_each(tmp_path):
    system, runs = write_transformation(tmp_path)
    whole = analyse_transformation(system, runs, Analysis())
    apart = []
    for run in runs:
        for path in run.glob("*.parquet"):
            apart.append(tmp_path / f"{run.name}-{path.stem}")
            apart[-1].mkdir()
            path.rename(apart[-1] / path.name)
    assert analyse_transformation(system, apart, Analysis())["dg_kcal_per_mol"] == whole["dg_kcal_per_mol"]


def test_provenance(tmp_path):
    system, runs = write_transformation(tmp_path, replicates=1)
    write_json(runs[0] / "result.json", {"versions": {"openmm": "8.6.1"}})
    record = analyse_transformation(system, runs, Analysis())
    assert record["seed"] == 2026
    assert record["run_versions"] == {"openmm": "8.6.1"}
    assert record["versions"]["pymbar"]
    assert record["settings"]["md"]["temperature_k"] == 298.15
    again = analyse_transformation(system, runs, Analysis())
    changed = analyse_transformation(system, runs, Analysis(decorrelate="never"))
    assert again == record
    assert changed["inputs_hash"] != record["inputs_hash"]


def test_a_symmetry_number_makes_binding_stronger(tmp_path):
    """Of two equivalent poses one was held: -kT ln 2, in every replicate, in the record with its formula."""
    system, runs = write_transformation(tmp_path)
    plain = analyse_transformation(system, runs, Analysis())
    choice = {"kind": "boresch", "symmetry_number": 2, "symmetry_kcal_per_mol": symmetry_kcal_per_mol(2, 298.15)}
    record = analyse_transformation(system.with_meta(restraint_choice=choice), runs, Analysis())
    assert record["dg_kcal_per_mol"] - plain["dg_kcal_per_mol"] == pytest.approx(-0.4107, abs=1e-4)
    assert record["dg_error_kcal_per_mol"] == pytest.approx(plain["dg_error_kcal_per_mol"])
    assert record["restraint_choice"] == choice and "restraint_choice" not in plain
    assert record["inputs_hash"] != plain["inputs_hash"]


def test_what_was_assumed_in_preparation_is_in_the_record_and_the_verdict(tmp_path):
    system, runs = write_transformation(tmp_path)
    plain = analyse_transformation(system, runs, Analysis())
    account = Account("guest", {"ligand": {"atoms": 28}})
    account.note("18 hydrogens added")
    noted = analyse_transformation(system.with_account(account), runs, Analysis())
    assert noted["preparation"] == {"facts": account.facts, "notes": ["18 hydrogens added"], "warnings": []}
    assert (noted["verdict"], noted["reasons"]) == (plain["verdict"], plain["reasons"])
    assert noted["dg_kcal_per_mol"] == plain["dg_kcal_per_mol"]
    account.warn("zinc within 3 A of the ligand left out", "--keep ZN")
    account.warn("two cysteines 2.75 A apart", "CYX or CYS by --protonation")
    doubted = analyse_transformation(system.with_account(account), runs, Analysis())
    assert doubted["verdict"] == "WARN"
    assert sum("zinc" in reason or "cysteines" in reason for reason in doubted["reasons"]) == 2
    bound = system.with_account(account).with_facts(BoundFacts(bound=True, ligand_site_distance_angstrom=1.0))
    record = analyse_md(bound)
    assert (record["verdict"], record["preparation"]["notes"]) == ("WARN", ["18 hydrogens added"])


def test_runs_of_another_transformation(tmp_path):
    system, runs = write_transformation(tmp_path, replicates=1)
    stray = SOLVENT.write(tmp_path / "stray", leg="solvent", transformation="other", count=20)
    with pytest.raises(InputError, match=r"belongs to transformation other \(right: guest\)"):
        analyse_transformation(system, [*runs, stray], Analysis())
    with pytest.raises(InputError, match="nowhere: no such folder"):
        analyse_transformation(system, [tmp_path / "nowhere"], Analysis())


def test_a_system_that_was_not_prepared(tmp_path):
    system, runs = write_transformation(tmp_path, replicates=1)
    bare = type(system)("guest", tmp_path / "bare")
    with pytest.raises(StateError, match="no legs or no standard state"):
        analyse_transformation(bare, runs, Analysis())


def test_windows_of_another_temperature(tmp_path):
    system, runs = write_transformation(tmp_path, replicates=1)
    warmer = system.with_meta(md={"temperature_k": 310.0})
    record = analyse_transformation(warmer, runs, Analysis())
    assert record["status"] == "failed"
    assert "was run at 298.15 K, not 310 K" in record["cause"]


def test_replicates_that_the_system_does_not_tell_are_those_of_its_legs(tmp_path):
    system, runs = write_transformation(tmp_path, replicates=2)
    facts = system.facts(LegFacts).model_copy(update={"run": RunFacts(seed=5)})
    bare = SimSystem(system.name, system.root, system.artifacts, {**system.meta, "run": facts.as_meta()["run"]})
    record = analyse_transformation(bare, runs[:2], Analysis())
    assert (record["seed"], record["status"]) == (5, "partial")  # two are expected, one has run


def test_what_begun_anew_is_told(tmp_path):
    system, runs = write_transformation(tmp_path, replicates=1)
    again = {"attempt": 2, "settings_used": {"timestep_fs": 2.0}}
    told = {"leg": "complex", "replicate": 0, "begun_anew": [{"window": 3, **again}, {"window": None, **again}]}
    write_json(runs[0] / "result.json", told)
    system = system.with_facts(EquilibratedFacts(equil_steps=1000, equil_begun_anew=again))
    record = analyse_transformation(system, runs, Analysis())
    whats = ["equil", "complex replicate 0 window 3", "complex replicate 0"]
    assert [anew["what"] for anew in record["begun_anew"]] == whats
    assert all(anew["settings_used"] == {"timestep_fs": 2.0} for anew in record["begun_anew"])


@pytest.mark.parametrize("bound", [True, False])
def test_a_complex_that_was_simulated_alone(tmp_path, bound):
    system = SimSystem("b2", tmp_path, {}, {"protein_ff": "ff14SB", "receptor_kind": "host"})
    given = GivenFacts(ligand="butylamine", experimental_dg_kcal_per_mol=-5.5)
    record = analyse_md(system.with_facts(BoundFacts(bound=bound, ligand_site_distance_angstrom=1.25), given))
    assert (record["status"], record["verdict"]) == (("finished", "PASS") if bound else ("unbound", "FAIL"))
    assert (record["ligand"], record["experimental_dg_kcal_per_mol"]) == ("butylamine", -5.5)
    assert record["ligand_site_distance_angstrom"] == 1.25
    assert record["settings"] == {"receptor_kind": "host"}
    assert record["cause"].startswith("" if bound else "Unbound: the ligand left its site")


@pytest.mark.parametrize(
    ("samples", "bound", "verdict"), [(9.9, True, "WARN"), (10.0, True, "PASS"), (1.0, False, "FAIL")]
)
def test_a_complex_that_was_simulated_for_too_short_is_in_doubt(tmp_path, samples, bound, verdict):
    """As few uncorrelated samples as a window must not have."""
    found = BoundFacts(bound=bound, ligand_site_distance_angstrom=1.25, uncorrelated_samples=samples)
    record = analyse_md(SimSystem("b2", tmp_path).with_facts(found, GivenFacts(ligand="butylamine")))
    short = [reason for reason in record["reasons"] if f"has {samples:g} uncorrelated samples, fewer than 10" in reason]
    assert record["verdict"] == verdict and len(short) == (samples < 10)
    assert record["cause"].startswith("" if bound else "Unbound: the ligand left its site")


def test_a_complex_that_was_not_analysed(tmp_path):
    with pytest.raises(StateError, match="not known whether bound"):
        analyse_md(SimSystem("b2", tmp_path))


def test_another_protocol_has_its_own_legs_and_signs(tmp_path, monkeypatch):
    """Solvation, of oscillators whose free energies are known; nothing is restrained, and nothing let go."""
    monkeypatch.setitem(PROTOCOLS, MODE, SOLVATION)
    system, runs, exact = write_solvation(tmp_path)
    record = analyse_transformation(system, runs, Analysis(), MODE)
    assert (record["mode"], record["status"], "standard_state" in record) == (MODE, "finished", False)
    assert list(record["leg_summary"]) == ["solvent", "vacuum"]
    assert record["dg_kcal_per_mol"] == pytest.approx(exact, abs=5 * record["dg_error_kcal_per_mol"])
    assert exact < -1 and record["dg_error_kcal_per_mol"] < 0.2
    size = {"solvent": {"dg_kcal_per_mol": 1.5, "dg_error_kcal_per_mol": 0.0}}  # of its leg, which enters with −1
    sized = analyse_transformation(system.with_meta(finite_size=size), runs, Analysis(), MODE)
    assert sized["dg_kcal_per_mol"] == pytest.approx(record["dg_kcal_per_mol"] - 1.5)
    lost = analyse_transformation(system, runs[:1], Analysis(), MODE)
    assert "no replicate has both legs: no free energy" in lost["reasons"]


def test_double_decoupling_without_its_standard_state_is_refused(tmp_path):
    system, runs = write_transformation(tmp_path, replicates=1)
    system = replace(system, meta={key: value for key, value in system.meta.items() if key != "standard_state"})
    with pytest.raises(StateError, match="no standard state"):
        analyse_transformation(system, runs, Analysis())


def test_legs_of_another_mode_are_refused(tmp_path):
    """Those of an edge have the names of those of a ligand, and other signs."""
    system, runs = write_transformation(tmp_path, replicates=1)
    with pytest.raises(
        InputError, match="run.mode: has legs complex and solvent of one ligand, not those of mode rbfe"
    ):
        analyse_transformation(system, runs, Analysis(), "rbfe")
    edge = system.with_facts(EdgeFacts(edge_ligands=("a", "b"), edge_pairs=(), edge_topology="dual"))
    with pytest.raises(InputError, match="complex and solvent of an edge, not those of mode abfe"):
        analyse_transformation(edge, runs, Analysis())
    solvation, others, _ = write_solvation(tmp_path / "solvation")
    with pytest.raises(InputError, match="solvent and vacuum of one ligand, not those of mode abfe"):
        analyse_transformation(solvation, others, Analysis())


def test_windows_that_were_placed_are_those_expected_and_a_pilot_that_was_not_measured_is_a_doubt(tmp_path):
    system, runs = write_transformation(tmp_path, replicates=1)
    assert "placement" not in analyse_transformation(system, runs, Analysis())
    fewer = Oscillators(3, 10.0, 5.0)
    placed = [runs[0], fewer.write(tmp_path / "placed", leg="solvent", count=150)]
    told = {
        "complex": {"account": {"warnings": ["its windows stay as they were"], "notes": []}},
        "solvent": {"windows": 3, "account": {"warnings": [], "notes": []}},
    }
    for run, leg in zip(placed, told, strict=True):
        write_json(run / "leg.json", {"leg": leg})
        write_json(run / "placement.json", told[leg])
    record = analyse_transformation(system, placed, Analysis())
    assert record["placement"] == told and record["missing_windows"] == []
    assert record["dg_kcal_per_mol"] is not None and record["verdict"] == "WARN"
    assert any("its windows stay as they were" in reason for reason in record["reasons"])


@pytest.mark.parametrize(
    "content",
    [
        [], None, {"versions": 3}, {"begun_anew": 3}, {"begun_anew": [{}]}, {"begun_anew": ["x"]},
        {"begun_anew": [{"window": 1}], "leg": "complex"},
    ],
)  # fmt: skip
def test_a_damaged_result_of_a_run_is_named(tmp_path, content):
    system, runs = write_transformation(tmp_path, replicates=1)
    (runs[0] / "result.json").write_text(json.dumps(content))
    with pytest.raises(StateError, match=r"complex0/result\.json: damaged"):
        analyse_transformation(system, runs, Analysis())
