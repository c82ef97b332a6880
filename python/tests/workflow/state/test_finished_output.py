"""The output of a verb, kept and given back whole, or not at all."""

import tarfile

import pytest

from gibbsflow.errors import StateError
from gibbsflow.workflow.state import finished_output
from gibbsflow.workflow.state.state_folder import StateFolder


def home(root, seed=1):
    return StateFolder(root / "state", files={}, settings={"seed": seed}, physics=1)


@pytest.fixture
def kept(tmp_path):
    out = tmp_path / "out"
    (out / "potential").mkdir(parents=True)
    (out / "potential" / "coefficients").write_bytes(bytes(range(256)) * 64)
    (out / "card.md").write_text("ΔE\n")
    (out / "log").write_text("not asked for")
    with home(tmp_path) as state:
        assert state.finished is None
        finished_output.keep(state, out, ["card.md", "potential", "absent.svg"], {"rmse": 0.1})
        assert state.finished.inputs_hash == state.inputs_hash
    return tmp_path


def test_what_was_kept_is_given_back_byte_for_byte(kept):
    with home(kept) as state:
        assert state.finished is not None
        assert finished_output.restore(state, kept / "again") == {"rmse": 0.1}
    assert sorted(str(p.relative_to(kept / "again")) for p in (kept / "again").rglob("*") if p.is_file()) == [
        "card.md",
        "potential/coefficients",
    ]
    for name in ("card.md", "potential/coefficients"):
        assert (kept / "again" / name).read_bytes() == (kept / "out" / name).read_bytes()


def test_of_other_settings_it_does_not_count(kept):
    with home(kept, seed=2) as state:
        assert state.finished is None


@pytest.mark.parametrize("damage", ["missing", "truncated", "flipped", "empty"])
def test_damage_is_named(kept, damage):
    path = kept / "state" / "output.tar.gz"
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        middle = len(content) // 2
        flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
        path.write_bytes({"truncated": content[:-6], "flipped": flipped, "empty": b""}[damage])
    with home(kept) as state, pytest.raises(StateError, match=r"output\.tar\.gz"):
        finished_output.restore(state, kept / "again")


def test_figures_belong_to_it(kept):
    (kept / "state" / "figures.json").write_text("{")
    with home(kept) as state, pytest.raises(StateError, match=r"figures\.json"):
        finished_output.restore(state, kept / "again")


def test_a_link_is_kept_as_what_it_leads_to(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a").write_text("a")
    (tmp_path / "out" / "b").mkdir(parents=True)
    (tmp_path / "out" / "b" / "a").symlink_to(tmp_path / "elsewhere" / "a")
    (tmp_path / "out" / "c").symlink_to(tmp_path / "elsewhere")
    with home(tmp_path) as state:
        finished_output.keep(state, tmp_path / "out", ["b", "c"], {})
        finished_output.restore(state, tmp_path / "again")
    assert not any(path.is_symlink() for path in (tmp_path / "again").rglob("*"))
    assert (tmp_path / "again" / "b" / "a").read_text() == (tmp_path / "again" / "c" / "a").read_text() == "a"


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_an_archive_with_anything_but_files_is_refused(kept, kind):
    with tarfile.open(kept / "state" / "output.tar.gz", "w:gz") as tar:
        member = tarfile.TarInfo("card.md")
        member.type, member.linkname = kind, "potential"
        tar.addfile(member)
    with home(kept) as state, pytest.raises(StateError, match="card.md is neither a file nor a folder"):
        finished_output.restore(state, kept / "again")
    assert not (kept / "again").exists()


@pytest.mark.parametrize("name", ["../out", "/tmp/out", "a/../../out"])
def test_an_archive_that_leads_out_of_the_folder_is_refused(kept, name):
    with tarfile.open(kept / "state" / "output.tar.gz", "w:gz") as tar:
        tar.addfile(tarfile.TarInfo(name))
    with home(kept) as state, pytest.raises(StateError, match="leads out of the folder"):
        finished_output.restore(state, kept / "again")
    assert not (kept / "again").exists()
