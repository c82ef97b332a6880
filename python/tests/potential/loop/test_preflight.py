"""What is checked before a loop begins."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.build import bulk, molecule
from ase.io import write
from loop_states import config
from silicon import si2

from gibbsflow.errors import InputError
from gibbsflow.potential.data.structures import tag, write_frames
from gibbsflow.potential.loop.preflight import check, made_from


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


def test_a_structure_file_is_found_beside_the_settings(tmp_path: Path) -> None:
    write_frames(tmp_path / "si.extxyz", [si2()])
    assert check(config(structure="si.extxyz"), str(tmp_path / "si.yaml"))["engine"] == "tblite"


def test_a_cell_of_one_atom_leaves_no_holdout(tmp_path: Path) -> None:
    write_frames(tmp_path / "si.extxyz", [tag(bulk("Si", "fcc", a=3.8), "bulk", generator="test", seed=0)])
    with pytest.raises(
        InputError, match=r"generator\.supercell: has no crystal and no molecule of two atoms .*supercell: \[2, 2, 2\]"
    ):
        check(config(structure="si.extxyz", generator={"supercell": [1, 1, 1]}), str(tmp_path / "si.yaml"))
    check(config(structure="si.extxyz", generator={"supercell": [2, 1, 1]}), str(tmp_path / "si.yaml"))


def test_pressure_on_a_file_of_molecules_is_refused(tmp_path: Path) -> None:
    write_frames(tmp_path / "w.xyz", [molecule("H2O")])
    plan = config(elements=["H", "O"], structure="w.xyz", exploration={"ensemble": "npt"})
    with pytest.raises(InputError, match="npt for a molecule"):
        check(plan, str(tmp_path / "si.yaml"))


def test_pressure_on_a_molecule_is_refused() -> None:
    plan = config(elements=["H", "O"], structure="H2O", exploration={"ensemble": "npt"})
    with pytest.raises(InputError, match=r"h2o\.yaml, exploration\.ensemble: npt for a molecule \(right: nvt\)"):
        check(plan, "h2o.yaml")


def test_a_trainer_without_a_grade_is_refused() -> None:
    with pytest.raises(InputError, match="'pace' makes potentials without a grade"):
        check(config(training={"backend": "pace"}), "si.yaml")


def test_references_of_no_quantity_are_refused() -> None:
    wrong = [{"property": "c11", "value": 1, "unit": "eV", "source": "x"}]
    with pytest.raises(InputError, match=r"si\.yaml, references\[0\]\.unit: 'eV' is no unit of c11"):
        check(config(validation={"references": wrong}), "si.yaml")


def test_one_atom_is_no_start(tmp_path: Path) -> None:
    write_frames(tmp_path / "one.extxyz", [tag(bulk("Si", "fcc", a=3.9), "bulk", generator="test", seed=0)])
    plan = config(structure=str(tmp_path / "one.extxyz"), generator={"supercell": [1, 1, 1]})
    with pytest.raises(InputError, match=r"a supercell: generator: \{supercell: \[2, 2, 2\]\}"):
        check(plan, "si.yaml")


def test_a_supercell_is_no_way_out_where_nothing_repeats(tmp_path: Path) -> None:
    (tmp_path / "one.xyz").write_text("1\n\nSi 0 0 0\n")
    with pytest.raises(InputError, match=r"right: two atoms or more, in a cell that is periodic along all three"):
        check(config(structure="one.xyz"), str(tmp_path / "si.yaml"))


def test_an_element_that_nothing_brings_is_refused(tmp_path: Path) -> None:
    write_frames(tmp_path / "si.extxyz", [si2()])
    methods = {"methods": ["bulk", "rattle"]}
    plan = config(elements=["Si", "Ge"], structure=str(tmp_path / "si.extxyz"), generator=methods)
    with pytest.raises(InputError, match=r"elements: Ge is in no structure of .*si\.extxyz"):
        check(plan, "si.yaml")


def test_a_spin_that_the_engine_cannot_compute_is_refused(tmp_path: Path) -> None:
    atoms = si2()
    atoms.set_initial_magnetic_moments([1.0, -1.0])
    write_frames(tmp_path / "afm.extxyz", [atoms])
    with pytest.raises(InputError, match="charge and spin: frame 0: moments of both signs"):
        check(config(structure=str(tmp_path / "afm.extxyz")), "si.yaml")


def test_a_molecule_from_a_file_is_fit_to_start_from(tmp_path: Path) -> None:
    write_frames(tmp_path / "m.extxyz", [tag(molecule("CH3OH"), "molecule", generator="test", seed=0)])
    plan = config(elements=["C", "H", "O"], structure=str(tmp_path / "m.extxyz"))
    assert check(plan, "m.yaml")["engine"] == "tblite"


def test_a_molecule_with_other_elements_is_refused() -> None:
    with pytest.raises(InputError, match=r"h2o\.yaml, elements: H2O holds H \(right: elements: \[H, O\]\)"):
        check(config(elements=["O"], structure="H2O"), "h2o.yaml")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda atoms: atoms.positions.__setitem__((0, 0), np.nan), "positions or cell are not finite"),
        (lambda atoms: atoms.positions.__setitem__(1, atoms.positions[0] + 0.1), "atoms Si0 and Si1 are 0.17 Å apart"),
        (lambda atoms: atoms.set_cell([5.4, 5.4, 0]), "periodic in a direction without a cell vector"),
        (lambda atoms: atoms.set_cell([[5.4, 0, 0], [5.4, 0, 0], [0, 0, 5.4]]), "periodic, with a cell of 0 Å"),
    ],
)
def test_a_start_that_nothing_can_compute_is_refused(tmp_path: Path, change: Any, words: str) -> None:
    atoms = si2()
    change(atoms)
    write(tmp_path / "si.traj", [si2(), atoms])
    with pytest.raises(InputError, match=f"frame 1: {words}"):
        check(config(structure="si.traj"), str(tmp_path / "si.yaml"))


def test_elements_that_no_structure_holds_are_said_or_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_frames(tmp_path / "si.extxyz", [si2()])
    plan = {"elements": ["Si", "Ge"], "structure": "si.extxyz"}
    check(config(**plan), str(tmp_path / "both.yaml"))
    assert "elements: Ge is in no structure of" in caplog.text and "it comes in as antisite alone" in caplog.text
    only_dimers = config(**plan, generator={"methods": ["bulk", "rattle", "dimer", "isolated_atom"]})
    with pytest.raises(InputError, match=r"both\.yaml, elements: Ge is in no structure of .*si\.extxyz"):
        check(only_dimers, str(tmp_path / "both.yaml"))


def test_what_a_potential_is_made_from(tmp_path: Path) -> None:
    (tmp_path / "si.yaml").write_text("x")
    write_frames(tmp_path / "si.extxyz", [si2()])
    plan = config(structure="si.extxyz")
    first = made_from(plan, tmp_path / "si.yaml", None, "c")
    assert first == made_from(plan, tmp_path / "si.yaml", None, "c") and list(first.files) == ["config"]
    write_frames(tmp_path / "si.extxyz", [si2(), si2()])  # beside the settings
    assert made_from(plan, tmp_path / "si.yaml", None, "c").settings != first.settings
    (tmp_path / "si.extxyz").unlink()
    os.mkfifo(tmp_path / "si.extxyz")  # is not waited for
    made_from(plan, tmp_path / "si.yaml", str(tmp_path / "none"), "c")
