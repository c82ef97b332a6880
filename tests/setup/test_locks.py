"""Each lock is of its input, and as `make lock` wrote it."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]


@pytest.fixture
def hashes():
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("lock_hashes", REPO / "setup/lock_hashes.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_lock_is_of_its_input(hashes):
    assert hashes.faults() == []
    done = subprocess.run([sys.executable, REPO / "setup/lock_hashes.py", "--check"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    locks = [*REPO.glob("python/locks/*.lock"), *REPO.glob("setup/*.lock"), *REPO.glob("setup/*.sha256")]
    assert {str(path.relative_to(REPO)) for path in locks} == {*json.loads(hashes.FILE.read_text())}


def test_a_change_is_noticed(hashes, tmp_path):
    copied = {name for names in hashes.inputs().values() for name in names} | {*hashes.inputs(), "setup/locks.json"}
    for name in copied:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((REPO / name).read_bytes())
    hashes.ROOT, hashes.FILE, hashes.LOCKS = tmp_path, tmp_path / "setup/locks.json", tmp_path / "python/locks"
    project = tmp_path / "python/pyproject.toml"
    project.write_text(project.read_text() + "\n[tool.other]\nx = 1\n")  # no lock is made from that
    assert hashes.faults() == []
    project.write_text(project.read_text().replace('"scipy",', '"scipy<2",'))
    assert hashes.faults() == [f"python/locks/{name}.lock is not of its input" for name in sorted(hashes.OF_PROJECT)]
    lock = tmp_path / "python/locks/qe.lock"
    lock.write_text(lock.read_text().replace("sha256:1", "sha256:2", 1))
    assert "python/locks/qe.lock was changed by hand" in hashes.faults()
    (tmp_path / "python/locks/new.in").write_text("six\n")
    (tmp_path / "python/locks/new.lock").write_text("six==1.17.0\n")
    assert "python/locks/new.lock has no committed hash" in hashes.faults()
