"""SimSystem: never changed in place, and it moves."""

import json
from pathlib import Path

import pytest

from gibbsflow.binding.facts import BoundFacts, RunFacts, SettingsFacts
from gibbsflow.binding.system import FILE_NAME, SimSystem
from gibbsflow.config.binding import Equil, Md
from gibbsflow.errors import GibbsflowError, InputError, StateError


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
    with pytest.raises(StateError, match=r"b/system\.json, system \w+: no artifact 'host'"):
        again.path("host")


def test_facts_are_added_at_the_end_or_in_place_and_unknown_keys_stay(tmp_path):
    """The bytes of ``system.json`` hang on the order of the keys, and hashes on the bytes."""
    system = SimSystem("b2", tmp_path, {}, {"md": None, "of_a_later_version": [1], "bound": False})
    chosen = SettingsFacts(md=Md(), equil=Equil(), run=RunFacts(seed=1))
    found = BoundFacts(bound=True, ligand_site_distance_angstrom=0.5)
    system.with_facts(chosen, found).write()
    meta = json.loads((tmp_path / FILE_NAME).read_text())["meta"]
    assert list(meta) == ["md", "of_a_later_version", "bound", "equil", "run", "ligand_site_distance_angstrom"]
    assert (meta["of_a_later_version"], meta["bound"], meta["run"]) == ([1], True, {"seed": 1})
    assert SimSystem.read(tmp_path).facts(BoundFacts) == found


@pytest.mark.parametrize(
    "account", [{"facts": 3}, {"facts": None}, {"facts": ["x"]}, {"notes": "x"}, {"warnings": [3]}, 3]
)
def test_an_account_that_is_none_is_the_files_fault(account, tmp_path):
    system = SimSystem("b2", tmp_path, {}, {"account": account})
    with pytest.raises(GibbsflowError) as caught:
        system.account()
    assert FILE_NAME in str(caught.value) and "account" in str(caught.value)


def test_a_path_outside_the_root_is_refused(tmp_path):
    with pytest.raises(ValueError, match="not in the subpath"):
        SimSystem("b2", tmp_path / "a").with_artifacts(ligand=tmp_path / "b" / "ligand.sdf")


def test_a_file_named_from_the_current_folder_is_found_where_the_folder_is_moved(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    root = Path("some") / "system"
    root.mkdir(parents=True)
    (root / "a.sdf").write_text("a")
    system = SimSystem("x", root).with_artifacts(ligand_a=root / "a.sdf", legs="legs")
    assert system.artifacts == {"ligand_a": "a.sdf", "legs": "legs"}
    system.write()
    moved = root.rename("moved")
    assert SimSystem.read(moved).path("ligand_a").read_text() == "a"


@pytest.mark.parametrize(
    "content",
    [[], 3, {"meta": {}}, {"name": "b", "artifacts": [], "meta": {}}, {"name": "b", "artifacts": {"a": 3}, "meta": {}}],
)
def test_a_file_that_holds_something_else_is_refused(content, tmp_path):
    (tmp_path / FILE_NAME).write_text(json.dumps(content))
    with pytest.raises(StateError, match=r"no system of gibbsflow|artifacts: a: no path"):
        SimSystem.read(tmp_path)


def test_a_folder_of_another_kind_is_a_wrong_input(tmp_path):
    with pytest.raises(InputError, match=r"holds no system\.json \(right: a folder that `system_prep system`"):
        SimSystem.read(tmp_path / "typo")
