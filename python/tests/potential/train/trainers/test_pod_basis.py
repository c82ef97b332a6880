"""Descriptors as LAMMPS computes them: they add up, their derivatives are right, and bases grow."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from ase.build import bulk
from labelled_sets import strained_alloy

from gibbsflow.engines.lammps import Lammps
from gibbsflow.potential.train.trainers import pod_basis
from gibbsflow.potential.train.trainers.pod import PodEvaluator, PodPotential

RNG = np.random.default_rng(3)


@pytest.fixture(scope="module")
def lammps(tmp_path_factory):
    with Lammps(tmp_path_factory.mktemp("lammps")) as process:
        yield process


def test_virial_rows_give_lammps_stress(lammps, tmp_path):
    atoms = strained_alloy()
    basis = pod_basis.ladder_basis(2, ("Au", "Cu"), 0.8, 5.0)
    sums, _, _ = pod_basis.descriptor_sums(lammps, atoms, basis)
    coefficients = RNG.normal(size=len(sums)) * 1e-2
    potential = PodPotential(basis, coefficients, None, {}).write(tmp_path)
    stress = pod_basis.virial_rows(lammps, atoms, basis) @ coefficients / atoms.get_volume()
    assert PodEvaluator(potential, lammps).predict(atoms).stress_ev_per_angstrom3 == pytest.approx(
        stress, rel=1e-4, abs=1e-7
    )


def test_local_descriptors_sum_to_the_global_ones(lammps):
    atoms = strained_alloy()
    basis = pod_basis.ladder_basis(3, ("Au", "Cu"), 0.8, 5.0)
    sums = pod_basis.descriptor_sums(lammps, atoms, basis)[0].reshape(2, -1)
    local = pod_basis.local_descriptors(lammps, atoms, basis)
    for row, symbol in zip(sums, ("Au", "Cu"), strict=True):
        own = local[np.array(atoms.get_chemical_symbols()) == symbol]
        assert row == pytest.approx(np.concatenate([[len(own)], own.sum(axis=0)]), rel=1e-9, abs=1e-9)


def test_a_ladder_of_growing_bases(lammps):
    bases = [pod_basis.ladder_basis(number, ("Si",), 0.8, 5.0) for number in range(len(pod_basis.LADDER))]
    sizes = [len(pod_basis.descriptor_sums(lammps, bulk("Si"), basis)[0]) for basis in bases]
    assert sizes == sorted(set(sizes))
    assert sizes[-1] == 1221
    # of two elements a step is no more than twice and a half of the one before it
    alloy = [pod_basis.ladder_basis(number, ("Au", "Cu"), 0.8, 5.0) for number in range(4)]
    counts = [len(pod_basis.descriptor_sums(lammps, strained_alloy(), basis)[0]) for basis in alloy]
    assert counts[:3] == [122, 202, 438] and max(b / a for a, b in zip(counts, counts[1:], strict=False)) < 2.5


def test_derivatives_are_those_of_the_sums(lammps):
    atoms = strained_alloy()
    basis = pod_basis.ladder_basis(3, ("Au", "Cu"), 0.8, 5.0)
    _, derivatives, rotation = pod_basis.descriptor_sums(lammps, atoms, basis)
    sums = []
    for step in (1e-4, -1e-4):
        moved = atoms.copy()
        moved.positions[2, 1] += step
        sums.append(pod_basis.descriptor_sums(lammps, moved, basis)[0])
    by_difference = -(sums[0] - sums[1]) / 2e-4
    turned = np.einsum("ck,ac->ak", derivatives[6:9], rotation)
    assert turned[1] == pytest.approx(by_difference, rel=1e-4, abs=1e-6)


def test_the_parameter_file_says_what_the_basis_is():
    basis = pod_basis.ladder_basis(2, ("Au", "Cu"), 0.8, 5.0)
    lines = basis.with_cutoff(4.25).text().splitlines()
    assert lines[0] == "species Au Cu"
    assert "rin 0.800000" in lines and "rcut 4.250000" in lines
    assert "threebody_number_radial_basis_functions 6" in lines and "threebody_angular_degree 4" in lines
    assert (basis.rcut_angstrom, basis.radial) == (5.0, (8, 6, 4, 0, 0, 0))


def test_a_basis_comes_back_from_json():
    basis = pod_basis.ladder_basis(4, ("Au", "Cu"), 0.8, 5.0)
    assert pod_basis.PodBasis.from_json(json.loads(json.dumps(asdict(basis)))) == basis
