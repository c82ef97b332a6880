"""A POD potential by LAMMPS gives what its coefficients say, with its repulsion, and is read as it was written."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import fcc111, molecule
from labelled_sets import strained_alloy

from gibbsflow.engines.lammps import Lammps
from gibbsflow.errors import StateError
from gibbsflow.potential.train.trainers import pod, pod_basis

RNG = np.random.default_rng(3)


@pytest.fixture(scope="module")
def lammps(tmp_path_factory):
    with Lammps(tmp_path_factory.mktemp("lammps")) as process:
        yield process


def _close_dimer():
    return Atoms("Cu2", positions=[[0, 0, 0], [0.3, 0.2, 1.2]])


def _slab_and_atom():
    slab = fcc111("Cu", (2, 2, 2), vacuum=8.0)
    return slab + Atoms("Cu", positions=[[1.0, 1.0, slab.positions[:, 2].max() + 7.0]])


CASES = {
    "alloy": (strained_alloy, ("Au", "Cu"), 5.0),
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
    basis = pod_basis.ladder_basis(4 if len(species) < 3 else 2, species, 0.8, cutoff)
    sums, derivatives, rotation = pod_basis.descriptor_sums(lammps, atoms, basis)
    coefficients = RNG.normal(size=len(sums)) * 1e-2
    zbl = pod.zbl_for(species) if with_core else None
    potential = pod.PodPotential(basis, coefficients, zbl, {}).write(tmp_path)
    got = pod.PodEvaluator(potential, lammps).predict(atoms)
    energy, forces = sums @ coefficients, (derivatives @ coefficients).reshape(-1, 3) @ rotation.T
    if zbl is not None:
        core = pod.evaluate_zbl(lammps, atoms, species, zbl)
        energy, forces = energy + core.energy_ev, forces + core.forces_ev_per_angstrom
        assert (core.energy_ev > 1.0) == (case == "dimer inside the core")
    assert got.energy_ev == pytest.approx(energy, abs=1e-9)
    assert got.forces_ev_per_angstrom == pytest.approx(forces, abs=1e-9)


def test_a_potential_is_read_as_written(tmp_path):
    basis = pod_basis.ladder_basis(0, ("Si",), 0.8, 5.0)
    written = pod.PodPotential(basis, RNG.normal(size=23), pod.Zbl(0.8, 1.6), {"note": "x"})
    assert written.write(tmp_path).folder == tmp_path
    read = pod.PodPotential.read(tmp_path)
    assert (read.basis, read.zbl, dict(read.meta)) == (basis, written.zbl, {"note": "x"})
    assert (read.species, read.cutoff_angstrom, read.lammps_style) == (("Si",), 5.0, "pod")
    assert (read.coefficients == written.coefficients).all()
    assert "pair_style hybrid/overlay zbl 0.800000 1.600000 pod" in (tmp_path / "in.potential").read_text()
    (tmp_path / "potential.json").write_text('{"backend": "pod"}')
    with pytest.raises(StateError, match="not a potential"):
        pod.PodPotential.read(tmp_path)


def test_the_repulsion_ends_within_the_shortest_bond():
    zbl = pod.zbl_for(("O", "H"))
    assert zbl.outer_angstrom == pytest.approx(0.75 * 2 * 0.31)  # hydrogen's covalent radius, Cordero et al. 2008
    assert zbl.inner_angstrom == pytest.approx(0.5 * zbl.outer_angstrom)


def test_the_repulsion_is_that_of_ziegler_biersack_and_littmark(lammps):
    # within the inner radius, V(r) = Z² e²/(4πε₀ r) φ(r/a), a = 0.46850 Å/(2 Z^0.23); SRIM's universal φ
    r, z = 0.7, 29
    x = r * 2 * z**0.23 / 0.46850
    phi = 0.18175 * np.exp(-3.19980 * x) + 0.50986 * np.exp(-0.94229 * x)
    phi += 0.28022 * np.exp(-0.40290 * x) + 0.02817 * np.exp(-0.20162 * x)
    near, far = (
        pod.evaluate_zbl(lammps, Atoms("Cu2", positions=[[0, 0, 0], [d, 0, 0]]), ("Cu",), pod.Zbl(1.0, 2.0)).energy_ev
        for d in (r, 2.1)
    )
    assert far == 0.0
    # LAMMPS shifts the inner part so that the switch ends at zero
    assert near == pytest.approx(14.399645 * z**2 / r * phi, rel=0.05)


def test_coefficients_are_written_to_their_last_digit():
    values = RNG.normal(size=5)
    head, *lines = pod_basis.ladder_basis(0, ("Si",), 0.8, 5.0).coefficient_text(values).splitlines()
    assert head == "model_coefficients: 5 0 0"
    assert [float(line) for line in lines] == values.tolist()


def test_an_evaluator_of_its_own_ends_its_process(tmp_path):
    basis = pod_basis.ladder_basis(0, ("Si",), 0.8, 5.0)
    running = pod.PodPotential(basis, np.zeros(23), None, {}).write(tmp_path).start()
    process, folder = running.lammps.process, running.lammps.folder
    assert running.predict(Atoms("Si")).energy_ev == 0.0
    running.close()
    running.close()  # a second time does nothing
    assert process.poll() is not None and not folder.exists()


def test_an_evaluator_leaves_the_process_of_others_alone(lammps, tmp_path):
    basis = pod_basis.ladder_basis(0, ("Si",), 0.8, 5.0)
    pod.PodEvaluator(pod.PodPotential(basis, np.zeros(23), None, {}).write(tmp_path), lammps).close()
    assert lammps.process.poll() is None
