"""result.json: fixed keys, figures at the top level, and versions as installed."""

import json
import platform

import numpy as np
import pytest

from gibbsflow import __version__
from gibbsflow.errors import StateError
from gibbsflow.workflow.result import FILE_NAME, Result, failed_status, read_result, read_results, versions


def test_figures_stand_beside_the_fixed_keys_and_are_read_again(tmp_path):
    result = Result(inputs_hash="h", seed=7, timings={"total_s": 1.5}, versions={"openmm": "8.1"})
    result.figures = {"dg_kcal_per_mol": np.float64(-5.25), "windows": [1, 2]}
    assert result.write(tmp_path) == tmp_path / FILE_NAME
    content = read_result(tmp_path)
    assert content["dg_kcal_per_mol"] == -5.25 and content["windows"] == [1, 2]
    assert (content["status"], content["cause"], content["seed"]) == ("finished", "", 7)
    assert content["versions"] == {"gibbsflow": __version__, "python": platform.python_version(), "openmm": "8.1"}
    assert list(json.loads((tmp_path / FILE_NAME).read_text()))[:5] == [
        "status", "cause", "message", "inputs_hash", "seed",
    ]  # fmt: skip


def test_no_figure_stands_in_for_a_fixed_key(tmp_path):
    with pytest.raises(ValueError, match="figures must not be named cause, seed"):
        Result(figures={"seed": 1, "cause": "x", "n": 2}).write(tmp_path)
    assert not (tmp_path / FILE_NAME).exists()


def test_a_missing_or_torn_one_is_an_error(tmp_path):
    with pytest.raises(StateError, match=r"result\.json: missing"):
        read_result(tmp_path)
    (tmp_path / FILE_NAME).write_text('{"status": "fin')
    with pytest.raises(StateError, match=r"result\.json: not readable"):
        read_result(tmp_path)


def test_versions_are_of_what_is_installed():
    found = versions("numpy")
    assert found["numpy"] == np.__version__ and set(found) == {"gibbsflow", "python", "numpy"}


@pytest.mark.parametrize(
    ("cause", "status"),
    [("Unbound", "unbound"), ("Unconverged", "unconverged"), ("Numerical", "failed"), ("", "failed")],
)
def test_what_a_cause_is_called_in_tables(cause, status):
    assert failed_status(cause) == status


@pytest.mark.parametrize("text", ["[]", "3", '{"versions": "x"}', '{"versions": [1]}', "{"])
def test_what_no_verb_wrote_is_said_with_its_file(tmp_path, text):
    (tmp_path / "result.json").write_text(text)
    with pytest.raises(StateError, match=r"result\.json"):
        read_result(tmp_path)


def test_results_that_are_there(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "none").mkdir()
    (tmp_path / "one" / FILE_NAME).write_text('{"status": "ok"}')
    assert read_results([tmp_path / "one", tmp_path / "none"]) == {tmp_path / "one" / FILE_NAME: {"status": "ok"}}
    (tmp_path / "none" / FILE_NAME).write_text("[]")
    with pytest.raises(StateError, match="none.*damaged"):
        read_results([tmp_path / "one", tmp_path / "none"])
