"""Structures of molecules and molecular ions, for several tests."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from ase.build import molecule
from ase.spacegroup import crystal


def water_box(edge_angstrom: float = 6.2) -> Atoms:
    """Eight waters that are turned this way and that, wrapped into a cubic cell."""
    box = Atoms(cell=[edge_angstrom] * 3, pbc=True)
    for k in range(8):
        water = molecule("H2O")
        water.rotate(50 * k, (1, k % 3, 1), center="COM")
        water.positions += np.array([k & 1, k >> 1 & 1, k >> 2]) * edge_angstrom / 2 + 0.4
        box += water
    box.wrap()
    return box


def calcite(*cations: str) -> Atoms:
    """CaCO3, R-3c (Graf, Am. Mineral. 1961, 46, 1283): 6 Ca, 6 C, 18 O; the first Ca may be others."""
    basis = [(0, 0, 0), (0, 0, 0.25), (0.2568, 0, 0.25)]
    made = crystal(["Ca", "C", "O"], basis, spacegroup=167, cellpar=[4.99, 4.99, 17.06, 90, 90, 120])
    made.symbols[: len(cations)] = list(cations)
    return made


def brucite() -> Atoms:
    """Mg(OH)2, P-3m1 (Zigan, Rothbauer, Neues Jahrb. Mineral. 1967, 137)."""
    basis = [(0, 0, 0), (1 / 3, 2 / 3, 0.22), (1 / 3, 2 / 3, 0.43)]
    return crystal(["Mg", "O", "H"], basis, spacegroup=164, cellpar=[3.142, 3.142, 4.766, 90, 90, 120])


def salammoniac() -> Atoms:
    """NH4Cl in the cell of CsCl."""
    ion = Atoms("NH4", [[0, 0, 0], *(0.6 * np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]))])
    return Atoms(ion + Atoms("Cl", [[1.94, 1.94, 1.94]]), cell=[3.88] * 3, pbc=True)
