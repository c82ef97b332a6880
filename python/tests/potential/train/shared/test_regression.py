"""Normal equations against plain least squares, and the choices of cross-validation."""

from dataclasses import replace

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


def _with_stress():
    """Blocks of two coefficients of which energies and forces see the sum, and stresses each."""
    rng = np.random.default_rng(11)
    blocks = regression.new_blocks(3, 2)
    for block in blocks:
        for kind, count in (("energy", 6), ("force", 30), ("stress", 12)):
            x = rng.normal(size=(count, 2 if kind == "stress" else 1)) * np.ones(2)
            block[kind].add(x, x @ [3.0, -1.0] + rng.normal(0, 0.01, count))
    return blocks


def test_the_weight_of_stresses_is_not_that_of_energies():
    blocks = _with_stress()
    rows = {kind: sum(block[kind].rows for block in blocks) for kind in ("energy", "force")}
    for energy in (1.0, 8.0):
        gram, _, scale = regression._scaled_sums(blocks, regression.Weights(energy, 0.3, 0.0))
        # the difference of both columns is nothing to energies and forces
        seen = np.array([1.0, -1.0]) / scale @ gram @ (np.array([1.0, -1.0]) / scale)
        own = sum(block["stress"].gram for block in blocks)
        expected = 0.09 * rows["force"] / rows["energy"] * (own[0, 0] + own[1, 1] - 2 * own[0, 1])
        assert seen == pytest.approx(expected)


def test_stresses_that_are_fitted_have_a_say_in_the_penalty():
    blocks, ridges, weight = _with_stress(), (1e-12, 1e-4), 1e-4
    assert regression.cross_validate(blocks, energies=(1.0,), ridges=ridges).weights.ridge == 1e-4
    seeing = regression.cross_validate(blocks, energies=(1.0,), ridges=ridges, stress=weight)
    assert seeing.weights.ridge == 1e-12
    squares = []
    for k, block in enumerate(blocks):
        others = [own for i, own in enumerate(blocks) if i != k]
        squares.append(block["stress"].rmse(regression.least_squares(others, seeing.weights)) ** 2)
    size = np.sqrt(np.mean([block["stress"].square / block["stress"].rows for block in blocks]))
    assert seeing.stress_relative_rmse == pytest.approx(np.sqrt(np.mean(squares)) / size, rel=1e-4)
    both = np.sqrt(seeing.energy_mae_ev_per_atom * seeing.force_middle_ev_per_angstrom)
    assert seeing.score == pytest.approx(both * np.sqrt(seeing.stress_relative_rmse))


def test_without_stresses_every_bit_is_as_it_was():
    blocks, _ = _blocks(0.2)
    without, asked = regression.cross_validate(blocks), regression.cross_validate(blocks, stress=0.3)
    assert asked == replace(without, weights=replace(without.weights, stress=0.3))
    assert without.score == float(np.sqrt(without.energy_mae_ev_per_atom * without.force_middle_ev_per_angstrom))
    fitted = [regression.least_squares(blocks, choice.weights) for choice in (without, asked)]
    assert (fitted[0] == fitted[1]).all()


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
    middle = np.prod(squares) ** (1 / 8)
    assert choice.force_middle_ev_per_angstrom == pytest.approx(middle)
    assert choice.score == pytest.approx(np.sqrt(choice.energy_mae_ev_per_atom * middle))


def _with_large_forces():
    """Folds that want no penalty, and one with six rows that are like no other, which a penalty predicts better."""
    rng = np.random.default_rng(2)
    blocks = regression.new_blocks(5, 2)
    for k, block in enumerate(blocks):
        for kind, count in (("energy", 6), ("force", 30)):
            x = rng.normal(size=(count, 2)) * [1.0, 0.01]
            block[kind].add(x, x @ [1.0, 1.0] + rng.normal(0, 1e-3, count))
        if k == 0:
            block["force"].add(np.tile([0.0, 30.0], (6, 1)), np.zeros(6))
    return blocks


def test_a_few_large_forces_do_not_choose_for_all_the_rest():
    blocks, ridges = _with_large_forces(), (1e-12, 0.1)
    choices = regression._left_out(blocks, 1.0, 0.0, ridges, 0.0)
    pooled = min(choices, key=lambda choice: choice.force_rmse_ev_per_angstrom)
    chosen = regression.cross_validate(blocks, energies=(1.0,), ridges=ridges)
    assert (pooled.weights.ridge, chosen.weights.ridge) == (0.1, 1e-12)


def test_a_fold_whose_forces_symmetry_leaves_out_chooses_nothing():
    """Strained crystals: any weights predict their forces to the last digits, by which a product of errors would go."""
    blocks, _ = _blocks(0.3)
    before = regression.cross_validate(blocks, energies=(1.0,), ridges=(1e-9,))
    silent = regression.new_blocks(1, 6)[0]
    x = RNG.normal(size=(5, 6))
    silent["energy"].add(x, x @ np.arange(1.0, 7.0))
    silent["force"].add(np.zeros((30, 6)), np.zeros(30))
    after = regression.cross_validate([*blocks, silent], energies=(1.0,), ridges=(1e-9,))
    assert after.force_middle_ev_per_angstrom == pytest.approx(before.force_middle_ev_per_angstrom, rel=0.1)


def test_folds_count_by_their_rows_and_those_without_forces_not_at_all():
    blocks, _ = _blocks(0.3)
    before = regression.cross_validate(blocks, energies=(1.0,), ridges=(1e-9,))
    rng = np.random.default_rng(7)
    for weight in (0.0, 1e-9):  # a fold of energies alone, and one of forces that hardly count
        [block] = regression.new_blocks(1, 6)
        x = rng.normal(size=(5, 6))
        block["energy"].add(x, x @ np.arange(1.0, 7.0))
        block["force"].add(x, np.full(5, 1e3), weight)
        after = regression.cross_validate([*blocks, block], energies=(1.0,), ridges=(1e-9,))
        assert after.force_middle_ev_per_angstrom == pytest.approx(before.force_middle_ev_per_angstrom, rel=0.1)
    for block in blocks:
        block["force"] = regression.NormalEquations(6)
    alone = regression.cross_validate(blocks, energies=(1.0,), ridges=(1e-9,))
    assert alone.force_middle_ev_per_angstrom == 0 and np.isfinite(alone.score)


def test_rounding_of_one_fold_does_not_choose():
    blocks, _ = _blocks(0.0)
    choices = regression._left_out(blocks, 1.0, 0.0, (1e-14, 1e-13, 1e-12), 0.0)
    middles = [choice.force_middle_ev_per_angstrom for choice in choices]
    assert middles == pytest.approx([1e-7 * regression._size(blocks, "force")] * 3)
    assert regression.cross_validate(blocks).weights.ridge <= 1e-9


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
        for size in [1, 100] * 10:
            x = rng.normal(size=(1, columns))
            block["energy"].add(x, x @ truth + rng.normal(0, 1 / np.sqrt(size), 1), size=size)
        x = rng.normal(size=(4, columns))
        block["force"].add(x, x @ truth + rng.normal(0, 1, 4))
    assert regression.cross_validate(blocks, ridges=(1e-12,)).weights.size_power >= 1
    scaled = blocks[0]["energy"].by_size(1.0)
    assert (scaled.rows, blocks[0]["energy"].rows) == (1010, 20)
    off = [float(abs(y[0] - x[0] @ np.ones(columns))) for x, y, _, _ in blocks[0]["energy"].kept]
    assert blocks[0]["energy"].mae(np.ones(columns)) == pytest.approx(np.mean(off))
    with pytest.raises(ValueError, match="not kept"):
        blocks[0]["force"].mae(np.ones(columns))


def test_a_matrix_without_its_sign_is_solved_all_the_same():
    x = np.ones((3, 2))
    gram = x.T @ x - 1e-3 * np.eye(2)  # as rounding may leave it: one eigenvalue is below zero
    assert np.isfinite(regression._solve(gram, x.T @ np.ones(3), 1e-6)).all()
