"""The search for a basis: its limits, and why it ends."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
from ase.io import write
from labelled_sets import rattled

from gibbsflow.config.potential_training import Training
from gibbsflow.engines.lammps import LammpsPool
from gibbsflow.errors import InputError
from gibbsflow.potential.data.labelled_frames import read_labelled
from gibbsflow.potential.train.shared.atomic_energies import reference_energies
from gibbsflow.potential.train.shared.deadline import Deadline
from gibbsflow.potential.train.shared.splits import assign_folds
from gibbsflow.potential.train.trainers import pod_bounds, pod_fit, pod_search
from gibbsflow.potential.train.trainers.pod import PodPotential
from gibbsflow.workflow.state.segments import Stopper

MORE = {"repeat": (2, 2, 2), "max_coefficients": 50, "max_environments": 2}


def _search(tmp_path, kept=None, repeat=(2, 1, 1), **settings):
    """Search on six rattled cells of copper, with all the time in the world."""
    given = Training(**{"cutoff_angstrom": 4.0, "folds": 2, "max_coefficients": 70, **settings})
    frames = _frames(tmp_path, repeat)
    references = reference_energies(frames, ("Cu",))
    folds = assign_folds(frames, given.folds, seed=1)
    with LammpsPool(tmp_path / "lammps", 1) as pool, Stopper() as stopper:
        targets = pod_fit.take_off(frames, folds, references, ("Cu",), None, pool, Deadline(stopper, 1e5))
        scales = pod_fit.length_scales(frames)
        return pod_search.search(targets, given, references, ("Cu",), scales, None, tmp_path / "potential", kept=kept)


def _frames(folder, repeat, stress=False):
    write(folder / "train.extxyz", rattled(6, 1, repeat=repeat, stress=stress))
    return read_labelled(folder / "train.extxyz")


def test_the_search_ends_at_the_coefficients_allowed_with_the_best_on_disk(tmp_path):
    found = _search(tmp_path)
    assert found.stopped_by.endswith("coefficients is more than data, memory or max_coefficients allow")
    assert not found.signalled
    best = PodPotential.read(tmp_path / "potential")
    assert best.basis == found.best.basis
    assert len(best.coefficients) <= 70
    assert {record["cutoff_angstrom"] for record in found.records} == {4.0}


def test_the_search_ends_where_the_errors_are_small_enough(tmp_path):
    loose = {"target_force_rmse_ev_per_angstrom": 10.0, "target_energy_rmse_mev_per_atom": 1000.0}
    found = _search(tmp_path, **loose)
    assert found.stopped_by == "validation errors are below the targets"
    assert len(found.records) == 1


def test_time_is_kept_for_the_virials_of_the_best_basis_and_given_to_them(tmp_path, monkeypatch):
    frames, kept_s = _frames(tmp_path, (2, 1, 1), stress=True), []
    monkeypatch.setattr(pod_fit, "virial_s", lambda targets, basis: 1000.0 * basis.rcut_angstrom)
    references, folds = reference_energies(frames, ("Cu",)), assign_folds(frames, 2, seed=1)
    given = Training(folds=2, max_coefficients=40, max_environments=1, stress_weight=1)
    with LammpsPool(tmp_path / "lammps", 1) as pool, Stopper() as stopper:
        deadline = Deadline(stopper, 1e5)
        targets = pod_fit.take_off(frames, folds, references, ("Cu",), None, pool, deadline)
        scales = pod_fit.length_scales(frames)
        reserve = deadline.reserve
        monkeypatch.setattr(deadline, "reserve", lambda seconds: (kept_s.append(seconds), reserve(seconds)))
        found = pod_search.search(targets, given, references, ("Cu",), scales, None, tmp_path / "potential")
    *during, after = kept_s
    assert after == deadline.reserve_s == 15e3  # the virials may have what was kept for them
    assert during[-1] == 15e3 + 6 * 1000.0 * found.best.basis.rcut_angstrom
    assert len(set(during)) > 1


def test_no_time_is_kept_for_stresses_that_are_too_few():
    some, few = (SimpleNamespace(stress=[0.1] * count + [None] * 4) for count in (3, 2))
    assert pod_fit.with_virials(some, Training()) == [0, 1, 2]
    assert pod_fit.with_virials(some, Training(stress_weight=0)) == pod_fit.with_virials(few, Training()) == []
    assert [pod_search._search_share(targets, Training()) for targets in (some, few)] == [0.70, 0.85]


def test_more_elements_than_the_coefficients_allow_get_a_basis_below_the_ladder(tmp_path):
    species = ("Ag", "Al", "Au", "Cu", "Ni", "Pd", "Pt")
    write(tmp_path / "train.extxyz", rattled(3, 1, species, (2, 2, 1), stress=False))
    frames = read_labelled(tmp_path / "train.extxyz")
    folds = assign_folds(frames, 2, seed=1)
    references = reference_energies(frames, species)
    with LammpsPool(tmp_path / "lammps", 1) as pool, Stopper() as stopper:
        targets = pod_fit.take_off(frames, folds, references, species, None, pool, Deadline(stopper, 60, _speed=2e-10))
        given = Training(max_coefficients=400)
        assert pod_bounds.first_basis(targets, given, 1.0, 4.5, species, 1e5)[0] == -3
        with pytest.raises(InputError, match=r"max_coefficients: 60, and the smallest basis of 7 elements has 154"):
            pod_bounds.first_basis(targets, Training(max_coefficients=60), 1.0, 4.5, species, 1e5)
        # two validations of 2,065 columns would take longer than a fifth of a minute
        assert pod_bounds.first_basis(targets, Training(max_coefficients=3000), 1.0, 4.5, species, 60)[0] == -2


def test_a_search_goes_on_from_what_was_tried(tmp_path):
    kept = tmp_path / "state"
    kept.mkdir()
    whole = _search(tmp_path, kept=kept, **MORE)
    told = json.loads((kept / "search.json").read_text())
    assert len(told) == len(whole.records)
    assert len(told) > 2
    del told[list(told)[-1]]  # as after a kill
    (kept / "search.json").write_text(json.dumps(told))
    again = _search(tmp_path, kept=kept, **MORE)
    assert again.best.basis == whole.best.basis
    assert again.best.choice.weights == whole.best.choice.weights
    assert [r["coefficients"] for r in again.records] == [r["coefficients"] for r in whole.records]
    # what was known is told as it was measured, also the time
    assert again.records[0] == json.loads(json.dumps(whole.records[0]))
    assert {r["environments"] for r in whole.records} >= {1, 2}
    (kept / "search.json").write_text("{")  # not to be read: begun anew
    assert len(_search(tmp_path, kept=kept).records) >= 1


def test_kinds_of_surroundings_may_be_forbidden(tmp_path):
    assert {r["environments"] for r in _search(tmp_path, **{**MORE, "max_environments": 1}).records} == {1}


def test_time_that_is_left_goes_to_small_gains(tmp_path, monkeypatch):
    monkeypatch.setattr(pod_search, "_BETTER", 0.2)  # no neighbour of the first is five times as good
    found = _search(tmp_path, **MORE)
    best = min(found.records, key=lambda record: record["validation_score"])
    assert len(found.records) > 2
    assert found.stopped_by.startswith("no basis near the best ones gains 0.1 %")
    assert found.best.choice.score == pytest.approx(best["validation_score"], rel=2e-3)
    assert {tuple(record["radial_degrees"]) for record in found.records} == {(4, 8), (3, 6)}


def test_a_way_up_may_lead_over_a_basis_that_gains_nothing():
    climb = object.__new__(pod_search._Climb)
    climb.settings = Training()
    scores = {1: 1.0, 2: 1.1, 3: 1.05, 4: 1.3}
    points = {kinds: pod_search._Point(0, kinds, 4.0) for kinds in scores}
    climb.done = {
        point: pod_search._Tried(point, None, {pod_search.SCORE: scores[kinds], pod_search.SPEED: 1.0}, None)
        for kinds, point in points.items()
    }
    climb.best = climb.done[points[1]]
    assert climb._origins() == [points[1]]  # what is worth its time in MD is sought around the best alone
    climb.enough = pod_search._BETTER_AT_ALL
    assert climb._origins() == [points[1], points[3], points[2]]  # a third worse is not nearly as good


def test_two_fine_steps_of_the_cutoff_are_no_basis_beside_a_coarse_one():
    climb = object.__new__(pod_search._Climb)
    climb.settings, climb.neighbour, climb.enough = Training(), 2.5, pod_search._BETTER_AT_ALL
    at = pod_search._Point(0, 1, 5.55)
    climb.done = {at: None}
    coarse = [point.cutoff for point in climb._neighbours(at) if point.cutoff > at.cutoff]
    assert coarse == [5.94, 5.74]
    climb.done |= {pod_search._Point(0, 1, cutoff): None for cutoff in coarse}
    # 5.74 times 1.035 is 5.94, and divided by it 5.55; 5.94 is not tried again as 5.93 or 5.95
    tried = {point.cutoff for point in climb._neighbours(pod_search._Point(0, 1, 5.74))} - {5.74}
    assert tried == {5.36, 6.14}
    climb.done = {replace(point, kinds=2): None for point in climb.done}  # what was tried is another basis
    assert len({point.cutoff for point in climb._neighbours(pod_search._Point(0, 1, 5.74))} - {5.74}) == 4
