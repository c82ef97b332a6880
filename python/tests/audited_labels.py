"""Databases of labels by effective medium theory that are right, for audits to look through."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.build import bulk
from labelled_sets import label, rattled

from gibbsflow.potential.data.database import DatabaseManager
from gibbsflow.potential.data.labels import LabelResult
from gibbsflow.potential.data.structures import tag

SETTINGS = "emt-1"


def strained(count: int = 9) -> list[Atoms]:
    """Copper at volumes around its own."""
    return [label(bulk("Cu", cubic=True, a=a), config_type="strain") for a in np.linspace(3.45, 3.8, count)]


def displaced(count: int = 14) -> list[Atoms]:
    """Copper, rattled and strained."""
    return rattled(count, 1)


def database(where: Path, frames: Sequence[Atoms], **result: Any) -> DatabaseManager:
    """Record labels as `dft label` does."""
    manager = DatabaseManager(where)
    labels = []
    for number, frame in enumerate(frames):
        frame.info.pop("gibbsflow_id", None)
        figures = frame.calc.results
        (name,) = manager.add([tag(frame, frame.info["config_type"], generator="test", seed=number)])
        stress = figures.get("stress")
        labels.append(
            LabelResult(
                name, "labelled", energy_ev=float(figures["energy"]),
                forces_ev_per_angstrom=np.asarray(figures["forces"]).tolist(),
                stress_ev_per_angstrom3=None if stress is None else np.asarray(stress).tolist(),
                settings_hash=SETTINGS, engine="emt", program="emt 1", **result,
            )
        )  # fmt: skip
    manager.record(labels)
    return manager
