"""SimSystem: never changed in place, and it moves."""

import pytest

from gibbsflow.binding.system import SimSystem
from gibbsflow.errors import StateError


def test_system_is_never_changed_in_place_and_moves(tmp_path):
    root = tmp_path / "a"
    root.mkdir()
    (root / "ligand.sdf").write_text("x")
    system = SimSystem("b2", root, {}, {"charge": 0}).with_artifacts(ligand=root / "ligand.sdf")
    other = system.with_meta(charge=1)
    assert system.meta["charge"] == 0
    assert other.meta["charge"] == 1
    with pytest.raises(TypeError):
        system.meta["charge"] = 2  # type: ignore[index]
    moved = other.copy_to(tmp_path / "b")
    moved.write()
    root.joinpath("ligand.sdf").unlink()
    again = SimSystem.read(tmp_path / "b")
    assert again.path("ligand").read_text() == "x"
    assert again.meta == {"charge": 1}
    with pytest.raises(StateError, match="missing"):
        other.path("ligand")
    with pytest.raises(StateError, match="no artifact 'host'"):
        again.path("host")
