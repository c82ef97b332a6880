"""Execution model: steps, systems, artifacts, sentinels, segments. No chemistry."""


def window_folder(window: int) -> str:
    """Folder name of a window's state."""
    return f"window_{window:02d}"
