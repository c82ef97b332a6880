"""States at even distances, where the metric and so the right answer is known."""

import numpy as np
import pytest

from gibbsflow.binding.alchemy.schedules import check_schedule, read_schedule
from gibbsflow.binding.analyse.placement.distances import Distances, overlap_of_distance
from gibbsflow.binding.analyse.placement.even_states import MOST_WINDOWS, least_windows, place_states, unless_as_good
from gibbsflow.binding.analyse.placement.lambda_path import as_mappings

from .gaussians import charges


def known(states, position) -> Distances:
    """Distances of Gaussians at known places."""
    length = np.abs(np.diff([position(state) for state in as_mappings(states)]))
    return Distances(length, overlap_of_distance(length), (False,) * len(length))


def electrostatics(placed) -> list[float]:
    return [state.lambda_electrostatics for state in placed.states]


GIVEN = check_schedule(charges(*np.linspace(1, 0, 11)), where="test")


@pytest.mark.parametrize("by", ["length", "overlap"])
def test_a_metric_that_grows_has_its_windows_at_the_analytic_places(by) -> None:
    """√g = 2aλ, so that equal lengths are equal steps of λ²; the measured grid is uniform."""
    placed = place_states(
        GIVEN, known(GIVEN, lambda s: 6 * s["lambda_electrostatics"] ** 2), by=by, spacing=1.0, windows=None
    )
    assert electrostatics(placed) == pytest.approx(np.sqrt(1 - np.arange(7) / 6), abs=0.005)
    assert placed.parts[0]["spacing"] == pytest.approx(1.0, abs=0.02)


def test_harmonic_springs_that_stiffen_linearly_get_a_geometric_series() -> None:
    """k(λ) = k0 + λ (k1 − k0) has the length √(d/2) ln k: windows lie at equal ratios of k (Shenfeld 2009)."""

    def length(state) -> float:
        return np.sqrt(1.5) * np.log(1 + 30 * state["lambda_electrostatics"])

    placed = place_states(GIVEN, known(GIVEN, length), windows=6)
    k = 1 + 30 * np.array(electrostatics(placed))
    # the first measured interval from the soft end holds a third of the length: there a cubic is all that is known
    assert np.log(k[:-1] / k[1:])[:3] == pytest.approx(np.log(31) / 5, rel=0.01)
    assert np.log(k[:-1] / k[1:]) == pytest.approx(np.log(31) / 5, rel=0.2)
    again = place_states(placed.states, known(placed.states, length), windows=6)
    k = 1 + 30 * np.array(electrostatics(again))
    assert np.log(k[:-1] / k[1:]) == pytest.approx(np.log(31) / 5, rel=0.03)


@pytest.mark.parametrize("name", ["complex_16", "solvent_6", "rbfe_11", "sdr_41", "complex_in_water_24"])
def test_placing_twice_gives_the_same(name) -> None:
    given = read_schedule(name)
    random = np.random.default_rng(5)
    lengths = random.uniform(0.1, 2.5, len(given) - 1)
    first = place_states(given, Distances(lengths, overlap_of_distance(lengths), (False,) * len(lengths)))
    even = np.concatenate([[part["spacing"]] * (np.diff(part["windows"])[0]) for part in first.parts])
    second = place_states(first.states, Distances(even, overlap_of_distance(even), (False,) * len(even)))
    assert second.states == first.states
    assert all(part["spacing"] <= 1.25 * 1.05 for part in first.parts)


def test_windows_are_added_where_they_are_needed_and_dropped_where_they_are_idle() -> None:
    given = read_schedule("complex_16")
    lengths = np.array([1.0, 1.0, *[0.05] * 5, *[2.5] * 8])
    placed = place_states(given, Distances(lengths, overlap_of_distance(lengths), (False,) * 15), spacing=1.0)
    counts = {part["component"]: int(np.diff(part["windows"])[0]) for part in placed.parts}
    assert counts == {"restraints": 2, "electrostatics": 1, "sterics": 20}
    assert placed.states[3].as_dict() == given[7].as_dict()


def test_a_component_without_length_keeps_its_ends_alone() -> None:
    given = read_schedule("complex_16")
    lengths = np.array([0.0] * 7 + [1.0] * 8)
    distances = Distances(lengths, overlap_of_distance(lengths), (False,) * 15)
    placed = place_states(given, distances)
    assert [np.diff(part["windows"])[0] for part in placed.parts][:2] == [1, 1]
    nothing = Distances(np.zeros(15), np.ones(15), (False,) * 15)
    assert len(place_states(given, nothing).states) == least_windows(given) == 4
    even = place_states(given, nothing, windows=10)  # more than anything asks for: evenly
    assert len(even.states) == 10


def test_two_states_stay_two_or_are_divided() -> None:
    given = check_schedule(charges(1.0, 0.0), where="test")
    near = Distances(np.array([0.3]), np.array([0.97]), (False,))
    assert place_states(given, near).states == given
    far = Distances(np.array([3.7]), np.array([0.1]), (False,))
    assert electrostatics(place_states(given, far)) == pytest.approx([1, 2 / 3, 1 / 3, 0], abs=1e-4)


def test_states_are_monotone_whatever_was_measured() -> None:
    random = np.random.default_rng(3)
    for name in ("complex_16", "sdr_41", "rbfe_21"):
        given = read_schedule(name)
        for _ in range(20):
            lengths = random.choice([0.0, 0.001, 0.5, 4.0, 12.0], len(given) - 1)
            placed = place_states(given, Distances(lengths, overlap_of_distance(lengths), (False,) * len(lengths)))
            check_schedule(as_mappings(placed.states), where=name)  # refuses what rises or falls, or comes twice
            assert len(placed.states) <= MOST_WINDOWS


def test_more_windows_than_there_may_be_are_shared_out_and_said() -> None:
    given = read_schedule("complex_16")
    lengths = np.full(15, 12.0)
    placed = place_states(given, Distances(lengths, np.zeros(15), (True,) * 15))
    told = placed.account.as_dict()["warnings"]
    assert len(placed.states) == MOST_WINDOWS and "146 windows" in told[0] and "lower bound" in told[1]


def of(given, lengths):
    return place_states(given, Distances(lengths, overlap_of_distance(lengths), (False,) * len(lengths)))


def test_a_schedule_that_would_do_is_kept_where_no_other_is_clearly_better() -> None:
    given = read_schedule("complex_16")
    # one interval holds most of a short way: four windows at its ends would leave 0.93 of the error
    short = of(given, np.array([0.19, 1.02, *[0.06] * 13]))
    kept = unless_as_good(short)
    assert len(short.states) == 4 and 0.8 < short.expected_error_ratio < 1
    assert (kept.states, kept.expected_error_ratio) == (given, 1.0)
    (told,) = kept.account.as_dict()["notes"]
    assert "4 windows at even distances would leave 0.93 of the error of the 16 given" in told
    assert [part["windows"] for part in kept.parts] == [part["windows_before"] for part in short.parts]
    # not kept: many idle windows, and neighbours that are too far apart
    idle = of(given, np.array([*[1.0] * 2, *[0.0] * 13]))
    assert unless_as_good(idle) is idle and idle.expected_error_ratio < 0.8
    far = of(given, np.full(15, 2.0))
    assert unless_as_good(far) is far and len(far.states) > 16


def test_numbers_that_do_not_fit_are_refused() -> None:
    given = read_schedule("complex_16")
    with pytest.raises(ValueError, match="3 distances of 16 states"):
        place_states(given, Distances(np.ones(3), np.ones(3), (False,) * 3))
    with pytest.raises(ValueError, match="3 windows for 3 components"):
        place_states(given, Distances(np.ones(15), np.ones(15), (False,) * 15), windows=3)
