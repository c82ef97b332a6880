"""Small silicon structures that tests of labels share."""

from __future__ import annotations

import pytest
from ase import Atoms
from ase.build import bulk

from gibbsflow.config.label_engines import find_pw
from gibbsflow.config.potential import Dft
from gibbsflow.potential.data.structures import tag

needs_pw = pytest.mark.skipif(find_pw() is None, reason="pw.x of Quantum ESPRESSO is not installed")

# coarse on purpose: real SCF cycles in a second
COARSE = {
    "functional": "lda",
    "pseudo_library": "gth",
    "ecutwfc_ry": 10.0,
    "kspacing_per_angstrom": 1.2,
    "conv_thr_ry": 1e-7,
}


def coarse(**changes: object) -> Dft:
    return Dft.model_validate({**COARSE, **changes})


def si2(seed: int = 1, sigma: float = 0.05) -> Atoms:
    atoms = bulk("Si", a=5.4)
    atoms.rattle(sigma, seed=seed)
    return tag(atoms, "rattle", generator="test", seed=seed)


def si8(seed: int = 1, sigma: float = 0.1) -> Atoms:
    atoms = bulk("Si", cubic=True)
    atoms.rattle(sigma, seed=seed)
    return tag(atoms, "rattle", generator="test", seed=seed)


def overlapping() -> Atoms:
    atoms = bulk("Si", cubic=True)
    atoms.positions[1] = atoms.positions[0] + 0.1
    return tag(atoms, "rattle", generator="test", seed=0)
