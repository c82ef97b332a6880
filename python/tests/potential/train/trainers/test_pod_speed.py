"""Cost of MD and what is best for its cost."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from gibbsflow.engines.lammps import Lammps
from gibbsflow.potential.data.neighbours import pairs_within
from gibbsflow.potential.train.trainers import pod_basis, pod_speed


def _records(*pairs):
    return [{pod_speed.SPEED: cost, pod_speed.SCORE: score} for cost, score in pairs]


def test_the_front_holds_what_nothing_beats():
    slow, quick, worse, middling = _records((40.0, 1.0), (10.0, 3.0), (20.0, 3.5), (20.0, 2.0))
    assert pod_speed.pareto_front([slow, quick, worse, middling]) == [quick, middling, slow]


def test_a_goal_sets_the_price_of_time():
    slow, quick = _records((40.0, 1.0), (10.0, 1.2))
    chosen = {
        goal: min((slow, quick), key=lambda record, goal=goal: pod_speed.objective(record, goal))
        for goal in pod_speed.PRICE
    }
    assert chosen == {"accuracy": slow, "balanced": quick, "speed": quick}
    assert pod_speed.objective(slow, "accuracy") == 1.0
    # half the cost is worth 10 % if balanced, 29 % for speed
    assert 2 ** -pod_speed.PRICE["balanced"] == pytest.approx(0.90, abs=0.005)
    assert 2 ** -pod_speed.PRICE["speed"] == pytest.approx(0.71, abs=0.005)


def test_speed_is_measured_on_atoms_with_neighbours(tmp_path):
    molecule = Atoms("OH2", positions=[[0, 0, 0], [0.96, 0, 0], [-0.24, 0.93, 0]])
    packed = pod_speed.dense(molecule, 4.0, 0.96)
    assert set(packed.get_chemical_symbols()) == {"O", "H"} and packed.pbc.all() and len(packed) >= 200
    assert pairs_within(packed, 2.1)[2].min() == pytest.approx(2.0)
    # at the molecule's bond an atom had more than the 2000 neighbours that LAMMPS' lists hold
    assert np.bincount(pairs_within(packed, 8.0)[0]).max() < 500
    assert pairs_within(pod_speed.dense(Atoms("Cl2", positions=[[0, 0, 0], [2.5, 0, 0]]), 4.0, 2.5), 2.6)[2].min() > 2.4
    silicon = pod_speed.dense(bulk("Si", cubic=True), 5.0, 2.35)
    assert len(silicon) == 256 and max(silicon.cell.lengths()) == pytest.approx(4 * 5.43)
    with Lammps(tmp_path) as lammps:
        costs = []
        for number in (0, 3):
            basis = pod_basis.ladder_basis(number, ("Si",), 0.8, 5.0)
            count = len(pod_basis.descriptor_sums(lammps, silicon[:2], basis)[0])
            costs.append(pod_speed.md_cost_us(lammps, silicon, basis, np.ones(count)))
    assert 0 < 1.5 * costs[0] < costs[1] < 1e5
