"""Files with their hashes; only what was copied as it is now is removed."""

import os
from dataclasses import replace

import pytest
from kept_campaigns import ODD

from gibbsflow.engines.lammps import near
from gibbsflow.errors import InputError
from gibbsflow.workflow.care.inventory import inventory, remove_copied
from gibbsflow.workflow.files import link_name


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


def test_a_link_made_for_a_program_is_left_out_and_goes(folder, tmp_path):
    (tmp_path / "there").mkdir()
    near(folder / "sub", tmp_path / "there")
    near(folder / "sub", tmp_path / "gone")
    found = inventory(folder, leave={".head.lock"})
    assert len(found.items) == 3
    assert remove_copied(found, also=[".head.lock"]) == [] and not folder.exists() and (tmp_path / "there").is_dir()
    folder.mkdir()
    (folder / link_name("/elsewhere")).symlink_to(tmp_path / "there")  # by its name alone it is not
    with pytest.raises(InputError, match="folder-"):
        inventory(folder)
    assert len(remove_copied(replace(found, items=()))) == 1


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
