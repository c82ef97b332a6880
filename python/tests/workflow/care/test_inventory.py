"""Files with their hashes; only what was copied as it is now is removed."""

import os

import pytest
from kept_campaigns import ODD

from gibbsflow.errors import InputError
from gibbsflow.workflow.care.inventory import inventory, remove_copied


@pytest.fixture
def folder(tmp_path):
    home = tmp_path / "f"
    (home / "empty").mkdir(parents=True)
    (home / "sub").mkdir()
    (home / ".head.lock").touch()
    for name in ("a", f"sub/{ODD}", os.fsdecode(b"sub/\xff")):
        (home / name).write_text(name[:1])
    return home


def test_each_file_once(folder):
    found = inventory(folder, leave={".head.lock"})
    assert [item.name for item in found.items] == sorted(["a", f"sub/{ODD}", "sub/\udcff"])
    assert (found.size, found.empty) == (3, ("empty",))


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_a_link_or_pipe_is_refused(folder, kind):
    if kind == "pipe":
        os.mkfifo(folder / "odd")
    else:
        (folder / "odd").symlink_to("a" if kind == "link" else "sub")
    with pytest.raises(InputError, match="odd"):
        inventory(folder)


def test_what_is_new_or_changed_stays(folder):
    found = inventory(folder, leave={".head.lock"})
    (folder / "a").write_text("longer")
    (folder / "sub" / "new").touch()
    stay = remove_copied(found, also=[".head.lock"])
    assert {os.path.basename(path) for path in stay} == {"a", "new", ".head.lock"}
    assert (folder / "a").read_text() == "longer" and not (folder / "empty").exists()


def test_a_folder_that_was_copied_goes(folder):
    assert remove_copied(inventory(folder, leave={".head.lock"}), also=[".head.lock"]) == []
    assert not folder.exists()
