"""One living Context: λ moves, and what it does next can be saved and restored."""

import numpy as np
import openmm
import pytest

from gibbsflow.config.binding import Md
from gibbsflow.engines.openmm_walkers import OpenMmWalker
from gibbsflow.errors import GpuMemoryError


@pytest.fixture
def walker():
    return OpenMmWalker(oscillator(), Md(solvent="tip3p", platform="CPU", threads=4), 5)


def oscillator():
    system = openmm.System()
    system.setDefaultPeriodicBoxVectors(*np.eye(3) * 3)
    force = openmm.CustomExternalForce("0.5*(100+900*lambda_sterics)*periodicdistance(x,y,z,0,0,0)^2")
    force.addGlobalParameter("lambda_sterics", 1.0)
    for atom in range(2):
        system.addParticle(12.0)
        force.addParticle(atom)
    system.addForce(force)
    return system


def test_energies_in_many_states_without_moving(walker):
    places = np.array([[0.1, 0, 0], [0, 0.2, 0]])
    walker.place(places, np.eye(3) * 3)
    states = [{"lambda_sterics": value, "lambda_restraints": 1.0} for value in (0.0, 0.5, 1.0)]
    np.testing.assert_allclose(walker.potentials_kj_per_mol(states), [2.5, 13.75, 25.0], rtol=1e-6)
    assert walker.potential_kj_per_mol() == pytest.approx(25.0, rel=1e-6)  # left in the last
    np.testing.assert_allclose(walker.positions_nm(), places, atol=1e-7)


def test_a_walker_that_moves_keeps_its_velocities_of_the_moment(walker):
    places = np.array([[0.1, 0, 0], [0, -0.2, 0]])
    walker.place(places, np.eye(3) * 3, np.ones((2, 3)))
    walker.move({"lambda_sterics": 0.0, "lambda_restraints": 1.0}, {"lambda_sterics": 1.0, "lambda_restraints": 1.0})
    half_step_ps = Md().timestep_fs / 2000
    np.testing.assert_allclose(walker.velocities_nm_per_ps(), 1 + half_step_ps * 900 * places / 12, rtol=1e-6)
    assert walker.potential_kj_per_mol() == pytest.approx(25.0, rel=1e-6)


def test_a_walker_restored_elsewhere_goes_the_same_way(walker):
    walker.place(np.full((2, 3), 0.1), np.eye(3) * 3)
    walker.draw_velocities(300, 4)
    walker.run(10)
    saved = walker.save()
    walker.restore(saved)
    walker.run(50)
    other = OpenMmWalker(oscillator(), Md(solvent="tip3p", platform="CPU"), 99)
    assert other.restore(saved)
    other.run(50)
    np.testing.assert_array_equal(other.positions_nm(), walker.positions_nm())
    np.testing.assert_array_equal(other.velocities_nm_per_ps(), walker.velocities_nm_per_ps())


def test_what_cannot_be_restored_changes_nothing(walker):
    walker.place(np.full((2, 3), 0.1), np.eye(3) * 2.5)
    assert not walker.restore(np.zeros(40, dtype=np.uint8))
    np.testing.assert_allclose(walker.positions_nm(), 0.1, atol=1e-7)
    np.testing.assert_allclose(walker.box_nm(), np.eye(3) * 2.5)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("Error downloading array posq: CUDA_ERROR_ILLEGAL_ADDRESS (700)", openmm.OpenMMException),
        ("Error creating array random: CUDA_ERROR_OUT_OF_MEMORY (2)", GpuMemoryError),
    ],
)
def test_a_card_that_fails_is_not_taken_for_another_platform(walker, words, error):
    """Else a run would go on with other noise, and say that another platform had saved it."""
    saved = walker.save()

    class Faulty:
        def loadCheckpoint(self, _):  # noqa: N802 - OpenMM's name
            raise openmm.OpenMMException(words)

    walker._context = Faulty()
    with pytest.raises(error):
        walker.restore(saved)


def test_what_another_platform_saved_is_told_from_that(walker):
    walker.place(np.full((2, 3), 0.1), np.eye(3) * 3)
    other = OpenMmWalker(oscillator(), Md(solvent="tip3p", platform="Reference"), 5)
    assert not other.restore(walker.save())


def test_minimised_to_the_bottom(walker):
    walker.place(np.full((2, 3), 0.3), np.eye(3) * 3)
    assert walker.minimise(100) == pytest.approx(0, abs=0.01)


def test_forces_are_evaluated_apart_and_add_up():
    """One force of no λ, one of each of two: in any state the sum is the energy of the whole."""
    system = oscillator()
    for name in ("lambda_electrostatics", None):
        force = openmm.CustomExternalForce(f"{'(1+' + name + '^2)' if name else '7'}*x")
        if name:
            force.addGlobalParameter(name, 0.5)
        force.addParticle(1)
        system.addForce(force)
    walker = OpenMmWalker(system, Md(solvent="tip3p", platform="CPU"), 5)
    walker.place(np.array([[0.1, 0, 0], [0.3, 0.2, 0]]), np.eye(3) * 3)
    states = [{"lambda_sterics": a, "lambda_electrostatics": b} for a in (0.0, 1.0) for b in (0.0, 0.5, 1.0)]
    states.append({"lambda_sterics": 0.5})  # what a state does not say stays as the System has it
    apart = walker.potentials_kj_per_mol(states)
    for energy, state in zip(apart, states, strict=True):
        walker.put({"lambda_electrostatics": 0.5} | state)
        assert energy == pytest.approx(walker.potential_kj_per_mol(), rel=1e-6)


def fluid():
    """216 atoms of argon, dense, in reach of each other by a neighbour list."""
    system = openmm.System()
    system.setDefaultPeriodicBoxVectors(*np.eye(3) * 2.4)
    force = openmm.NonbondedForce()
    force.setNonbondedMethod(openmm.NonbondedForce.PME)
    force.setCutoffDistance(0.8)
    for atom in range(216):
        system.addParticle(40.0)
        force.addParticle(0.1 * (-1) ** atom, 0.34, 1.0)
    system.addForce(force)
    return system


def test_a_neighbour_list_of_before_leaves_nothing_behind():
    """To the last bit, also where pairs are found by a list that was made steps ago."""
    md = Md(solvent="tip3p", platform="CPU", timestep_fs=5)
    walker, other = (OpenMmWalker(fluid(), md, 5) for _ in range(2))
    walker.place(np.stack(np.meshgrid(*[np.arange(6) * 0.4] * 3), axis=-1).reshape(-1, 3), np.eye(3) * 2.4)
    walker.draw_velocities(300, 4)
    walker.run(95)
    saved = walker.save()
    for one in (walker, other):
        assert one.restore(saved)
        one.run(60)
    np.testing.assert_array_equal(other.positions_nm(), walker.positions_nm())
