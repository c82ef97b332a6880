"""Expansion, radial distribution and melting of Stillinger-Weber silicon by the MD of `train validate`.

    python benchmarks/warm_silicon.py [--state DIR] [--melting-ps 40] [--sample-ps 20]

The potential is one of LAMMPS' own, so that what is measured is the method: its melting temperature is published, its
expansion at 150 and 600 K stands beside the quasi-harmonic one with classical nuclei, which MD has. Writes
warm_silicon.json beside it; --state keeps segments, so that a killed run goes on. A quarter of an hour of one core.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from ase.build import bulk
from scipy.optimize import minimize_scalar

sys.path.insert(0, str(Path(__file__).parents[1] / "python" / "tests"))
from stillinger_weber import StillingerWeber, SwPotential  # noqa: E402 - the tests' potential

from gibbsflow.config.potential_validation import Validation  # noqa: E402
from gibbsflow.engines.lammps import Lammps  # noqa: E402
from gibbsflow.potential.validate.ensembles.coexistence import melting  # noqa: E402
from gibbsflow.potential.validate.ensembles.md_runs import MdRuns  # noqa: E402
from gibbsflow.potential.validate.ensembles.npt_expansions import npt_expansion  # noqa: E402
from gibbsflow.potential.validate.ensembles.radial_distributions import by_runs  # noqa: E402
from gibbsflow.potential.validate.properties.crystals import Crystal, at_rest  # noqa: E402
from gibbsflow.potential.validate.properties.equations_of_state import volume_frames  # noqa: E402
from gibbsflow.potential.validate.properties.phonons import force_constants  # noqa: E402
from gibbsflow.potential.validate.properties.plans import Measured, answered, by_calculator, energy_of  # noqa: E402
from gibbsflow.units import KB_EV_PER_K  # noqa: E402
from gibbsflow.workflow.state.segments import Stopper  # noqa: E402

PUBLISHED = {"melting_temperature_k": [1691, 20], "source": "Broughton and Li, Phys. Rev. B 35, 9120 (1987)"}


def classical_harmonic(rest: Crystal, settings: Validation, folder: Path) -> float:
    """Linear expansion, 1e-6/K, of E(V) + kT sum(ln omega(V)): the quasi-harmonic approximation of classical nuclei."""
    factors = np.linspace(0.99, 1.03, 7)
    with Lammps(folder / "harmonic") as lammps:
        evaluate = by_calculator(StillingerWeber(lammps))
        frames = answered(volume_frames(rest, factors, settings), evaluate)
        energies, logs = [], []
        for frame in frames:
            found = answered(force_constants(Crystal.of(frame, 0.01, like=rest), settings), evaluate)
            found.run_mesh(settings.phonon_mesh_angstrom, is_gamma_center=False)
            weights = np.asarray(found.mesh.weights, dtype=float)
            frequencies = np.maximum(np.asarray(found.mesh.frequencies), 1e-3)
            logs.append(float((weights[:, None] * np.log(frequencies)).sum() / weights.sum()) / len(found.primitive))
            energies.append(energy_of(frame) / len(frame))
    volumes = np.array([frame.get_volume() / len(frame) for frame in frames])

    def rests_at(kelvin: float) -> float:
        curve = np.polyfit(volumes - volumes[2], np.array(energies) + KB_EV_PER_K * kelvin * np.array(logs), 4)
        low, high = volumes[0] - volumes[2], volumes[-1] - volumes[2]
        return volumes[2] + minimize_scalar(lambda v: np.polyval(curve, v), bounds=(low, high), method="bounded").x

    span = settings.expansion_span_k / 2
    ends = [rests_at(settings.temperature_k + sign * span) for sign in (-1, 1)]
    return float(np.log(ends[1] / ends[0]) / (2 * span) / 3 * 1e6)


def told(found: Measured) -> dict[str, Any]:
    """What is recorded of a measurement."""
    return {"values": found.values, "errors": found.errors, "notes": found.notes, "warnings": found.warnings}


def main() -> int:
    """Measure and record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--state", type=Path, help="keeps segments, which are not run again")
    parser.add_argument("--melting-ps", type=float, default=40.0)
    parser.add_argument("--sample-ps", type=float, default=20.0)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    settings = Validation(
        melting_ps=arguments.melting_ps, melting_range_k=(1000.0, 2400.0), sample_ps=arguments.sample_ps,
        rdf_temperatures_k=(300.0,), supercell_angstrom=10.0,
    )  # fmt: skip
    cold = {"temperature_k": 150.0, "expansion_span_k": 200.0, "sample_ps": arguments.sample_ps / 2}
    warm = {"temperature_k": 600.0, "expansion_span_k": 600.0}
    record: dict[str, Any] = {"published": PUBLISHED, "settings": settings.model_dump(mode="json", exclude_unset=True)}
    with tempfile.TemporaryDirectory() as scratch, Stopper() as stopper:
        folder = arguments.state or Path(scratch)
        with Lammps(folder / "rest") as lammps:
            start = Crystal.of(bulk("Si", a=5.431), 0.01)
            rest, *_ = answered(at_rest(start, settings), by_calculator(StillingerWeber(lammps)))
        md = MdRuns(SwPotential(), "sw", folder / "md", stopper)
        # the nearer to 0 K, the nearer both have to be
        for changes in (cold, warm):
            own = settings.model_copy(update=changes)
            record[f"expansion_{own.temperature_k:.0f}K"] = {
                "classical_harmonic_ppm_per_k": classical_harmonic(rest, own, folder),
                **told(npt_expansion(rest, own, md)),
            }
        record["rdf"], record["melting"] = told(by_runs(rest, settings, md)), told(melting(rest, settings, md))
    Path(__file__).with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps(record, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
