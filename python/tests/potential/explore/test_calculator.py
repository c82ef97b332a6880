"""ASE's calculator of a potential's folder."""

import shutil

import numpy as np
import pytest
from ase.build import bulk
from labelled_sets import fitted_copper, rattled

from gibbsflow.errors import InputError
from gibbsflow.potential.explore.calculator import PodCalculator, PotentialCalculator


def test_the_calculator_gives_what_was_reported():
    folder, figures = fitted_copper()
    calculator = PotentialCalculator(folder / "potential")
    errors = []
    for frame in rattled(6, 2):
        atoms = frame.copy()
        atoms.calc = calculator
        errors.append(abs(atoms.get_potential_energy() - frame.get_potential_energy()) / len(atoms))
    assert 1e3 * np.mean(errors) == pytest.approx(figures["test"]["energy_mae_mev_per_atom"], abs=1e-4)
    calculator.close()


def test_copper_knows_copper():
    folder, figures = fitted_copper()
    calculator = PotentialCalculator(folder / "potential")
    assert max(calculator.grades(a).max() for a in rattled(3, 1)) <= 1.05 + 1e-6  # of the training set itself
    assert figures["grade"]["test_largest"] < figures["grade"]["upper"]
    squeezed = bulk("Cu", cubic=True)
    squeezed.set_cell(squeezed.cell * 0.8, scale_atoms=True)
    assert calculator.grades(squeezed).max() > calculator.grader.upper
    calculator.close()


def test_the_name_of_before_is_the_same_class():
    assert PodCalculator is PotentialCalculator


def test_stress_is_the_derivative_of_the_energy():
    calculator = PotentialCalculator(fitted_copper()[0] / "potential")
    atoms = rattled(1, 31)[0]
    atoms.calc = calculator
    stress = atoms.get_stress()
    energies = []
    for step in (1e-4, -1e-4):
        strained = atoms.copy()
        strained.set_cell(atoms.cell[:] @ np.diag([1 + step, 1, 1]), scale_atoms=True)
        strained.calc = calculator
        energies.append(strained.get_potential_energy())
    assert stress[0] == pytest.approx((energies[0] - energies[1]) / 2e-4 / atoms.get_volume(), rel=1e-4)
    calculator.close()


def test_a_closed_calculator_starts_again():
    calculator = PotentialCalculator(fitted_copper()[0] / "potential")
    copper = bulk("Cu", cubic=True)
    copper.calc = calculator
    before = copper.get_potential_energy()
    calculator.close()
    calculator.reset()
    assert copper.get_potential_energy() == before
    calculator.close()


def test_unknown_elements_and_a_missing_active_set_are_refused(tmp_path):
    shutil.copytree(fitted_copper()[0] / "potential", tmp_path / "potential")
    (tmp_path / "potential" / "active_set.npz").unlink()
    calculator = PotentialCalculator(tmp_path / "potential")
    gold = bulk("Au")
    gold.calc = calculator
    with pytest.raises(InputError, match=r"does not know Au \(right: only Cu\)"):
        gold.get_potential_energy()
    with pytest.raises(InputError, match="has no active set"):
        calculator.grades(bulk("Cu"))
