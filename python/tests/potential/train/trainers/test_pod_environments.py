"""Kinds of surroundings: found without chance, shared smoothly, and the same in training, MD and ASE."""

import numpy as np
import pytest
from ase.build import bulk
from labelled_sets import strained_alloy

from gibbsflow.engines.lammps import Lammps
from gibbsflow.potential.train.trainers import pod_basis
from gibbsflow.potential.train.trainers.pod import PodEvaluator, PodPotential
from gibbsflow.potential.train.trainers.pod_environments import Environments, find_environments

SPECIES = ("Au", "Cu")
RNG = np.random.default_rng(5)


@pytest.fixture(scope="module")
def lammps(tmp_path_factory):
    with Lammps(tmp_path_factory.mktemp("lammps")) as process:
        yield process


@pytest.fixture(scope="module")
def adaptive(lammps):
    """A basis of two elements with three kinds of surroundings each, found on rattled alloys."""
    plain = pod_basis.ladder_basis(2, SPECIES, 0.8, 5.0)
    frames = []
    for number in range(6):
        atoms = bulk("Cu", "fcc", a=3.7 + 0.05 * number, cubic=True) * (2, 2, 1)
        atoms.symbols[::2] = "Au"
        atoms.rattle(0.1, seed=number)
        frames.append(atoms)
    local = [pod_basis.local_descriptors(lammps, atoms, plain) for atoms in frames]
    symbols = [atoms.get_chemical_symbols() for atoms in frames]
    assert find_environments(symbols, local, SPECIES, 3) is None  # 48 atoms of an element are too few
    found = find_environments(symbols * 2, local * 2, SPECIES, 3)
    assert found == find_environments(symbols * 2, local * 2, SPECIES, 3)
    return pod_basis.replace(plain, environments=found)


def test_two_clouds_are_two_kinds_and_one_is_none():
    points = RNG.normal(size=(100, 3)) * 0.1 + np.repeat([[5.0, 0.0, 1.0], [1.0, 4.0, 1.0]], 50, axis=0)
    found = find_environments([["Si"] * 100], [points], ("Si",), 2)
    shares = found.shares(0, 1, points)
    assert shares.sum(axis=1) == pytest.approx(1.0)
    kind = shares.argmax(axis=1)
    assert len(set(kind[:50])) == len(set(kind[50:])) == 1 and kind[0] != kind[99]
    assert find_environments([["Si"] * 100], [np.ones((100, 3))], ("Si",), 2) is None


def test_an_atom_halfway_is_of_both_kinds_in_equal_parts():
    two = Environments(2, 1, (1.0, 0.0), (0.0, 2.0))
    assert two.shares(0, 1, np.array([[1.0, 7.0], [0.5, 0.0]])) == pytest.approx(np.array([[0.5, 0.5], [0.9, 0.1]]))


def test_lammps_pair_style_gives_what_the_rows_say(lammps, adaptive, tmp_path):
    atoms = strained_alloy()
    sums, derivatives, rotation = pod_basis.descriptor_sums(lammps, atoms, adaptive)
    plain = pod_basis.descriptor_sums(lammps, atoms, adaptive.plain)[0]
    assert len(sums) - 2 == 3 * (len(plain) - 2)
    assert len(adaptive.coefficient_text().splitlines()) == 1 + len(sums) + len(
        adaptive.environments.projection + adaptive.environments.centroids
    )
    coefficients = RNG.normal(size=len(sums)) * 1e-2
    written = PodPotential(adaptive, coefficients, None, {}).write(tmp_path)
    read = PodPotential.read(tmp_path)
    assert read.basis == adaptive and np.array_equal(read.coefficients, coefficients)
    for potential in (written, read):
        predicted = PodEvaluator(potential, lammps).predict(atoms)
        assert predicted.energy_ev == pytest.approx(float(sums @ coefficients), abs=1e-9)
        forces = (derivatives @ coefficients).reshape(-1, 3) @ rotation.T
        assert predicted.forces_ev_per_angstrom == pytest.approx(forces, abs=1e-9)
        stress = pod_basis.virial_rows(lammps, atoms, adaptive) @ coefficients / atoms.get_volume()
        assert predicted.stress_ev_per_angstrom3 == pytest.approx(stress, rel=1e-4, abs=1e-7)
