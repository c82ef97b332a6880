"""One leg: the exact answer, its figures as JSON, and what is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
from oscillators import Oscillators

from gibbsflow.binding.analyse.leg_result import MBAR_ALONE_DOF, MBAR_ALONE_RATIO, analyse_leg, name_windows
from gibbsflow.binding.sample.energies import read_leg
from gibbsflow.errors import UnconvergedError
from gibbsflow.units import kt_kcal_per_mol

LEG = Oscillators(6, 4.0, 20.0)


def read(folder, leg=LEG, **options):
    return read_leg(sorted(leg.write(folder, **options).glob("*.parquet")), allow_missing=True)


def test_a_leg_and_its_figures(tmp_path):
    leg = analyse_leg(read(tmp_path, count=300, seed=2))
    assert abs(leg.mbar.dg_kt - LEG.exact_kt) < 4 * leg.mbar.dg_error_kt < 0.5
    exact = 1.5 * np.log(LEG.k / LEG.k[0]) + LEG.c - LEG.c[0]
    assert (np.abs(leg.profile_kt - exact)[1:] < 4 * leg.profile_error_kt[1:]).all()
    figures = json.loads(json.dumps(leg.as_dict(), allow_nan=False))
    assert figures["mbar"]["dg_kcal_per_mol"] == pytest.approx(leg.mbar.dg_kt * kt_kcal_per_mol(298.15))
    assert figures["ti"] == dict.fromkeys(("dg_kt", "dg_error_kt", "dg_kcal_per_mol", "dg_error_kcal_per_mol")) | {
        "reason": "no dH/dλ in the data"
    }
    assert np.sum(figures["overlap"]["matrix"], axis=1) == pytest.approx(1.0)
    assert figures["forward"]["dg_kcal_per_mol"][-1] == pytest.approx(figures["mbar"]["dg_kcal_per_mol"])
    assert figures["missing_windows"] == [] and figures["effective_samples_of_missing"] == {}
    assert figures["samples"] == [300] * 6 and figures["profile"]["state"] == list(range(6))


def test_an_error_without_blocks_is_that_of_public_repeats(tmp_path):
    leg = analyse_leg(read(tmp_path, Oscillators(2), count=39))
    assert leg.blocks is None and leg.error_dof == MBAR_ALONE_DOF
    assert leg.error_kt == pytest.approx(MBAR_ALONE_RATIO * leg.mbar.dg_error_kt)
    assert leg.as_dict()["dg_error_method"] == "MBAR's error 2.2-fold: too few samples for blocks"


def test_blocks_of_all_samples_where_the_value_is_of_a_part_of_them(tmp_path):
    energies = read(tmp_path, count=150, correlation=0.6)
    auto, always = analyse_leg(energies), analyse_leg(energies, decorrelate="always")
    assert auto.blocks.contradiction < 4 and always.mbar.dg_kt != auto.mbar.dg_kt
    assert always.blocks.contradiction == pytest.approx(auto.blocks.contradiction, rel=1e-3)
    assert always.blocks.error_kt == pytest.approx(auto.blocks.error_kt, rel=1e-3)
    assert always.error_method.startswith("the larger of") and auto.error_method == "blocks of time"


def test_parts_too_short_for_an_estimate_are_null(tmp_path):
    figures = analyse_leg(read(tmp_path, count=12)).as_dict()
    assert figures["forward"]["dg_kcal_per_mol"][0] is None and figures["forward"]["dg_kcal_per_mol"][-1] is not None
    json.dumps(figures, allow_nan=False)


def test_what_gives_no_free_energy_is_refused(tmp_path):
    steep = Oscillators(6, 400.0)
    for name, leave_out, expected in (
        ("one", (1, 2, 3, 4, 5), "samples of one state only"),
        ("gap", (1, 2, 3, 4), "windows 1, 2, 3, 4 are missing, and the overlap of 0 and 5"),
        ("end", (2, 3, 4, 5), "effective samples reach the end state 5"),
    ):
        with pytest.raises(UnconvergedError, match=expected):
            analyse_leg(read(tmp_path / name, steep, leave_out=leave_out))
    with pytest.raises(UnconvergedError, match="do not overlap at all"):
        analyse_leg(read(tmp_path / "apart", Oscillators(2, 1e9)))


def test_windows_as_the_subject_of_a_sentence():
    assert name_windows([3]) == "window 3 is"
    assert name_windows((3, 4)) == "windows 3, 4 are"


def test_blocks_that_are_independent_stand_by_themselves(tmp_path):
    leg = analyse_leg(read(tmp_path, count=100, seed=2))
    apart = replace(leg, blocks=replace(leg.blocks, error_kt=0.01, correlation=0.2))
    assert apart.error_kt == 0.01
    for doubted in (
        replace(apart, blocks=replace(apart.blocks, correlation=0.4)),
        replace(apart, decorrelate="always"),
    ):
        assert doubted.error_kt == leg.mbar.dg_error_kt > 0.01
    assert replace(leg, blocks=None).error_kt == pytest.approx(MBAR_ALONE_RATIO * leg.mbar.dg_error_kt)


def test_missing_windows_have_the_larger_of_both_errors(tmp_path):
    leg = analyse_leg(read(tmp_path, LEG, count=100, seed=2, leave_out=(2,)))
    assert replace(leg, blocks=replace(leg.blocks, error_kt=0.01, correlation=0.0)).error_kt == leg.mbar.dg_error_kt
