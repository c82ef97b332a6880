"""Errors of predictions that are known by hand."""

from dataclasses import replace

import numpy as np
import pytest
from labelled_sets import bare_frame

from gibbsflow.potential.train.shared.metrics import Prediction, parity, summarise_errors
from gibbsflow.units import GPA_PER_EV_PER_ANGSTROM3

# energies wrong by +2 meV and -4 meV an atom, forces by 0.1 eV/Å in one component of the first
FRAMES = [bare_frame("Si2", -10.0, "md"), bare_frame("Si4", -20.0, "strain", stress=np.zeros(6))]
PREDICTIONS = [
    Prediction(-10.0 + 0.004, np.array([[0.1, 0, 0], [0, 0, 0]]), None),
    Prediction(-20.0 - 0.016, np.zeros((4, 3)), np.full(6, 1.0 / GPA_PER_EV_PER_ANGSTROM3)),
]


def test_errors_are_means_over_all_and_by_type():
    found = summarise_errors(FRAMES, PREDICTIONS)
    assert (found["frames"], found["atoms"], found["stress_frames"]) == (2, 6, 1)
    assert found["energy_mae_mev_per_atom"] == pytest.approx(3.0)
    assert found["energy_rmse_mev_per_atom"] == pytest.approx(np.sqrt(10.0))
    assert found["force_mae_ev_per_angstrom"] == pytest.approx(0.1 / 18)
    assert found["force_rmse_ev_per_angstrom"] == pytest.approx(0.1 / np.sqrt(18))
    assert found["stress_mae_gpa"] == found["stress_rmse_gpa"] == pytest.approx(1.0)
    assert list(found["by_config_type"]) == ["md", "strain"]
    md = found["by_config_type"]["md"]
    assert (md["energy_mae_mev_per_atom"], md["stress_mae_gpa"]) == (pytest.approx(2.0), None)
    assert md["stress_reason"] == "no frame has a stress"


def test_masked_forces_do_not_count():
    frames = [replace(FRAMES[0], force_mask=np.array([False, True]))]
    assert summarise_errors(frames, PREDICTIONS[:1])["force_mae_ev_per_angstrom"] == 0.0
    nothing = summarise_errors([replace(FRAMES[0], force_mask=np.zeros(2, bool))], PREDICTIONS[:1])
    assert (nothing["force_mae_ev_per_angstrom"], nothing["force_frames"], nothing["energy_frames"]) == (None, 0, 1)
    assert summarise_errors(FRAMES, PREDICTIONS)["force_frames"] == 2


def test_masked_forces_are_not_drawn():
    frame = replace(FRAMES[0], force_mask=np.array([False, True]))
    assert parity([frame], PREDICTIONS[:1], lambda f: 0.0)["force"].shape == (2, 3)


def test_parity_takes_the_reference_energies_off_both():
    pairs = parity(FRAMES, PREDICTIONS, lambda frame: -4.0 * len(frame.atoms))
    assert pairs["energy"] == pytest.approx(np.array([[-1.0, -1.0], [-0.998, -1.004]]))
    assert pairs["force"].shape == (2, 18)
    assert pairs["force"][:, 0] == pytest.approx([0.0, 0.1])
