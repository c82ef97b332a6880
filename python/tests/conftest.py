"""What several rooms look at and takes seconds to make."""

import host_guest
import pytest
from typer.testing import CliRunner

from gibbsflow.cli.equil import app as equil
from gibbsflow.cli.fe import app as fe
from gibbsflow.config.binding import Equil

EQUIL = Equil(minimise_steps=100, heat_ps=1, equil_ps=3, equil_segment_ps=2)


def call(app, *args):
    return CliRunner().invoke(app, [str(a) for a in args])


@pytest.fixture(scope="session")
def chain(tmp_path_factory):
    """CB7·B2 through all phases from prepare_equil to prepare_fe, in seconds; not to be changed."""
    root = tmp_path_factory.mktemp("chain")
    host_guest.prepare_equil(root / "prepare", EQUIL)
    first = call(
        equil, "run", "--system", root / "prepare", "--state", root / "state", "--out", root / "equil", "--segments", 1
    )
    assert first.exit_code == 75, first.output
    done = call(equil, "run", "--system", root / "prepare", "--state", root / "state", "--out", root / "equil")
    assert done.exit_code == 0, done.output
    analysed = call(equil, "analyse", "--system", root / "equil", "--out", root / "analysis")
    assert analysed.exit_code == 0, analysed.output
    legs = call(fe, "prepare", "--system", root / "analysis", "--out", root / "fe")
    assert legs.exit_code == 0, legs.output
    return root
