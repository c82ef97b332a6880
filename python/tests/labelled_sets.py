"""Small labelled data sets, most by ASE's effective medium theory, and a potential fitted to one."""

import tempfile
from functools import cache
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.io import write

from gibbsflow.config.potential_training import Training
from gibbsflow.potential.data.labelled_frames import LabelledFrame
from gibbsflow.potential.train import fit as training
from gibbsflow.potential.train.shared.inputs import Inputs
from gibbsflow.workflow.state.segments import Stopper

CUTOFF_ANGSTROM = 5.0


def label(atoms, stress=True, **info):
    """Frame with EMT's energy, forces and stress, as a reader would have it."""
    worker = atoms.copy()
    worker.calc = EMT()
    results = {"energy": worker.get_potential_energy(), "forces": worker.get_forces()}
    if stress and atoms.pbc.all():
        results["stress"] = worker.get_stress()
    made = atoms.copy()
    made.info = {"config_type": "rattled", **info}
    made.calc = SinglePointCalculator(made, **results)
    return made


def rattled(count, seed, elements=("Cu",), repeat=(2, 1, 1), sigma=0.1, **keywords):
    """Rattled and strained fcc cells with a random arrangement of elements."""
    rng = np.random.default_rng(seed)
    frames = []
    for _ in range(count):
        atoms = bulk(elements[0], cubic=True) * repeat
        atoms.symbols = rng.choice(elements, len(atoms))
        atoms.set_cell(atoms.cell[:] @ (np.eye(3) + rng.uniform(-0.03, 0.03, (3, 3))), scale_atoms=True)
        atoms.positions += rng.normal(0, sigma, atoms.positions.shape)
        frames.append(label(atoms, **keywords))
    return frames


def strained_alloy():
    """A strained and rattled cell of five copper and three gold atoms."""
    atoms = bulk("Cu", cubic=True) * (2, 1, 1)
    atoms.symbols[[0, 3, 5]] = "Au"
    atoms.set_cell(
        atoms.cell[:] @ (np.eye(3) + np.random.default_rng(3).uniform(-0.05, 0.05, (3, 3))), scale_atoms=True
    )
    atoms.rattle(0.1, seed=1)
    return atoms


def bare_frame(symbols, energy=0.0, config_type="md", parent="", row=1, forces=None, stress=None):
    """Frame with the energy that is given, without forces unless they are given."""
    n = len(Atoms(symbols))
    atoms = Atoms(symbols, positions=np.arange(3.0 * n).reshape(-1, 3))
    given = np.zeros((n, 3)) if forces is None else np.asarray(forces, dtype=float)
    return LabelledFrame(atoms, energy, given, stress, np.ones(n, bool), config_type, parent, f"id{row}", "", row)


@cache
def fitted(*elements):
    """Folder of a small fit (`potential/` and its data) and its figures, made once a session."""
    holder = tempfile.TemporaryDirectory(prefix="gibbsflow-test-")
    folder = Path(holder.name)
    write(folder / "train.extxyz", rattled(24, 1, elements))
    write(folder / "test.extxyz", rattled(6, 2, elements))
    settings = Training(cutoff_angstrom=CUTOFF_ANGSTROM, max_coefficients=70, processes=1)
    inputs = Inputs.read(folder / "train.extxyz", folder / "test.extxyz")
    with Stopper() as stopper:
        made = training.fit(inputs, settings, backend="pod", seed=1, stopper=stopper, budget_s=60, out=folder)
    _held.append(holder)
    return folder, made.figures


def fitted_copper():
    """The fit of copper alone."""
    return fitted("Cu")


_held: list[tempfile.TemporaryDirectory[str]] = []  # live as long as the session
