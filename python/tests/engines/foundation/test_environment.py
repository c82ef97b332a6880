"""The foundation model's environment: found whole or refused, and kept from the variables of this one."""

import sys

import pytest

from gibbsflow.engines.foundation import environment
from gibbsflow.errors import MissingProgramError


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))
    return tmp_path


def _install(home):
    python = home / "foundation/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\nenv >"$PWD/told"\nprintf "%s\\n" "$@" >>"$PWD/told"\n')
    python.chmod(0o755)
    return python


def test_without_it_the_refusal_says_how_to_install_it(home):
    with pytest.raises(MissingProgramError, match="not installed") as refused:
        environment.find_environment()
    assert refused.value.exit_code == 65
    assert "make setup-foundation" in refused.value.what_to_do and "6 GB" in refused.value.what_to_do
    assert "container images do not have it" in refused.value.what_to_do


def test_one_whose_set_up_was_interrupted_is_refused(home):
    _install(home)
    with pytest.raises(MissingProgramError, match="not whole"):
        environment.find_environment()


def test_its_program_gets_its_arguments_and_no_paths_of_this_python(home, monkeypatch):
    python = _install(home)
    (home / "foundation.stamp").write_text("abc  -")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    found = environment.find_environment()
    assert (found.python, found.lock) == (python, "abc")
    with open(home / "errors", "w") as errors:
        process = found.start(["serve", "$(touch x) ; 0.3.0"], home, errors, 3)
        process.communicate(timeout=20)
    told = (home / "told").read_text().splitlines()
    assert told[-2:] == ["serve", "$(touch x) ; 0.3.0"] and not (home / "x").exists()
    assert {"OMP_NUM_THREADS=3", "CUDA_VISIBLE_DEVICES="} <= set(told)
    assert not any(line.startswith("PYTHONPATH=") for line in told)
    assert ["-P", "-s", "-c"] == told[told.index("-P") : told.index("-P") + 3]
