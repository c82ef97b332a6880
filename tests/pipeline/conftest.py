"""Fixtures of the pipeline's tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from pipeline.launcher import Launcher


@pytest.fixture
def nextflow(tmp_path: Path) -> Launcher:
    """A launcher in an empty folder."""
    return Launcher(tmp_path)
