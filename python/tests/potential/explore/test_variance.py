"""Mean variance of a linear model's predictions, against the plain formulas."""

import numpy as np
import pytest
from labelled_sets import fitted_copper, rattled

from gibbsflow.config.potential_training import Selection
from gibbsflow.potential.explore import selection
from gibbsflow.potential.explore.calculator import PotentialCalculator
from gibbsflow.potential.explore.variance import MeanVariance


def _structures(count, atoms, seed, centre=0.0, elements=("Au", "Cu")):
    rng = np.random.default_rng(seed)
    return [{s: rng.normal(centre, 1, (atoms, 4)) for s in elements} for _ in range(count)]


def _plain(known, every):
    """Σ over elements and atoms of bᵀ M⁻¹ b, divided by the number of atoms."""
    total, atoms = 0.0, sum(len(own) for structure in every for own in structure.values())
    for symbol in ("Au", "Cu"):
        together = np.concatenate([s[symbol] for s in every])
        rows = [np.column_stack([np.ones(len(s[symbol])), (s[symbol] - together.mean(0)) / together.std(0)])
                for s in (*known, *every)]  # fmt: skip
        information = 1e-4 * np.eye(5) + sum(r.T @ r for r in rows[: len(known)])
        total += sum(np.einsum("ij,jk,ik->", r, np.linalg.inv(information), r) for r in rows[len(known) :])
    return total / atoms


@pytest.mark.parametrize("atoms", [2, 30])
def test_falls_are_differences_of_the_plain_formula(atoms):
    known, offered = _structures(6, 5, 1), _structures(4, atoms, 2, centre=0.5)
    mean = MeanVariance(known, offered, ("Au", "Cu"))
    every = [*known, *offered]
    before = _plain(known, every)
    assert mean.value == pytest.approx(before, rel=1e-8)
    for k, structure in enumerate(offered):
        assert mean.fall(k) == pytest.approx(before - _plain([*known, structure], every), rel=1e-6)
    mean.take(2)
    after = _plain([*known, offered[2]], every)
    assert mean.value == pytest.approx(after, rel=1e-8)
    assert mean.fall(0) == pytest.approx(after - _plain([*known, offered[2], offered[0]], every), rel=1e-6)


def test_what_is_usual_counts_for_more_than_what_is_odd():
    """Two directions are unknown alike; the one that most of the offered atoms lie in is taken."""
    common, rare = np.array([[3.0, 0, 0]]), np.array([[0, 3.0, 0]])
    rng = np.random.default_rng(3)
    known = [{"Cu": 0.01 * rng.normal(size=(40, 3))}]
    offered = [{"Cu": rare}, *[{"Cu": common + 0.01 * rng.normal(size=(1, 3))} for _ in range(8)]]
    mean = MeanVariance(known, offered, ("Cu",))
    falls = [mean.fall(k) for k in range(len(offered))]
    assert int(np.argmax(falls)) > 0 and max(falls) > 2 * falls[0]


def test_selection_by_variance():
    calculator = PotentialCalculator(fitted_copper()[0] / "potential")
    frames = [*rattled(3, 31, sigma=0.03), *rattled(3, 32, sigma=0.2)]
    known = selection.describe([(f"known:{k}", a) for k, a in enumerate(rattled(12, 33, sigma=0.03))], calculator)
    offered = selection.describe([(f"c:{k}", a) for k, a in enumerate([*frames, frames[4].copy()])], calculator)

    def _decided(budget):
        return selection.choose(offered, known, calculator.grader, Selection(method="variance"), budget=budget, seed=1,
                                largest_force=lambda atoms: 0.0)  # fmt: skip

    fates = [c.fate for c in _decided(2)]
    assert fates.count("selected") == 2 and fates[6] == "duplicate" and fates.count("over_budget") == 4
    assert {k for k, fate in enumerate(fates) if fate == "selected"} <= {3, 4, 5}
    assert fates == [c.fate for c in _decided(2)]
    assert [c.fate for c in _decided(50)].count("over_budget") == 0
    calculator.close()
