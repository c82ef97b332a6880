from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ase.build import bulk

from gibbsflow.engines.lammps_frame import to_frame
from gibbsflow.potential.validate.ensembles.crystalline_order import CrystallineOrder

SALT = bulk("NaCl", "rocksalt", a=5.6, cubic=True)


@pytest.mark.parametrize(
    "unit", [bulk("Si", cubic=True), bulk("Cu", cubic=True), bulk("Fe", cubic=True), bulk("Ti"), SALT]
)
def test_crystal_and_melt_of_one_box(unit) -> None:  # type: ignore[no-untyped-def]
    atoms = unit * (3, 3, 8)
    frame = to_frame(atoms, sorted(set(atoms.get_chemical_symbols())), 5.0)
    order = CrystallineOrder.of(unit, frame, slices=8)
    whole = order.of_slices(frame)
    assert whole == pytest.approx(np.ones(order.slices), abs=0.1)
    rng = np.random.default_rng(2)
    upper = (frame.positions @ np.linalg.inv(frame.cell))[:, 2] > 0.5
    mixed = frame.positions + rng.normal(0, 0.1, frame.positions.shape)
    mixed[upper] = rng.uniform([0, 0, 0.5], 1.0, (upper.sum(), 3)) @ frame.cell
    # moved as a whole, in a box that has grown
    half = order.of_slices(replace(frame, positions=(mixed + [0.7, 0.2, 0.0]) * 1.02, cell=frame.cell * 1.02))
    middle = order.slices // 2
    assert half[: middle - 1].min() > 0.6 and half[middle + 1 :].max() < 0.35
