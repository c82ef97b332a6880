"""A file system of its own, small enough to be filled."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest


class Disk(type(Path())):  # type: ignore[misc]
    """Where a small tmpfs is mounted; needs root."""

    def remount(self, option: str) -> None:
        """Mount it again with another option, such as ``ro`` or ``size=100m``."""
        mount("-o", f"remount,{option}", self)

    def fill(self, leave: int = 0) -> None:
        """Write a file ``filler`` that leaves so many bytes."""
        free = os.statvfs(self).f_bavail * os.statvfs(self).f_frsize
        with open(self / "filler", "wb") as file:
            file.write(b"x" * max(free - leave, 0))


def mount(*words: object) -> None:
    """Mount something, or skip the test where that is not allowed."""
    done = subprocess.run(["mount", *map(str, words)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"cannot mount here: {done.stderr.strip()}")


def new_disk(place: Path, size: str = "8m") -> Disk:
    """Mount one; the caller unmounts it."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    place.mkdir(exist_ok=True)
    mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", place)
    return Disk(place)


def unmount(place: Path) -> None:
    """Take it away, in use or not."""
    subprocess.run(["umount", "-l", str(place)], check=True)
