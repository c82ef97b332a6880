"""Silicon of Stillinger and Weber by LAMMPS, whose properties are published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ase.calculators.calculator import Calculator, all_changes

from gibbsflow.engines.lammps import Lammps
from gibbsflow.engines.lammps_frame import stress_from_virial, to_frame

# Stillinger and Weber, Phys. Rev. B 31, 5262 (1985)
SW = "Si Si Si 2.1683 2.0951 1.80 21.0 1.20 -0.333333333333 7.049556277 0.6022245584 4.0 0.0 0.0\n"


class SwPotential:
    """Silicon as a potential that MD runs in LAMMPS."""

    species, cutoff_angstrom, lammps_style = ("Si",), 3.78, "sw"

    def pair_commands(self, folder: Path) -> list[str]:
        (folder / "Si.sw").write_text(SW)
        return ["pair_style sw", "pair_coeff * * Si.sw Si"]


class StillingerWeber(Calculator):
    """Energy, forces and stress of silicon."""

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
