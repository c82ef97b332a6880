"""`clean-failures`: forget that something failed, and nothing else."""

from __future__ import annotations

from pathlib import Path

from gibbsflow.workflow.state import attempts
from gibbsflow.workflow.state.resumable import PROGRESS
from gibbsflow.workflow.state.state_folder import is_aside

# What only records failures and progress. Checkpoints, samples and FINISHED never belong here.
REMOVABLE = ("FAILED", attempts.FILE_NAME, PROGRESS)


def clean_failures(root: Path, *, dry_run: bool = False) -> list[Path]:
    """Remove FAILED sentinels, attempt counters and progress caches below a state folder.

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
    """
    found = sorted(
        path for name in REMOVABLE for path in Path(root).rglob(name) if path.is_file() and not is_aside(path)
    )
    if not dry_run:
        for path in found:
            path.unlink()
    return found
