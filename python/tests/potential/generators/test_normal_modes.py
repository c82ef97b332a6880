from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import molecule

from gibbsflow.config.potential import Generator, Target
from gibbsflow.errors import InputError, UnconvergedError
from gibbsflow.potential.data.structures import tag
from gibbsflow.potential.generators import normal_modes
from gibbsflow.potential.generators.parents import parents
from gibbsflow.units import KB_EV_PER_K


def test_normal_modes_hold_kt_over_two_each() -> None:
    pytest.importorskip("tblite")
    settings = Generator(mode_count=1, mode_temperatures_k=(300.0,))
    water = parents(Target(molecule="H2O"), settings)
    assert len(normal_modes.make(water, Target(molecule="H2O"), settings)) == 1
    relaxed = normal_modes._relaxed(water[0])
    matrix = normal_modes.hessian(relaxed)
    rng = np.random.default_rng(1)
    energies = []
    for _ in range(2000):
        moved = normal_modes.displacements(relaxed, matrix, 300.0, rng, rigid=6)
        energies.append(moved.ravel() @ matrix @ moved.ravel() / 2)
        assert np.abs((relaxed.get_masses()[:, None] * moved).sum(axis=0)).max() < 1e-2
    # three vibrations with kT/2 of potential energy each; standard error of the mean 1.8 %
    assert np.mean(energies) == pytest.approx(1.5 * 8.617333e-5 * 300, rel=0.06)


def test_a_hessian_by_one_calculator_is_that_of_many() -> None:
    pytest.importorskip("tblite")
    ammonia = molecule("NH3")
    matrix = normal_modes.hessian(ammonia)
    for index in (0, 4, 11):
        sides = []
        for sign in (1, -1):
            moved = ammonia.copy()
            moved.positions[index // 3, index % 3] += sign * 0.005
            moved.calc = normal_modes._calculator(moved)
            sides.append(moved.get_forces().ravel())
        # of bonds with some 30 eV/Å²
        assert matrix[index] == pytest.approx((sides[1] - sides[0]) / 0.01, abs=0.01)


def test_a_spring_between_two_atoms_stretches_as_boltzmann_says() -> None:
    # along the bond <(x1 - x0)²> = kT/k, whatever the masses
    stiffness, pair = 20.0, Atoms("HO", [[0, 0, 0], [1, 0, 0]])
    matrix = np.zeros((6, 6))
    matrix[np.ix_([0, 3], [0, 3])] = stiffness * np.array([[1, -1], [-1, 1]])
    rng = np.random.default_rng(2)
    drawn = np.array([normal_modes.displacements(pair, matrix, 500.0, rng, rigid=5) for _ in range(4000)])
    assert drawn[:, :, 1:] == pytest.approx(0)
    assert np.var(drawn[:, 1, 0] - drawn[:, 0, 0]) == pytest.approx(KB_EV_PER_K * 500 / stiffness, rel=0.1)
    assert drawn[:, 0, 0] * 1.008 == pytest.approx(-drawn[:, 1, 0] * 15.999)  # the centre of mass rests


@pytest.mark.parametrize(
    "name, bonds",
    [("CH3CH2OH", 2), ("H2O2", 1), ("trans-butane", 3), ("bicyclobutane", 0), ("C2H4", 0), ("C6H6", 0), ("CO2", 0)],
)
def test_molecules_turn_about_their_single_bonds(name: str, bonds: int) -> None:
    assert len(normal_modes.turning_bonds(molecule(name))) == bonds


def test_a_turn_keeps_bonds_and_angles_and_finds_room() -> None:
    butane = molecule("trans-butane")
    bonds = normal_modes.turning_bonds(butane)
    rng = np.random.default_rng(3)
    before = butane.get_all_distances()
    near = before < 2.3  # atoms that are bonded, or bonded to the same one
    middle = next(bond for bond in bonds if len(bond[2]) > 4)
    carbons = np.flatnonzero(butane.numbers == 6)
    ends = [next(i for i in carbons if before[a, i] < 1.6 and i not in middle[:2]) for a in middle[:2]]
    angles = []
    for _ in range(60):
        made = normal_modes.turned(butane, bonds, rng)
        assert made.get_all_distances()[near] == pytest.approx(before[near])
        angles.append(made.get_dihedral(ends[0], middle[0], middle[1], ends[1]))
        hydrogens = made[made.numbers == 1].get_all_distances()
        assert hydrogens[np.triu_indices(10, 1)].min() > 0.99
    # trans and both sides of gauche
    assert np.histogram(angles, bins=[30, 150, 210, 330])[0].min() >= 5


def test_every_fifth_sample_is_turned_and_carries_its_modes() -> None:
    pytest.importorskip("tblite")
    settings = Generator(mode_count=10, mode_temperatures_k=(100.0,))
    peroxide = parents(Target(molecule="H2O2"), settings)
    made = normal_modes.make(peroxide, Target(molecule="H2O2"), settings)
    oxygens, hydrogens = ([i for i in range(4) if made[0].numbers[i] == z] for z in (8, 1))
    first = min(hydrogens, key=lambda i: made[0].get_distance(i, oxygens[0]))
    (last,) = set(hydrogens) - {first}
    angles = np.array([atoms.get_dihedral(first, *oxygens, last) for atoms in made])
    away = np.abs((angles - angles[0] + 180) % 360 - 180)
    assert np.delete(away, [4, 9]).max() < 80 < away[[4, 9]].min()
    assert len({round(atoms.get_distance(*oxygens), 6) for atoms in made}) == 10


def test_an_ion_relaxes_with_its_charge() -> None:
    """Neutral, a hydronium gives a hydrogen atom away."""
    pytest.importorskip("tblite")
    ion = Atoms("OH3", [[0, 0, 0], [0.95, 0, 0.25], [-0.47, 0.82, 0.25], [-0.47, -0.82, 0.25]], info={"charge": 1})
    settings = Generator(mode_count=1, mode_temperatures_k=(10.0,))
    (made,) = normal_modes.make([tag(ion, "molecule", generator="test", seed=0)], Target(), settings)
    assert made.get_distances(0, range(1, 4)) == pytest.approx(0.99, abs=0.03) and made.info["charge"] == 1


def test_what_the_method_cannot_compute_is_refused_with_a_way_out() -> None:
    pytest.importorskip("tblite")
    dimer = tag(Atoms("U2", [[0, 0, 0], [0, 0, 2.4]]), "molecule", generator="test", seed=0)
    with pytest.raises(UnconvergedError, match="U2: GFN2-xTB.*cannot compute it") as refused:
        normal_modes.make([dimer], Target(), Generator())
    assert "generator.methods" in refused.value.what_to_do
    unclear = tag(Atoms("OH", [[0, 0, 0], [0, 0, 1]], info={"charge": 0.5}), "molecule", generator="test", seed=0)
    with pytest.raises(InputError, match="charge"):
        normal_modes.make([unclear], Target(), Generator())


def test_crystals_and_atoms_give_nothing() -> None:
    settings = Generator()
    silicon = parents(Target(elements=("Si",)), settings)
    assert normal_modes.make(silicon, Target(), settings) == []
