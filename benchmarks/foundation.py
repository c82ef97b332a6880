"""CHGNet untuned and tuned, and POD, on the same frames of mlearn's silicon with the same hold-out.

Run it so::

    python benchmarks/foundation.py --data shared/data/mlearn_si --out benchmarks/foundation.json

`--data` holds `training.extxyz` and `test.extxyz`; `--every` and `--test-every` take each n-th frame of them, for
machines that have little time. Untuned means: with reference energies fitted to the training energies, else nothing
could be compared. What tuning has changed elsewhere is shown on crystals of silicon that no frame holds.
"""

from __future__ import annotations

import argparse
import logging
import platform
import resource
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from ase.build import bulk
from ase.io import read, write

from gibbsflow import PotentialCalculator
from gibbsflow.config.potential_training import Training, Tuning
from gibbsflow.engines.foundation.calculator import FoundationCalculator
from gibbsflow.potential.train import fit as training
from gibbsflow.potential.train.shared.inputs import Inputs
from gibbsflow.workflow.files import write_json
from gibbsflow.workflow.state.segments import Stopper

SHOWN = (
    "energy_mae_mev_per_atom",
    "energy_rmse_mev_per_atom",
    "force_mae_ev_per_angstrom",
    "force_rmse_ev_per_angstrom",
)
OTHERS = {"fcc": 3.85, "bcc": 3.08, "sc": 2.54}
"""Lattice constants in Å at which silicon would have these structures."""


def main() -> None:
    """Fit both, and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--every", type=int, default=1, help="each n-th training frame")
    parser.add_argument("--test-every", type=int, default=1, help="each n-th test frame")
    parser.add_argument("--epochs", type=int, default=Tuning().epochs)
    parser.add_argument("--minutes", type=float, default=15.0, help="time budget of each fit")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    rows: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        write(home / "train.extxyz", read(given.data / "training.extxyz", f"::{given.every}"))
        write(home / "test.extxyz", read(given.data / "test.extxyz", f"::{given.test_every}"))
        inputs = Inputs.read(home / "train.extxyz", home / "test.extxyz")
        fits = {}
        for backend in ("pod", "chgnet"):
            settings = Training(backend=backend, chgnet=Tuning(epochs=given.epochs), processes=1)
            begin, cpu = time.monotonic(), _cpu_s()
            with Stopper() as stopper:
                made = training.fit(
                    inputs, settings, seed=2026, stopper=stopper, budget_s=60 * given.minutes, out=home / backend
                )
            fits[backend] = made.figures
            rows[backend] = {
                **{key: made.figures["test"][key] for key in SHOWN}, "coefficients": made.figures["coefficients"],
                "wall_s": round(time.monotonic() - begin, 1), "cpu_s": round(_cpu_s() - cpu, 1),
            }  # fmt: skip
        rows["chgnet untuned"] = {key: fits["chgnet"]["untuned_test"][key] for key in SHOWN}
        elsewhere = _elsewhere(home / "chgnet" / "potential", fits["chgnet"]["shift"]["energy_ev"]["Si"])
    told = {
        "what": f"mlearn silicon, {len(inputs.train)} training and {len(inputs.test)} test frames; errors on the test "
        "frames", "machine": f"{platform.machine()}, one thread; other work on the cores, so that only cpu_s tells",
        "rows": rows,
        "chgnet": {key: fits["chgnet"][key] for key in (
            "weights", "frozen", "replay", "environment", "best_epoch", "epochs", "epochs_planned", "search_stopped_by",
            "judged_by_frames", "shift", "history")},
        "changed_elsewhere": elsewhere,
    }  # fmt: skip
    write_json(given.out, told)
    print(told)


def _elsewhere(potential: Path, shift_ev: float) -> dict[str, Any]:
    """Energies against diamond of crystals that no frame holds, before and after, and rattled forces apart."""
    found: dict[str, Any] = {}
    with closing(FoundationCalculator()) as before, closing(PotentialCalculator(potential)) as after:
        ground = [_energy(bulk("Si"), calculator) for calculator in (before, after)]
        found["diamond_difference_mev_per_atom"] = 1e3 * (ground[1] - ground[0] - shift_ev)
        for name, lattice in OTHERS.items():
            atoms = bulk("Si", name, a=lattice)
            told = [_energy(atoms, calc) - zero for calc, zero in zip((before, after), ground, strict=True)]
            atoms = bulk("Si", name, a=lattice, cubic=name != "sc").repeat(2)
            atoms.rattle(0.1, seed=1)
            forces = [_forces(atoms, calculator) for calculator in (before, after)]
            found[name] = {
                "above_diamond_ev_per_atom": {"untuned": told[0], "tuned": told[1]},
                "force_change_rmse_ev_per_angstrom": float(np.sqrt(((forces[1] - forces[0]) ** 2).mean())),
            }
    return found


def _energy(atoms: Any, calculator: Any) -> float:
    atoms.calc = calculator
    return float(atoms.get_potential_energy()) / len(atoms)


def _forces(atoms: Any, calculator: Any) -> Any:
    atoms.calc = calculator
    return atoms.get_forces()


def _cpu_s() -> float:
    """Processor time of this process and of all that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


if __name__ == "__main__":
    main()
