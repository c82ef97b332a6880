"""A campaign held as a whole: no head and no task of it is at work."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gibbsflow.errors import InputError, LockedError, Problem, one_line
from gibbsflow.workflow.care import campaign_note
from gibbsflow.workflow.folders.places import folder_fault
from gibbsflow.workflow.state import attempts, sentinels
from gibbsflow.workflow.state.locks import campaign_lock, describe_holder, is_held, job_runs
from gibbsflow.workflow.state.state_folder import INPUTS, LOCK
from gibbsflow.workflow.state.status import PLAN

HEAD = (".head.lock", ".head.json")
"""Files of the head's lock: of the place and the process, not of the state."""
_OF_CAMPAIGN = {*HEAD, campaign_note.FILE_NAME}
_DEEPEST = 6
"""Folders from a window's state, or what was set aside in it, up to its campaign's."""
_OF_ITEMS = {INPUTS, PLAN, attempts.FILE_NAME, *sentinels.NAMES}


def is_campaign(folder: Path) -> bool:
    """Say whether a folder holds a campaign's state.

    Parameters
    ----------
    folder
        The folder.

    Returns
    -------
    bool
        By what a head leaves in it; of state of before heads left anything, by what its items did.
    """
    if folder.is_symlink() or not folder.is_dir() or folder_fault(folder.absolute().name):
        return False
    if has_head(folder):
        return True
    if any(map(has_head, [*folder.absolute().parents[:_DEEPEST], *folder.iterdir()])):
        return False  # a part of one, or a folder of several
    return any(_OF_ITEMS & set(names) for home, _, names in os.walk(folder) if home != str(folder))


def has_head(folder: Path) -> bool:
    """Say whether a head has left its files right in a folder.

    Parameters
    ----------
    folder
        The folder.

    Returns
    -------
    bool
        Whether it has: then it is a campaign's.
    """
    return any((folder / name).is_file() for name in _OF_CAMPAIGN)


def check_campaign_folder(folder: Path) -> Path:
    """Refuse what is no campaign's state folder.

    Parameters
    ----------
    folder
        What was named.

    Returns
    -------
    Path
        Its absolute path.

    Raises
    ------
    InputError
        For what is not there, a link, or foreign.
    """
    path = Path(os.path.normpath(Path(folder).absolute()))
    right = "state folder of a campaign, such as state/demo"
    if path.is_symlink():
        raise InputError(Problem(str(folder), f"a link to {os.path.realpath(path)}", f"the {right}: none is followed"))
    if not path.is_dir():
        raise InputError(Problem(str(folder), "no such folder", f"the {right}"))
    if not is_campaign(path):
        raise InputError(Problem(str(folder), "holds no campaign of gibbsflow", f"the {right}"))
    return path


@contextmanager
def whole_campaign(campaign: Path) -> Iterator[None]:
    """Hold a campaign as its head does, with none of its tasks at work.

    Parameters
    ----------
    campaign
        Its state folder, from :func:`check_campaign_folder`.

    Raises
    ------
    LockedError
        Where a head holds it, or a task an item of it.
    """
    with campaign_lock(campaign):
        refuse_tasks(campaign)
        yield


def refuse_tasks(campaign: Path) -> None:
    """Look whether a task is at work in a campaign, such as one whose head was killed.

    Parameters
    ----------
    campaign
        Its state folder.

    Raises
    ------
    LockedError
        Where one is.
    """
    for home, _, names in os.walk(campaign):
        path = Path(home) / LOCK
        if LOCK not in names or path.is_symlink() or not path.is_file():
            continue
        record = path.read_text(errors="replace")
        if is_held(path.parent) or job_runs(record):
            raise LockedError(f"{one_line(home, 300)}: held by {describe_holder(record)}")
