"""What is selected for labels, what is not, and why."""

import pytest
from ase.build import bulk
from ase.io import read
from labelled_sets import fitted_copper, rattled

from gibbsflow.config.potential_training import Selection
from gibbsflow.potential.explore import selection
from gibbsflow.potential.explore.calculator import PotentialCalculator


@pytest.fixture(scope="module")
def calculator():
    made = PotentialCalculator(fitted_copper()[0] / "potential")
    yield made
    made.close()


def _candidates(calculator, frames, name="c"):
    made = []
    for k, atoms in enumerate(frames):
        descriptors, grades = calculator.describe(atoms)
        made.append(selection.Candidate(atoms, f"{name}:{k}", descriptors, float(grades.max())))
    return made


def _choose(calculator, frames, labelled=(), budget=5, force=0.0, **settings):
    return selection.choose(
        _candidates(calculator, frames), _candidates(calculator, labelled, "known"), calculator.grader,
        Selection(**{"method": "maxvol"} | settings),
        budget=budget, seed=1, largest_force=lambda atoms: force,
    )  # fmt: skip


def _fates(decided):
    return [c.fate for c in decided]


def test_with_sane_forces_the_first_over_the_threshold_is_one_among_others(calculator):
    frames = [*rattled(1, 41, sigma=0.25), *rattled(1, 42, sigma=0.4)]
    grades = [c.grade for c in _candidates(calculator, frames)]
    assert calculator.grader.lower <= grades[0] < grades[1]
    assert _fates(_choose(calculator, frames, budget=1, min_distance_factor=0.3)) == ["over_budget", "selected"]
    led = _fates(_choose(calculator, frames, budget=1, min_distance_factor=0.3, force=1e9))
    assert led == ["selected", "force"]


def test_copies_are_rejected_across_generations(calculator):
    frames = rattled(3, 11, sigma=0.2)
    decided = _choose(calculator, [frames[0], frames[1], frames[0].copy(), frames[2]], labelled=[frames[1]])
    assert _fates(decided)[1] == "duplicate" and "known:0" in decided[1].reason
    assert _fates(decided)[2] == "duplicate" and "c:0" in decided[2].reason
    supercell = frames[1] * (1, 2, 1)
    turned = frames[1].copy()
    turned.rotate(40, "x", rotate_cell=True)
    assert _fates(_choose(calculator, [supercell, turned], labelled=[frames[1]])) == ["duplicate", "duplicate"]


def test_atoms_too_close_are_rejected_with_the_pair(calculator):
    squeezed = bulk("Cu", cubic=True)
    squeezed.positions[1] = squeezed.positions[0] + [0.8, 0, 0]
    decided = _choose(calculator, [squeezed])
    assert _fates(decided) == ["too_close"]
    assert "Cu-Cu 0.8" in decided[0].reason
    assert _fates(_choose(calculator, [squeezed], min_distance_factor=0.2)) == ["selected"]


def test_forces_are_checked_but_never_starve(calculator):
    frames = rattled(4, 12, sigma=0.2)
    decided = _choose(calculator, frames, force=1e4)
    first = next(k for k, c in enumerate(decided) if c.grade >= calculator.grader.lower)
    assert decided[first].fate == "selected"
    assert {c.fate for k, c in enumerate(decided) if k != first} == {"force"}
    assert "force" not in _fates(_choose(calculator, frames, force=1e4, max_force_ev_per_angstrom=1e5))


def test_volume_picks_the_most_different_and_stops_when_nothing_is_new(calculator):
    frames = [*rattled(4, 13, sigma=0.03), *rattled(4, 14, sigma=0.2)]
    decided = _choose(calculator, frames, budget=3)
    assert _fates(decided).count("selected") == 3
    assert max(decided, key=lambda c: c.grade).fate == "selected"
    known = read(fitted_copper()[0] / "train.extxyz", ":")
    nudged = [a.copy() for a in known[:3]]
    for k, atoms in enumerate(nudged):
        atoms.rattle(0.003, seed=k)
    assert set(_fates(_choose(calculator, nudged, labelled=known))) <= {"nothing_new", "duplicate"}


def test_one_pick_makes_its_relatives_known(calculator):
    far = rattled(1, 15, sigma=0.2)[0]
    near = far.copy()
    near.rattle(0.002, seed=1)
    decided = _choose(calculator, [far, near], budget=2, duplicate_tolerance=1e-9)
    assert sorted(_fates(decided)) == ["nothing_new", "selected"]


def test_farthest_points_count_distances_to_what_is_labelled(calculator):
    known = rattled(3, 16, sigma=0.05)
    far = rattled(2, 17, sigma=0.2)
    near = known[0].copy()
    near.rattle(0.02, seed=3)
    decided = _choose(calculator, [near, *far], labelled=known, budget=2, method="fps")
    assert _fates(decided) == ["over_budget", "selected", "selected"]


def test_same_seed_same_choice(calculator):
    frames = rattled(8, 18, sigma=0.2)
    assert _fates(_choose(calculator, frames, budget=3)) == _fates(_choose(calculator, frames, budget=3))


def test_no_candidates_no_selection(calculator):
    assert _choose(calculator, []) == []
