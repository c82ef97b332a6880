"""`infer grade` as a command."""

import json

from ase.build import bulk
from ase.io import read, write
from labelled_sets import fitted_copper
from typer.testing import CliRunner

from gibbsflow.cli.infer import app


def _grade(tmp_path, *atoms):
    write(tmp_path / "s.extxyz", atoms)
    options = ["--potential", fitted_copper()[0] / "potential", "--structures", tmp_path / "s.extxyz"]
    return CliRunner().invoke(app, ["grade", *map(str, options), "--out", str(tmp_path / "o")])


def test_the_file_says_which_atoms(tmp_path):
    squeezed = bulk("Cu", "fcc", a=2.9, cubic=True)
    done = _grade(tmp_path, bulk("Cu", cubic=True), squeezed)
    assert done.exit_code == 0, done.output
    told = json.loads((tmp_path / "o/result.json").read_text())
    assert [own["outside"] for own in told["structures"]] == [False, True]
    last = read(tmp_path / "o/graded.extxyz", index=-1)
    assert last.arrays["atom_grade"].max() > told["upper"]
    assert last.arrays["unknown"].tolist() == [1, 1, 1, 1]


def test_unknown_elements_are_refused(tmp_path):
    done = _grade(tmp_path, bulk("Au", cubic=True))
    assert done.exit_code == 65
    assert "does not know Au" in done.output


def test_a_box_is_cut(tmp_path):
    large = bulk("Cu", cubic=True) * (5, 5, 5)
    large.positions[7] += 0.7
    write(tmp_path / "s.extxyz", large)
    settings = "embedding: {largest_cell_atoms: 100, core_radius_angstrom: 2.5, buffer_angstrom: 2.5}\n"
    (tmp_path / "c.yaml").write_text(settings)
    options = ["--potential", fitted_copper()[0] / "potential", "--structures", tmp_path / "s.extxyz"]
    words = ["embed", *map(str, options), "--out", str(tmp_path / "o")]
    done = CliRunner().invoke(app, [*words, "--config", str(tmp_path / "c.yaml")])
    assert done.exit_code == 0, done.output
    assert len(json.loads((tmp_path / "o/result.json").read_text())["boxes"]) == 1
    assert 0 < read(tmp_path / "o/embedded.extxyz").arrays["force_mask"].sum() < 100
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 65 and "largest_cell_atoms" in done.output
