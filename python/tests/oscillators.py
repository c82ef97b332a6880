"""Legs whose free energy is known exactly: harmonic oscillators, sampled directly, correlated and exchanged at will."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from gibbsflow.binding.sample.energies import write_window
from gibbsflow.binding.system import SimSystem
from gibbsflow.units import kt_kcal_per_mol
from gibbsflow.workflow.files import write_json

TEMPERATURE_K = 298.15
STANDARD_STATE = {"analytic_kcal_per_mol": -5.2714, "numeric_kcal_per_mol": -5.2714}


class Oscillators:
    """Isotropic oscillators in `dimensions`, U_k = ½ K_k r²/kT + c_k, from first to last λ state.

    Parameters
    ----------
    states
        Number of states.
    stiffening
        K_last/K_first.
    offset_kt
        c_last − c_first: shifts the free energy and nothing else.
    """

    def __init__(self, states: int = 8, stiffening: float = 20.0, offset_kt: float = 0.0, dimensions: int = 3):
        self.k = stiffening ** np.linspace(0.0, 1.0, states)
        self.c = offset_kt * np.linspace(0.0, 1.0, states) ** 1.3
        self.dimensions = dimensions

    @property
    def exact_kt(self) -> float:
        """G(last) − G(first) = (d/2) ln(K_last/K_first) + c_last − c_first."""
        return 0.5 * self.dimensions * math.log(self.k[-1] / self.k[0]) + self.c[-1]

    def reduced(self, x: np.ndarray) -> np.ndarray:
        """βU of samples x (N, d) in every state, shape (N, K)."""
        return 0.5 * np.sum(x**2, axis=1)[:, None] * self.k[None, :] + self.c[None, :]

    def draw(self, state: int, count: int, rng: np.random.Generator, correlation: float = 0.0) -> np.ndarray:
        """Exact samples of one state; neighbours in time correlate as `correlation`."""
        noise = rng.standard_normal((count, self.dimensions))
        x = np.empty_like(noise)
        x[0] = noise[0]
        for n in range(1, count):
            x[n] = correlation * x[n - 1] + math.sqrt(1 - correlation**2) * noise[n]
        return x / math.sqrt(self.k[state])

    def schedule(self) -> list[dict[str, float]]:
        """λ of each state: restraints first, then electrostatics, then sterics."""
        count = len(self.k)
        third = max(2, count // 3)
        rows = []
        for n in range(count):
            rows.append(
                {
                    "lambda_restraints": min(1.0, n / third),
                    "lambda_electrostatics": 1.0 - min(1.0, n / third),
                    "lambda_sterics": 1.0 - max(0.0, (n - third) / max(1, count - 1 - third)),
                }
            )
        return rows

    def write(
        self,
        folder: Path,
        *,
        leg: str = "complex",
        transformation: str = "guest",
        replicate: int = 0,
        count: int = 200,
        seed: int = 1,
        correlation: float = 0.0,
        bias_kt: float = 0.0,
        leave_out: tuple[int, ...] = (),
        exchange: bool = True,
    ) -> Path:
        """Write all windows of one leg and replicate; `bias_kt` shifts the last state, as unsampled motion would."""
        rng = np.random.default_rng(seed)
        folder.mkdir(parents=True, exist_ok=True)
        states = len(self.k)
        walkers = np.tile(np.arange(states), (count, 1))
        for n in range(1, count if exchange else 0):
            walkers[n] = walkers[n - 1]
            for i in range(n % 2, states - 1, 2):
                if rng.random() < 0.7:
                    walkers[n, [i, i + 1]] = walkers[n, [i + 1, i]]
        meta: dict[str, Any] = {
            "temperature_k": TEMPERATURE_K,
            "leg": leg,
            "transformation": transformation,
            "replicate": replicate,
            "states": self.schedule(),
            "seed": seed,
            "sampler": "exchange" if exchange else "independent",
        }
        shift = bias_kt * np.linspace(0.0, 1.0, states)
        for state in range(states):
            u = self.reduced(self.draw(state, count, rng, correlation)) + shift
            if state not in leave_out:
                path = folder / f"window_{state:02d}.parquet"
                write_window(path, np.arange(1.0, count + 1), state, walkers[:, state], u, meta)
        return folder


def write_system(root: Path, name: str, legs: dict[str, Oscillators], replicates: int = 2, **meta: Any) -> SimSystem:
    """Write what `fe prepare` leaves, as far as the analysis reads it."""
    for leg, oscillators in legs.items():
        states = oscillators.schedule()
        content = {"name": f"{name}-{leg}", "leg": leg, "transformation": name, "states": states}
        write_json(root / "legs" / leg / "leg.json", {**content, "seed": 1, "replicates": replicates})
    facts = {
        "run": {"seed": 2026, "replicates": replicates},
        "md": {"temperature_k": TEMPERATURE_K, "solvent": "obc2", "timestep_fs": 4.0},
        "equil": {"equil_ps": 50.0},
        "fe": {"sampler": "exchange", "window_ps": 60.0, "sample_ps": 0.5},
        "restraint": {"kind": "com", "k": 10.0},
        "standard_state": STANDARD_STATE,
    }
    system = SimSystem(name, root, {"legs": "legs"}, {**facts, **meta})
    system.write()
    return system


def exact_binding_kcal_per_mol(complex_leg: Oscillators, solvent_leg: Oscillators) -> float:
    """ΔG°bind of the two legs and `STANDARD_STATE`."""
    kt = kt_kcal_per_mol(TEMPERATURE_K)
    return kt * (solvent_leg.exact_kt - complex_leg.exact_kt) - STANDARD_STATE["numeric_kcal_per_mol"]


COMPLEX, SOLVENT = Oscillators(6, 40.0, 20.0), Oscillators(4, 10.0, 5.0)
"""Two legs of a guest that binds."""


def write_transformation(
    root: Path,
    replicates: int = 2,
    bias_kt: tuple[float, ...] = (0.0, 0.0, 0.0),
    leave_out: dict[tuple[str, int], tuple[int, ...]] | None = None,
    **options: Any,
) -> tuple[SimSystem, list[Path]]:
    """Write system and runs of both legs; `leave_out` maps (leg, replicate) to windows that are not there."""
    system = write_system(root / "system", "guest", {"complex": COMPLEX, "solvent": SOLVENT}, replicates)
    runs = []
    for replicate in range(replicates):
        for leg, oscillators in (("complex", COMPLEX), ("solvent", SOLVENT)):
            folder = root / f"{leg}{replicate}"
            given = {
                "leg": leg,
                "replicate": replicate,
                "seed": 10 * replicate + (leg == "solvent"),
                "bias_kt": bias_kt[replicate] if leg == "complex" else 0.0,
                "leave_out": (leave_out or {}).get((leg, replicate), ()),
            }
            runs.append(oscillators.write(folder, count=150, **given, **options))
    return system, runs


def write_solvation(root: Path, name: str = "guest") -> tuple[SimSystem, list[Path], float]:
    """Write system and runs of one replicate in solvent and in vacuum; with its free energy of solvation, kcal/mol."""
    legs = {"solvent": COMPLEX, "vacuum": SOLVENT}
    held = write_system(root / "system", name, legs, replicates=1)
    meta = {key: value for key, value in held.meta.items() if key not in ("restraint", "standard_state")}
    system = SimSystem(name, held.root, held.artifacts, meta)
    system.write()
    runs = [
        oscillators.write(root / leg, leg=leg, transformation=name, count=300, seed=place)
        for place, (leg, oscillators) in enumerate(legs.items())
    ]
    return system, runs, kt_kcal_per_mol(TEMPERATURE_K) * (SOLVENT.exact_kt - COMPLEX.exact_kt)
