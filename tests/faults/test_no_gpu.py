"""A machine without the platform that MD was told to use: said so, and no failure of the item."""

from __future__ import annotations

import host_guest as hg
import openmm
import pytest
from faults import small

from gibbsflow.config.binding import Md
from gibbsflow.engines.openmm_systems import new_context


def missing() -> str:
    """A GPU platform that this machine does not have."""
    here = {openmm.Platform.getPlatform(n).getName() for n in range(openmm.Platform.getNumPlatforms())}
    return next(iter({"CUDA", "OpenCL"} - here), "") or pytest.skip("this machine has every platform of OpenMM")


def test_a_platform_that_is_not_there_ends_the_run_and_fails_nobody(tmp_path):
    platform = missing()
    leg = hg.make_leg(
        tmp_path / "leg", "solvent", fe=small.FE, states=small.STATES, md=Md(timestep_fs=4.0, platform=platform)
    )
    ended = small.fe_run(leg, tmp_path)
    assert ended.code == 78  # no code that base.config would drop an item for
    assert f"platform {platform} cannot be used on this machine" in ended.text and "what to do: " in ended.text
    assert not list((tmp_path / "state").rglob("FAILED"))


def test_a_system_that_openmm_refuses_is_not_blamed_on_the_machine():
    system = openmm.System()
    for mass_amu in (0.0, 1.0):
        system.addParticle(mass_amu)
    system.addConstraint(0, 1, 0.1)
    with pytest.raises(openmm.OpenMMException, match="massless"):
        new_context(system, Md(), seed=1)
