"""What is checked before a loop begins."""

from __future__ import annotations

from pathlib import Path

import pytest
from ase.build import bulk
from loop_states import config
from silicon import si2

from gibbsflow.errors import InputError
from gibbsflow.potential.data.structures import tag, write_frames
from gibbsflow.potential.loop.preflight import check


def test_engine_and_lammps_are_named() -> None:
    found = check(config(), "si.yaml")
    assert found["engine"] == "tblite"
    assert int(found["lammps"]) >= 20240000


def test_a_file_with_other_elements_is_refused_with_its_frame(tmp_path: Path) -> None:
    germanium = tag(bulk("Ge"), "bulk", generator="test", seed=0)
    write_frames(tmp_path / "both.extxyz", [si2(), germanium])
    plan = config(structure=str(tmp_path / "both.extxyz"))
    with pytest.raises(InputError, match=r"both\.extxyz: frame 1 holds Ge \(right: only Si, as in elements\)"):
        check(plan, "si.yaml")


def test_pressure_on_a_molecule_is_refused() -> None:
    plan = config(elements=["H", "O"], structure="H2O", exploration={"ensemble": "npt"})
    with pytest.raises(InputError, match=r"h2o\.yaml, exploration\.ensemble: npt for a molecule \(right: nvt\)"):
        check(plan, "h2o.yaml")


def test_a_trainer_without_a_grade_is_refused() -> None:
    with pytest.raises(InputError, match="'pace' makes potentials without a grade"):
        check(config(training={"backend": "pace"}), "si.yaml")
