"""Normal equations against plain least squares, and the choices of cross-validation."""

import numpy as np
import pytest

from gibbsflow.potential.train.shared import regression

RNG = np.random.default_rng(5)


def _blocks(noise, folds=4, columns=6, truth=None):
    truth = np.arange(1.0, columns + 1) if truth is None else truth
    blocks = regression.new_blocks(folds, columns)
    rows = {"energy": [], "force": []}
    for block in blocks:
        for kind, count, sigma in (("energy", 5, noise), ("force", 40, 3 * noise)):
            x = RNG.normal(size=(count, columns))
            y = x @ truth + RNG.normal(0, sigma, count)
            block[kind].add(x, y)
            rows[kind].append((x, y))
    return blocks, {
        kind: tuple(np.concatenate(part) for part in zip(*pairs, strict=True)) for kind, pairs in rows.items()
    }


def test_fit_is_weighted_least_squares():
    blocks, rows = _blocks(0.3)
    weights = regression.Weights(energy=2.0, stress=0.0, ridge=0.0)
    factor = 2.0 * np.sqrt(len(rows["force"][1]) / len(rows["energy"][1]))
    x = np.vstack([factor * rows["energy"][0], rows["force"][0]])
    y = np.concatenate([factor * rows["energy"][1], rows["force"][1]])
    assert regression.least_squares(blocks, weights) == pytest.approx(np.linalg.lstsq(x, y, rcond=None)[0])


def test_rmse_from_sums_is_the_rmse_of_the_rows():
    blocks, rows = _blocks(0.3)
    c = RNG.normal(size=6)
    both = regression.NormalEquations(6)
    both.add(*rows["force"])
    assert both.rmse(c) == pytest.approx(np.sqrt(np.mean((rows["force"][0] @ c - rows["force"][1]) ** 2)))
    del blocks


def test_ridge_shrinks_and_dead_columns_get_nothing():
    blocks, _ = _blocks(0.1)
    for block in blocks:
        for kind in ("energy", "force"):
            block[kind].gram[0, :] = block[kind].gram[:, 0] = block[kind].moment[0] = 0.0
    loose, tight = (regression.least_squares(blocks, regression.Weights(1.0, 0.0, ridge)) for ridge in (1e-12, 10.0))
    assert loose[0] == tight[0] == 0.0
    assert np.linalg.norm(tight) < np.linalg.norm(loose)


def test_cross_validation_asks_for_a_penalty_where_there_are_too_few_rows():
    blocks = regression.new_blocks(3, 30)
    for block in blocks:
        for kind in ("energy", "force"):
            x = RNG.normal(size=(7, 30))
            block[kind].add(x, x[:, 0] + RNG.normal(0, 1.0, 7))
    choice = regression.cross_validate(blocks, energies=(1.0,), ridges=(1e-12, 1.0))
    assert choice.weights.ridge == 1.0


def test_validation_error_is_that_of_left_out_rows():
    blocks, _ = _blocks(0.2)
    choice = regression.cross_validate(blocks, energies=(1.0,), ridges=(1e-12,))
    squares = []
    for k in range(4):
        c = regression.least_squares([b for i, b in enumerate(blocks) if i != k], regression.Weights(1.0, 0.0, 1e-12))
        squares.append(blocks[k]["force"].rmse(c) ** 2)
    assert choice.force_rmse_ev_per_angstrom == pytest.approx(np.sqrt(np.mean(squares)))
    assert choice.score == pytest.approx(np.sqrt(choice.energy_mae_ev_per_atom * choice.force_rmse_ev_per_angstrom))


def test_a_weight_counts_as_so_many_equal_rows():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(4, 3)), rng.normal(size=4)
    weighted, repeated = regression.NormalEquations(3), regression.NormalEquations(3)
    weighted.add(x, y, 3.0)
    weighted.add(2 * x, y, 0.0)
    for _ in range(3):
        repeated.add(x, y)
    assert weighted.gram == pytest.approx(repeated.gram) and weighted.moment == pytest.approx(repeated.moment)
    assert weighted.rows == repeated.rows and weighted.rmse(np.ones(3)) == pytest.approx(repeated.rmse(np.ones(3)))


def test_energies_of_many_atoms_count_for_more_where_their_errors_are_smaller():
    rng = np.random.default_rng(3)
    truth, columns = np.arange(1.0, 7.0), 6
    blocks = regression.new_blocks(4, columns)
    for block in blocks:
        for size in (1, 1, 1, 100, 100, 100):
            x = rng.normal(size=(1, columns))
            block["energy"].add(x, x @ truth + rng.normal(0, 1 / np.sqrt(size), 1), size=size)
        x = rng.normal(size=(4, columns))
        block["force"].add(x, x @ truth + rng.normal(0, 1, 4))
    assert regression.cross_validate(blocks, ridges=(1e-12,)).weights.size_power == 1
    scaled = blocks[0]["energy"].by_size(1.0)
    assert (scaled.rows, blocks[0]["energy"].rows) == (303, 6)
    off = [float(abs(y[0] - x[0] @ np.ones(columns))) for x, y, _, _ in blocks[0]["energy"].kept]
    assert blocks[0]["energy"].mae(np.ones(columns)) == pytest.approx(np.mean(off))
    with pytest.raises(ValueError, match="not kept"):
        blocks[0]["force"].mae(np.ones(columns))


def test_a_matrix_without_its_sign_is_solved_all_the_same():
    x = np.ones((3, 2))
    gram = x.T @ x - 1e-3 * np.eye(2)  # as rounding may leave it: one eigenvalue is below zero
    assert np.isfinite(regression._solve(gram, x.T @ np.ones(3), 1e-6)).all()
