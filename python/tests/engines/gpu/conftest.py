"""A machine with a stand-in for MPS."""

import os
import shutil
from pathlib import Path

import pytest
from stand_in_mps import STAND_IN, daemons

from gibbsflow.engines.gpu import mps
from gibbsflow.engines.gpu.mps_keeper import PROGRAM


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with the stand-in on PATH, without a daemon; the folder of its temporary files."""
    program = tmp_path / "bin" / PROGRAM
    program.parent.mkdir()
    program.write_text(STAND_IN)
    program.chmod(0o755)
    short = Path(f"/tmp/gf-{os.getpid()}-{abs(hash(tmp_path.name)) % 10**6}")
    short.mkdir()
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("TMPDIR", str(short))
    for name in ("CUDA_MPS_PIPE_DIRECTORY", "CUDA_MPS_LOG_DIRECTORY", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setattr(mps, "_places", lambda: [short])
    monkeypatch.setattr(mps, "DEFAULT_PIPES", short / "nvidia-mps")
    yield short
    for keeper in list(mps._KEEPERS):
        keeper.stdin.close()
        keeper.wait(30)
        mps._KEEPERS.remove(keeper)
    assert not daemons(short)
    shutil.rmtree(short)
