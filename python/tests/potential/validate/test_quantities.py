from __future__ import annotations

from pathlib import Path

import pytest

from gibbsflow.config.potential_validation import Validation
from gibbsflow.errors import InputError
from gibbsflow.potential.validate.quantities import QUANTITIES, UNITS, bounds, quantity, read_references

GOOD = """
references:
  - {property: c11, value: 1.514, unit: Mbar, source: Balamane 1992}
  - {property: surface_energy_1m10, value: 1230, unit: mJ/m^2, source: here}
  - {property: highest_frequency, value: 520, unit: cm^-1, source: Raman}
  - {property: thermal_expansion, value: 2.6e-6, unit: 1/K, source: handbook}
"""


def test_references_come_in_our_units(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(GOOD)
    found = read_references(path)
    assert [one.value for one in found] == pytest.approx([151.4, 1.23, 15.589, 2.6], rel=1e-4)
    assert [one.unit for one in found] == ["GPa", "J/m^2", "THz", "1e-6/K"] and found[0].source == "Balamane 1992"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            "{property: c77, value: 1, unit: GPa, source: x}",
            r"references\[0\].property.*'c77' is no quantity.*one of lattice_a",
        ),
        ("{property: bulk_modulos, value: 1, unit: GPa, source: x}", "did you mean 'bulk_modulus'"),
        ("{property: c11, value: 1, unit: eV, source: x}", r"'eV' is no unit of c11.*GPa or kbar"),
        ("{property: c11, value: high, unit: GPa, source: x}", "references.0.value"),
        ("{property: c11, value: 1, unit: GPa}", "source"),
        ("{property: c11, value: 1, unit: GPa, source: x, by: y}", "unknown parameter"),
    ],
)
def test_references_that_are_none_are_refused(tmp_path: Path, line: str, told: str) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(f"references: [{line}]\n")
    with pytest.raises(InputError, match=told):
        read_references(path)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("references: []\n")
    with pytest.raises(InputError):
        read_references(tmp_path / "r.yaml")


def test_every_quantity_has_a_unit_and_known_tolerances() -> None:
    for one in QUANTITIES:
        assert quantity(one.example) is one and UNITS[one.unit][one.unit] == 1.0
        assert not one.tolerance or hasattr(Validation(), one.tolerance)
        assert not one.floor or hasattr(Validation(), one.floor)


def test_bounds_are_relative_with_a_floor() -> None:
    settings = Validation(modulus_tolerance=(0.1, 0.2), modulus_floor_gpa=5)
    assert bounds("c11", 100.0, settings) == pytest.approx((10, 20))
    assert bounds("c12", -10.0, settings) == pytest.approx((5, 5))
    assert bounds("lattice_a", 5.0, settings) == pytest.approx((0.05, 0.15))
    assert bounds("volume", 20.0, settings) == pytest.approx((0.6, 1.8))
    assert bounds("bulk_modulus_derivative", 4.0, settings) is None and bounds("other", 1.0, settings) is None
