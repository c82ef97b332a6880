"""Elastic constants against a potential whose constants are published, and against springs."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.calculator import all_changes
from ase.calculators.lj import LennardJones
from pair_crystals import SMALL, SPRING, TOUCHING, Pairs, fcc, touching
from stillinger_weber import StillingerWeber

from gibbsflow.engines.lammps import Lammps
from gibbsflow.potential.validate.properties.crystals import Crystal, at_rest
from gibbsflow.potential.validate.properties.elasticity import (
    ElasticConstants,
    constants,
    elastic,
    independent_places,
    invariant_tensors,
    strains_needed,
)
from gibbsflow.potential.validate.properties.plans import answered, by_calculator
from gibbsflow.units import GPA_PER_EV_PER_ANGSTROM3


def test_silicon_of_stillinger_and_weber() -> None:
    # relaxed constants: Balamane, Halicioglu, Tiller, Phys. Rev. B 46, 2250 (1992), table IV: 151, 76, 56 GPa
    with tempfile.TemporaryDirectory() as folder, Lammps(Path(folder)) as lammps:
        evaluate = by_calculator(StillingerWeber(lammps))
        rest, _, measured = answered(at_rest(Crystal.of(bulk("Si", a=5.5), 0.01), SMALL), evaluate)
        found = answered(constants(rest, SMALL), evaluate)
        changes = {"relax_force_ev_per_angstrom": 0.02, "elastic_strains": (0.001,)}
        loose = answered(constants(rest, SMALL.model_copy(update=changes)), evaluate)
    assert measured.values["lattice_a"] == pytest.approx(5.431, abs=0.001)
    assert found.values_gpa["c11"] == pytest.approx(151.4, abs=1.0)
    assert found.values_gpa["c12"] == pytest.approx(76.4, abs=1.0)
    assert found.values_gpa["c44"] == pytest.approx(56.4, abs=1.0)  # 117 with ions held
    assert found.hill_gpa()[0] == pytest.approx(101.4, abs=1.0)
    assert found.residual_gpa < 0.2 and not found.unstable("cubic")
    # ions are relaxed in proportion to the strain: a fixed force would leave those of a small one where they are
    assert loose.values_gpa["c44"] == pytest.approx(found.values_gpa["c44"], abs=0.4)


def test_springs_between_neighbours() -> None:
    # fcc with springs k: C11 = 2k/a, C12 = C44 = k/a (Born and Huang, Dynamical Theory of Crystal Lattices)
    values = answered(elastic(fcc(), SMALL), touching).values
    unit = SPRING / (TOUCHING * 2**0.5) * GPA_PER_EV_PER_ANGSTROM3
    assert [values[name] / unit for name in ("c11", "c12", "c44")] == pytest.approx([2, 1, 1], rel=0.01)


def test_slopes_that_depend_on_the_size_of_the_strain_are_told() -> None:
    rest = fcc()

    class Stepped(Pairs):
        """The smaller strains meet a stress that the larger do not, as where a coarse basis steps between cells."""

        def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes) -> None:
            super().calculate(atoms, properties, system_changes)
            strain = (np.linalg.solve(rest.unit.cell.array, atoms.cell.array) - np.eye(3))[0, 0]
            self.results["stress"][0] += 0.3 * strain * (abs(strain) < 0.006)

    plain, told = (answered(elastic(rest, SMALL), evaluate) for evaluate in (touching, by_calculator(Stepped())))
    assert not plain.warnings
    assert len(told.warnings) == 1 and told.warnings[0].startswith("c11 is ")
    assert "at ±0.50%" in told.warnings[0] and "at ±1.00%" in told.warnings[0]


def test_a_crystal_that_shears_by_itself_violates_born() -> None:
    # pairs with two shells in reach: the body-centred crystal goes over to the close-packed one
    evaluate = by_calculator(LennardJones(sigma=2.3, epsilon=0.4, rc=7, smooth=True))
    rest, *_ = answered(at_rest(Crystal.of(bulk("Cu", "bcc", a=2.9), 0.01), SMALL), evaluate)
    measured = answered(elastic(rest, SMALL), evaluate)
    assert "C11 - C12 > 0 is violated" in measured.failures[0] and "eigenvalue of -" in measured.failures[0]


def rotation(axis: tuple[float, float, float], degrees: float) -> np.ndarray:
    from scipy.spatial.transform import Rotation

    return Rotation.from_rotvec(np.radians(degrees) * np.array(axis) / np.linalg.norm(axis)).as_matrix()


@pytest.mark.parametrize(
    ("turns", "names", "strains"),
    [  # free constants by class: Nye, table 9
        ((), 21, 6),
        ((((0, 1, 0), 180),), 13, 6),
        ((((1, 0, 0), 180), ((0, 1, 0), 180)), 9, 6),
        ((((0, 0, 1), 90),), "11 12 13 16 33 44 66", 4),
        ((((0, 0, 1), 90), ((1, 0, 0), 180)), "11 12 13 33 44 66", 4),
        ((((0, 0, 1), 120),), "11 12 13 14 15 33 44", 3),
        ((((0, 0, 1), 120), ((1, 0, 0), 180)), "11 12 13 14 33 44", 3),
        ((((0, 0, 1), 60), ((1, 0, 0), 180)), "11 12 13 33 44", 3),
        ((((1, 1, 1), 120), ((0, 0, 1), 90)), "11 12 44", 2),
    ],
)
def test_free_constants_of_each_class(turns, names, strains) -> None:
    group = [np.eye(3)]
    while True:  # all products of the generators
        more = [a @ rotation(*turn) for a in group for turn in turns]
        new = [m for n, m in enumerate(more) if not any(np.allclose(m, o) for o in (*group, *more[:n]))]
        if not new:
            break
        group += new
    basis = invariant_tensors(np.array(group))
    places = [f"{i + 1}{j + 1}" for i, j in independent_places(basis)]
    assert (len(places) if isinstance(names, int) else " ".join(places)) == names
    chosen = strains_needed(basis)
    assert len(chosen) <= strains
    assert np.linalg.matrix_rank(basis[:, :, list(chosen)].reshape(len(basis), -1)) == len(basis)


def test_hexagonal_criteria_are_named() -> None:
    matrix = np.diag([100.0, 100, -20, 40, 40, 30])
    matrix[0, 1] = matrix[1, 0] = 40
    told = ElasticConstants(matrix, (), 0.0).unstable("hexagonal")
    assert "C33 (C11 + C12) > 2 C13^2 is violated" in told[0] and "-20.00 GPa" in told[-1]
