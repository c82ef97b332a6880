"""What a campaign is, and that it is held as a whole."""

import subprocess
import sys

import pytest
from kept_campaigns import keep_campaign

from gibbsflow.errors import InputError, LockedError
from gibbsflow.workflow.care.holding import check_campaign_folder, is_campaign, whole_campaign
from gibbsflow.workflow.state.locks import folder_lock, head_holds

HEAD = """
import sys
from gibbsflow.workflow.state.locks import campaign_lock
with campaign_lock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def head():
    """Hold a campaign in another process."""
    running = []

    def hold(state):
        words = [sys.executable, "-c", HEAD, str(state)]
        running.append(subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        assert running[0].stdout.readline() == b"held\n"

    yield hold
    for one in running:
        one.communicate()


def test_what_is_no_campaign_is_refused(tmp_path):
    state = keep_campaign(tmp_path)
    (tmp_path / "mine").mkdir()
    (tmp_path / "link").symlink_to(state)
    assert check_campaign_folder(state) == state and is_campaign(state)
    for name, why in (("mine", "holds no campaign"), ("link", "a link to"), ("gone", "no such folder")):
        assert not is_campaign(tmp_path / name)
        with pytest.raises(InputError, match=why):
            check_campaign_folder(tmp_path / name)


def test_neither_a_part_of_one_nor_a_folder_of_several_is_one(tmp_path):
    state = keep_campaign(tmp_path)
    for folder in (state.parent, state / "cb7", state / "cb7" / "b2" / "vacuum"):
        with pytest.raises(InputError, match="holds no campaign"):
            check_campaign_folder(folder)


def test_state_of_before_heads_left_anything_is_one(tmp_path):
    state = keep_campaign(tmp_path)
    for name in (".head.lock", ".campaign.json"):
        (state / name).unlink()
    assert is_campaign(state)


def test_a_head_holds_it(tmp_path, head):
    state = keep_campaign(tmp_path)
    assert not head_holds(state)
    head(state)
    assert head_holds(state)
    with pytest.raises(LockedError, match="held by another run"), whole_campaign(state):
        pass


def test_a_task_without_head_holds_it(tmp_path):
    state = keep_campaign(tmp_path)
    with folder_lock(state / "cb7" / "b2" / "vacuum"), pytest.raises(LockedError, match="vacuum: held by pid"):
        with whole_campaign(state):
            pass
    with whole_campaign(state):
        pass
