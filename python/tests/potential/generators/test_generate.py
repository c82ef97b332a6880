from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk

from gibbsflow.config.potential import Generator, Target
from gibbsflow.errors import InputError
from gibbsflow.potential.data.structures import tag
from gibbsflow.potential.generators import defects, dimers, normal_modes, rattles, sqs, strains, thermal
from gibbsflow.potential.generators.common import shortest_distance
from gibbsflow.potential.generators.correlations import Shells
from gibbsflow.potential.generators.generate import generate
from gibbsflow.potential.generators.parents import parents, whole_numbers

SI = Target(elements=("Si",))
CUNI = Target(elements=("Cu", "Ni"), composition={"Cu": 0.7, "Ni": 0.3})
SETTINGS = Generator()


def ids(frames: list) -> list[str]:
    return [atoms.info["gibbsflow_id"] for atoms in frames]


def test_the_same_settings_give_the_same_and_another_seed_others() -> None:
    settings = Generator(methods=("bulk", "strain", "rattle", "thermal"))
    one, again = generate(SI, settings), generate(SI, settings)
    other = generate(SI, settings.model_copy(update={"generator_seed": 7}))
    assert ids(one.frames) == ids(again.frames)
    assert (
        len(set(ids(one.frames)) & set(ids(other.frames))) == 1 + 7 + 8 - 1
    )  # bulk and strains draw no random numbers
    assert one.duplicates_dropped == {"strain": 1}  # the strain of nothing is the bulk
    assert all(atoms.info["parent"] == one.frames[0].info["gibbsflow_id"] for atoms in one.frames)


def test_own_crystals_have_their_lattice_constants() -> None:
    assert parents(SI, SETTINGS)[0].cell.lengths() == pytest.approx([5.43] * 3, abs=0.01)
    assert parents(Target(elements=("Cu",)), SETTINGS)[0].cell.lengths() == pytest.approx([3.61] * 3, abs=0.01)
    magnesium = parents(Target(elements=("Mg",)), SETTINGS)[0]
    assert magnesium.cell.lengths()[0] == pytest.approx(3.21, abs=0.03)


def test_strains_span_the_volumes() -> None:
    parent = parents(SI, SETTINGS)[0]
    made = strains.make([parent], SI, SETTINGS)
    volumes = [a.get_volume() / parent.get_volume() for a in made if a.info["strain_kind"] == "volume"]
    assert volumes == pytest.approx(np.linspace(0.9, 1.1, 7), abs=1e-6)
    shear = next(a for a in made if a.info["strain_kind"] == "shear")
    assert abs(shear.cell.angles() - 90).max() > 0.5


def test_rattles_keep_their_distance_and_size() -> None:
    parent = parents(SI, Generator(supercell=(2, 2, 2)))[0]
    limit = 0.75 * shortest_distance(parent)
    moved = rattles.rattled(parent, 0.05, limit, np.random.default_rng(1)).positions - parent.positions
    assert moved.std() == pytest.approx(0.05, rel=0.15)
    wild = rattles.rattled(parent, 0.8, limit, np.random.default_rng(1))
    assert shortest_distance(wild) >= limit


def test_defects_are_one_of_each_orbit() -> None:
    silicon = parents(SI, SETTINGS)
    kinds = [a.info["config_type"] for a in defects.make(silicon, SI, SETTINGS)]
    assert kinds == ["vacancy", "interstitial", "interstitial"]  # tetrahedral and hexagonal
    salt = tag(bulk("NaCl", "rocksalt", a=5.64, cubic=True), "bulk", generator="test", seed=0)
    made = defects.make([salt], Target(elements=("Na", "Cl")), SETTINGS)
    counts = {
        kind: sum(a.info["config_type"] == kind for a in made) for kind in ("vacancy", "antisite", "interstitial")
    }
    assert counts == {"vacancy": 2, "antisite": 2, "interstitial": 2}  # one hole, two elements


def test_tetrahedral_hole_of_silicon() -> None:
    first = defects.holes(bulk("Si", cubic=True), 1.4)[0]
    atoms = bulk("Si", cubic=True)
    atoms.append("Si")
    atoms.positions[-1] = first
    distances = np.sort(atoms.get_distances(8, range(8), mic=True))
    assert distances[:4] == pytest.approx([np.sqrt(3) / 4 * 5.43] * 4, abs=1e-3)


def test_sqs_is_nearer_to_random_than_chance_and_says_how_near() -> None:
    settings = Generator(methods=("sqs",), sqs_atoms_max=16)
    made = sqs.make([], CUNI, settings)
    assert [a.symbols.count("Ni") for a in made] == [5, 3, 6]  # 30, 20 and 40 % of 16
    shells = Shells.of(made[0])
    rng = np.random.default_rng(0)
    chance = [shells.error(rng.permutation(made[0].numbers).tolist(), [28, 29]) for _ in range(50)]
    assert made[0].info["sqs_error"] == pytest.approx(shells.error(made[0].numbers.tolist(), [28, 29]), abs=1e-6)
    assert made[0].info["sqs_error"] <= min(chance)
    assert ids(made) == ids(sqs.make([], CUNI, settings))


def test_order_of_known_alloys() -> None:
    ordered = bulk("CuZn", "cesiumchloride", a=2.95) * (2, 2, 2)
    order = Shells.of(ordered).warren_cowley(ordered.numbers.tolist(), [29, 30])
    assert order[:2, 0] == pytest.approx([-1.0, 1.0])  # all first neighbours unlike, all second ones alike


def test_normal_modes_hold_kt_over_two_each() -> None:
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


def test_thermal_samples_are_another_sampler() -> None:
    parent = parents(SI, SETTINGS)[0]
    made = thermal.make([parent], SI, Generator(thermal_temperatures_k=(300.0, 1200.0), thermal_count=8))
    spread = {t: np.sqrt(np.mean([(a.get_scaled_positions() - parent.get_scaled_positions() + 0.5) % 1 - 0.5 for a in made if a.info["temperature_k"] == t] ** np.array(2.0))) for t in (300.0, 1200.0)}  # fmt: skip # noqa: E501
    assert spread[1200.0] / spread[300.0] == pytest.approx(2.0, rel=0.25)  # amplitude as the root of the temperature
    holdout = generate(SI, SETTINGS, holdout=True)
    assert {a.info["config_type"] for a in holdout.frames} == {"thermal"}


def test_dimers_start_where_cores_do_not_overlap() -> None:
    made = dimers.make([], Target(elements=("Si", "O")), SETTINGS)
    assert len(made) == 3 * 12
    shortest = [a.get_distance(0, 1) for a in made if a.symbols.count("Si") == 2][0]
    assert shortest == pytest.approx(1.11, abs=0.01)
    assert max(a.get_distance(0, 1) for a in made) == pytest.approx(6.0)


def test_surfaces_have_vacuum() -> None:
    made = generate(SI, Generator(methods=("surface",), surface_indices=((1, 1, 1),), surface_layers=2))
    slab = made.frames[0]
    assert slab.cell.lengths()[2] - np.ptp(slab.positions[:, 2]) == pytest.approx(10.0, abs=1e-6)


def test_whole_numbers_add_up() -> None:
    assert whole_numbers({"A": 1 / 3, "B": 1 / 3, "C": 1 / 3}, 8) == {"A": 3, "B": 3, "C": 2}


@pytest.mark.parametrize(
    ("target", "methods", "words"),
    [
        (Target(), ("bulk",), "names no elements"),
        (Target(molecule="Nonsense"), ("bulk",), "no molecule"),
        (Target(elements=("Ga",)), ("bulk",), "no simple crystal"),
        (Target(elements=("Si",)), ("normal_mode",), "no structure"),
        (Target(elements=("Si",), crystal="rocksalt"), ("bulk",), "two elements"),
    ],
)
def test_what_cannot_be_made_is_named(target: Target, methods: tuple, words: str) -> None:
    with pytest.raises(InputError, match=words):
        generate(target, Generator(methods=methods))
