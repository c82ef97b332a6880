from __future__ import annotations

from pathlib import Path

import pytest
from ase.build import bulk
from silicon import COARSE, si2

from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.errors import InputError, ScienceError
from gibbsflow.potential.label.convergence.ladders import Errors
from gibbsflow.potential.label.convergence.settings_search import SettingsSearch, _finer, _rising
from gibbsflow.potential.label.pseudopotentials import pseudo_table
from gibbsflow.workflow.account import Account

LOOSE = Errors(400.0, 3.0, 60.0)


def config(**dft: object) -> PotentialConfig:
    return PotentialConfig.model_validate({"target": {"elements": ["Si"]}, "dft": {**COARSE, **dft}})


def search(settings: PotentialConfig, state: Path, stated: Errors = LOOSE) -> SettingsSearch:
    return SettingsSearch([si2()], settings, stated, state, Account("structures"))


def test_an_engine_without_such_settings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="tblite has neither cutoff nor k points"):
        search(config(engine="tblite"), tmp_path)


def test_an_element_that_is_not_the_targets_is_refused_before_anything_runs(tmp_path: Path) -> None:
    frames = [si2(), bulk("SiGe", "zincblende", a=5.5)]
    with pytest.raises(InputError, match="frame 2 has Ge, which cannot be labelled") as refused:
        SettingsSearch(frames, config(), LOOSE, tmp_path, Account("structures"))
    assert refused.value.exit_code == 65 and not list(tmp_path.iterdir())


def test_ladders_start_below_what_tables_suggest_and_skip_equal_meshes(tmp_path: Path) -> None:
    own = search(config(), tmp_path)
    cutoffs = own._wavefunctions({})
    assert cutoffs[0]["ecutwfc_ry"] < 28 < cutoffs[-1]["ecutwfc_ry"]
    assert all(rung["ecutrho_ry"] == 4 * rung["ecutwfc_ry"] for rung in cutoffs)  # norm-conserving
    assert own._densities(cutoffs[0]) == []
    spacings = [rung["kspacing_per_angstrom"] for rung in own._spacings({})]
    assert spacings == sorted(spacings, reverse=True) and spacings[0] == 0.9
    gpaw = search(config(engine="gpaw", gpaw_cutoff_ev=300), tmp_path)
    assert [name for name, _ in gpaw._ladders()] == ["cutoff", "k points"]
    assert gpaw._plane_waves({})[0] == {"gpaw_cutoff_ev": 180.0}


def test_finer_settings_stay_in_their_range() -> None:
    assert (_finer("ecutwfc_ry", 20.0), _finer("ecutwfc_ry", 390.0)) == (24.0, 400.0)
    assert _finer("kspacing_per_angstrom", 0.36) == 0.25 and _finer("kspacing_per_angstrom", 0.02) == 0.0201
    assert [rung["ecutwfc_ry"] for rung in _rising("ecutwfc_ry", 300.0)] == [300.0, 360.0]


def test_the_finest_settings_are_not_held_against_themselves(tmp_path: Path) -> None:
    with pytest.raises(ScienceError, match="ecutwfc_ry 400 is the finest that can be asked for"):
        search(config(), tmp_path)._together({"ecutwfc_ry": 400.0, "kspacing_per_angstrom": 0.3}, [])


def test_the_density_of_ultrasoft_files_has_a_ladder_of_its_own(tmp_path: Path) -> None:
    if not (pseudo_table.DEBIAN_FOLDER / "Ni.pbe-nd-rrkjus.UPF").is_file():
        pytest.skip("no pseudopotentials of quantum-espresso-data")
    own = {"file": "Ni.pbe-nd-rrkjus.UPF", "ecutwfc_ry": 30.0, "ecutrho_ry": 240.0}
    dft = {"pseudopotentials": {"Ni": own}, "pseudo_dir": pseudo_table.DEBIAN_FOLDER}
    nickel = PotentialConfig.model_validate({"target": {"elements": ["Ni"]}, "dft": dft})
    made = SettingsSearch([bulk("Ni")], nickel, LOOSE, tmp_path, Account("structures"))
    assert made._wavefunctions({})[0] == {"ecutwfc_ry": 18.0, "ecutrho_ry": 144.0}
    ratios = [rung["ecutrho_ry"] / 25.0 for rung in made._densities({"ecutwfc_ry": 25.0})]
    assert ratios[0] == 4.0 and ratios == sorted(ratios) and ratios[-1] >= 12
