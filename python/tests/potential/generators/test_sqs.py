from __future__ import annotations

import numpy as np
import pytest
from ase.build import bulk

from gibbsflow.config.potential import Generator, Target
from gibbsflow.potential.generators import sqs
from gibbsflow.potential.generators.sqs import Shells

CUNI = Target(elements=("Cu", "Ni"), composition={"Cu": 0.7, "Ni": 0.3})


def ids(frames: list) -> list[str]:
    return [atoms.info["gibbsflow_id"] for atoms in frames]


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


def test_shells_of_fcc() -> None:
    shells = Shells.of(bulk("Cu", a=4.0, cubic=True))
    assert shells.distances_angstrom == pytest.approx((4 / np.sqrt(2), 4.0, 4 * np.sqrt(1.5)), abs=1e-3)
    assert shells.matrices.sum(axis=2) == pytest.approx(np.array([[12] * 4, [6] * 4, [24] * 4]))


def test_neighbouring_compositions_stay_between_nothing_and_all() -> None:
    found = sqs.neighbouring_compositions({"A": 0.95, "B": 0.05}, 0.1)
    assert found[0] == {"A": 0.95, "B": 0.05}
    assert [round(each["A"], 9) for each in found[1:]] == [0.85]


@pytest.mark.parametrize(
    "target", [Target(elements=("Cu",)), Target(elements=("Na", "Cl"), crystal="rocksalt"), Target(molecule="H2O")]
)
def test_what_has_no_lattice_to_share_gives_nothing(target: Target) -> None:
    assert sqs.make([], target, Generator()) == []
