"""Profiles of container engines and of SLURM, as Nextflow resolves them."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from cluster.campaign import REPO

from gibbsflow import __version__

IMAGES = ("core", "cuda", "ml", "dft")
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


def test_profiles_take_nothing_from_what_labels_ask_for(tmp_path: Path) -> None:
    """Nextflow's older parser of settings lets a label's block in a profile replace the one before."""
    found = settings(tmp_path, "-profile", "demo,demo_potential,test,slurm,gpu,docker,tower")
    base = (REPO / "conf/base.config").read_text()
    for label in ("process_md", "process_train"):
        asked = base.partition(f"withLabel: '{label}'")[2].partition("\n    }")[0]
        names = re.findall(r"^        (\w+) *= ", asked, re.MULTILINE)
        assert {"cpus"} < set(names) <= {key.rpartition(".")[2] for key in found if f"'withLabel:{label}'." in key}


def images(folder: Path, *arguments: str) -> dict[str, str]:
    """Image of every process."""
    command = [REPO / "nextfloww", "inspect", REPO / "main.nf", *arguments]
    text = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=300).stdout
    return {process["name"]: process["container"] for process in json.loads(text)["processes"]}


POTENTIAL = ("SYSTEM_PREP_STRUCTURES", "TRAIN_", "INFER_", "DFT_")


def test_each_process_runs_in_the_image_of_its_label(tmp_path: Path) -> None:
    found = images(tmp_path, "-profile", "apptainer,gpu,test", "--registry", "reg.example/group")
    assert set(found.values()) == {f"reg.example/group/gibbsflow-{n}:{__version__}" for n in IMAGES}
    roles = {name: found[name].rsplit("-", 1)[1].split(":")[0] for name in found}
    # what `engine: auto` stands for is settled where the labels will be made
    assert {n for n in roles if roles[n] == "dft"} == {"TRAIN_CONFIG", "DFT_LABEL", "TRAIN_VALIDATE"}
    assert {n for n in roles if roles[n] in ("dft", "ml")} == {n for n in roles if n.startswith(POTENTIAL)}
    assert {n for n in roles if roles[n] == "cuda"} == {"EQUIL_RUN", "FE_EXTEND", "FE_PILOT", "FE_RUN", "FE_SHARE"}


def test_published_images_are_taken_by_digest(tmp_path: Path) -> None:
    names = {f"image_{name}": f"reg.example/gibbsflow-{name}@sha256:{'0' * 64}" for name in IMAGES}
    (tmp_path / "published.yml").write_text("".join(f"{key}: {name}\n" for key, name in names.items()))
    found = images(tmp_path, "-profile", "docker,gpu,test", "-params-file", "published.yml")
    assert set(found.values()) == set(names.values())


def test_the_two_locks_of_the_images_are_the_default_one() -> None:
    def packages(name: str) -> set[str]:
        return set(re.findall(r"^\S+==\S+", (REPO / "python/locks" / name).read_text(), flags=re.M))

    assert packages("core.lock") | packages("ml.lock") == packages("default.lock")
    assert not packages("cuda.lock") & packages("default.lock")
