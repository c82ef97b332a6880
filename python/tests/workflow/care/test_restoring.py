"""What is restored is what was archived; what could write elsewhere is refused as a whole."""

import gzip
import hashlib
import io
import json
import os
import tarfile

import pytest
from kept_campaigns import keep_campaign, whole

from gibbsflow.errors import InputError, StorageError
from gibbsflow.workflow.care import restoring
from gibbsflow.workflow.care.archive import parts_of, write_archive
from gibbsflow.workflow.care.campaign_note import CampaignNote
from gibbsflow.workflow.care.restoring import restore, restored_text
from gibbsflow.workflow.care.start.state_of_results import state_doubts
from gibbsflow.workflow.folders.published import IDENTITY, MadeFrom, set_aside


@pytest.fixture
def state(tmp_path):
    return keep_campaign(tmp_path)


@pytest.fixture
def archived(state, tmp_path):
    return write_archive(parts_of(state), tmp_path / "x.tar.gz")


def test_all_comes_back(tmp_path, state, archived):
    again = tmp_path / "again"
    assert restore(archived, again, dry_run=True) and not again.exists()
    places = restore(archived, again, dry_run=False)
    assert places == {"state": again / "state" / "demo", "results-0": again / "demo"}
    before, after = whole(tmp_path / "demo"), whole(again / "demo")
    assert before.pop(str(IDENTITY)) != after.pop(str(IDENTITY)) and before == after
    assert (again / "demo" / "nothing").is_dir()
    before, after = whole(state), whole(again / "state" / "demo")
    assert before.pop(".campaign.json") != after.pop(".campaign.json") and before == after
    assert [one.outdir for one in CampaignNote.read(again / "state" / "demo").results] == [str(again / "demo")]
    first = next(state.rglob("FINISHED"))
    same = again / first.relative_to(tmp_path)
    assert abs(first.stat().st_mtime - same.stat().st_mtime) < 1e-3
    assert sorted(path.name for path in again.iterdir()) == ["demo", "state"]
    assert "restored to" in restored_text(places, dry_run=False)


def test_a_run_goes_on_with_them_and_says_nothing(tmp_path, state, archived):
    """Also where the old state is there yet, or another has its place."""
    again = tmp_path / "again"
    restore(archived, again, dry_run=False)
    assert MadeFrom.read(again / "demo").state == str(again / "state" / "demo")
    assert state_doubts(again / "demo", again / "state" / "demo") == ([], [])
    assert state_doubts(tmp_path / "demo", state) == ([], [])
    (problem,), _ = state_doubts(again / "demo", tmp_path / "third" / "state" / "demo")
    assert f"--state_dir {again / 'state'} " in problem.right


def test_results_lie_below_the_launch_folder_as_they_did(tmp_path, state):
    """`--outdir results/demo` finds them; two that would lie in each other get names of their own."""
    outs = [tmp_path / name for name in ("results/demo", "results/demo/again", "state.d/x y", "results")]
    outs.append(tmp_path.parent / f"{tmp_path.name} beside" / "far")
    for out in outs:
        set_aside(out, MadeFrom("demo", {}, "s", {}, state=str(state)))
    archive = write_archive(parts_of(state, [outs[0], *outs[2:3], *outs[4:]]), tmp_path / "x.tar.gz")
    places = restore(archive, tmp_path / "a", dry_run=False)
    assert places == {"state": tmp_path / "a/state/demo"} | {
        f"results-{n}": tmp_path / "a" / name for n, name in enumerate(("results/demo", "state.d/x y", "far"))
    }
    assert all(MadeFrom.read(place).state == str(places["state"]) for key, place in places.items() if key != "state")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "results").symlink_to(tmp_path / "a")
    assert restore(archive, tmp_path / "b", dry_run=False)["results-0"] == tmp_path / "b" / "demo"
    nested = write_archive(parts_of(state, outs[:2]), tmp_path / "y.tar.gz")
    assert restore(nested, tmp_path / "c", dry_run=False)["results-1"] == tmp_path / "c" / "again"


@pytest.mark.parametrize("taken", ["state/demo", "demo"])
def test_nothing_is_written_over(tmp_path, archived, taken):
    (tmp_path / "again" / taken).mkdir(parents=True)
    before = sorted((tmp_path / "again").rglob("*"))
    with pytest.raises(InputError, match="there already"):
        restore(archived, tmp_path / "again", dry_run=False)
    assert sorted((tmp_path / "again").rglob("*")) == before


def hostile(path, name, kind=tarfile.REGTYPE, listed=True, campaign="demo"):
    """An archive with one member that is not as it should be."""
    content = b"x"
    files = {name: [hashlib.sha256(content).hexdigest(), 1]} if listed else {}
    manifest = {"format": "gibbsflow-archive-1", "campaign": campaign, "folders": {"state": "/s"}, "empty": []}
    text = json.dumps(manifest | {"files": files}).encode()
    with tarfile.open(path, "w:gz") as tar:
        for member, data, type_ in (("manifest.json", text, tarfile.REGTYPE), (name, content, kind)):
            info = tarfile.TarInfo(member)
            info.type, info.linkname, info.size = type_, "/etc/passwd", len(data) if type_ == tarfile.REGTYPE else 0
            tar.addfile(info, io.BytesIO(data))
    return path


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("/tmp/x", {}),
        ("state/../../x", {}),
        ("state/./x", {}),
        ("other/x", {}),
        ("state", {}),
        ("state/" + "x" * 256, {}),
        ("state/" + "x" * 99 + "/x" * 2000, {}),
        ("state/x", {"kind": tarfile.SYMTYPE}),
        ("state/x", {"kind": tarfile.LNKTYPE}),
        ("state/x", {"kind": tarfile.CHRTYPE}),
        ("state/x", {"kind": tarfile.FIFOTYPE}),
        ("state/x", {"kind": tarfile.DIRTYPE}),
        ("state/x", {"listed": False}),
        ("state/x", {"campaign": "../x"}),
        ("state/x", {"campaign": 1}),
    ],
)
def test_what_leads_out_is_refused_before_anything_is_written(tmp_path, name, more):
    path = hostile(tmp_path / "x.tar.gz", name, **more)
    with pytest.raises(InputError, match=r"x\.tar\.gz"):
        restore(path, tmp_path / "into", dry_run=False)
    assert os.listdir(tmp_path) == ["x.tar.gz"]


def test_the_same_without_a_fault_is_taken(tmp_path):
    restore(hostile(tmp_path / "x.tar.gz", "state/x"), tmp_path / "into", dry_run=False)
    assert (tmp_path / "into/state/demo/x").read_bytes() == b"x"


def test_no_file(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        restore(tmp_path / "x.tar.gz", tmp_path, dry_run=False)


@pytest.mark.parametrize(
    "more",
    [
        {"folders": ["state"]},
        {"empty": [3]},
        {"empty": ["state/x"]},
        {"empty": ["state/x/y"]},
        {"mtime": "inf"},
        {"mtime": "1e30"},
        {"GNU.sparse.map": "0,1", "GNU.sparse.size": "1"},
    ],
    ids=str,
)
def test_what_is_odd_is_refused_before_anything_is_written(tmp_path, more):
    path = tmp_path / "x.tar.gz"
    with tarfile.open(hostile(path, "state/x")) as tar:
        manifest = json.load(tar.extractfile(tar.next()))
    text = json.dumps(manifest | {key: value for key, value in more.items() if key in manifest}).encode()
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as tar:
        for name, data in (("manifest.json", text), ("state/x", b"x")):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            if name == "state/x":
                info.pax_headers = {key: value for key, value in more.items() if key not in manifest}
            tar.addfile(info, io.BytesIO(data))
    with pytest.raises(InputError, match=r"x\.tar\.gz"):
        restore(path, tmp_path / "into", dry_run=False)
    assert os.listdir(tmp_path) == ["x.tar.gz"]


@pytest.mark.parametrize("after", [1 << 19, 1 << 24])
def test_what_goes_on_after_the_last_file_is_not_read_without_end(tmp_path, after):
    path = hostile(tmp_path / "x.tar.gz", "state/x")
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()) + bytes(after)))
    if after < 1 << 20:
        assert restore(path, tmp_path / "into", dry_run=True)
        return
    with pytest.raises(InputError, match="goes on after its last file"):
        restore(path, tmp_path / "into", dry_run=False)
    assert os.listdir(tmp_path) == ["x.tar.gz"]


def test_without_room_nothing_is_written(tmp_path, archived, monkeypatch):
    monkeypatch.setattr(restoring.shutil, "disk_usage", lambda _: type("Disk", (), {"free": 10}))
    with pytest.raises(StorageError, match="10 are free"):
        restore(archived, tmp_path / "again", dry_run=False)
    assert not (tmp_path / "again").exists()
