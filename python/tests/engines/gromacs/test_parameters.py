"""Run parameters: PME as OpenMM chooses it, and coordinates of the pull code."""

from dataclasses import replace

import numpy as np
import openmm
import pytest
from openmm import unit

from gibbsflow.config.binding import Md
from gibbsflow.engines.gromacs import parameters
from gibbsflow.engines.gromacs.parameters import Pull


@pytest.mark.parametrize("size", [2.1, 2.9, 4.7])
def test_pme_is_that_of_the_other_engine(size):
    system, force = openmm.System(), openmm.NonbondedForce()
    box = np.array([[size, 0, 0], [-size / 3, size * 0.9, 0], [-size / 3, -size * 0.4, size * 0.8]])
    system.setDefaultPeriodicBoxVectors(*box)
    system.addParticle(1.0)
    force.addParticle(0, 1, 0)
    force.setNonbondedMethod(openmm.NonbondedForce.PME)
    force.setCutoffDistance(0.8)
    system.addForce(force)
    platform = openmm.Platform.getPlatformByName("Reference")
    context = openmm.Context(system, openmm.VerletIntegrator(1 * unit.femtosecond), platform)
    alpha, *grid = force.getPMEParametersInContext(context)
    found_alpha, found = parameters.pme(0.8, box)
    alpha = getattr(alpha, "_value", alpha)
    assert found_alpha == pytest.approx(alpha, rel=1e-9)
    # OpenMM takes any number of points here, GROMACS the next that FFTs are fast with
    assert all(0 <= one - other <= 0.2 * other for one, other in zip(found, grid, strict=True))


def test_intervals_divide_each_other():
    for steps in (1, 7, 250, 500):
        found = parameters.dynamics(Md(), 1, steps)
        often, couple = int(found["nstcalcenergy"]), int(found["nstpcouple"])
        assert steps % often == 0 and often % couple == 0 and found["nstdhdl"] == str(steps)


def test_groups_are_written_once():
    pulls = [Pull("distance", ((4,), (0,)), 0.5, 10.0), Pull("angle", ((4,), (5,), (4,), (0,)), 70.0, 20.0)]
    found, index = parameters.pulling(pulls, 6)
    assert found["pull-ngroups"] == "3" and found["pull-coord2-groups"] == "1 3 1 2"
    assert found["pull-coord2-k"] == "0" and found["pull-coord2-kB"] == "20"
    assert index.startswith("[ System ]\n1\n2\n3\n4\n5\n6\n[ pull1 ]\n5\n[ pull2 ]\n1\n")
    assert "pull-pbc-ref-prev-step-com" not in found
    always, _ = parameters.pulling([replace(pulls[1], always=True)], 6)
    assert always["pull-coord1-k"] == always["pull-coord1-kB"] == "20"
    wide, _ = parameters.pulling([replace(pulls[0], wide=True)], 6)
    assert wide["pull-pbc-ref-prev-step-com"] == "yes"


def test_area_and_height_of_a_membrane_change_by_themselves():
    found = parameters.dynamics(Md(pressure_bar=2), 1, 100, membrane=True)
    assert found["pcoupltype"] == "semiisotropic" and found["ref-p"] == "2 2"
    assert found["compressibility"] == "4.5e-05 4.5e-05"
    assert "pcoupltype" not in parameters.dynamics(Md(), 1, 100)
