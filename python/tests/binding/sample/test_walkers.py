"""Living walkers: exact free energies, and the same samples however often the run was interrupted."""

import numpy as np
import openmm
import pytest

from gibbsflow.binding.sample.walkers import WalkerSampler
from gibbsflow.config.binding import Md
from gibbsflow.engines.openmm_engine import OPENMM
from gibbsflow.errors import NumericalError, StoppedEarly

STIFFNESS = {0.0: 500.0, 0.5: 1000.0, 1.0: 2000.0}
STATES = [{"lambda_sterics": value, "lambda_restraints": 0.0} for value in STIFFNESS]
ATOMS = 4
MD = Md(solvent="tip3p", platform="CPU", timestep_fs=5, friction_per_ps=50, threads=2)


def springs(energy="0.5*500*4^lambda_sterics"):
    """Atoms on springs of k = 500 · 4^λ kJ/mol/nm², far apart in a periodic box."""
    system = openmm.System()
    system.setDefaultPeriodicBoxVectors(*np.eye(3) * 3)
    force = openmm.CustomExternalForce(f"{energy}*periodicdistance(x,y,z,x0,0,0)^2")
    force.addGlobalParameter("lambda_sterics", 0.0)
    force.addPerParticleParameter("x0")
    for atom in range(ATOMS):
        system.addParticle(12.0)
        force.addParticle(atom, [0.5 * atom])
    system.addForce(force)
    return system


def sampler(windows=None, **changed):
    system = changed.pop("system", None) or springs()
    return WalkerSampler(system, STATES, MD.model_copy(update=changed), OPENMM, np.arange(ATOMS), windows)


def started(made, check=lambda: None):
    place = np.zeros((ATOMS, 3))
    place[:, 0] = 0.5 * np.arange(ATOMS)
    return made.start(np.tile(place, (3, 1, 1)), False, 7, check, np.tile(np.eye(3) * 3, (3, 1, 1)))


def test_springs_have_their_free_energy():
    """ΔF = 3/2 N kT ln(k1/k0), by exponential averaging of neighbours; walkers change windows meanwhile."""
    made = sampler()
    walkers, samples = made.segment(started(made), 400, 40, 11, lambda _: None)
    u = samples.u.reshape(-1, 3, 3)[40:]
    for k in range(2):
        forward = u[:, k, k + 1] - u[:, k, k]
        backward = u[:, k + 1, k] - u[:, k + 1, k + 1]
        assert _bar(forward, backward) == pytest.approx(1.5 * ATOMS * np.log(2), abs=0.25)
    mixing = made.mixing(samples)
    assert min(mixing["exchange_acceptance"]) > 0.2 and mixing["round_trips"] > 5
    assert sorted(walkers.replica) == [0, 1, 2]


def _bar(forward, backward):
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        excess = (1 / (1 + np.exp(forward - middle))).sum() - (1 / (1 + np.exp(backward + middle))).sum()
        low, high = (middle, high) if excess < 0 else (low, middle)
    return (low + high) / 2


def test_an_interrupted_run_draws_the_same_samples():
    one = sampler()
    first, _ = one.segment(started(one), 3, 20, 1, lambda _: None)
    whole, expected = one.segment(first, 3, 20, 2, lambda _: None)
    other = sampler()
    kept = other.walkers({name: array.copy() for name, array in first.as_arrays().items()})
    again, samples = other.segment(kept, 3, 20, 2, lambda _: None)
    np.testing.assert_array_equal(samples.u, expected.u)
    for name, array in whole.as_arrays().items():
        np.testing.assert_array_equal(again.as_arrays()[name], array, err_msg=name)


def test_what_another_platform_saved_goes_on_from_positions_and_velocities(caplog):
    one = sampler()
    first, _ = one.segment(started(one), 2, 20, 1, lambda _: None)
    other = sampler(platform="Reference")
    with caplog.at_level("INFO"):
        again, samples = other.segment(first, 1, 1, 2, lambda _: None)
    assert "the noise is drawn anew" in caplog.text
    assert np.isfinite(samples.u).all() and np.abs(again.positions_nm - first.positions_nm).max() < 0.05


def test_one_window_alone_is_weighed_in_all_states():
    made = sampler(windows=(1,))
    walkers, samples = made.segment(started(made), 4, 10, 1, lambda _: None)
    assert samples.u.shape == (4, 3) and set(samples.window) == {1} and made.mixing(samples) == {}
    stiff = samples.u[:, 2] / samples.u[:, 1]
    np.testing.assert_allclose(stiff, 2.0, rtol=1e-10)
    assert walkers.positions_nm.shape == (1, ATOMS, 3)


def test_a_stop_is_heard_between_steps_and_nan_names_its_window():
    made = sampler()
    walkers = started(made)

    def stop(_):
        raise StoppedEarly("stopped")

    with pytest.raises(StoppedEarly):
        made.segment(walkers, 2, 100, 1, stop)
    wild = sampler(system=springs("(1+1e30*(lambda_sterics-0.5))*1e30"))
    with pytest.raises(NumericalError, match="window"):
        wild.segment(started(wild), 5, 100, 1, lambda _: None)


def test_frames_without_boxes_are_no_start():
    with pytest.raises(ValueError, match="boxes"):
        sampler().start(np.zeros((3, ATOMS, 3)), False, 1, lambda: None)
