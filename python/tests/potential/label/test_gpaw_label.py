"""The program that runs GPAW, with a package of that name that computes by effective medium theory."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ase import Atoms
from ase.build import bulk, molecule
from ase.calculators.emt import EMT
from ase.io.jsonio import write_json

from gibbsflow.potential.label.gpaw_label import main

SETTINGS = {
    "cutoff_ev": 340.0, "xc": "LDA", "kpts": [2, 2, 2], "smearing": "fermi-dirac", "width_ev": 0.1, "beta": 0.05,
    "history": 8, "maxiter": 400, "spin": False, "charge": 0, "fixed_moment": False,
}  # fmt: skip


class UnconvergedError(Exception):
    """As GPAW's own."""


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What GPAW is called with."""
    told: dict[str, Any] = {}

    class Calculator(EMT):  # type: ignore[misc]  # ASE has no types
        def __init__(self, **settings: Any) -> None:
            super().__init__()
            told.update(settings)

        def calculate(self, *arguments: Any) -> None:
            if told["maxiter"] < 10:
                raise UnconvergedError("3 iterations")
            super().calculate(*arguments)

    package: Any = ModuleType("gpaw")
    package.GPAW, package.PW, package.KohnShamConvergenceError = Calculator, "PW {:g}".format, UnconvergedError
    monkeypatch.setitem(sys.modules, "gpaw", package)
    return told


def labelled(atoms: Atoms, folder: Path, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> tuple[int, Path]:
    write_json(folder / "structure.json", atoms)
    (folder / "settings.json").write_text(json.dumps({**SETTINGS, **changes}))
    names = [str(folder / name) for name in ("structure.json", "settings.json", "out.json")]
    monkeypatch.setattr(sys, "argv", ["gpaw_label.py", *names])
    return main(), folder / "out.json"


def test_a_crystal_gets_energy_forces_and_stress(
    given: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    atoms = bulk("Cu", cubic=True)
    atoms.rattle(0.05, seed=1)
    code, out = labelled(atoms, tmp_path, monkeypatch)
    figures = json.loads(out.read_text())
    atoms.calc = EMT()
    assert code == 0 and set(figures) == {"energy", "forces", "stress"}
    assert figures["energy"] == pytest.approx(atoms.get_potential_energy())
    assert figures["forces"] == pytest.approx(atoms.get_forces())
    assert figures["stress"] == pytest.approx(atoms.get_stress())


def test_settings_reach_gpaw_in_its_own_words(
    given: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labelled(bulk("Cu"), tmp_path, monkeypatch)
    assert given == {
        "mode": "PW 340", "xc": "LDA", "kpts": [2, 2, 2], "occupations": {"name": "fermi-dirac", "width": 0.1},
        "mixer": {"beta": 0.05, "nmaxold": 8, "weight": 50}, "maxiter": 400, "spinpol": False,
        "symmetry": {"point_group": False}, "txt": "gpaw.txt",
    }  # fmt: skip


def test_a_molecule_has_no_stress(given: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, out = labelled(molecule("H2O", vacuum=4.0), tmp_path, monkeypatch)
    assert code == 0 and set(json.loads(out.read_text())) == {"energy", "forces"}


def test_what_does_not_converge_leaves_nothing(
    given: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out = labelled(bulk("Cu"), tmp_path, monkeypatch, maxiter=3)
    assert (code, out.exists()) == (2, False)
    assert capsys.readouterr().err == "not converged: 3 iterations\n"
