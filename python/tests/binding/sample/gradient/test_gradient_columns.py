"""dU/dλ in files of windows: written, read, joined; what lacks it is read as before, and says so."""

import numpy as np
import pytest
from oscillators import Oscillators

from gibbsflow.binding.analyse.integration import estimate_ti
from gibbsflow.binding.sample.energies import read_leg, read_window, write_window
from gibbsflow.binding.sample.gradient.gradient_columns import PREFIX, from_columns, to_columns
from gibbsflow.binding.sample.gradient.lambda_gradients import changing

LEG = Oscillators(states=4)


@pytest.fixture
def folder(tmp_path):
    """A leg of four windows, with a derivative for each component that changes."""
    for path in LEG.write(tmp_path, count=20).glob("*.parquet"):
        rewrite(path)
    return tmp_path


def rewrite(path, gradients="its own", **meta):
    window = read_window(path)
    if isinstance(gradients, str):
        gradients = np.arange(60.0).reshape(20, 3) + 100 * window.window
    write_window(path, window.time_ps, window.window, window.replica, window.u, {**window.meta, **meta}, gradients)


def paths(folder):
    return sorted(folder.glob("*.parquet"))


def test_columns_are_those_that_count(folder):
    states = LEG.schedule()
    for k, path in enumerate(paths(folder)):
        window, names = read_window(path), list(states[k])
        belongs = [name in changing(states, k) for name in names]
        assert np.array_equal(np.isfinite(window.gradients).all(axis=0), belongs)
        columns = to_columns(states, k, window.gradients)
        assert list(columns) == [PREFIX + name for name, counts in zip(names, belongs, strict=True) if counts]
        np.testing.assert_array_equal(from_columns(columns, states, k), window.gradients)
        assert from_columns({}, states, k) is None


def test_a_leg_has_the_shape_of_other_formats(folder):
    energies = read_leg(paths(folder))
    names = list(energies.states[0])
    assert list(energies.dhdl.index.names) == ["time", *names] and list(energies.dhdl.columns) == names
    assert len(energies.dhdl) == 80 and np.isfinite(energies.dhdl.to_numpy()).all()
    assert energies.dhdl.iloc[0, 0] == 0.0 and energies.dhdl.iloc[0, 2] == 0.0  # sterics do not change beside window 0


def test_files_without_are_read_as_before_and_one_that_lacks_it_is_named(folder):
    rewrite(paths(folder)[2], None)
    energies = read_leg(paths(folder))
    words = "windows without dU/dλ: 2; they were begun before it was recorded"
    assert energies.dhdl is None and energies.meta["no_ti"] == words
    assert energies.account.as_figures()["notes"] == [f"{words}: no thermodynamic integration"]
    for path in paths(folder):
        rewrite(path, None)
    plain = read_leg(paths(folder))
    assert plain.dhdl is None and "no_ti" not in plain.meta and plain.account.as_figures()["notes"] == []


def test_what_is_no_number_makes_no_integral_and_loses_no_energies(folder):
    window = read_window(paths(folder)[3])
    gradients = np.where(np.isnan(window.gradients), np.nan, window.gradients)
    gradients[4] = np.inf
    rewrite(paths(folder)[3], gradients)
    energies = read_leg(paths(folder))
    assert energies.dhdl is None and len(energies.u_nk) == 80
    assert energies.meta["no_ti"] == "dU/dλ of window 3 is no number, or beyond 1e+100, in 1 rows"


def test_a_gap_across_a_corner_cannot_be_integrated(folder):
    """Without window 2 all of λ changes from 1 to 3, and window 1 has only what changes beside it."""
    first, second, corner, last = paths(folder)
    corner.unlink()
    energies = read_leg([first, second, last], allow_missing=True)
    assert energies.dhdl is None and "where its neighbours are missing" in energies.meta["no_ti"]


def test_states_that_are_the_same_need_no_derivative_and_thin_out_no_mean(tmp_path):
    """Of five windows the middle three are one state, and beside the third nothing changes."""
    states = [{"lambda_sterics": value} for value in (1.0, 0.5, 0.5, 0.5, 0.0)]
    meta = {"temperature_k": 300.0, "leg": "solvent", "transformation": "x", "replicate": 0, "seed": 1, "sampler": "x"}
    for k in range(5):
        along, path = np.full((20, 1), 10.0 * k), tmp_path / f"window_{k:02d}.parquet"
        write_window(path, np.arange(1.0, 21), k, 0, np.zeros((20, 5)), {**meta, "states": states}, along)
    assert not changing(states, 2)
    energies = read_leg(paths(tmp_path))
    assert "no_ti" not in energies.meta and len(energies.dhdl) == 80
    assert energies.dhdl.groupby(level="lambda_sterics").mean()["lambda_sterics"].to_dict() == {0: 40, 0.5: 20, 1: 0}
    assert estimate_ti(energies).dg_kt == pytest.approx(-(10 + 30) * 0.5)
    for k in (0, 1, 3, 4):
        write_window(paths(tmp_path)[k], np.arange(1.0, 21), k, 0, np.zeros((20, 5)), {**meta, "states": states})
    assert "no_ti" not in read_leg(paths(tmp_path)).meta
