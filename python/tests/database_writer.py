"""A process that writes into a database, for tests that start several or kill one (WHERE SEED COUNT MODE)."""

from __future__ import annotations

import os
import sys

import numpy as np
from silicon import si2

from gibbsflow.potential.data.database import DatabaseManager
from gibbsflow.potential.data.labels import LabelResult


def result_of(atoms, energy_ev: float = -1.0) -> LabelResult:
    forces = np.zeros((len(atoms), 3)).tolist()
    return LabelResult(
        atoms.info["gibbsflow_id"], "labelled", energy_ev=energy_ev, forces_ev_per_angstrom=forces,
        stress_ev_per_angstrom3=[0.0] * 6, settings_hash="test-0123456789abcdef", engine="test",
    )  # fmt: skip


def main() -> None:
    where, seed, count, mode = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    manager = DatabaseManager(where)
    frames = [si2(seed * 10_000 + number) for number in range(count)]
    if mode == "add":
        for frame in frames:
            manager.add([frame])
    elif mode == "label":
        while claimed := manager.claim(3, f"writer {os.getpid()}"):
            manager.record([result_of(atoms) for atoms in claimed])
            sys.stdout.write("".join(f"{atoms.info['gibbsflow_id']}\n" for atoms in claimed))
    elif mode == "half":
        with manager._transaction():
            for number, frame in enumerate(frames):
                manager._db.write(
                    frame, key_value_pairs={"gibbsflow_id": frame.info["gibbsflow_id"], "status": "pending"}
                )
                if number == count // 2:
                    sys.stdout.write("half way\n")
                    sys.stdout.flush()
                    sys.stdin.read()


if __name__ == "__main__":
    main()
