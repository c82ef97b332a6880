"""Elastic constants of a loop's potential beside those of the DFT that labelled it, by the same settings and strains.

    python benchmarks/elastic_constants.py --results results/demo-potential [--out elastic_constants.json]

RESULTS is what a learning loop left: its config.json says which DFT, its potential/ is measured. Cubic elements only.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from ase.build import bulk
from ase.calculators.calculator import Calculator, all_changes

from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.potential.data.structures import tag
from gibbsflow.potential.explore.calculator import PodCalculator
from gibbsflow.potential.label.engines import LabelEngine, make_engine
from gibbsflow.potential.validate.properties.crystals import Crystal, at_rest
from gibbsflow.potential.validate.properties.elasticity import constants
from gibbsflow.potential.validate.properties.plans import answered, by_calculator

# of published calculations and of experiment, for orientation: other functionals than a demo's
PUBLISHED = {
    "Si": {"PBE (Zuo 2020)": (156, 65, 76), "PBE (Lysogorskiy 2021)": (147, 50, 73), "measured": (166, 64, 80)}
}


class LabelCalculator(Calculator):
    """Energy, forces and stress by the engine that makes labels."""

    implemented_properties = ["energy", "forces", "stress"]

    def __init__(self, engine: LabelEngine) -> None:
        super().__init__()
        self.engine, self.runs, self.program = engine, 0, engine.name

    def calculate(self, atoms: Any = None, properties: Any = ("energy",), system_changes: Any = all_changes) -> None:
        """Label the structure; see ASE."""
        super().calculate(atoms, properties, system_changes)
        self.runs += 1
        label = self.engine.label(tag(self.atoms.copy(), "elastic", generator="benchmark", seed=0))
        if label.status != "labelled":
            raise RuntimeError(f"{label.cause}: {label.message}")
        self.program = label.program
        self.results = {
            "energy": label.energy_ev,
            "forces": np.array(label.forces_ev_per_angstrom),
            "stress": np.array(label.stress_ev_per_angstrom3),
        }


def measure(config: PotentialConfig, calculator: Calculator) -> dict[str, Any]:
    """Constants of the target's crystal, with the time they took."""
    start = time.monotonic()
    (element,) = config.target.elements
    atoms = bulk(element, config.target.crystal, a=config.target.lattice_constant_angstrom, cubic=True)
    evaluate = by_calculator(calculator)
    precision = config.validation.symmetry_angstrom
    rest, *_ = answered(at_rest(Crystal.of(atoms, precision), config.validation), evaluate)
    found = answered(constants(rest, config.validation), evaluate)
    return {
        "lattice_constant_angstrom": float(rest.conventional.cell[0, 0]),
        **{f"{name}_gpa": value for name, value in found.values_gpa.items()},
        "residual_gpa": found.residual_gpa,
        "bulk_modulus_gpa": found.hill_gpa()[0],
        "wall_s": round(time.monotonic() - start, 1),
    }


def main() -> int:
    """Measure both and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    config = PotentialConfig.expand(options.results / "config.json")
    reference = LabelCalculator(make_engine(config.target.elements, config.dft, config.labels))
    rows = {
        "DFT": measure(config, reference),
        "potential": measure(config, PodCalculator(options.results / "potential")),
    }
    lines = ["| | a, Å | C11, GPa | C12, GPa | C44, GPa | B, GPa |", "|---|---|---|---|---|---|"]
    keys = ("lattice_constant_angstrom", "c11_gpa", "c12_gpa", "c44_gpa", "bulk_modulus_gpa")
    for name, row in rows.items():
        lines.append(f"| {name} | {row[keys[0]]:.4f} | " + " | ".join(f"{row[key]:.1f}" for key in keys[1:]) + " |")
    shifts = [rows["potential"][key] / rows["DFT"][key] - 1 for key in keys]
    lines.append("| difference | " + " | ".join(f"{100 * shift:+.1f} %" for shift in shifts) + " |")
    for name, (c11, c12, c44) in PUBLISHED.get(config.target.elements[0], {}).items():
        lines.append(f"| {name} | | {c11} | {c12} | {c44} | {(c11 + 2 * c12) / 3:.0f} |")
    sys.stdout.write("\n".join(lines) + "\n")
    if options.out:
        record = {
            "dft": config.dft.model_dump(mode="json"),
            "program": reference.program,
            "runs": reference.runs,
            **rows,
        }
        options.out.write_text(json.dumps(record, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
