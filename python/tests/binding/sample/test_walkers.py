"""Living walkers: exact free energies, and the same samples however often the run was interrupted."""

import weakref

import numpy as np
import openmm
import pytest
from openmm import app, unit

from gibbsflow.binding.sample.walkers import WalkerSampler
from gibbsflow.config.binding import Md
from gibbsflow.engines.openmm_engine import OPENMM, OpenMmEngine
from gibbsflow.engines.openmm_walkers import OpenMmWalker
from gibbsflow.errors import GpuMemoryError, MachineError, NumericalError, StoppedEarly

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
    contexts, engine = changed.pop("contexts", None), changed.pop("engine", OPENMM)
    md = MD.model_copy(update=changed)
    return WalkerSampler(system, STATES, md, engine, np.arange(ATOMS), windows, contexts)


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


@pytest.fixture(scope="module")
def water():
    """Water in PME, of which λ scales the first molecule's charges; positions and box; molecule of each atom."""
    field, model = app.ForceField("tip3p.xml"), app.Modeller(app.Topology(), [])
    model.addSolvent(field, boxSize=openmm.Vec3(1.9, 1.9, 1.9) * unit.nanometer)
    system = field.createSystem(
        model.topology, nonbondedMethod=app.PME, nonbondedCutoff=0.9 * unit.nanometer, constraints=app.HBonds
    )
    (force,) = (f for f in system.getForces() if isinstance(f, openmm.NonbondedForce))
    force.addGlobalParameter("lambda_sterics", 1.0)
    for atom in range(3):
        charge, sigma, epsilon = force.getParticleParameters(atom)
        force.setParticleParameters(atom, 0.0, sigma, epsilon)
        force.addParticleParameterOffset("lambda_sterics", atom, charge, 0.0, 0.0)
    positions = np.array(model.positions.value_in_unit(unit.nanometer))
    return system, positions, np.eye(3) * 1.9, np.arange(len(positions)) // 3


def in_water(water, contexts, threads=1):
    system, positions, box, molecules = water
    md = Md(solvent="tip3p", timestep_fs=1, threads=threads)
    made = WalkerSampler(system, STATES, md, OPENMM, molecules, None, contexts)
    walkers = made.start(np.tile(positions, (3, 1, 1)), False, 7, lambda: None, np.tile(box, (3, 1, 1)))
    return made, walkers


def test_the_number_of_contexts_changes_nothing(water):
    """Nor whether a segment goes on in the process of the one before: neighbour lists of a past are not taken along."""
    found = []
    for contexts in (3, 2, 1):
        made, walkers = in_water(water, contexts)
        assert made.contexts == contexts
        first, one = made.segment(walkers, 2, 12, 1, lambda _: None)
        if contexts == 2:
            made, _ = in_water(water, 2)
        last, two = made.segment(first, 1, 12, 2, lambda _: None)
        found.append((one.u, two.u, *last.as_arrays().values()))
    for other in found[1:]:
        for expected, got in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(got, expected)


def test_threads_decide_how_many_run_at_once_on_a_cpu_and_a_card_takes_all():
    assert sampler(threads=2).contexts == 2
    assert sampler(threads=64).contexts == 3
    assert sampler(platform="CUDA").contexts == 3
    assert sampler(windows=(1,), contexts=8).contexts == 1


def test_the_reference_platform_has_one_source_of_random_numbers():
    """Of the process, so that threads that drew from it at the same time would draw others each time."""
    made = [sampler(platform="Reference", threads=3) for _ in range(2)]
    first, second = (one.segment(started(one), 4, 40, 1, lambda _: None)[1].u for one in made)
    assert made[0].contexts == 1
    np.testing.assert_array_equal(first, second)


class FullCard(OpenMmEngine):
    """Holds so many Contexts at once; may fill up later, or not be there at all."""

    def __init__(self, room, fills_at=None, error=GpuMemoryError, room_then=1, what="run"):
        self.room, self.fills_at, self.error, self.room_then = room, fills_at, error, room_then
        self.living, self.runs, self.what = weakref.WeakSet(), 0, what

    def walker(self, system, md, seed):
        if len(self.living) >= self.room:
            raise self.error("the GPU's memory is full")
        walker = super().walker(system, md, seed)
        self.living.add(walker)
        done, place = getattr(OpenMmWalker, self.what), weakref.proxy(walker)

        def counted(*given, card=weakref.proxy(self)):
            card.runs += 1
            if card.runs == card.fills_at:
                card.room = card.room_then
                raise GpuMemoryError("the GPU's memory is full")
            return done(place, *given)

        setattr(walker, self.what, counted)
        return walker


@pytest.mark.parametrize(
    ("card", "contexts"),
    [
        (FullCard(3), 3),
        (FullCard(2), 1),
        (FullCard(1), 1),
        (FullCard(2, error=MachineError), 1),
        (FullCard(3, fills_at=8), 1),
        (FullCard(3, fills_at=3, what="minimise"), 1),
        (FullCard(3, fills_at=5, what="save"), 1),
    ],
)
def test_a_card_that_is_full_gets_fewer_contexts_and_the_same_samples(card, contexts, caplog):
    plain = sampler()
    _, expected = plain.segment(started(plain), 3, 20, 2, lambda _: None)
    made, steps = sampler(engine=card, contexts=3), []
    _, samples = made.segment(started(made), 3, 20, 2, steps.append)
    np.testing.assert_array_equal(samples.u, expected.u)
    assert made.contexts == contexts and sum(steps) == 3 * 3 * 20
    assert ("1 Contexts instead of 3" in caplog.text) == (contexts == 1)


def test_a_card_that_holds_not_one_ends_the_run_and_fails_nobody():
    with pytest.raises(GpuMemoryError) as raised:
        started(sampler(engine=FullCard(0), contexts=3))
    assert raised.value.exit_code == 78 and not raised.value.of_item
    made = sampler(engine=FullCard(3, fills_at=4, room_then=0), contexts=3)
    walkers = started(made)
    with pytest.raises(GpuMemoryError):
        made.segment(walkers, 2, 20, 2, lambda _: None)
