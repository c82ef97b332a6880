"""Pairs nearer than what is labelled."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from labelled_sets import bare_frame

from gibbsflow.potential.data.labelled_frames import LabelledFrame
from gibbsflow.potential.train.shared.core_pairs import core_pairs, zbl_pair


def _pair(distance: float, energy_ev: float, force: float) -> LabelledFrame:
    """C and O so far apart, and driven apart by that force."""
    atoms = Atoms("CO", [[0, 0, 0], [0, 0, distance]], cell=[9] * 3)
    forces = np.array([[0, 0, -force], [0, 0, force]])
    return replace(bare_frame("CO"), atoms=atoms, energy_ev=energy_ev, forces_ev_per_angstrom=forces)


def test_the_repulsion_is_that_of_its_authors() -> None:
    energy, force = zbl_pair(14, 14, 1.0)
    assert energy == pytest.approx(51.2, rel=0.02)  # LAMMPS' pair_style zbl, where nothing is switched
    step = 1e-5
    assert force == pytest.approx((zbl_pair(14, 14, 1 - step)[0] - zbl_pair(14, 14, 1 + step)[0]) / (2 * step))


def test_a_labelled_curve_goes_on_towards_the_core() -> None:
    pairs = [_pair(1.4, -9.0, -3.0), _pair(1.0, -2.0, 30.0)]
    made = core_pairs(pairs)
    distances = np.array([frame.atoms.get_distance(0, 1) for frame in made])
    energies = np.array([frame.energy_ev for frame in made])
    assert distances[0] == pytest.approx(0.93) and 0.53 < distances[-1] < 0.58
    assert np.all(np.diff(energies) > 0) and energies[0] > -2.0
    assert all(frame.forces_ev_per_angstrom[1, 2] > 0 and 0 < frame.weights.force <= 1e-4 for frame in made)
    assert core_pairs([bare_frame("Si", row=1)]) == []


@pytest.mark.parametrize(("distance", "force"), [(2.6, -1.5), (9.0, 0.0), (0.0, 0.0)])
def test_no_core_begins_outside_of_a_bond(distance: float, force: float) -> None:
    assert core_pairs([_pair(distance, -9.0, force)]) == []
