"""State folders: sentinels, checkpoints, segments, locks, attempts, and their reports."""
