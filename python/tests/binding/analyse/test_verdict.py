"""Each threshold, just kept and just broken."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from oscillators import Oscillators, write_transformation

from gibbsflow.binding.analyse import verdict
from gibbsflow.binding.analyse.convergence import Equilibration, Mixing, PartialEstimates
from gibbsflow.binding.analyse.estimators import Correlation
from gibbsflow.binding.analyse.leg_result import analyse_leg
from gibbsflow.binding.analyse.uncertainty.slow_motion import SlowMotion
from gibbsflow.binding.analyse.verdict import (
    Thresholds,
    judge_leg,
    judge_result,
    judge_slow_motion,
    overall,
    sentences,
)
from gibbsflow.binding.sample.energies import read_leg
from gibbsflow.report.tables.results_table import leg_text

LIMITS = Thresholds()


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    folder = Oscillators(states=4).write(tmp_path_factory.mktemp("leg"), count=300, seed=11)
    return analyse_leg(read_leg(sorted(folder.glob("*.parquet"))))


def halves(leg, first_kcal, second_kcal, error_kcal):
    def series(value):
        kt = leg.kt_kcal_per_mol
        return PartialEstimates(np.array([0.5, 1.0]), np.array([value, value]) / kt, np.full(2, error_kcal / kt))

    return replace(leg, forward=series(first_kcal), backward=series(second_kcal))


def found(leg):
    return {finding.check: finding.level for finding in judge_leg(leg, LIMITS)}


def test_good_data_pass(good):
    assert found(good) == {}
    assert overall([]) == "PASS"


@pytest.mark.parametrize(("overlap", "level"), [(0.031, None), (0.029, "WARN"), (0.002, "FAIL")])
def test_overlap(good, overlap, level):
    matrix = good.overlap.copy()
    matrix[1, 2] = overlap
    findings = judge_leg(replace(good, overlap=matrix), LIMITS)
    assert [finding.level for finding in findings] == ([level] if level else [])
    if level:
        assert "windows 1 and 2" in findings[0].reason


@pytest.mark.parametrize(
    ("difference", "error", "level"),
    [(0.29, 0.01, None), (0.5, 0.25, None), (0.5, 0.1, "WARN"), (3.5, 0.2, "FAIL")],
)
def test_halves_differ(good, difference, error, level):
    assert found(halves(good, 5.0, 5.0 + difference, error)).get("convergence") == level


@pytest.mark.parametrize(("count", "level"), [(10, None), (9, "WARN"), (4, "FAIL")])
def test_uncorrelated_samples(good, count, level):
    correlation = Correlation(np.ones(4), (300,) * 4, (300, 300, count, 300))
    assert found(replace(good, correlation=correlation)).get("samples") == level


def test_samples_that_are_all_one(good):
    u_nk = good.energies.u_nk.copy()
    own = u_nk.index.get_level_values("state") == 2
    u_nk[own] = u_nk[own].iloc[0].to_numpy()
    (finding,) = judge_leg(replace(good, energies=replace(good.energies, u_nk=u_nk)), LIMITS)
    assert (finding.level, finding.check) == ("WARN", "still") and "window 2 is of one energy" in finding.reason
    u_nk[own] -= u_nk.loc[own, 2].iloc[0]
    assert found(replace(good, energies=replace(good.energies, u_nk=u_nk))) == {}


@pytest.mark.parametrize("other", ["bar", "ti"])
def test_estimators_differ(good, other):
    far = replace(good.bar, dg_kt=good.mbar.dg_kt + 1.0, dg_error_kt=0.1)
    leg = replace(good, blocks=None, mbar=replace(good.mbar, dg_error_kt=0.1))
    assert found(replace(leg, **{other: far})) == {other.upper(): "WARN"}
    assert found(replace(leg, **{other: replace(far, dg_error_kt=0.5)})) == {}
    assert found(replace(leg, **{other: far}, mbar=replace(leg.mbar, dg_error_kt=0.5))) == {}
    assert found(replace(leg, bar=None, bar_reason="no overlap")) == {"BAR": "WARN"}


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        ({"contradiction": 2.9, "correlation": 0.69}, None),
        ({"contradiction": 3.1}, "windows agree"),
        ({"correlation": 0.71}, "blocks"),
    ],
)
def test_blocks_of_time(good, broken, check):
    findings = judge_leg(replace(good, blocks=replace(good.blocks, **broken)), LIMITS, name="complex", replicate=2)
    assert [finding.check for finding in findings] == ([check] if check else [])
    assert all((finding.leg, finding.replicate) == ("complex", 2) for finding in findings)


def test_mixing_and_equilibration(good):
    assert found(replace(good, mixing=Mixing(0.999, 1000.0, 1.9, 0))) == {"mixing": "WARN"}
    assert found(replace(good, mixing=Mixing(0.9, 10.0, 2.1, 3))) == {}
    assert found(replace(good, equilibration=Equilibration(60.0, 0.6))) == {"equilibration": "WARN"}


@pytest.mark.parametrize(
    ("values", "errors", "level"),
    [
        ((-10.0, -10.4), (0.01, 0.01), None),  # too near to matter
        ((-10.0, -11.0), (0.6, 0.6), None),  # as far apart as their errors allow
        ((-10.0, -11.0), (0.1, 0.1), "WARN"),
        ((-10.0,), (0.1,), "WARN"),  # a single one says nothing of its spread
    ],
)
def test_replicates(values, errors, level):
    findings = judge_result(values, errors, 0.2, LIMITS)
    assert [finding.level for finding in findings] == ([level] if level else [])


@pytest.mark.parametrize(("count", "checks"), [(1, ["replicates"]), (2, ["exchange"]), (4, ["exchange"]), (5, [])])
def test_few_replicates_without_exchange(count, checks):
    """One is a doubt anyway; from five on it is for their windows to differ."""
    values, errors = (-10.0,) * count, (0.1,) * count
    found = judge_result(values, errors, 0.1, LIMITS, without_exchange=["complex", "solvent"])
    assert [finding.check for finding in found] == checks
    if checks == ["exchange"]:
        assert found[0].reason.startswith(f"windows of the complex and solvent legs did not exchange, and {count} ")
    assert "exchange" not in [finding.check for finding in judge_result(values, errors, 0.1, LIMITS)]


@pytest.mark.parametrize(("error", "level"), [(0.5, None), (0.51, "WARN"), (2.1, "FAIL")])
def test_error(error, level):
    findings = judge_result((-10.0, -10.1), (0.1, 0.1), error, LIMITS)
    assert [finding.level for finding in findings] == ([level] if level else [])


def test_standard_state():
    assert judge_result((-1, -1), (0.1, 0.1), 0.1, LIMITS, standard_state_kcal_per_mol=(-10.2416, -10.2437)) == []
    findings = judge_result((-1, -1), (0.1, 0.1), 0.1, LIMITS, standard_state_kcal_per_mol=(-6.1, -6.3))
    assert [finding.check for finding in findings] == ["standard state"]


def test_settings_reach_the_thresholds(good):
    strict = Thresholds.from_settings(overlap_warn=0.5, error_warn_kcal_per_mol=0.01)
    assert [finding.check for finding in judge_leg(good, strict)] == ["overlap"]
    assert judge_result((-1, -1), (0.1, 0.1), 0.02, strict)[0].level == "WARN"
    assert judge_result((-1, -1), (0.1, 0.1), 0.05, strict)[0].level == "FAIL"


def test_what_replicates_share_is_said_once_and_the_worst_first():
    findings = [
        verdict.Finding("WARN", "samples", "few", "complex", 1),
        verdict.Finding("WARN", "samples", "fewer", "complex", 2),
        verdict.Finding("FAIL", "error", "large"),
        verdict.Finding("WARN", "samples", "few", "solvent", 1),
    ]
    assert sentences(findings) == [
        "large",
        "complex leg, replicate 1 (likewise 2): few",
        "solvent leg, replicate 1: few",
    ]
    assert overall(findings) == "FAIL"


def test_slow_motion():
    doubt = judge_slow_motion("complex", SlowMotion(0.001, 3, 2.5), Thresholds(), replicates=2)
    assert [finding.level for finding in doubt] == ["WARN"]
    assert "complex leg" in doubt[0].reason and "window 3" in doubt[0].reason and "2 replicates" in doubt[0].reason
    assert judge_slow_motion("complex", SlowMotion(0.03, 3, 1.5), Thresholds(), replicates=2) == []
    few = judge_slow_motion("complex", SlowMotion(0.001, 3, 2.5), Thresholds(), replicates=3, short=[4])
    assert few[0].reason.startswith("complex leg: no window of replicate 4 has 40 samples, so that slow motion was")
    assert "2 replicates" in few[1].reason
    (none,) = judge_slow_motion("", None, Thresholds(), replicates=1, short=[0])
    assert none.reason.startswith("no window has 40 samples, so that nothing tells") and none.level == "WARN"


def test_a_leg_by_itself_tells_of_slow_motion_by_its_halves(tmp_path):
    _, runs = write_transformation(tmp_path, replicates=1)
    files = sorted(Path(runs[0]).rglob("window_*.parquet"))
    whole = read_leg(files)
    figures = verdict.leg_figures(whole, "auto")
    assert 0.001 < figures["slow_motion"]["p"] <= 1 and f"p = {figures['slow_motion']['p']:.2g}" in leg_text(figures)
    jumped = whole.u_nk.copy()
    late = jumped.index.get_level_values("time") > jumped.index.get_level_values("time").max() / 2
    jumped.loc[late] += 5.0  # as after a change of the well
    figures = verdict.leg_figures(replace(whole, u_nk=jumped), "auto")
    assert figures["verdict"] != "PASS" and any("its first and second half by more" in r for r in figures["reasons"])
