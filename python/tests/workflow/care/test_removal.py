"""What is removed is what nothing needs: finished work is read as before, and nothing foreign is touched."""

import pytest
from kept_campaigns import KEYS, equilibration, keep_campaign, log_of, sample, whole, window

from gibbsflow.errors import InputError, LockedError, StoppedEarly
from gibbsflow.workflow.care.removal import clean_campaign, removal_text
from gibbsflow.workflow.state.locks import folder_lock
from gibbsflow.workflow.state.segments import Stopper


def names(found, kind):
    return sorted(path.name for path in found.files[kind])


def test_a_dry_run_removes_nothing_and_tells_the_price(tmp_path):
    state = keep_campaign(tmp_path)
    before = whole(state)
    found = clean_campaign(state, checkpoints=True, superseded=True, dry_run=True)
    text = removal_text(found, dry_run=True)
    assert "would be removed" in text and "sampled longer" in text and "superseded: 0 files" in text
    assert whole(state) == before and not (state / ".head.json").exists()


def test_finished_work_is_read_without_its_checkpoints(tmp_path):
    state = keep_campaign(tmp_path)
    homes = {window: state / "cb7/b2/vacuum", equilibration: state / "cb7/a1/equil"}
    before = {kind: kind(home)[1]["u"].tolist() for kind, home in homes.items()}
    found = clean_campaign(state, checkpoints=True, dry_run=False)
    assert names(found, "checkpoints") == ["checkpoint-current.bin", *["checkpoint-previous.bin"] * 2]
    assert not list(homes[window].glob("checkpoint*")) and (homes[equilibration] / "checkpoint-current.bin").exists()
    for kind, home in homes.items():
        made, outputs = kind(home)
        assert made == [] and outputs["u"].tolist() == before[kind]
    (row,) = log_of(state)
    assert row["what"] == "checkpoints" and "cb7/b2/vacuum/checkpoint-current.bin" in row["files"]
    for _ in range(2):  # what has finished is not set aside for it
        with pytest.raises(InputError, match="its last checkpoint is gone.*longer window_ps") as error:
            window(homes[window], segments=3)
        assert "clean --checkpoints" in error.value.what_to_do
    assert window(homes[window])[1]["u"].tolist() == before[window] and not list(homes[window].glob("superseded-*"))


def test_unfinished_and_damaged_work_keeps_its_checkpoints(tmp_path):
    state = keep_campaign(tmp_path)
    home = state / "cb7/b2/vacuum"
    (home / "segment-00001.npz").write_bytes(b"cut")
    (state / "cb7/a1/equil/FINISHED").unlink()
    found = clean_campaign(state, checkpoints=True, dry_run=False)
    assert found.files["checkpoints"] == {} and "segment 1 is missing or damaged" in found.left[0]
    assert len(list(state.rglob("checkpoint-*.bin"))) == 4 and not (state / ".cleaned.json").exists()


def test_a_leg_on_its_way_to_be_longer_keeps_its_checkpoint(tmp_path):
    state = keep_campaign(tmp_path)
    (state / "cb7/b2/vacuum/extension").mkdir()
    assert names(clean_campaign(state, checkpoints=True, dry_run=False), "checkpoints") == ["checkpoint-previous.bin"]


def test_a_leg_that_was_longer_once_and_is_on_its_way_again_keeps_its_checkpoints(tmp_path):
    """FINISHED stands for the shorter length while the longer one is sampled."""
    state = keep_campaign(tmp_path)
    longer = state / "cb7/b2/vacuum/extension"
    window(longer)
    with pytest.raises(StoppedEarly):
        window(longer, segments=9, stopper=Stopper(segments=2))
    assert (longer / "FINISHED").exists()
    found = clean_campaign(state, checkpoints=True, dry_run=False)
    assert names(found, "checkpoints") == ["checkpoint-previous.bin"]  # of an equilibration
    assert all("it is being sampled longer" in told for told in found.left) and len(found.left) == 2
    assert window(longer, segments=9)[0] == [4, 5, 6, 7, 8]


def test_only_what_gibbsflow_set_aside_is_removed(tmp_path):
    state = keep_campaign(tmp_path)
    home = state / "cb7/b2/vacuum"
    sample(home, {"states": [0], "timestep_fs": 2.0})  # other settings
    mine = [state / "superseded-000", state / "cb7" / "superseded-009", home / "superseded-mine"]
    for folder in mine:
        folder.mkdir()
        (folder / "x").write_text("mine")
    (home / "superseded-007").symlink_to(mine[0])
    (home / "superseded-008" / "sub").mkdir(parents=True)
    found = clean_campaign(state, superseded=True, dry_run=False)
    assert "segment-00000.npz" in names(found, "superseded") and not (home / "superseded-000").exists()
    assert all((folder / "x").exists() for folder in mine) and (home / "superseded-008" / "sub").is_dir()
    assert (home / "superseded-007").is_symlink() and len(found.left) == 4


def test_the_cache_loses_what_nobody_uses(tmp_path):
    state = keep_campaign(tmp_path)
    cache = state.parent / "param_cache"
    found = clean_campaign(state, cache=cache, dry_run=False)
    assert names(found, "cache") == ["entry.json"]
    assert [path.parent.name for path in cache.rglob("entry.json")] == [KEYS[0]]


def test_refused_while_a_task_is_at_work(tmp_path):
    state = keep_campaign(tmp_path)
    with folder_lock(state / "cb7/b2/equil"), pytest.raises(LockedError):
        clean_campaign(state, checkpoints=True, dry_run=False)
    assert list(state.rglob("checkpoint-*.bin"))
