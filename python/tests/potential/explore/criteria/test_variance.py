"""Mean variance of predicted forces, against the plain formulas."""

import itertools

import numpy as np
import pytest
from labelled_sets import fitted_copper, rattled

from gibbsflow.config.potential_training import Selection
from gibbsflow.potential.explore import candidates, selection
from gibbsflow.potential.explore.calculator import PotentialCalculator
from gibbsflow.potential.explore.criteria.variance import MeanVariance


def _structures(count, forces, seed, columns=4):
    rng = np.random.default_rng(seed)
    return [rng.normal(0, 1, (forces, columns)) * np.array([3, 1, 0.1, 0])[:columns] for _ in range(count)]


def _plain(known, every):
    """Mean of x M⁻¹ xᵀ over the rows of all, in the directions in which they differ."""
    rows = np.concatenate(every)
    target = rows.T @ rows / len(rows)
    scale = np.sqrt(np.diag(target))
    kept = scale > 0
    information = 1e-3 * np.eye(kept.sum())
    for own in known:
        information += (own[:, kept] / scale[kept]).T @ (own[:, kept] / scale[kept])
    scaled = rows[:, kept] / scale[kept]
    return float(np.einsum("ij,jk,ik->", scaled, np.linalg.inv(information), scaled) / len(rows))


@pytest.mark.parametrize("forces", [2, 30])
def test_falls_are_differences_of_the_plain_formula(forces):
    known, offered = _structures(3, 5, 1), _structures(4, forces, 2)
    mean = MeanVariance(known, offered)
    every = [*known, *offered]
    before = _plain(known, every)
    assert mean.value == pytest.approx(before, rel=1e-8)
    for k, rows in enumerate(offered):
        assert mean.fall(k) == pytest.approx(before - _plain([*known, rows], every), rel=1e-6)
    mean.take(2)
    after = _plain([*known, offered[2]], every)
    assert mean.value == pytest.approx(after, rel=1e-8)
    assert mean.fall(0) == pytest.approx(after - _plain([*known, offered[2], offered[0]], every), rel=1e-6)


def test_two_picks_are_those_of_brute_force():
    """Each of three directions matters by how much of the forces lie in it; a pick tells one of them."""
    common, usual, rare = np.eye(3)
    offered = [np.tile(direction, (3, 1)) for direction in (rare, common, common, common, usual, usual, common)]
    mean = MeanVariance([], offered)
    picks = []
    for _ in range(2):
        picks.append(max((k for k in range(len(offered)) if k not in picks), key=mean.fall))
        mean.take(picks[-1])
    values = {
        pair: _plain([offered[k] for k in pair], offered) for pair in itertools.combinations(range(len(offered)), 2)
    }
    assert values[tuple(sorted(picks))] == pytest.approx(min(values.values()), rel=1e-9)
    assert mean.value == pytest.approx(min(values.values()), rel=1e-9)


def test_nothing_known_and_nothing_offered():
    assert MeanVariance([], []).value == 0
    assert MeanVariance(_structures(2, 6, 3), []).value > 0


def test_rows_predict_the_forces_of_a_potential():
    calculator = PotentialCalculator(fitted_copper()[0] / "potential")
    try:
        (atoms,) = rattled(1, 31, sigma=0.1)
        rows, step = calculator.force_rows(atoms), 1e-4
        assert rows.shape[0] == 3 * len(atoms)
        sums = []
        for sign in (1, -1):
            moved = atoms.copy()
            moved.positions[0, 0] += sign * step
            sums.append(calculator.describe(moved)[0].sum(axis=0))
        derivative = (sums[0] - sums[1]) / (2 * step)
        assert np.abs(derivative).max() > 0.01
        assert np.linalg.norm(rows[:3, 1:], axis=0).max() >= 0.99 * np.abs(derivative).max()
        atoms.arrays["force_mask"] = np.arange(len(atoms)) < 2
        (masked,) = candidates.describe([("box", atoms)], calculator, rows=True)
        assert np.array_equal(masked.rows, rows[:6])
    finally:
        calculator.close()


def test_selection_by_variance():
    calculator = PotentialCalculator(fitted_copper()[0] / "potential")
    frames = [*rattled(3, 31, sigma=0.03), *rattled(3, 32, sigma=0.2)]
    known = candidates.describe(
        [(f"known:{k}", a) for k, a in enumerate(rattled(12, 33, sigma=0.03))], calculator, rows=True
    )
    offered = candidates.describe(
        [(f"c:{k}", a) for k, a in enumerate([*frames, frames[4].copy()])], calculator, rows=True
    )

    def _decided(budget):
        return selection.choose(offered, known, calculator.grader, Selection(method="variance"), budget=budget, seed=1,
                                largest_force=lambda atoms: 0.0)  # fmt: skip

    fates = [c.fate for c in _decided(2)]
    assert fates.count("selected") == 2 and fates[6] == "duplicate" and fates.count("over_budget") == 4
    assert {k for k, fate in enumerate(fates) if fate == "selected"} <= {3, 4, 5}
    assert fates == [c.fate for c in _decided(2)]
    assert [c.fate for c in _decided(50)].count("over_budget") == 0
    calculator.close()
