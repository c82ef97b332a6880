"""Files that are whole or not there, and hashes that follow content."""

import errno
import os
import resource
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from pydantic import TypeAdapter

from gibbsflow.errors import EngineError, InputError, StateError, StoppedEarly, StorageError
from gibbsflow.workflow.files import (
    _sweep,
    as_written,
    atomic_open,
    disk_blamed_first,
    inputs_hash,
    make_writable,
    read_arrays,
    read_json,
    remove_temporaries,
    sha256_file,
    sha256_path,
    sha256_tree,
    storage_fault,
    within,
    write_json,
)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for read in (sha256_file, read_json):
        with pytest.raises(StateError, match="no regular file|no file of JSON"):
            read(tmp_path / "pipe")


def test_what_lies_within_a_folder_and_what_does_not(tmp_path):
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "link").symlink_to(tmp_path)
    assert within(tmp_path / "root", "a/b.svg") == tmp_path / "root" / "a" / "b.svg"
    for name in ("../x", "/etc/passwd", "link/x", "a/../../x"):
        with pytest.raises(StateError, match="leads out of it"):
            within(tmp_path / "root", name)


def test_full_disk_leaves_the_old_file(tmp_path):
    path = tmp_path / "state.json"
    write_json(path, {"a": 1})
    before = path.read_bytes()
    with pytest.raises(OSError, match="No space"), atomic_open(path) as file:
        file.write(b"half")
        raise OSError(28, "No space left on device")
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["state.json"]


def test_nan_is_never_written(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "x.json", {"dg": float("nan")})
    assert not (tmp_path / "x.json").exists()


def test_hash_follows_content_and_settings_but_not_the_path(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_text("same")

    def of(path, **settings):
        return inputs_hash(files={"top": tmp_path / path}, settings=settings, physics=1)

    assert of("a", dt=4) == of("b", dt=4)
    assert of("a", dt=4) != of("a", dt=2)
    (tmp_path / "b").write_text("other")
    assert of("a", dt=4) != of("b", dt=4)


def test_what_is_written_is_read_and_numpy_becomes_plain(tmp_path):
    write_json(tmp_path / "deep" / "x.json", {"a": np.arange(3), "b": np.float64(0.1), "path": Path("c/d")})
    assert read_json(tmp_path / "deep" / "x.json") == {"a": [0, 1, 2], "b": 0.1, "path": "c/d"}
    with pytest.raises(TypeError, match="set cannot be written"):
        write_json(tmp_path / "x.json", {"a": {1}})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "missing"), (b"{", "not readable"), (b"\xff", "not readable"),
        (b'{"a": {"dg": 1, "dg": 2}}', "'dg' is given twice"),
        (b'{"dg": NaN}', "NaN is no finite number"), (b'{"dg": 1e400}', "1e400 is no finite number"),
    ],
)  # fmt: skip
def test_state_is_never_taken_as_empty(tmp_path, content, message):
    if content is not None:
        (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(StateError, match=message):
        read_json(tmp_path / "x.json")


def test_a_file_gets_the_rights_of_any_other(tmp_path):
    before = os.umask(0o027)
    try:
        write_json(tmp_path / "x.json", {})
    finally:
        os.umask(before)
    assert (tmp_path / "x.json").stat().st_mode & 0o777 == 0o640


def test_what_a_killed_write_left_is_removed_and_nothing_else(tmp_path):
    for name in (".state.json.abc.tmp", "state.json", "notes.tmp", ".lock"):
        (tmp_path / name).touch()
    remove_temporaries(tmp_path)
    assert sorted(os.listdir(tmp_path)) == [".lock", "notes.tmp", "state.json"]


def test_hashes_are_sha_256_of_contents_and_names(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    assert sha256_file(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_path(tmp_path / "a") == sha256_file(tmp_path / "a")
    before = sha256_path(tmp_path)
    assert before == sha256_tree(tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")
    assert sha256_tree(tmp_path) != before


def test_hashes_of_campaigns_under_way_stay(tmp_path):
    # written down once: another value would begin every campaign anew
    (tmp_path / "top").write_text("atoms")
    files = {"topology": tmp_path / "top"}
    made = inputs_hash(files=files, settings={"seed": 1, "dt": 4.0, "pose": None}, physics=1)
    assert made == "39017a0bd2a57d36ca1760ff3781a01462ac9ee365d58efc110ddf3ec68ebdf7"
    assert inputs_hash(files=files, settings={"pose": None, "dt": 4.0, "seed": 1}, physics=1) == made
    assert inputs_hash(files=files, settings={"seed": 1, "dt": 4.0, "pose": None}, physics=2) != made


def test_a_folder_that_cannot_be_written_into_is_the_users_a_broken_disk_is_not(tmp_path, monkeypatch):
    make_writable(tmp_path / "a" / "b")
    assert os.listdir(tmp_path / "a" / "b") == []
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="not writable"):
        make_writable(tmp_path / "file" / "out")

    def full(_self, **_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "touch", full)
    with pytest.raises(OSError, match="No space"):
        make_writable(tmp_path / "a")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "x.npz"), "x.npz: No space left on device"),
        (OSError(errno.EACCES, "Permission denied"), "a file: Permission denied"),
        (OSError(errno.ENOENT, "No such file", "x"), None),  # a defect: nobody but us has named it
        (OSError("no number"), None),
        (ValueError("x"), None),
    ],
)
def test_a_disk_is_told_from_a_defect(error, text):
    fault = storage_fault(error)
    assert (str(fault) if fault is not None else None) == text
    assert fault is None or fault.exit_code == 74


@pytest.mark.parametrize("left", [0, 10, 60, -1, None])
def test_arrays_that_are_not_whole_are_named(tmp_path, left):
    path = tmp_path / "a.npz"
    np.savez(path, x=np.arange(300), y=np.ones(3))
    assert {name: value.sum() for name, value in read_arrays(path, "x", "y").items()} == {"x": 44850, "y": 3}
    with pytest.raises(InputError, match=r"a\.npz: missing or damaged .*arrays z"):
        read_arrays(path, "z")
    path.write_bytes(path.read_bytes()[:left]) if left is not None else path.unlink()
    with pytest.raises(InputError, match=r"a\.npz: missing or damaged"):
        read_arrays(path, "x", "y")


def test_what_is_not_as_it_was_written_is_the_files_fault(tmp_path):
    path = tmp_path / "a.json"
    for fault in (lambda: {}["key"], lambda: None.get("x"), lambda: [][0], lambda: float("x")):
        with pytest.raises(StateError, match=r"a\.json: damaged, not as `train fit` writes it \("):
            with as_written(path, "`train fit`"):
                fault()
    with pytest.raises(StateError, match=r"\(ValidationError: 0: .*, not 'x'\)"), as_written(path, "it"):
        TypeAdapter(list[int]).validate_python(["x"])
    with pytest.raises(OSError, match="disk"), as_written(path, "it"):
        raise OSError("disk")
    path.symlink_to(path)
    with pytest.raises(StateError, match="not readable"):
        read_json(path)


def leftover(path: Path, ago_s: float) -> Path:
    """What a write of a file leaves whose process was killed so long ago."""
    child = os.fork()
    if not child:
        with atomic_open(path) as file:
            file.write(b"half")
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    (found,) = (one for one in path.parent.glob(f".{path.name}.{8 * '?'}.tmp"))
    when = time.time() - ago_s
    os.utime(found, (when, when))
    return found


@pytest.mark.parametrize(("ago_s", "stays"), [(120, False), (0, True)])
def test_what_a_killed_write_left_goes_with_the_next_write_of_the_same_file(tmp_path, ago_s, stays):
    path = tmp_path / "edges.csv"
    others = [leftover(tmp_path / name, 120) for name in ("edges", "edges.csv.x", "other.csv")]
    left = leftover(path, ago_s)
    kept = [tmp_path / name for name in (".edges.csv.mine.tmp", ".edges.csv.12345678.tmp.x", "edges.csv.12345678.tmp")]
    for name in kept:
        name.touch()
        os.utime(name, (0, 0))
    with atomic_open(path, "w") as file:
        file.write("whole")
    assert path.read_text() == "whole" and left.exists() == stays
    assert all(name.exists() for name in [*others, *kept])


def test_a_write_that_is_under_way_is_nobody_elses_to_sweep(tmp_path):
    path = tmp_path / "edges.csv"
    with atomic_open(path) as slow:
        slow.write(b"slow")
        slow.flush()
        (mine,) = tmp_path.glob(".edges.csv.*.tmp")
        os.utime(mine, (0, 0))  # as of a disk that stood still for long
        child = os.fork()
        if not child:
            _sweep.cache_clear()
            with atomic_open(path) as other:
                other.write(b"other")
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0 and path.read_bytes() == b"other" and mine.exists()
    assert path.read_bytes() == b"slow" and os.listdir(tmp_path) == ["edges.csv"]


def test_leftovers_that_cannot_be_removed_are_no_fault_of_a_write(tmp_path):
    path = tmp_path / "edges.csv"
    (tmp_path / ".edges.csv.12345678.tmp").mkdir()
    (tmp_path / ".edges.csv.abcdefgh.tmp").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / ".edges.csv.12345679.tmp")
    os.utime(tmp_path / ".edges.csv.12345678.tmp", (0, 0))
    with atomic_open(path, "w") as file:
        file.write("whole")
    assert path.read_text() == "whole" and (tmp_path / ".edges.csv.12345678.tmp").is_dir()
    assert (tmp_path / ".edges.csv.abcdefgh.tmp").is_symlink()


def test_a_full_disk_is_blamed_before_what_was_written_there(tmp_path):
    """A limit on the size of files stands for the disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with pytest.raises(EngineError, match="^mdrun failed$"), disk_blamed_first(tmp_path):
        raise EngineError("mdrun failed")
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        for said in (EngineError("mdrun failed"), ValueError("cannot reshape")):
            with pytest.raises(StorageError, match=f"^{tmp_path}: File too large$"), disk_blamed_first(tmp_path):
                raise said
        with pytest.raises(StoppedEarly), disk_blamed_first(tmp_path):
            raise StoppedEarly("stopped")
        with pytest.raises(EngineError), disk_blamed_first(tmp_path / "nowhere"):
            raise EngineError("mdrun failed")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []
