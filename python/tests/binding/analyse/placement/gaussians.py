"""Legs whose metric is known exactly: Gaussians that shift along λ, at any pace, drawn directly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from gibbsflow.binding.sample.energies import Energies, read_leg, write_window

Row = tuple[float, float, float]
TEMPERATURE_K = 298.15


def charges(*values: float) -> list[Row]:
    """Rows of a schedule in which the charges end, and the sterics with them."""
    return [(0.0, value, 1.0) for value in values[:-1]] + [(0.0, 0.0, 0.0)]


def write_run(
    folder: Path,
    rows: Sequence[Row],
    centre: Callable[[Row], float],
    *,
    count: int = 4000,
    seed: int = 1,
    replicate: int = 0,
    leave_out: tuple[int, ...] = (),
    leg: str = "solvent",
) -> Path:
    """Write the windows of u = (x − centre(λ))²/2: the metric of λ is (d centre/dλ)²."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    centres = np.array([centre(row) for row in rows])
    names = ("lambda_restraints", "lambda_electrostatics", "lambda_sterics")
    meta = {
        "temperature_k": TEMPERATURE_K,
        "leg": leg,
        "transformation": "guest",
        "replicate": replicate,
        "states": [dict(zip(names, row, strict=True)) for row in rows],
        "seed": seed,
        "sampler": "independent",
    }
    for state in range(len(rows)):
        x = centres[state] + random.standard_normal(count)
        u = 0.5 * (x[:, None] - centres) ** 2
        if state not in leave_out:
            write_window(folder / f"window_{state:02d}.parquet", np.arange(1.0, count + 1), state, state, u, meta)
    return folder


def energies(folder: Path) -> Energies:
    """All windows of a folder."""
    return read_leg(sorted(folder.glob("window_*.parquet")), allow_missing=True)
