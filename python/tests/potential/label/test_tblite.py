from __future__ import annotations

import numpy as np
import pytest
from ase.build import molecule
from silicon import overlapping, si8

from gibbsflow.config.potential import Dft, Labels
from gibbsflow.potential.data.structures import tag
from gibbsflow.potential.label.engines import make_engine

pytest.importorskip("tblite")
ENGINE = make_engine(["Si"], Dft(engine="tblite"), Labels())


def energy(atoms) -> float:
    result = ENGINE.label(atoms)
    assert result.status == "labelled", result.message
    return result.energy_ev


def test_forces_and_stress_of_a_crystal_are_derivatives_of_its_energy() -> None:
    atoms, step = si8(), 2e-3
    label = ENGINE.label(atoms)
    sides = []
    for sign in (1, -1):
        moved = atoms.copy()
        moved.positions[2, 1] += sign * step
        sides.append(energy(moved))
    assert label.forces_ev_per_angstrom[2][1] == pytest.approx(-(sides[0] - sides[1]) / (2 * step), abs=2e-3)
    sides = []
    for sign in (1, -1):
        strained = atoms.copy()
        strained.set_cell(atoms.cell.array @ (np.eye(3) + sign * step * np.diag([1, 0, 0])), scale_atoms=True)
        sides.append(energy(strained))
    numeric = (sides[0] - sides[1]) / (2 * step) / atoms.get_volume()
    assert label.stress_ev_per_angstrom3[0] == pytest.approx(numeric, abs=1e-4)


def test_molecules_have_no_stress_and_bad_ones_a_cause() -> None:
    water = ENGINE.label(tag(molecule("H2O"), "molecule", generator="test", seed=0))
    assert (water.status, water.stress_ev_per_angstrom3) == ("labelled", None)
    assert ENGINE.label(overlapping()).cause == "BAD_STRUCTURE"
    slab = si8()
    slab.pbc = (True, True, False)
    assert ENGINE.label(slab).cause == "BAD_STRUCTURE"
