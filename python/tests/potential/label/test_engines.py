from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from silicon import COARSE, si8

from gibbsflow.config.label_engines import Engine
from gibbsflow.config.potential import Dft, Labels
from gibbsflow.errors import MissingProgramError
from gibbsflow.potential.data.formats.electrons import Electrons
from gibbsflow.potential.label.engines import ENGINES, check_electrons, make_engine
from gibbsflow.workflow.account import Account

LABELS = Labels()


def test_every_engine_of_the_settings_has_its_row() -> None:
    assert list(ENGINES) == list(get_args(Engine))


@pytest.mark.parametrize("name", ENGINES)
def test_every_row_is_of_an_engine_and_names_settings_that_there_are(name: Engine) -> None:
    found: Any = ENGINES[name].load()
    assert found.name == name
    assert callable(found.label) and callable(found.describe)
    assert ENGINES[name].settings[0] == "engine"
    assert set(ENGINES[name].settings) <= Dft.model_fields.keys()


def test_the_settings_choose() -> None:
    pytest.importorskip("tblite")
    engine = make_engine(["Si"], Dft(engine="tblite"), LABELS)
    assert engine.name == "tblite"
    assert engine.settings_hash == engine.describe()["settings_hash"]


def test_no_pw_is_an_error_before_anything_starts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))  # as where the set-up made none
    with pytest.raises(MissingProgramError, match=r"pw\.x"):
        make_engine(["Si"], Dft.model_validate(COARSE), LABELS)


@pytest.mark.parametrize(("engine", "package"), [("gpaw", "gpaw"), ("tblite", "tblite")])
def test_a_package_that_is_not_installed_is_named(
    engine: Engine, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else find_spec(name))
    with pytest.raises(MissingProgramError, match=package):
        make_engine(["Si"], Dft(engine=engine), LABELS)


def test_what_is_asked_of_an_engine_is_judged_before_it_starts() -> None:
    pytest.importorskip("tblite")
    engine = make_engine(["Si"], Dft(engine="tblite"), LABELS)
    charged, antiferro, earlier, same, ion = si8(1), si8(2), si8(3), si8(5), Atoms("Si2", [[0, 0, 0], [0, 0, 2.3]])
    charged.info["charge"] = ion.info["charge"] = 2
    antiferro.set_initial_magnetic_moments([1.0, -1.0] * 4)
    earlier.calc = SinglePointCalculator(earlier, magmoms=[1.0] * 8)
    same.calc = SinglePointCalculator(same, magmoms=[0.01] * 8)
    account = Account("s.extxyz")
    check_electrons(engine, [si8(4), charged, antiferro, earlier, Atoms("Si"), same, ion], account)
    assert [str(problem) for problem in account.of_weight("refuse")] == [
        "s.extxyz, charge and spin: frame 2: moments of both signs, and tblite computes both spins in the same "
        "orbitals (right: what tblite can compute)"
    ]
    notes, warnings = (" ".join(account.as_dict()[weight]) for weight in ("notes", "warnings"))
    for words in ("1 frame is with moments or charges", "isolated atoms are computed spin-polarised", "Si 3"):
        assert words in notes
    assert "1 frame is charged and periodic, and computed in a uniform neutralising background" in warnings
    assert "1 frame is with moments or charges that an earlier calculation found, and computed with others" in warnings
    assert account.facts == {"frames": 7, "elements": ["Si"], "charged": 2, "spin_polarised": 1}
    plain = Account("s.extxyz")
    check_electrons(engine, [si8(4)], plain)
    assert not plain.doubts
    radical = Account("s.extxyz")
    check_electrons(engine, [Atoms("Si2H", [[0, 0, 0], [0, 0, 2.3], [0, 0, 3.8]])] * 2, radical)
    (warned,) = radical.as_dict()["warnings"]
    assert warned.startswith("2 frames are computed without spin: molecules with an odd number of electrons (right: ")


@dataclass
class Fixed:
    """An engine that computes the moments it is given, in plane waves."""

    moments: tuple[float, ...] | None
    name: str = "fixed"
    periodic: bool = True

    def electrons(self, atoms: Atoms) -> Electrons:
        return Electrons(Electrons.of(atoms).charge, None, self.moments)


@pytest.mark.parametrize(
    ("found", "start", "agree"),
    [
        ({"magmoms": [2.1, 2.2]}, (3.0, 3.0), True),
        ({"magmoms": [-2.1, -2.2]}, (3.0, 3.0), True),
        ({"magmoms": [2.1, -2.2]}, (3.0, 3.0), False),
        ({"magmoms": [2.1, 0.1]}, (3.0, 3.0), True),
        ({"magmoms": [2.1, 2.2]}, None, False),
        ({"magmom": 4.3}, None, False),
        ({"magmom": 4.3}, (3.0, 3.0), True),
        ({"charges": [0.6, -0.6]}, None, True),
        ({"charges": [0.6, 0.4]}, None, False),
    ],
)
def test_another_state_than_an_earlier_calculation_found_is_grave(
    found: dict[str, Any], start: tuple[float, ...] | None, agree: bool
) -> None:
    atoms = Atoms("Fe2", [[0, 0, 0], [1.4, 1.4, 1.4]], cell=[2.8] * 3, pbc=True)
    atoms.calc = SinglePointCalculator(atoms, **found)
    account = Account("s.extxyz")
    check_electrons(cast(Any, Fixed(start)), [atoms], account)
    assert [doubt.weight for doubt in account.doubts] == ["note" if agree else "warn"]


def test_a_charged_molecule_in_plane_waves_is_noted_and_a_charged_slab_warned_of() -> None:
    molecule, slab = (Atoms("Fe", cell=[9, 9, 20], info={"charge": 1}) for _ in range(2))
    slab.pbc = (True, True, False)
    account = Account("s.extxyz")
    check_electrons(cast(Any, Fixed(None)), [molecule, slab], account)
    assert "computed without its images" in account.as_dict()["notes"][0]
    assert "uniform neutralising background" in account.as_dict()["warnings"][0]
