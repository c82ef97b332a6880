from __future__ import annotations

from pathlib import Path

import pytest
from silicon import COARSE, needs_pw, si2

from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.errors import InputError
from gibbsflow.potential.label.convergence.ladders import Errors
from gibbsflow.potential.label.convergence.settings_search import SettingsSearch
from gibbsflow.workflow.account import Account

qe = [pytest.mark.qe, needs_pw]
LOOSE = Errors(400.0, 3.0, 60.0)


def config(**dft: object) -> PotentialConfig:
    return PotentialConfig.model_validate({"target": {"elements": ["Si"]}, "dft": {**COARSE, **dft}})


def search(settings: PotentialConfig, state: Path, stated: Errors = LOOSE) -> SettingsSearch:
    return SettingsSearch([si2()], settings, stated, state, Account("structures"))


def test_an_engine_without_such_settings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="tblite has neither cutoff nor k points"):
        search(config(engine="tblite"), tmp_path)


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


class TestRealRuns:
    pytestmark = qe

    def test_settings_for_a_stated_error_and_the_same_again(self, tmp_path: Path) -> None:
        found = search(config(), tmp_path).run()
        assert set(found.values) == {"ecutwfc_ry", "ecutrho_ry", "kspacing_per_angstrom"}
        assert found.together.within(LOOSE) and found.finer["ecutwfc_ry"] > found.values["ecutwfc_ry"]
        rows = found.rows()
        assert [row["chosen"] for row in rows].count(True) == 2 and {row["ladder"] for row in rows} == {
            "cutoff",
            "k points",
        }
        assert found.figures()["ladders"]["cutoff"]["ecutwfc_ry"] <= found.values["ecutwfc_ry"]
        stored = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("label.json")}
        assert search(config(), tmp_path).run() == found
        assert stored == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("label.json")}
