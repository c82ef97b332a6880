"""Campaigns on the cluster that tests/cluster/slurm_up.sh brings up, or on any other where SLURM_CONF is set."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from cluster.campaign import Campaign


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Campaign]:
    """Make a campaign in a folder of its own; its user is GIBBSFLOW_CI_USER where no other is given."""

    def make(name: str, user: str = os.environ.get("GIBBSFLOW_CI_USER", "")) -> Campaign:
        folder = Path(os.environ.get("GIBBSFLOW_CI_FOLDER", "") or tmp_path_factory.mktemp("cluster")) / name
        folder.mkdir(parents=True)
        return Campaign(folder, user)

    return make
