"""Elastic constants against a potential whose constants are published."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from ase.build import bulk
from ase.calculators.calculator import Calculator, all_changes

from gibbsflow.engines.lammps import Lammps
from gibbsflow.engines.lammps_frame import stress_from_virial, to_frame
from gibbsflow.errors import InputError
from gibbsflow.potential.validate.elasticity import cubic_constants

# Stillinger and Weber, Phys. Rev. B 31, 5262 (1985)
SW = "Si Si Si 2.1683 2.0951 1.80 21.0 1.20 -0.333333333333 7.049556277 0.6022245584 4.0 0.0 0.0\n"


class StillingerWeber(Calculator):
    implemented_properties = ["energy", "forces", "stress"]

    def __init__(self, lammps: Lammps) -> None:
        super().__init__()
        self.lammps = lammps
        (lammps.folder / "Si.sw").write_text(SW)

    def calculate(self, atoms: Any = None, properties: Any = ("energy",), system_changes: Any = all_changes) -> None:
        super().calculate(atoms, properties, system_changes)
        frame = to_frame(self.atoms, ("Si",), 5.0)
        commands = [
            *self.lammps.load(frame), "pair_style sw", "pair_coeff * * Si.sw Si",
            "compute virial all pressure NULL virial", "thermo_style custom step pe c_virial[1]", "run 0 post no",
        ]  # fmt: skip
        got = self.lammps.run(commands, ["thermo:pe", "forces", "virial"])
        self.results = {
            "energy": float(got["thermo:pe"]),
            "forces": got["forces"] @ frame.rotation.T,
            "stress": stress_from_virial(got["virial"], frame.rotation),
        }


def test_silicon_of_stillinger_and_weber() -> None:
    # relaxed constants: Balamane, Halicioglu, Tiller, Phys. Rev. B 46, 2250 (1992), table IV: 151, 76, 56 GPa
    with tempfile.TemporaryDirectory() as folder, Lammps(Path(folder)) as lammps:
        silicon = bulk("Si", cubic=True, a=5.5)
        silicon.calc = StillingerWeber(lammps)
        found = cubic_constants(silicon)
    assert found.lattice_constant_angstrom == pytest.approx(5.431, abs=0.001)
    assert found.c11_gpa == pytest.approx(151.4, abs=1.0)
    assert found.c12_gpa == pytest.approx(76.4, abs=1.0)
    assert found.c44_gpa == pytest.approx(56.4, abs=1.0)  # 117 with ions held
    assert found.bulk_modulus_gpa == pytest.approx(101.4, abs=1.0)
    assert found.residual_gpa < 0.1


def test_other_crystals_are_refused() -> None:
    for atoms in (bulk("Ti"), bulk("Si")):
        with pytest.raises(InputError, match="a conventional cubic cell"):
            cubic_constants(atoms)
