"""`clean-failures`: forget that something failed, and nothing else."""

from __future__ import annotations

from pathlib import Path

from gibbsflow.workflow.state_folder import ASIDE

# What only records failures and progress. Checkpoints, samples and FINISHED never belong here.
REMOVABLE = ("FAILED", "attempts.json", "progress.json")


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
    found = sorted(path for name in REMOVABLE for path in Path(root).rglob(name) if path.is_file() and _counts(path))
    if not dry_run:
        for path in found:
            path.unlink()
    return found


def _counts(path: Path) -> bool:
    """Whether a file is not part of state that was set aside."""
    return not any(part.startswith(ASIDE) for part in path.parts)
