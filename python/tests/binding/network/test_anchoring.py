"""The zero of a scale."""

from __future__ import annotations

import numpy as np
import pytest
from networks import links_of, true_dg

from gibbsflow.binding.network.anchoring import check_anchor, scales
from gibbsflow.binding.network.maximum_likelihood import Link, estimate
from gibbsflow.errors import InputError

DG = true_dg(6)
FIT = estimate(links_of(DG, 0.2))
MEASURED = {"L01": -9.0, "L04": -7.0}


def test_no_anchor() -> None:
    (scale,) = scales(FIT, "none", MEASURED)
    assert not scale.anchored and scale.offset_kcal_per_mol == 0 and scale.dg_kcal_per_mol.sum() == pytest.approx(0)


def test_mean_of_experiment() -> None:
    (scale,) = scales(FIT, "mean", MEASURED)
    assert scale.dg_kcal_per_mol[[1, 4]].mean() == pytest.approx(-8) and "mean of 2 measured ligands" in scale.why
    assert scale.offset_kcal_per_mol == pytest.approx(-8 - FIT.dg_kcal_per_mol[[1, 4]].mean())
    weight = np.array([0, 0.5, 0, 0, 0.5, 0])
    assert weight @ scale.covariance @ weight == pytest.approx(0, abs=1e-12)


def test_one_ligand() -> None:
    (scale,) = scales(FIT, "L04", MEASURED)
    assert scale.dg_kcal_per_mol[4] == pytest.approx(-7) and scale.covariance[4, 4] == pytest.approx(0, abs=1e-12)
    assert np.diff(scale.dg_kcal_per_mol) == pytest.approx(np.diff(DG))
    difference = np.array([0, 1, 0, 0, -1, 0])
    assert scale.covariance[1, 1] == pytest.approx(difference @ FIT.covariance @ difference)


def test_a_part_without_the_anchor_stays_relative() -> None:
    fit = estimate([Link("a", "b", 1.0, 0.1), Link("b", "c", 1.0, 0.1), Link("x", "y", 1.0, 0.1)])
    first, second = scales(fit, "a", {"a": -5.0})
    assert first.anchored and np.allclose(first.dg_kcal_per_mol, [-5, -4, -3])
    assert not second.anchored and "no ligand of this part anchors it" in second.why


def test_anchors_that_hold_nothing() -> None:
    check_anchor("none", (), {})
    check_anchor("L01", FIT.ligands, MEASURED)
    with pytest.raises(InputError, match="no ligand has a measured"):
        check_anchor("mean", FIT.ligands, {"z": -1.0})
    with pytest.raises(InputError, match="'L00' has not a measured"):
        check_anchor("L00", FIT.ligands, MEASURED)
    with pytest.raises(InputError, match="'z' has not a computed"):
        check_anchor("z", FIT.ligands, {"z": -1.0})
