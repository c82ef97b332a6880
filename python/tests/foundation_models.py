"""A stand-in for the foundation model's environment, and frames for the real one where it is installed."""

import sys

import numpy as np
import pytest
from ase.build import bulk

from gibbsflow.engines.foundation import environment, session
from gibbsflow.errors import MissingProgramError

_HEAD = """
import sys, time
sys.path.insert(0, sys.argv.pop(1))
from gibbsflow.engines.messages import receive, send
out, requests = sys.stdout.buffer, sys.stdin.buffer
send(out, {"versions": {"python": "3", "chgnet": "0", "torch": "0"}}, {})
"""


def present():
    """Whether the environment is there."""
    try:
        environment.find_environment()
    except MissingProgramError:
        return False
    return True


needs_model = pytest.mark.skipif(not present(), reason="no environment of the foundation model (make setup-foundation)")


def stand_in(monkeypatch, script):
    """Have the sessions start a script in this Python in place of the program."""
    monkeypatch.setattr(environment, "_START", _HEAD + script)
    made = environment.Environment(environment.Path(sys.executable), "0" * 64)
    monkeypatch.setattr(session, "find_environment", lambda: made)


def tuning_arrays(count=6, seed=1, scale=0.05):
    """Frames of two silicon atoms with a made-up energy and forces, as the program reads them."""
    rng = np.random.default_rng(seed)
    frames = []
    for _ in range(count):
        atoms = bulk("Si")
        atoms.rattle(scale, seed=int(rng.integers(10**6)))
        frames.append(atoms)
    number = 2 * count
    return {
        "counts": np.full(count, 2), "numbers": np.full(number, 14),
        "positions": np.concatenate([a.get_positions() for a in frames]),
        "cells": np.array([a.cell[:] for a in frames]), "energies": rng.normal(-10.0, 0.1, count),
        "forces": rng.normal(0, 0.1, (number, 3)), "masks": np.ones(number, bool),
        "stresses": np.vstack([rng.normal(0, 0.01, (count - 1, 6)), np.full((1, 6), np.nan)]),
        "weights": np.ones((count, 3)), "judge": np.arange(count) < 2,
    }  # fmt: skip


def request(**changes):
    """Request of a small fit."""
    return {"weights": "0.3.0", "frozen": "none", "learning_rate": 1e-3, "epochs": 3, "batch": 2,
            "loss": [1.0, 1.0, 0.1], "seed": 1, "time_s": 500.0, **changes}  # fmt: skip
