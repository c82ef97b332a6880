"""POD by LAMMPS: what we fit to is what LAMMPS' pair style gives, with its core, for crystals, alloys and molecules."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111, molecule

from gibbsflow.engines.lammps import Lammps
from gibbsflow.errors import StateError
from gibbsflow.potential.train.evaluation import evaluate, evaluate_core
from gibbsflow.potential.train.trainers import pod
from gibbsflow.potential.train.trainers.pod_fit import core_of

RNG = np.random.default_rng(3)


@pytest.fixture(scope="module")
def lammps(tmp_path_factory):
    with Lammps(tmp_path_factory.mktemp("lammps")) as process:
        yield process


def _alloy():
    atoms = bulk("Cu", cubic=True) * (2, 1, 1)
    atoms.symbols[[0, 3, 5]] = "Au"
    atoms.set_cell(atoms.cell[:] @ (np.eye(3) + RNG.uniform(-0.05, 0.05, (3, 3))), scale_atoms=True)
    atoms.rattle(0.1, seed=1)
    return atoms


def _close_dimer():
    return Atoms("Cu2", positions=[[0, 0, 0], [0.3, 0.2, 1.2]])


def _slab_and_atom():
    slab = fcc111("Cu", (2, 2, 2), vacuum=8.0)
    return slab + Atoms("Cu", positions=[[1.0, 1.0, slab.positions[:, 2].max() + 7.0]])


CASES = {
    "alloy": (_alloy, ("Au", "Cu"), 5.0),
    "molecule": (lambda: molecule("CH3CH2OH"), ("C", "H", "O"), 4.0),
    "dimer inside the core": (_close_dimer, ("Cu",), 5.0),
    "slab that an atom has left": (_slab_and_atom, ("Cu",), 5.0),
    "one atom": (lambda: Atoms("Cu"), ("Cu",), 5.0),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("with_core", [True, False])
def test_lammps_gives_what_the_rows_say(lammps, tmp_path, case, with_core):
    make, species, cutoff = CASES[case]
    atoms = make()
    basis = pod.rung(3 if len(species) < 3 else 1, species, 0.8, cutoff)
    sums, derivatives, rotation = pod.descriptor_sums(lammps, atoms, basis)
    coefficients = RNG.normal(size=len(sums)) * 1e-2
    zbl = core_of(species) if with_core else None
    potential = pod.PodPotential(basis, coefficients, zbl, {})
    potential.write(tmp_path)
    got = evaluate(lammps, potential, atoms, tmp_path)
    energy, forces = sums @ coefficients, (derivatives @ coefficients).reshape(-1, 3) @ rotation.T
    if zbl is not None:
        core = evaluate_core(lammps, atoms, species, zbl)
        energy, forces = energy + core.energy_ev, forces + core.forces_ev_per_angstrom
        assert (core.energy_ev > 1.0) == (case == "dimer inside the core")
    assert got.energy_ev == pytest.approx(energy, abs=1e-9)
    assert got.forces_ev_per_angstrom == pytest.approx(forces, abs=1e-9)


def test_virial_rows_give_lammps_stress(lammps, tmp_path):
    atoms = _alloy()
    basis = pod.rung(1, ("Au", "Cu"), 0.8, 5.0)
    sums, _, _ = pod.descriptor_sums(lammps, atoms, basis)
    coefficients = RNG.normal(size=len(sums)) * 1e-2
    potential = pod.PodPotential(basis, coefficients, None, {})
    potential.write(tmp_path)
    stress = pod.virial_rows(lammps, atoms, basis) @ coefficients / atoms.get_volume()
    assert evaluate(lammps, potential, atoms, tmp_path).stress_ev_per_angstrom3 == pytest.approx(
        stress, rel=1e-4, abs=1e-7
    )


def test_local_descriptors_sum_to_the_global_ones(lammps):
    atoms = _alloy()
    basis = pod.rung(2, ("Au", "Cu"), 0.8, 5.0)
    sums = pod.descriptor_sums(lammps, atoms, basis)[0].reshape(2, -1)
    local = pod.local_descriptors(lammps, atoms, basis)
    for row, symbol in zip(sums, ("Au", "Cu"), strict=True):
        own = local[np.array(atoms.get_chemical_symbols()) == symbol]
        assert row == pytest.approx(np.concatenate([[len(own)], own.sum(axis=0)]), rel=1e-9, abs=1e-9)


def test_a_ladder_of_growing_bases(lammps):
    sizes = [
        len(pod.descriptor_sums(lammps, bulk("Si"), pod.rung(i, ("Si",), 0.8, 5.0))[0]) for i in range(len(pod.LADDER))
    ]
    assert sizes == sorted(set(sizes))
    assert sizes[-1] == 1221


def test_a_potential_is_read_as_written(tmp_path):
    basis = pod.rung(0, ("Si",), 0.8, 5.0)
    written = pod.PodPotential(basis, RNG.normal(size=23), pod.Zbl(0.8, 1.6), {"note": "x"})
    written.write(tmp_path)
    read = pod.PodPotential.read(tmp_path)
    assert (read.basis, read.zbl, dict(read.meta)) == (basis, written.zbl, {"note": "x"})
    assert (read.coefficients == written.coefficients).all()
    assert "pair_style hybrid/overlay zbl 0.800000 1.600000 pod" in (tmp_path / "in.potential").read_text()
    (tmp_path / "potential.json").write_text('{"backend": "pod"}')
    with pytest.raises(StateError, match="not a potential"):
        pod.PodPotential.read(tmp_path)
