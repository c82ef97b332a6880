"""Free energies of ligands from edges: exact where edges are, the same whatever their order, right in their errors."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import PAIRS, ligand_names, links_of, true_dg

from gibbsflow.binding.network.maximum_likelihood import Link, estimate, outliers


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_order_direction_and_names_make_no_difference(seed: int) -> None:
    rng = np.random.default_rng(seed)
    errors = rng.uniform(0.05, 1, len(PAIRS))
    links = links_of(true_dg(6, seed), errors, rng.normal(size=len(PAIRS)))
    plain = estimate(links)
    mixed = [
        link if rng.random() < 0.5 else Link(link.ligand_b, link.ligand_a, -link.ddg, link.error) for link in links
    ]
    random.Random(seed).shuffle(mixed)
    new = dict(zip(plain.ligands, rng.permutation([f"x{k}" for k in range(6)]), strict=True))
    renamed = [Link(new[link.ligand_a], new[link.ligand_b], link.ddg, link.error) for link in mixed]
    again = estimate(renamed)
    place = [again.ligands.index(new[name]) for name in plain.ligands]
    assert np.allclose(again.dg_kcal_per_mol[place], plain.dg_kcal_per_mol, atol=1e-10)
    assert np.allclose(again.covariance[np.ix_(place, place)], plain.covariance, atol=1e-10)
    assert again.chi2 == pytest.approx(plain.chi2) and again.dof == plain.dof == 4


def test_consistent_edges_give_exact_values() -> None:
    dg = true_dg(6)
    fit = estimate(links_of(dg, 0.3))
    assert np.allclose(fit.dg_kcal_per_mol, dg - dg.mean(), atol=1e-12)
    assert fit.chi2 < 1e-20 and fit.factor == 1 and fit.scatter < 1e-9


def test_a_value_by_hand() -> None:
    """Two edges in a row, and a triangle whose closure of 0.3 is shared out by the variances."""
    chain = estimate([Link("a", "b", 1.0, 0.1), Link("b", "c", 2.0, 0.2)])
    assert np.allclose(chain.dg_kcal_per_mol, [-4 / 3, -1 / 3, 5 / 3])
    difference = np.array([-1, 0, 1])
    assert difference @ chain.covariance @ difference == pytest.approx(0.1**2 + 0.2**2)
    assert chain.dof == 0 and np.isnan(chain.z).all() and chain.factor == 1
    triangle = estimate([Link("a", "b", 1.0, 0.1), Link("b", "c", 1.0, 0.1), Link("c", "a", -1.7, 0.2)])
    assert np.allclose(triangle.residuals, [0.05, 0.05, 0.2])
    assert np.allclose(triangle.z, 0.3 / np.sqrt(0.06)) and triangle.chi2 == pytest.approx(0.3**2 / 0.06)


def test_parts_have_scales_of_their_own() -> None:
    fit = estimate([Link("a", "b", 1.0, 0.1), Link("x", "y", 5.0, 0.1), Link("y", "z", 1.0, 0.1)])
    assert fit.parts == (("x", "y", "z"), ("a", "b")) and fit.dof == 0
    assert np.allclose(fit.dg_kcal_per_mol, [-0.5, 0.5, -11 / 3, 4 / 3, 7 / 3])
    assert not fit.covariance[:2, 2:].any()
    assert estimate([]).ligands == ()


def test_errors_cover_what_they_should() -> None:
    """68 and 95 % of true differences lie within one and two errors, and cycles close as χ² says."""
    rng = np.random.default_rng(7)
    dg, errors = true_dg(6), rng.uniform(0.05, 0.6, len(PAIRS))
    z, chi2 = [], []
    for _ in range(400):
        fit = estimate(links_of(dg, errors, rng.normal(size=len(PAIRS))))
        z.append((fit.dg_kcal_per_mol - dg + dg.mean()) / np.sqrt(np.diag(fit.covariance)))
        chi2.append(fit.chi2)
    inside = np.abs(z)
    assert (inside < 1).mean() == pytest.approx(0.683, abs=0.03)
    assert (inside < 1.96).mean() == pytest.approx(0.95, abs=0.015)
    assert np.mean(chi2) == pytest.approx(4, abs=0.45)


def test_an_outlier_is_named_with_its_size() -> None:
    rng = np.random.default_rng(3)
    links = links_of(true_dg(6), 0.2, 0.3 * rng.normal(size=len(PAIRS)))
    assert outliers(links) == []
    wrong = links[4]
    links[4] = Link(wrong.ligand_a, wrong.ligand_b, wrong.ddg + 3, 0.2)
    (found,) = outliers(links)
    rest = estimate(links[:4] + links[5:])
    place = {name: k for k, name in enumerate(rest.ligands)}
    a, b = place[wrong.ligand_a], place[wrong.ligand_b]
    expected = wrong.ddg + 3 - (rest.dg_kcal_per_mol[b] - rest.dg_kcal_per_mol[a])
    assert found.links == (4,) and found.difference_kcal_per_mol == pytest.approx(expected)
    difference = np.zeros(6)
    difference[[a, b]] = -1, 1
    error = np.sqrt(0.2**2 + difference @ rest.covariance @ difference)
    assert found.error_kcal_per_mol == pytest.approx(error) and found.p < 1e-6


def test_edges_that_no_cycle_tells_apart_are_named_together() -> None:
    links = [Link("a", "b", 1.0, 0.1), Link("b", "c", 1.0, 0.1), Link("a", "c", 4.0, 0.1), Link("c", "d", 0, 0.1)]
    (found,) = outliers(links)
    assert found.links == (0, 1, 2) and abs(found.difference_kcal_per_mol) == pytest.approx(2)


def test_few_false_alarms() -> None:
    rng = np.random.default_rng(11)
    dg = true_dg(6)
    alarms = sum(bool(outliers(links_of(dg, 0.3, rng.normal(size=len(PAIRS))))) for _ in range(100))
    assert alarms <= 12


def test_large_networks_and_unequal_errors() -> None:
    names, rng = ligand_names(60), np.random.default_rng(5)
    dg = rng.normal(size=60)
    pairs = [(k, (k + 1) % 60) for k in range(60)] + [(k, (k + 7) % 60) for k in range(60)]
    links = [
        Link(names[a], names[b], dg[b] - dg[a], e)
        for (a, b), e in zip(pairs, 10 ** rng.uniform(-4, 1, 120), strict=True)
    ]
    assert np.allclose(estimate(links).dg_kcal_per_mol, dg - dg.mean(), atol=1e-8)
