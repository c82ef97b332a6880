"""The simple model: its rows are derivatives, and it knows a metal well enough to judge labels."""

import numpy as np
from ase.io import write
from labelled_sets import rattled, strained_alloy

from gibbsflow.potential.data.labelled_frames import read_labelled
from gibbsflow.potential.train.checks.simple_model import SimpleModel


def test_forces_and_virials_are_derivatives_of_the_energies():
    model, atoms, step = SimpleModel((29, 79)), strained_alloy(), 1e-5
    rows = model.rows(atoms)
    for atom, axis in ((0, 0), (3, 2)):
        both = []
        for sign in (1, -1):
            moved = atoms.copy()
            moved.positions[atom, axis] += sign * step
            both.append(model.rows(moved).energy)
        assert np.allclose(rows.forces[3 * atom + axis], -(both[0] - both[1]) / (2 * step), rtol=1e-5, atol=1e-7)
    for k, (a, b) in enumerate(((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))):
        both = []
        for sign in (1, -1):
            strain = np.zeros((3, 3))
            strain[a, b] += sign * step / 2
            strain[b, a] += sign * step / 2
            strained = atoms.copy()
            strained.set_cell(atoms.cell.array @ (np.eye(3) + strain), scale_atoms=True)
            both.append(model.rows(strained).energy)
        assert np.allclose(rows.virial[k], (both[0] - both[1]) / (2 * step), rtol=1e-4, atol=1e-6)


def test_copper_is_explained(tmp_path):
    write(tmp_path / "a.extxyz", rattled(10, 0))
    frames = read_labelled(tmp_path / "a.extxyz")
    model = SimpleModel((29,))
    model.fit(frames, [model.rows(frame.atoms) for frame in frames])
    assert model.explained > 0.99
