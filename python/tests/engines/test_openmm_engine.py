"""OpenMM behind the protocol of engines: numbers in nm, ps and kJ/mol, ticks, holds."""

import host_guest as hg
import numpy as np
import openmm
import pytest
import solvated_systems
from openmm import app, unit
from springs import CONSTANTS, KT_KJ, MD, START_NM, springs

from gibbsflow.config.binding import Md
from gibbsflow.engines.md_engine import Apart, Hold
from gibbsflow.engines.openmm_engine import OPENMM, STEPS_PER_TICK, apart_force
from gibbsflow.errors import StoppedEarly
from gibbsflow.units import KJ_PER_KCAL


@pytest.fixture
def simulation():
    made = OPENMM.simulation(springs()[0], MD, 3)
    made.place(START_NM, np.zeros((2, 3)))
    return made


def test_energy_and_temperature_of_a_frame(simulation):
    frame = simulation.frame()
    assert frame.potential_kj_per_mol == simulation.potential_kj_per_mol()
    assert frame.potential_kj_per_mol == pytest.approx(0.5 * CONSTANTS[0] * (START_NM[0] ** 2).sum())
    assert (frame.positions_nm == START_NM).all() and simulation.atoms == 2


def test_the_thermostat_holds_its_temperature(simulation):
    """Kinetic energy of one particle in three dimensions; its fixed partner has none."""
    temperatures = []
    for wanted in (300.0, 600.0):
        simulation.set_temperature(wanted)
        simulation.run(500, lambda n: None)
        kinetic = []
        for _ in range(400):
            simulation.run(30, lambda n: None)
            kinetic.append(simulation.frame().temperature_k)
        temperatures.append(np.mean(kinetic))
    assert temperatures == pytest.approx([300, 600], rel=0.15)


def test_sites_without_a_mass_have_no_degrees_of_freedom():
    """Rigid 4-point waters have six each, so that velocities drawn at a temperature show it."""
    field, model = app.ForceField("amber14/tip4pew.xml"), app.Modeller(app.Topology(), [])
    model.addSolvent(field, "tip4pew", boxSize=openmm.Vec3(1.9, 1.9, 1.9) * unit.nanometer)
    system = field.createSystem(model.topology, nonbondedMethod=app.PME, nonbondedCutoff=0.9, removeCMMotion=False)
    made = OPENMM.simulation(system, Md(solvent="tip4pew", platform="CPU", timestep_fs=0.01), 3)
    made.place(np.array(model.positions.value_in_unit(unit.nanometer)))
    found = []
    for seed in range(1, 5):
        made.draw_velocities(298.15, seed)
        found.append(made.frame().temperature_k)
    assert system.getNumParticles() == 4 * (waters := system.getNumConstraints() // 3) and waters > 180
    assert np.mean(found) == pytest.approx(298.15, rel=4 * np.sqrt(2 / (6 * waters) / len(found)))


def test_the_same_seed_is_the_same_motion():
    ends = []
    for _ in range(2):
        simulation = OPENMM.simulation(springs()[0], MD, 3)
        simulation.place(START_NM)
        simulation.draw_velocities(300.0, 5)
        simulation.run(25, lambda n: None)
        ends.append((simulation.positions_nm(), simulation.velocities_nm_per_ps()))
    assert all((one == other).all() for one, other in zip(*ends, strict=True))


def test_steps_are_told_as_they_are_done_and_a_stop_is_soon(simulation):
    told = []
    simulation.run(2 * STEPS_PER_TICK + 3, told.append)
    assert told == [STEPS_PER_TICK, STEPS_PER_TICK, 3]

    def stop(steps):
        raise StoppedEarly("enough")

    with pytest.raises(StoppedEarly):
        simulation.run(10**9, stop)


def test_minimised_to_the_bottom_of_the_spring(simulation):
    assert simulation.minimise(100, lambda: None) < 0.1 * KT_KJ


def test_a_hold_costs_what_its_formula_says():
    positions = hg.positions_nm("ligand")
    shifted = positions + np.array([0.01, 0.0, 0.0])  # 0.1 Å
    md = Md(solvent="vacuum", platform="Reference")
    hold = Hold((0, 3, 7), positions, 5.0)
    energies = []
    for held in (None, hold):
        simulation = OPENMM.simulation(OPENMM.system(hg.data("ligand.prmtop"), md, held), md, 1)
        simulation.place(shifted)
        energies.append(simulation.potential_kj_per_mol())
    assert energies[1] - energies[0] == pytest.approx(3 * 0.5 * 5.0 * 0.1**2 * KJ_PER_KCAL, rel=1e-6)


@pytest.mark.parametrize(("x", "distance"), [(0.5, 0.5), (0.9, 0.9), (2.6, 0.4), (1.5, 1.5)])
def test_what_is_kept_apart_keeps_away_from_the_nearest_image(x, distance):
    """Two atoms' centroid and one atom in a box of 3 nm: U = 1/2 K (least − d)² within 8 Å, and nothing beyond."""
    system = openmm.System()
    system.setDefaultPeriodicBoxVectors(*np.eye(3) * 3)
    for _ in range(3):
        system.addParticle(1.0)
    system.addForce(apart_force(Apart((0, 1), (2,), 8.0, 4.0), periodic=True))
    simulation = OPENMM.simulation(system, Md(platform="Reference"), 1)
    simulation.place(np.array([[0, 0.1, 0], [0, -0.1, 0], [x, 0, 0]]))
    expected = 0.5 * 4.0 * max(0.0, 8.0 - 10 * distance) ** 2 * KJ_PER_KCAL
    assert simulation.potential_kj_per_mol() == pytest.approx(expected, abs=1e-6)


def test_the_barostat_of_a_membrane_has_no_surface_tension_and_leaves_height_and_area_free():
    md = MD.model_copy(
        update={"solvent": "tip3p", "cutoff_angstrom": 7.0, "pressure_bar": 3.0, "platform": "Reference"}
    )
    prmtop = solvated_systems.boxes() / "solvent.prmtop"
    system = OPENMM.system(prmtop, md, constant_pressure=True, membrane=True)
    (barostat,) = (f for f in system.getForces() if "Barostat" in f.getName())
    kind = openmm.MonteCarloMembraneBarostat
    assert isinstance(barostat, kind) and barostat.getDefaultSurfaceTension()._value == 0
    assert (barostat.getXYMode(), barostat.getZMode()) == (kind.XYIsotropic, kind.ZFree)
    assert barostat.getDefaultPressure()._value == 3 and barostat.getDefaultTemperature()._value == md.temperature_k
    OPENMM.simulation(system, md, 7)
    assert barostat.getRandomNumberSeed() == 7
