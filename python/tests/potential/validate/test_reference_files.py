from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk, molecule
from pair_crystals import fcc

from gibbsflow.errors import InputError
from gibbsflow.potential.validate.ensembles.radial_distributions import radial_distribution
from gibbsflow.potential.validate.properties.crystals import Crystal
from gibbsflow.potential.validate.reference_files import read_references
from gibbsflow.potential.validate.subjects import Subject

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
    assert [one.value for one in found.values] == pytest.approx([151.4, 1.23, 15.589, 2.6], rel=1e-4)
    assert [one.unit for one in found.values] == ["GPa", "J/m^2", "THz", "1e-6/K"]
    assert found.values[0].source == "Balamane 1992"


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
    with pytest.raises(InputError, match=r"r\.yaml.*references: a list of property, value, unit and source"):
        read_references(tmp_path / "r.yaml")


RDF = "distributions: [{temperature_k: 300, file: g.txt, unit: nm, source: X-rays}]\n"
RADII = np.arange(0.01, 0.8, 0.01)


def table(**changes: str) -> str:
    rows = {f"{r:.2f}": f"{0 if r < 0.2 else 1 + 2 * np.exp(-(((r - 0.235) / 0.01) ** 2)):.3f}" for r in RADII}
    return "# r g(r)\n" + "".join(f"{r}, {g}\n" for r, g in (rows | changes).items())


def test_a_distribution_comes_in_angstrom(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text(RDF)
    (tmp_path / "g.txt").write_text(table())
    (one,) = read_references(tmp_path / "r.yaml").distributions
    assert one.radius_angstrom[np.argmax(one.density)] == pytest.approx(2.3, abs=0.11)
    assert one.source == "X-rays" and len(one.density) == len(RADII)


@pytest.mark.parametrize("reach_angstrom", [3.5, 4.0, 6.0, 8.0])
def test_shells_of_a_cold_crystal_are_no_reason_to_refuse(tmp_path: Path, reach_angstrom: float) -> None:
    atoms = bulk("Si", cubic=True) * (3, 3, 3)
    atoms.rattle(0.1, seed=1)
    density = radial_distribution(atoms.positions, atoms.cell.array)
    rows = [
        f"{r:.3f} {g:.4f}\n" for r, g in zip(0.05 * (np.arange(160) + 0.5), density, strict=True) if r < reach_angstrom
    ]
    (tmp_path / "r.yaml").write_text(RDF.replace("nm", "Å"))
    (tmp_path / "g.txt").write_text("".join(rows))
    (one,) = read_references(tmp_path / "r.yaml").distributions
    assert len(one.density) == len(rows)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (table(**{"0.30": "high"}), r"g.txt.*line 31|g.txt.*31.*is no row"),
        (table(**{"0.30": "nan"}), "is not finite"),
        (table(**{"0.30": "-1"}), "none below 0"),
        ("0.1 1\n0.2 2 3\n", "'0.2 2 3' is no row"),
        ("0.1 1\n0.2 2\n", "20 items|at least 20"),
        (table() + "0.10 1.0\n", "distances that rise"),
        ("".join(f"{r:.2f} {100 * r * r}\n" for r in np.arange(0.1, 0.9, 0.01)), "which goes to 1 far away"),
        (None, "g.txt"),
    ],
)
def test_distributions_that_are_none_are_refused(tmp_path: Path, content: str | None, told: str) -> None:
    (tmp_path / "r.yaml").write_text(RDF)
    if content is not None:
        (tmp_path / "g.txt").write_text(content)
    with pytest.raises(InputError, match=told):
        read_references(tmp_path / "r.yaml")


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "g.txt").write_text("x\n")
    (tmp_path / "r.yaml").write_text(RDF + "references: [{property: c11, value: 1, unit: eV, source: x}]\n")
    with pytest.raises(InputError) as caught:
        read_references(tmp_path / "r.yaml")
    assert len(caught.value.problems) == 2
    (tmp_path / "r.yaml").write_text(RDF.replace("nm", "pm"))
    with pytest.raises(InputError, match="'pm' is no unit of length"):
        read_references(tmp_path / "r.yaml")


def test_references_of_another_phase_are_refused(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text(f"space_group: 225{GOOD}")
    read = read_references(tmp_path / "r.yaml")
    read.require(Subject(fcc(), None, "here"))
    with pytest.raises(InputError, match=r"is of space group 225.*Ti, P6_3/mmc \(194\)"):
        read.require(Subject(Crystal.of(bulk("Ti"), 0.01), None, "here"))
    with pytest.raises(InputError, match="a molecule"):
        read.require(Subject(None, molecule("H2O"), "here"))
