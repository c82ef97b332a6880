"""The search for the temperature at which crystal and melt stay; what they do is acted here, and run in benchmarks/."""

from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk
from pair_crystals import fcc

from gibbsflow.config.potential_validation import Validation
from gibbsflow.engines.lammps_frame import to_frame
from gibbsflow.errors import ScienceError
from gibbsflow.potential.validate.ensembles import coexistence
from gibbsflow.potential.validate.ensembles.coexistence import Coexistence, melting
from gibbsflow.potential.validate.ensembles.crystalline_order import CrystallineOrder
from gibbsflow.potential.validate.properties.crystals import Crystal

SETTINGS = Validation(properties=("melting",), melting_range_k=(600.0, 3000.0), melting_runs_max=8)


def acted(monkeypatch: pytest.MonkeyPatch, melts_k: float, moves: float):  # type: ignore[no-untyped-def]
    """A box that goes a share of the way to the melting temperature, where it starts within 500 K of it."""

    def one(_rest, _settings, _md, start_k, number):  # type: ignore[no-untyped-def]
        off = melts_k - start_k
        if abs(off) > 500:
            return Coexistence(start_k, "solid" if off > 0 else "liquid", start_k, 3.0, float(off > 0))
        return Coexistence(start_k, "both", start_k + moves * off + (-1) ** number, 3.0, 0.5)

    monkeypatch.setattr(coexistence, "_coexist", one)
    return melting(fcc(), SETTINGS, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("melts_k", [700.0, 1234.0, 1801.0, 2900.0])
def test_both_sides_meet(monkeypatch: pytest.MonkeyPatch, melts_k: float) -> None:
    found = acted(monkeypatch, melts_k, 0.8)
    error = found.errors["melting_temperature"]
    assert abs(found.values["melting_temperature"] - melts_k) < 2 * error and error < 0.025 * melts_k
    assert not found.warnings and len(found.notes) <= 8


def test_boxes_that_stay_where_they_start_decide_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    found = acted(monkeypatch, 1500.0, 0.02)
    assert not found.values and "not decided" in found.warnings[0] and "do not meet" in found.warnings[0]


@pytest.mark.parametrize(("melts_k", "left"), [(5000.0, "all crystal"), (90.0, "all melt")])
def test_a_range_without_it_decides_nothing(monkeypatch: pytest.MonkeyPatch, melts_k: float, left: str) -> None:
    found = acted(monkeypatch, melts_k, 0.8)
    assert not found.values and "another validation.melting_range_k" in found.warnings[0] and left in found.notes[-1]


@pytest.mark.parametrize("atoms_min", [100, 1000])
def test_of_tall_cells_some_slices_lie_within_the_melt(atoms_min: int) -> None:
    """The melt is looked at away from both faces: with four slices none is, and nothing ever counts as molten."""
    tall = bulk("Ti", c=30.0)
    settings = SETTINGS.model_copy(update={"melting_atoms_min": atoms_min})
    crystal = Crystal.of(tall, 0.01)
    repeats = coexistence._repeats(crystal, settings)
    box = to_frame(crystal.conventional.repeat(repeats), ("Ti",), 5.0)
    slices = CrystallineOrder.of(crystal.conventional, box, slices=repeats[2]).slices
    assert range(slices // 2 + 1, slices - 1)


def test_a_crystal_that_does_not_stand_upright_is_refused() -> None:
    leaning = bulk("Cu", cubic=True)
    leaning.set_cell(leaning.cell.array @ np.array([[1, 0, 0], [0, 1.1, 0], [0.2, 0, 1.3]]), scale_atoms=True)

    class Md:
        class potential:  # noqa: N801
            species, cutoff_angstrom = ("Cu",), 3.0

    with pytest.raises(ScienceError, match="does not stand upright"):
        melting(Crystal.of(leaning, 0.01), SETTINGS, Md())  # type: ignore[arg-type]
