"""Folders are listed again where they have changed, and only there."""

import os

from gibbsflow.workflow.folders.folder_tree import FolderTree


def grow_old(root):
    for home, _, _ in os.walk(root):
        os.utime(home, (1, 1))


def test_only_what_has_changed_is_listed_again(tmp_path, monkeypatch):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "c").mkdir()
    (tmp_path / "a" / "b" / "FINISHED").touch()
    grow_old(tmp_path)
    listed = []
    scan = os.scandir
    monkeypatch.setattr(
        "gibbsflow.workflow.folders.folder_tree.os.scandir", lambda path: (listed.append(path), scan(path))[1]
    )
    tree = FolderTree(str(tmp_path), ("FINISHED",), lambda above, name: name != "left out")
    found = {seen.path: seen for seen in tree.look()}
    assert len(listed) == 4 and found[f"{tmp_path}/a/b"].names == {"FINISHED"}
    listed.clear()
    assert not any(seen.changed for seen in tree.look()) and listed == []
    (tmp_path / "c" / "FINISHED").touch()
    (tmp_path / "left out").mkdir()
    os.symlink(tmp_path / "a", tmp_path / "link")
    found = {seen.path for seen in tree.look() if seen.changed}
    assert found == {str(tmp_path), f"{tmp_path}/c"} and set(listed) == found
    assert {seen.path for seen in tree.look() if seen.changed} == found  # so new that a tick may hide a change
    (tmp_path / "a" / "b" / "FINISHED").unlink()
    (tmp_path / "a" / "b").rmdir()
    assert f"{tmp_path}/a/b" not in {seen.path for seen in tree.look()}
