"""Profiles of container engines and of SLURM, as Nextflow resolves them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from cluster.campaign import REPO

from gibbsflow import __version__

ENGINES = ("docker", "podman", "apptainer", "singularity")


def settings(folder: Path, *arguments: str) -> dict[str, str]:
    command = [REPO / "nextfloww", "config", REPO, "-flat", *arguments]
    text = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=300).stdout
    return dict(re.findall(r"^([\w.'`:]+) = (.*)$", text, flags=re.M))


@pytest.mark.parametrize("engine", ["docker", "apptainer"])
def test_each_engine_turns_the_others_off(tmp_path: Path, engine: str) -> None:
    found = settings(tmp_path, "-profile", f"slurm,{engine},demo,gpu")
    assert {name: found[f"{name}.enabled"] for name in ENGINES} == {
        name: str(name == engine).lower() for name in ENGINES
    }
    assert found["process.executor"] == "'slurm'" and found["params.platform"] == "'CUDA'"
    assert found["process.container"] == f"'gibbsflow-core:{__version__}'"
    # what `engine: auto` stands for is settled where the labels will be made
    for where in ("withLabel:process_dft", "withName:TRAIN_CONFIG"):
        assert found[f"process.'{where}'.container"] == f"'gibbsflow-dft:{__version__}'"


def test_the_two_locks_of_the_images_are_the_default_one() -> None:
    def packages(name: str) -> set[str]:
        return set(re.findall(r"^\S+==\S+", (REPO / "python/locks" / name).read_text(), flags=re.M))

    assert packages("core.lock") | packages("ml.lock") == packages("default.lock")
