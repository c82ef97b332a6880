from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, molecule
from silicon import needs_pw

from gibbsflow.config.potential import Dft, Labels
from gibbsflow.potential.label.first_bands import first_bands
from gibbsflow.potential.label.plane_waves import k_mesh
from gibbsflow.potential.label.quantum_espresso import QuantumEspresso
from gibbsflow.units import RYDBERG_EV

ALUMINIUM = Dft(
    functional="lda", pseudo_library="gth", ecutwfc_ry=10, ecutrho_ry=40, kspacing_per_angstrom=0.8, degauss_ry=0.05,
    conv_thr_ry=1e-5,
)  # fmt: skip
IRON = Dft(functional="lda", kspacing_per_angstrom=0.6, degauss_ry=0.03)


@pytest.mark.parametrize(
    ("atoms", "electrons", "moment_ub", "dft", "needed"),
    [
        # highest band of an occupation above 0.005, and one more, by pw.x 6.7 with bands to spare
        (bulk("Al", a=4.181, cubic=True), 12, 0, ALUMINIUM, 11),
        (bulk("Fe", a=2.87, cubic=True), 16, 6, IRON, 13),
    ],
)
def test_a_metal_begins_with_bands_that_its_smearing_leaves_empty(
    atoms: Atoms, electrons: float, moment_ub: float, dft: Dft, needed: int
) -> None:
    found = first_bands(atoms, electrons, moment_ub, dft)
    assert found is not None and needed <= found <= needed + 2


def test_an_insulator_a_molecule_and_a_dilute_cell_keep_the_programs_own_number() -> None:
    assert first_bands(bulk("MgO", "rocksalt", a=4.21), 8, 0, Dft(functional="lda")) is None
    assert first_bands(bulk("Si"), 8, 0, Dft(functional="lda")) is None
    water = molecule("H2O", vacuum=6.0)
    assert first_bands(water, 8, 0, Dft()) is None


def test_a_wide_tail_of_the_smearing_needs_more_bands() -> None:
    atoms = bulk("Al", cubic=True)
    wide = ALUMINIUM.model_copy(update={"smearing": "fermi-dirac"})
    assert (first_bands(atoms, 12, 0, wide) or 0) > (first_bands(atoms, 12, 0, ALUMINIUM) or 0)


def test_oblique_vectors_of_a_lattice_count_the_same_waves() -> None:
    """The waves of the vectors as they are, whose reach grows with their lengths, counted by hand at each k point."""
    oblique = bulk("Al", a=4.181, cubic=True)
    oblique.set_cell(np.array([[1, 0, 0], [2, 1, 0], [0, 1, 1]]) @ oblique.cell.array)
    reciprocal = 2 * np.pi * oblique.cell.reciprocal().array
    steps = np.arange(-14, 15)
    waves = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    mesh = k_mesh(oblique, ALUMINIUM.kspacing_per_angstrom)
    fermi_ev = 3.80998211616 * (6 * np.pi**2 * 6 / oblique.get_volume()) ** (2 / 3)
    top = (fermi_ev + 1.9 * ALUMINIUM.degauss_ry * RYDBERG_EV) / 3.80998211616
    points = [np.array(point) / mesh for point in np.ndindex(*mesh)]
    below = max(int(((((waves + point) @ reciprocal) ** 2).sum(axis=1) < top).sum()) for point in points)
    assert first_bands(oblique, 12, 0, ALUMINIUM) == below + 1 > 10


@pytest.mark.qe
@needs_pw
def test_a_label_of_a_metal_passes_the_check_of_its_bands_in_one_run() -> None:
    stretched = bulk("Al", a=4.181, cubic=True)
    label = QuantumEspresso(["Al"], ALUMINIUM, Labels()).label(stretched)
    assert (label.status, label.attempts, label.corrections) == ("labelled", 1, [])
    own = QuantumEspresso(["Al"], ALUMINIUM.model_copy(update={"bands": 10}), Labels()).label(stretched)
    assert own.attempts == 2 and own.energy_ev == pytest.approx(label.energy_ev, abs=1e-3)
