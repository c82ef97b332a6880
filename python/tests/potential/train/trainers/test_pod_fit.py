"""What a POD fit works on, and what it makes of it."""

import numpy as np
import pytest
from labelled_sets import bare_frame, fitted_copper, rattled

from gibbsflow.config.potential_training import Training
from gibbsflow.engines.lammps import LammpsPool
from gibbsflow.potential.data.labelled_frames import LabelledFrame
from gibbsflow.potential.train.shared.atomic_energies import AtomicEnergies
from gibbsflow.potential.train.shared.deadline import Deadline
from gibbsflow.potential.train.shared.inputs import Inputs
from gibbsflow.potential.train.shared.splits import Folds
from gibbsflow.potential.train.trainers import pod_fit
from gibbsflow.potential.train.trainers.pod_basis import descriptor_sums, ladder_basis, virial_rows
from gibbsflow.workflow.state.segments import Stopper

BASIS = ladder_basis(0, ("Cu",), 0.8, 5.0)
SETTINGS = Training(energy_weight=1.0, ridge=1e-12)


def test_length_scales():
    read = Inputs.read(fitted_copper()[0] / "train.extxyz", fitted_copper()[0] / "test.extxyz")
    scales = pod_fit.length_scales(read.train)
    assert 1.8 < scales.shortest_angstrom < scales.neighbour_angstrom < 2.7


def test_isolated_atoms_have_no_distances():
    assert pod_fit.length_scales([bare_frame("Cu")]) == pod_fit.Scales(2.5, 2.5)


def test_one_body_terms_are_fitted_unless_isolated_atoms_fix_them():
    fitted, fixed = (
        pod_fit.free_columns(6, ("Au", "Cu"), AtomicEnergies({}, source))
        for source in ("least squares", "isolated atoms")
    )
    assert fitted.all()
    assert fixed.tolist() == [False, True, True] * 2


@pytest.fixture
def targets(tmp_path):
    """Energies and forces that a basis gives with known coefficients, and those coefficients."""
    with LammpsPool(tmp_path, 1) as pool, Stopper() as stopper:
        frames, truth = [], None
        for number, atoms in enumerate(rattled(6, 1)):
            sums, derivatives, rotation = descriptor_sums(pool.members[0], atoms, BASIS)
            truth = np.random.default_rng(1).normal(size=len(sums)) if truth is None else truth
            forces = (derivatives @ truth).reshape(-1, 3) @ rotation.T
            mask = np.ones(len(atoms), bool)
            volume = virial_rows(pool.members[0], atoms, BASIS) @ truth / atoms.get_volume()
            frames.append(
                LabelledFrame(atoms, float(sums @ truth), forces, volume, mask, "md", "", f"id{number}", "", number)
            )
        references = AtomicEnergies({"Cu": -1.0}, "least squares")
        folds = Folds(np.arange(6) % 3, "number")
        yield (
            pod_fit.take_off(frames, folds, references, ("Cu",), None, pool, Deadline(stopper, 1e5)),
            references,
            truth,
        )


def test_a_potential_that_the_basis_holds_is_found(targets):
    given, references, truth = targets
    assert given.energy[0] == pytest.approx(given.frames[0].energy_ev + len(given.frames[0].atoms))
    trial = pod_fit.try_basis(given, BASIS, SETTINGS, references, range(6), 1e6)
    assert trial.record()["coefficients"] == len(truth)
    assert trial.choice.force_rmse_ev_per_angstrom < 1e-4
    with_virials = pod_fit.add_virials(given, trial, SETTINGS, references, 1e6)
    assert (trial.stress_frames, with_virials.stress_frames) == (0, 6)
    assert "validation_stress_relative_rmse" not in trial.record()
    assert with_virials.record()["validation_stress_relative_rmse"] < 1e-3
    potential = pod_fit.solve(with_virials, SETTINGS, references, None)
    for sums, energy in zip(trial.sums, given.energy, strict=True):
        assert sums @ potential.coefficients == pytest.approx(energy - 8 * 1.0, abs=1e-4)
    assert potential.meta["references_ev"] == {"Cu": -1.0}


def test_time_that_is_over_ends_a_trial_and_leaves_the_fewest_virials(targets, monkeypatch):
    given, references, _ = targets
    with pytest.raises(pod_fit.OutOfTimeError):
        pod_fit.try_basis(given, BASIS, SETTINGS, references, range(6), 0.0)
    trial = pod_fit.try_basis(given, BASIS, SETTINGS, references, range(6), 1e6)
    monkeypatch.setattr(pod_fit, "FEWEST_FRAMES", 4)
    assert pod_fit.add_virials(given, trial, SETTINGS, references, 0.0).stress_frames == 4
    off = SETTINGS.model_copy(update={"stress_weight": 0.0})
    assert pod_fit.add_virials(given, trial, off, references, 1e6) is trial


def test_isolated_atoms_are_no_targets_where_they_set_the_zero():
    frames = [bare_frame("Cu", -1.5, "isolated_atom"), bare_frame("Cu2", -8.0)]
    folds = Folds(np.array([0, 1]), "number")
    kept = [
        pod_fit.take_off(frames, folds, AtomicEnergies({"Cu": -1.5}, source), ("Cu",), None, None, None)
        for source in ("isolated atoms", "least squares")
    ]
    assert [targets.energy for targets in kept] == [[-5.0], [0.0, -5.0]]
    assert [targets.fold.tolist() for targets in kept] == [[1], [0, 1]]
