"""`train export` as commands."""

import json

import pytest
from ase.build import bulk
from ase.io import write
from labelled_sets import fitted_copper
from typer.testing import CliRunner

from gibbsflow.cli.train import app


def _train_export(*words):
    return CliRunner().invoke(app, ["export", *map(str, words)])


def test_each_writes_what_it_says(tmp_path):
    folder, _ = fitted_copper()
    data = ["--train", folder / "train.extxyz", "--test", folder / "test.extxyz"]
    write(tmp_path / "cu.cif", bulk("Cu", cubic=True))
    (tmp_path / "c.yaml").write_text("exploration: {upper_grade: 7.5, supercell: [2, 2, 2]}\n")
    options = ["--structure", tmp_path / "cu.cif", "--config", tmp_path / "c.yaml", "--every", 20]
    done = _train_export("lammps", "--from", folder, *options, "--out", tmp_path / "l")
    assert done.exit_code == 0, done.output
    told = json.loads((tmp_path / "l/result.json").read_text())
    assert (told["upper_grade"], told["grade_interval"]) == (7.5, 20)
    assert "32 atoms" in (tmp_path / "l/start.data").read_text()
    done = _train_export("card", "--from", folder, *data, "--licence", "CC0-1.0", "--out", tmp_path / "c")
    assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "c/model_card.json").read_text())["licence"] == "CC0-1.0"
    assert (tmp_path / "c/model_card.md").read_text().startswith("# Cu potential\n")
    done = _train_export("data", "--from", folder, *data, "--out", tmp_path / "d")
    assert done.exit_code == 0, done.output
    assert {"data.extxyz", "data.db", "optimade.json", "metadata.json"} <= {p.name for p in (tmp_path / "d").iterdir()}


@pytest.mark.parametrize("verb", ["lammps", "card", "data"])
def test_a_folder_without_a_potential_is_refused(tmp_path, verb):
    done = _train_export(verb, "--from", tmp_path, "--out", tmp_path / "o")
    assert done.exit_code == 65
    assert "holds no potential" in done.output
