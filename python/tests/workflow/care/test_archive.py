"""An archive is whole, read back, and never under its name before; nothing is written over."""

import errno
import io
import os
import tarfile

import pytest
from kept_campaigns import ODD, keep_campaign

from gibbsflow.errors import InputError, StateError, StorageError
from gibbsflow.workflow.care import archive
from gibbsflow.workflow.care.archive import opened, parts_of, write_archive


def read(path, ending=".tar.gz"):
    with opened(path, ending) as (manifest, members):
        return manifest, {item.name for item, chunk in members if chunk is None}


@pytest.mark.parametrize("ending", [".tar.gz", ".tar.xz"])
def test_state_and_results_with_any_name(tmp_path, ending):
    state = keep_campaign(tmp_path)
    (tmp_path / "demo" / os.fsdecode(b"\xff")).write_text("not UTF-8")
    parts = parts_of(state)
    manifest, names = read(write_archive(parts, tmp_path / f"x{ending}"), ending)
    assert names == manifest["files"].keys() and len(names) == parts.count
    assert {f"results-0/{ODD}", "results-0/\udcff", "state/.campaign.json"} <= names
    assert manifest["empty"] == ["results-0/nothing"] and not any(".head" in name for name in names)


def test_a_second_name_of_a_file_is_a_file(tmp_path):
    state = keep_campaign(tmp_path)
    os.link(state / "cb7/b2/vacuum/inputs.json", state / "cb7/again.json")
    _, names = read(write_archive(parts_of(state), tmp_path / "x.tar.gz"))
    assert {"state/cb7/b2/vacuum/inputs.json", "state/cb7/again.json"} <= names


def test_nothing_is_written_over(tmp_path):
    parts = parts_of(keep_campaign(tmp_path))
    (tmp_path / "x.tar.gz").symlink_to("nowhere")
    for name, why in (("x.tar.gz", "there already"), ("x.zip", "tar.xz"), ("demo/x.tar.gz", "lies in")):
        with pytest.raises(InputError, match=why):
            write_archive(parts, tmp_path / name)


def test_what_changed_meanwhile_leaves_no_archive(tmp_path):
    parts = parts_of(keep_campaign(tmp_path))
    (tmp_path / "demo" / ODD).write_text("mine, longer")
    with pytest.raises(StorageError, match="does not read back"):
        write_archive(parts, tmp_path / "x.tar.gz")
    assert not list(tmp_path.glob("*x.tar*"))


def test_a_full_disk_leaves_no_archive(tmp_path, monkeypatch):
    parts = parts_of(keep_campaign(tmp_path))

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(archive, "_add", full)
    with pytest.raises(OSError, match="No space"):
        write_archive(parts, tmp_path / "x.tar.gz")
    assert not list(tmp_path.glob("*x.tar*"))


def test_results_have_to_be_this_campaigns(tmp_path):
    state = keep_campaign(tmp_path)
    keep_campaign(tmp_path, "other")
    (tmp_path / "mine").mkdir()
    with pytest.raises(InputError, match="results of campaign other"):
        parts_of(state, [tmp_path / "other"])
    with pytest.raises(InputError, match="no folder of results"):
        parts_of(state, [tmp_path / "mine"])
    (state / ".campaign.json").unlink()
    assert "no head has noted" in parts_of(state).remarks[0]
    assert list(parts_of(state, [tmp_path / "demo"]).folders) == ["state", "results-0"]


@pytest.mark.parametrize("place", [20, -6], ids=["in the middle", "in the checksum"])
def test_a_damaged_byte_is_found(tmp_path, place):
    path = write_archive(parts_of(keep_campaign(tmp_path)), tmp_path / "x.tar.gz")
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(StateError, match="damaged|is not"):
        read(path)


def test_another_tar_is_none_of_ours(tmp_path):
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("a"), io.BytesIO())
    with pytest.raises(StateError, match="no archive of gibbsflow's"):
        read(tmp_path / "x.tar.gz")


def test_nothing_is_removed_but_results_that_say_whose_they_are(tmp_path):
    state = keep_campaign(tmp_path)
    (tmp_path / "nf" / "pipeline_info").mkdir(parents=True)  # as any pipeline leaves it
    assert "results-0" in parts_of(state, [tmp_path / "nf"]).folders
    with pytest.raises(InputError, match="says whose these are"):
        parts_of(state, [tmp_path / "nf"], remove=True)


def test_the_launch_folder_is_not_taken_for_results(tmp_path, monkeypatch):
    state = keep_campaign(tmp_path)
    monkeypatch.chdir(tmp_path / "demo")
    with pytest.raises(InputError, match="launch folder"):
        parts_of(state, remove=True)
