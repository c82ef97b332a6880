"""Seeds: the same from the same, another from anything else, never one that an engine would replace."""

import itertools

from gibbsflow.workflow.seeds import derive_seed


def test_seeds_of_campaigns_under_way_stay():
    # written down once: another value would give every campaign other samples
    assert derive_seed(2026) == 1372393819
    assert derive_seed(2026, "b2", "complex", 0, "all", 3) == 1045179414
    assert derive_seed(0, "") == 984623116


def test_every_part_counts_and_where_it_ends():
    parts = [(), ("b2",), ("b", "2"), ("b2", ""), ("b2", 0), ("b2", 0, 1), ("b2", 1, 0), ("b2", 10)]
    seeds = [derive_seed(seed, *part) for seed, part in itertools.product((1, 2), parts)]
    assert len(set(seeds)) == len(seeds)
    assert derive_seed(1, "b2", 0) == derive_seed(1, "b2", "0")


def test_the_range_is_what_openmm_takes_and_is_used_evenly():
    seeds = [derive_seed(seed, "segment") for seed in range(4000)]
    assert min(seeds) >= 1 and max(seeds) <= 2**31 - 2
    mean = sum(seeds) / len(seeds) / 2**31
    assert abs(mean - 0.5) < 4 / (12 * len(seeds)) ** 0.5  # four standard errors of a uniform one
