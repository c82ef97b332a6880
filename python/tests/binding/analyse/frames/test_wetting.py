"""Waters in the pockets of replicates and of both ends of an edge, by numbers that are known."""

import numpy as np
import pytest

from gibbsflow.binding.analyse.frames.wetting import Count, judge_waters

ONE, TWO = [1] * 20, [2] * 20


def of_edge(*ends):
    """Replicates of an edge, by waters at its ends."""
    return [
        {
            "replicate": number,
            "ligand_a": {"ligand": "a", "buried_waters": a},
            "ligand_b": {"ligand": "b", "buried_waters": b},
        }
        for number, (a, b) in enumerate(ends)
    ]


def test_a_mean_and_its_error_from_blocks():
    found = Count.of(3, [1, 1, 2, 2, 3, 3, 4, 4, 5, 5])
    assert (found.replicate, found.mean, found.error) == (3, 3, pytest.approx(np.sqrt(2.5 / 5)))
    assert not found.differs(Count(0, 4.0, 0.0), 0.5) and found.differs(Count(0, 6.0, 0.0), 0.5)
    assert not found.differs(Count(0, 6.0, 0.0), 3.5)


def test_ends_that_differ_are_noted_and_doubted_where_they_did_not_settle():
    assert judge_waters(of_edge((ONE, ONE), (ONE, ONE))) == ([], [])
    doubts, (note,) = judge_waters(of_edge((TWO, ONE), (TWO, ONE)))
    assert doubts == [] and note.startswith(": 2.0 waters in the pocket with a, 1.0 with b; over time and between")
    (doubt,), notes = judge_waters(of_edge((TWO, ONE), (TWO, [0] * 20)))
    assert notes == [] and "2.0 waters in the pocket with a, 0.5 with b, and their number is not settled" in doubt
    assert "the pocket with b holds 0.0 waters in replicate 1 and 1.0 in 0" in doubt
    (doubt,), notes = judge_waters(of_edge((TWO, [1] * 10 + [0] * 10)))
    assert notes == [] and "b, replicate 0: 1.0 waters in the pocket in the first half, 0.0 after it" in doubt
    drifts = [[1] * 10 + [0] * 10, [0] * 10 + [1] * 10]
    assert judge_waters(of_edge(drifts, drifts[::-1])) == (
        [],
        [],
    )  # as many at both ends: nothing that \u0394\u0394G lacks


def test_replicates_that_differ_by_more_are_doubted_at_either_end():
    for parts in (of_edge((ONE, ONE), ([4] * 20, ONE)), of_edge((ONE, ONE), (ONE, [4] * 20))):
        doubts, _ = judge_waters(parts)
        assert "holds 1.0 waters in replicate 0 and 4.0 in 1: its hydration is not converged" in doubts[0]
    doubts, _ = judge_waters([{"replicate": n, "coupled": {"buried_waters": [3 * n] * 20}} for n in range(2)])
    assert doubts == []  # of a coupled ligand it may be its pose


def test_of_few_frames_or_of_one_end_nothing_is_said_of_both():
    assert judge_waters(of_edge((TWO[:9], ONE[:9]))) == judge_waters([{"replicate": 0}]) == ([], [])
    part = {"replicate": 0, "ligand_b": {"ligand": "b", "buried_waters": [0] * 10 + [3] * 10}}
    doubts, (note,) = judge_waters([part])
    assert doubts == [] and note == ", replicate 0, b: 0.0 waters in the pocket in the first half, 3.0 after it"


def test_ends_within_their_noise_are_the_same():
    random = np.random.default_rng(5)
    for _ in range(20):
        a, b = random.poisson(1.0, (2, 40)).tolist()
        assert judge_waters(of_edge((a, b))) == ([], [])


def hydration(random, occupancies, frames, correlation):
    """Waters of places that are taken by chance, anew after so many frames on average."""
    anew = random.random((len(occupancies), frames)) < 1 / correlation
    anew[:, 0] = True
    drawn = random.random(anew.shape) < np.array(occupancies)[:, None]
    since = np.maximum.accumulate(np.where(anew, np.arange(frames), 0), axis=1)
    return np.take_along_axis(drawn, since, axis=1).sum(axis=0).tolist()


@pytest.mark.parametrize(
    ("correlation", "doubted"), [(1, (0, 0.02)), (3, (0, 0.05)), (20, (0.4, 0.7)), (67, (0.6, 0.9))]
)
def test_a_water_that_is_pushed_out_is_doubted_by_how_slow_it_is(correlation, doubted):
    """Three replicates of 200 frames: what changes a hundred times a window is sampled, what changes thrice is not."""
    random, found, draws = np.random.default_rng(1), 0, 300
    for _ in range(draws):
        ends = [
            [hydration(random, places, 200, correlation) for places in ((0.95, 0.5, 0.5), (0.05, 0.4, 0.4))]
            for _ in range(3)
        ]
        found += any("not settled" in doubt for doubt in judge_waters(of_edge(*ends))[0])
    assert doubted[0] <= found / draws <= doubted[1]
