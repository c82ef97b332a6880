"""Types of atoms: what pairs of them have at both ends, and where GROMACS's soft core is to be on."""

import pytest

from gibbsflow.engines.gromacs.atom_types import AtomTypes, TwoEnded, mixed, pair_at_both_ends

CARBON, OXYGEN, BARE = (0.34, 0.4), (0.3, 0.9), (0.1, 0.0)
STAYS = TwoEnded((CARBON, OXYGEN))
WATER_O, WATER_H = TwoEnded((OXYGEN, OXYGEN)), TwoEnded((BARE, BARE))
GOES, COMES = TwoEnded((CARBON, None), 0), TwoEnded((None, CARBON), 1)
SHIELDED = TwoEnded((BARE, None), 2, shielded=True)


def soft(one: TwoEnded, other: TwoEnded) -> bool:
    """Whether GROMACS has its soft core on: no Lennard-Jones at one end at least."""
    return any(not epsilon for _, epsilon in pair_at_both_ends(one, other))


def test_values_are_those_of_the_ends():
    assert pair_at_both_ends(STAYS, WATER_O) == (mixed(CARBON, OXYGEN), OXYGEN)
    assert mixed(CARBON, OXYGEN) == pytest.approx((0.32, 0.6))
    (_, here), (_, gone) = pair_at_both_ends(GOES, WATER_O)
    assert here == pytest.approx(0.6) and gone == 0
    assert [epsilon for _, epsilon in pair_at_both_ends(GOES, COMES)] == [0, 0]


def test_soft_is_what_comes_or_goes_and_nothing_else():
    assert soft(GOES, WATER_O) and soft(COMES, WATER_H) and soft(GOES, STAYS)
    assert not soft(STAYS, WATER_O) and not soft(STAYS, WATER_H) and not soft(SHIELDED, WATER_H)
    assert not soft(SHIELDED, STAYS) and soft(SHIELDED, GOES)
    # a hydrogen that gets its Lennard-Jones: at its first end it has none to hold others off
    assert soft(TwoEnded((BARE, CARBON)), WATER_O)
    assert max(epsilon for _, epsilon in pair_at_both_ends(STAYS, WATER_H)) < 1e-9


def test_dummies_of_one_group_keep_what_they_have_with_each_other():
    beside = TwoEnded((OXYGEN, None), 0)
    assert pair_at_both_ends(GOES, beside) == (mixed(CARBON, OXYGEN),) * 2
    assert soft(GOES, TwoEnded((OXYGEN, None), 3))


def test_all_pairs_of_types_are_written_at_both_ends():
    types = AtomTypes()
    assert types.name(*OXYGEN) == "t0" and types.name(*OXYGEN) == "t0"
    assert types.names_two_ended(GOES) == ("e0a", "e0b") and types.names_two_ended(STAYS) == ("e1a", "e1b")
    lines = types.text().splitlines()
    assert "e0b 0 0.0 0.0 A 0.3 0" in lines and "e0a t0 1 0.32 0.6" in lines and "e0b t0 1 0.3 0" in lines
    pairs = {tuple(line.split()[:2]) for line in lines[lines.index("[ nonbond_params ]") + 1 :]}
    expected = {(one, other) for one, other in (("e0", "e0"), ("e0", "e1"), ("e1", "e1"))}
    assert pairs == {(f"{one}{end}", f"{other}{end}") for one, other in expected for end in "ab"} | {
        (f"{one}{end}", "t0") for one in ("e0", "e1") for end in "ab"
    }
