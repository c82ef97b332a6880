"""Cycles and what they add up to."""

from __future__ import annotations

import numpy as np
import pytest
from networks import PAIRS, links_of, true_dg

from gibbsflow.binding.network.closures import Cycle, closures
from gibbsflow.binding.network.maximum_likelihood import Link


def test_consistent_edges_close() -> None:
    found = closures(links_of(true_dg(6), 0.2))
    assert len(found) == 4 and all(len(cycle.ligands) <= 4 for cycle in found)
    assert all(abs(cycle.closure_kcal_per_mol) < 1e-12 for cycle in found)


def test_a_closure_by_hand_whichever_way_edges_run() -> None:
    links = [Link("b", "a", -1.0, 0.3), Link("b", "c", 2.0, 0.4), Link("c", "a", -2.5, 1.2), Link("c", "d", 9.0, 1)]
    (cycle,) = closures(links)
    assert cycle.ligands == ("a", "b", "c") and str(cycle) == "a~b~c~a"
    assert cycle.closure_kcal_per_mol == pytest.approx(0.5) and cycle.error_kcal_per_mol == pytest.approx(1.3)
    assert cycle.z == pytest.approx(0.5 / 1.3)
    turned = [Link(link.ligand_b, link.ligand_a, -link.ddg, link.error) for link in reversed(links)]
    assert closures(turned)[0].closure_kcal_per_mol == pytest.approx(0.5)


def test_z_of_right_errors_is_about_one() -> None:
    rng, errors = np.random.default_rng(2), np.linspace(0.1, 0.9, len(PAIRS))
    z = [c.z for _ in range(60) for c in closures(links_of(true_dg(6), errors, rng.normal(size=len(PAIRS))))]
    assert np.sqrt(np.mean(np.square(z))) == pytest.approx(1, abs=0.15)


def test_chance_and_large_networks() -> None:
    assert Cycle(("a", "b", "c"), 1.96, 1.0).p() == pytest.approx(0.05, abs=1e-3)
    assert Cycle(("a", "b", "c"), 1.96, 1.0).p(30) == 1
    names = [f"{k:03d}" for k in range(25)]
    all_pairs = [Link(a, b, 0.0, 1.0) for k, a in enumerate(names) for b in names[k + 1 :]]
    assert len(closures(all_pairs)) == 300 - 24
