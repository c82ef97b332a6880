"""Picks that all other structures are near to, against the plain formula."""

import numpy as np
import pytest
from ase.build import bulk
from labelled_sets import fitted_copper, rattled

from gibbsflow.config.potential_training import Selection
from gibbsflow.potential.explore import candidates, selection
from gibbsflow.potential.explore.calculator import PotentialCalculator
from gibbsflow.potential.explore.criteria.medoids import Coverage, forces_tell


def _structures(sizes, seed):
    """Rows of one direction each: the root mean square along it is the size."""
    rng = np.random.default_rng(seed)
    return [np.outer(rng.permutation([1.0, -1.0] * 5), [size, 0.0]) for size in sizes]


def _plain(known, offered, every):
    """Mean distance to the nearest known one, where structures are told by one size, over the usual size of all."""
    distances = np.abs(np.array(offered)[:, None] - np.array(known)[None]).min(axis=1)
    return float(distances.mean() / np.sqrt((np.array(every) ** 2).mean()))


def test_falls_are_differences_of_the_plain_formula():
    known, offered = [1.0, 1.5], [0.5, 2.0, 4.0, 4.2, 9.0]
    every = [*known, *offered]
    cover = Coverage(_structures(known, 1), _structures(offered, 2))
    before = _plain(known, offered, every)
    assert cover.value == pytest.approx(before)
    falls = [before - _plain([*known, size], offered, every) for size in offered]
    assert [cover.fall(k) for k in range(5)] == pytest.approx(falls)
    assert cover.best(range(5)) == int(np.argmax(falls))


@pytest.mark.parametrize("labelled", [0, 2])
def test_lazy_choice_is_the_greedy_one(labelled):
    rng = np.random.default_rng(4)
    made = [rng.normal(0, 1, (6, 4)) * rng.uniform(0.2, 2, 4) for _ in range(40)]
    lazy, plain = (Coverage(made[:labelled], made[labelled:]) for _ in range(2))
    left = list(range(40 - labelled))
    for _ in range(12):
        best = lazy.best(left)
        assert best == max(left, key=plain.fall)
        before, fall = plain.value, plain.fall(best)
        lazy.take(best)
        plain.take(best)
        assert plain.value == pytest.approx(before - fall)
        left.remove(best)


def test_what_is_common_comes_before_an_outlier():
    sizes = [1.0, 1.1, 1.2, 3.0, 3.1, 3.2, 3.3, 5.0]
    cover = Coverage([], _structures(sizes, 3))
    picks = []
    for _ in range(3):
        picks.append(cover.best([k for k in range(len(sizes)) if k not in picks]))
        cover.take(picks[-1])
    assert sizes[picks[0]] in (3.0, 3.1) and sizes[picks[1]] == 1.1 and sizes[picks[2]] == 5.0


def test_equal_structures_tell_nothing_new():
    cover = Coverage(_structures([2.0], 1), _structures([2.0, 2.0], 2))
    assert cover.fall(cover.best([0, 1])) <= cover.least
    assert Coverage([], []).value == 0


def test_no_force_that_counts_is_no_error():
    cover = Coverage([np.zeros((0, 2))], [*_structures([1.0], 1), np.zeros((0, 2))])
    assert cover.best([0, 1]) == 0


def test_selection_by_medoids_of_a_potential():
    calculator = PotentialCalculator(fitted_copper()[0] / "potential")
    try:
        usual, far = rattled(8, 31, sigma=0.06), rattled(1, 32, sigma=0.2)
        known = candidates.describe([("known", rattled(1, 33, sigma=0.01)[0])], calculator, rows=True)
        offered = candidates.describe(
            [(f"c:{k}", a) for k, a in enumerate([*usual, *far, usual[0].copy()])], calculator, rows=True
        )

        def _decided(budget):
            return selection.choose(offered, known, calculator.grader, Selection(), budget=budget, seed=1,
                                    largest_force=lambda atoms: 0.0)  # fmt: skip

        fates = [c.fate for c in _decided(1)]
        assert fates.index("selected") < 8 and fates[9] == "duplicate" and fates.count("over_budget") == 8
        assert fates == [c.fate for c in _decided(1)]
        assert _decided(2)[8].fate == "selected"
        assert "the mean distance to a labelled structure" in _decided(2)[8].reason
    finally:
        calculator.close()


def test_structures_whose_forces_vanish_are_told_apart_by_their_descriptors():
    crystals = [bulk("Cu", "fcc", a=a) for a in (3.3, 3.5, 3.75, 3.9)]
    with selection.Selector(
        fitted_copper()[0] / "potential", [("known", bulk("Cu", "fcc", a=3.6))], Selection()
    ) as one:
        decided = one.choose([(f"c:{k}", atoms) for k, atoms in enumerate(crystals)], budget=2, seed=1)
    assert [c.fate for c in decided].count("selected") == 2
    assert all(c.reason.startswith("grade") for c in decided if c.fate == "selected")


def test_one_crystal_among_many_frames_leaves_forces_telling():
    moved = _structures([1.0] * 19, 4)
    assert forces_tell([*moved, np.zeros((3, 2))]) and not forces_tell([*moved[:3], np.full((3, 2), 1e-12)])
    assert forces_tell([]) and not forces_tell([np.zeros((0, 2))])


def test_rows_that_memory_does_not_hold_leave_auto_to_descriptors(monkeypatch):
    monkeypatch.setattr(selection, "ROWS_BYTES", 1)
    with selection.Selector(fitted_copper()[0] / "potential", [("known", rattled(1, 5)[0])], Selection()) as one:
        decided = one.choose([(f"c:{k}", a) for k, a in enumerate(rattled(3, 6, sigma=0.2))], budget=1, seed=1)
    assert all(c.rows is None for c in decided) and any("grade" in c.reason for c in decided)


def test_auto_is_medoids_by_the_verb_and_what_was_chosen_stays():
    assert Selection().in_loop().method == "maxvol"
    assert Selection(method="fps").in_loop().method == "fps"
