"""AMBER's restart files: read as they were written, and by another reader."""

import numpy as np
import parmed
import pytest
from openmm.app.internal.unitcell import computePeriodicBoxVectors

from gibbsflow.engines.amber.restart_file import Restart, read_restart, write_restart
from gibbsflow.errors import EngineError

RNG = np.random.default_rng(4)
POSITIONS, VELOCITIES = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 3))
CELL = 3.0, 3.1, 3.2, np.radians(109.4712), np.radians(109.4712), np.radians(109.4712)


def test_what_is_written_is_read(tmp_path):
    box = np.array(computePeriodicBoxVectors(*CELL)._value, dtype=float)
    write_restart(tmp_path / "a.rst7", Restart(POSITIONS, VELOCITIES, box))
    found = read_restart(tmp_path / "a.rst7")
    np.testing.assert_allclose(found.positions_nm, POSITIONS, rtol=1e-14)
    np.testing.assert_allclose(found.velocities_nm_per_ps, VELOCITIES, rtol=1e-14)
    np.testing.assert_allclose(found.box_nm, box, atol=1e-9)
    other = parmed.amber.NetCDFRestart.open_old(str(tmp_path / "a.rst7"))
    np.testing.assert_allclose(other.coordinates.reshape(5, 3), POSITIONS * 10, rtol=1e-12)


def test_a_file_cut_short_is_refused(tmp_path):
    write_restart(tmp_path / "a.rst7", Restart(POSITIONS))
    assert read_restart(tmp_path / "a.rst7").velocities_nm_per_ps is None
    content = (tmp_path / "a.rst7").read_bytes()
    (tmp_path / "b.rst7").write_bytes(content[: len(content) - 60])
    for name in ("b.rst7", "none.rst7"):
        with pytest.raises(EngineError, match=f"{name}: not a whole restart file"):
            read_restart(tmp_path / name)
