"""`clean-failures`: forget that something failed, and nothing else."""

from __future__ import annotations

import json
import logging
import os
import stat
from pathlib import Path

from gibbsflow.errors import InputError, Problem, StateError
from gibbsflow.workflow.files import read_json
from gibbsflow.workflow.hours.pace import LOST, PROGRESS
from gibbsflow.workflow.state import attempts
from gibbsflow.workflow.state.state_folder import INPUTS, LOCK, is_aside

log = logging.getLogger(__name__)
# What only records failures and progress. Checkpoints, samples and FINISHED never belong here.
REMOVABLE = ("FAILED", attempts.FILE_NAME, PROGRESS)
_OWN_WORDS = ('"inputs_hash"', '"steps_done"')


def clean_failures(root: Path, *, dry_run: bool = False) -> list[Path]:
    """Remove FAILED sentinels, attempt counters and progress caches below a state folder.

    No link is followed, and a file of such a name that this project did not write stays.

    Parameters
    ----------
    root
        State folder of a campaign, or of anything below it.
    dry_run
        Only say what would be removed.

    Returns
    -------
    list of Path
        What was (or would be) removed, sorted.

    Raises
    ------
    InputError
        Where the folder is a link.
    """
    root = Path(root)
    if root.is_symlink():
        raise InputError(Problem(str(root), f"is a link to {root.resolve()}", "the folder itself: no link is followed"))
    found = []
    # by open folders, so that none can be exchanged for a link on the way
    for folder, below, names, fd in os.fwalk(root, follow_symlinks=False):
        below[:] = [name for name in below if not is_aside(Path(name))]
        for name in sorted(set(names) & set(REMOVABLE)):
            path = Path(folder) / name
            if not stat.S_ISREG(os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode) or not _is_own(path):
                log.warning("%s: not written by gibbsflow, and left as it is", path)
                continue
            if name == PROGRESS and _keeps_hours(path):
                continue
            found.append(path)
            if not dry_run:
                os.unlink(name, dir_fd=fd)
    return sorted(found)


def _is_own(path: Path) -> bool:
    """Whether a file lies where state is kept, or else says itself whose it is."""
    if any((path.parent / name).is_file() for name in (LOCK, INPUTS)):
        return True
    try:
        text = json.dumps(read_json(path))
    except (StateError, OSError):
        return False
    return any(word in text for word in _OWN_WORDS)


def _keeps_hours(path: Path) -> bool:
    """Whether a progress file is all that tells what work took: a fit's, and of what ended before its checkpoint."""
    try:
        content = read_json(path)
    except (StateError, OSError):
        return False
    return isinstance(content, dict) and not content.keys().isdisjoint({"budget_s", *LOST})
