"""Enthalpy and entropy of a cycle: oscillators and a restraint, whose answer is exact; as record and table have it."""

import json

import pytest
from oscillators import COMPLEX, STANDARD_STATE, TEMPERATURE_K, write_solvation, write_system, write_transformation

from gibbsflow.binding.alchemy.restraint.restraints import CentreOfMassRestraint, restraint_as_dict
from gibbsflow.binding.alchemy.restraint.standard_state import boresch_analytic_kcal_per_mol
from gibbsflow.binding.analyse.cycle_split import release_enthalpy
from gibbsflow.binding.analyse.entropy.split import FIGURES
from gibbsflow.binding.analyse.transformation import analyse_transformation
from gibbsflow.binding.facts import EdgeFacts
from gibbsflow.binding.system import SimSystem
from gibbsflow.config.binding import Analysis
from gibbsflow.errors import StateError
from gibbsflow.report.tables.results_table import record_row, write_csv
from gibbsflow.units import kt_kcal_per_mol

KT = kt_kcal_per_mol(TEMPERATURE_K)
HELD = restraint_as_dict(CentreOfMassRestraint((0, 1), (2, 3), 10.0))
SPLIT = Analysis(entropy=True)


def test_a_cycle_with_the_enthalpy_of_its_restraint(tmp_path):
    """Legs: ΔH of 20 kT in the complex, 5 in solvent; the restraint's three harmonic directions hold 3/2 kT."""
    system, runs = write_transformation(tmp_path)
    with pytest.raises(StateError, match="no restraint"):
        analyse_transformation(system.with_meta(restraint=None), runs, SPLIT)
    record = analyse_transformation(system.with_meta(restraint=HELD), runs, SPLIT)
    split = record["entropy"]
    assert split["release_dh_kcal_per_mol"] == pytest.approx(-1.5 * KT, rel=1e-3)
    exact = (5 - 20) * KT + 1.5 * KT
    assert abs(split["dh_kcal_per_mol"] - exact) < 4 * split["dh_error_kcal_per_mol"] < 2.0
    assert split["dh_kcal_per_mol"] + split["minus_tds_kcal_per_mol"] == pytest.approx(record["dg_kcal_per_mol"])
    legs = split["legs"]
    dh = {leg: legs[leg]["dh_kcal_per_mol"] for leg in legs}
    assert split["dh_kcal_per_mol"] == pytest.approx(dh["solvent"] - dh["complex"] - split["release_dh_kcal_per_mol"])
    assert split["dh_t95_kcal_per_mol"] > 1.9 * split["dh_error_kcal_per_mol"]
    assert [one["replicate"] for one in split["replicates"]] == [0, 1]
    assert any("implicit solvent" in note for note in split["notes"])
    plain = analyse_transformation(system, runs, Analysis())
    assert "entropy" not in plain and plain["dg_kcal_per_mol"] == record["dg_kcal_per_mol"]
    json.dumps(record, allow_nan=False)
    rows = [record_row(record), record_row(plain)]
    write_csv(rows, tmp_path / "with.csv")
    write_csv(rows[1:], tmp_path / "without.csv")
    head, first, second = (tmp_path / "with.csv").read_text().splitlines()
    assert head.endswith(",".join(["stopped_by", *FIGURES]))
    assert f"{split['dh_kcal_per_mol']:.4f}" in first and second.endswith(",,,")
    assert (tmp_path / "without.csv").read_text().splitlines()[0].endswith("stopped_by")


def test_corrections_count_as_enthalpy_and_nothing_held_releases_nothing(tmp_path):
    system, runs, _ = write_solvation(tmp_path)
    sizes = {"solvent": {"dg_kcal_per_mol": 2.5, "dg_error_kcal_per_mol": 0.3, "charging": {}}}
    plain, corrected = (
        analyse_transformation(one, runs, SPLIT, mode="asfe")["entropy"]
        for one in (system, system.with_meta(finite_size=sizes))
    )
    assert plain["release_dh_kcal_per_mol"] == 0
    assert corrected["dh_kcal_per_mol"] == pytest.approx(plain["dh_kcal_per_mol"] - 2.5)
    assert corrected["minus_tds_kcal_per_mol"] == pytest.approx(plain["minus_tds_kcal_per_mol"])
    assert any("size of boxes" in note for note in corrected["notes"])


def test_decoupling_and_recoupling_at_once_has_one_leg_and_its_release(tmp_path):
    md = {"temperature_k": TEMPERATURE_K, "solvent": "tip3p", "timestep_fs": 4.0}
    fe = {"sampler": "exchange", "window_ps": 60.0, "sample_ps": 0.5, "abfe_protocol": "sdr"}
    system = write_system(tmp_path / "system", "guest", {"sdr": COMPLEX}, restraint=HELD, md=md, fe=fe)
    runs = [COMPLEX.write(tmp_path / f"sdr{r}", leg="sdr", replicate=r, count=150, seed=r) for r in range(2)]
    record = analyse_transformation(system, runs, SPLIT)
    split = record["entropy"]
    assert abs(split["dh_kcal_per_mol"] - (-20 * KT + 1.5 * KT)) < 4 * split["dh_error_kcal_per_mol"] < 2.0
    assert split["dh_kcal_per_mol"] + split["minus_tds_kcal_per_mol"] == pytest.approx(record["dg_kcal_per_mol"])
    assert any("pV is left out" in note for note in split["notes"])


def test_an_edge_is_split_without_a_release(tmp_path):
    system, runs = write_transformation(tmp_path, replicates=1)
    meta = {key: value for key, value in system.meta.items() if key not in ("restraint", "standard_state")}
    edge = EdgeFacts(edge_ligands=("a", "b"), edge_pairs=(), edge_topology="dual")
    system = SimSystem("guest", system.root, system.artifacts, meta).with_facts(edge)
    record = analyse_transformation(system, runs, SPLIT, mode="rbfe")
    split = record["entropy"]
    assert split["release_dh_kcal_per_mol"] == 0
    assert abs(split["dh_kcal_per_mol"] - 15 * KT) < 4 * split["dh_error_kcal_per_mol"] < 3.0
    assert split["dh_kcal_per_mol"] + split["minus_tds_kcal_per_mol"] == pytest.approx(record["dg_kcal_per_mol"])


def test_six_harmonic_terms_hold_three_kt():
    def release(temperature_k):
        given = {"r0_angstrom": 5.0, "theta_a_deg": 90.0, "theta_b_deg": 70.0, "k_r": 10.0, "k_angle": 100.0}
        return boresch_analytic_kcal_per_mol(**given, temperature_k=temperature_k)

    assert release_enthalpy(release, TEMPERATURE_K) == pytest.approx(-3 * KT, rel=1e-4)
    assert release(TEMPERATURE_K) != pytest.approx(STANDARD_STATE["numeric_kcal_per_mol"], rel=1e-4)
