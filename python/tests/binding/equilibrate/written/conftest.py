"""CB7·B2 whose equilibration was written, and run by its scripts with sander, once for all tests."""

import amber_programs
import pytest

from gibbsflow.config.binding import Equil


@pytest.fixture(scope="session")
def of_amber(tmp_path_factory):
    equil = Equil(minimise_steps=20, heat_ps=1, equil_ps=2, equil_segment_ps=0.8)
    return amber_programs.prepared(tmp_path_factory.mktemp("system"), equil)


@pytest.fixture(scope="session")
def finished(of_amber, tmp_path_factory):
    return amber_programs.equilibrated(of_amber, tmp_path_factory.mktemp("run") / "amber")
