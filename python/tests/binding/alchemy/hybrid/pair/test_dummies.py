"""Dummies that leave no trace: whatever the molecule does, their energy is one of their own places in a frame."""

import edges
import numpy as np
import pytest

from gibbsflow.binding.alchemy.hybrid.pair.dummies import HOLD_KJ_PER_MOL, dummy_sets
from gibbsflow.binding.alchemy.hybrid.pair.shared_atoms import share_atoms
from gibbsflow.binding.geometry import dihedral_deg

ENDS = [(a, b, which) for a, b in edges.PAIRS for which in (0, 1)]


def sets_of(a, b, which):
    """Dummies of one end, and where its ligand is."""
    shared = share_atoms(edges.end(a), edges.end(b), edges.pairs(a, b))
    end, unique = ((shared.a, shared.unique_a), (shared.b, shared.unique_b))[which]
    where = edges.positions_nm((a, b)[which])
    return end, dummy_sets(end, unique, where), where


def axes_of(x, frame, spare):
    """Frame of P1, P2 and P3 as rows; where there is no P2 or P3, other atoms stand for them: nothing may see which."""
    p1, p2, p3 = (x[i] for i in (*frame, *(i for i in spare if i not in frame))[:3])
    first = (p2 - p1) / np.linalg.norm(p2 - p1)
    third = np.cross(first, p3 - p1)
    third /= np.linalg.norm(third)
    return p1, np.array([first, np.cross(third, first), third])


def carried(x, moved, group, spare):
    """The dummies at the same places in the frame of a molecule whose other atoms have moved."""
    origin, axes = axes_of(x, group.frame, spare)
    new_origin, new_axes = axes_of(moved, group.frame, spare)
    found = moved.copy()
    for atom in group.atoms:
        found[atom] = (x[atom] - origin) @ axes.T @ new_axes + new_origin
    return found


def energy(terms, x):
    return sum(edges.of_term(term, x) for term in terms)


@pytest.mark.parametrize(("a", "b", "which"), ENDS)
def test_the_energy_of_dummies_knows_nothing_of_the_molecule(a, b, which):
    """The integral over their places is then one number for all shapes of the rest: it drops out of two legs."""
    end, groups, where = sets_of(a, b, which)
    random = np.random.default_rng(3)
    for group in groups:
        spare = [atom for atom in range(end.size) if atom not in group.atoms]
        x = where + random.normal(0, 0.01, where.shape)
        expected = energy((*group.kept, *group.added), x)
        for _ in range(5):
            moved = carried(x, x + random.normal(0, 0.02, x.shape), group, spare)
            assert energy((*group.kept, *group.added), moved) == pytest.approx(expected, rel=1e-8, abs=1e-8)


def test_what_is_dropped_would_have_left_a_trace():
    """The test above can fail: second angles, and torsions against other atoms, see how the molecule moves."""
    for a, b, which in [("benzene", "toluene", 1), ("isobutane", "neopentane", 1), ("phenol", "fluorobenzene", 0)]:
        end, (group,), where = sets_of(a, b, which)
        spare = [atom for atom in range(end.size) if atom not in group.atoms]
        moved = carried(where, where + np.random.default_rng(3).normal(0, 0.02, where.shape), group, spare)
        assert abs(energy(group.dropped, moved) - energy(group.dropped, where)) > 0.02


@pytest.mark.parametrize(("a", "b", "which"), ENDS)
def test_every_term_is_kept_or_dropped_once(a, b, which):
    end, groups, _ = sets_of(a, b, which)
    sorted_out = [term for group in groups for term in (*group.kept, *group.dropped)]
    own = {atom for group in groups for atom in group.atoms}
    with_dummies = [term for term in end.terms if own & set(term.atoms)]
    assert sorted(map(repr, sorted_out)) == sorted(map(repr, with_dummies))
    for group in groups:
        bonded = {atom for term in group.kept if term.kind == "bond" for atom in term.atoms}
        bonded |= {atom for pair in end.constraints for atom in pair if own & set(pair)}
        assert set(group.atoms) <= bonded  # each has its length still


@pytest.mark.parametrize(
    ("a", "b", "which", "junctions"),
    [
        ("benzene", "toluene", 0, ["dual"]),
        ("phenol", "fluorobenzene", 0, ["terminal"]),
        ("methanol", "ethane", 1, ["terminal", "terminal"]),
        ("isobutane", "neopentane", 1, ["triple"]),
        ("benzene", "pyridine", 0, ["dual", "dual", "dual"]),
    ],
)
def test_junctions_by_the_neighbours_of_the_anchor(a, b, which, junctions):
    _, groups, _ = sets_of(a, b, which)
    assert [group.junction for group in groups] == junctions
    for group in groups:
        told = group.words()
        assert told[0].startswith(group.end.name) and f"{group.junction} junction" in told[0]
        assert len([line for line in told if line.startswith("dropped")]) <= len(group.dropped)
        assert bool(group.added) == (group.junction in ("dual", "triple"))


def test_an_azimuth_is_held_where_the_angles_put_it():
    """Across a ring's plane at 180°, at a tetrahedral centre near ±120° on the side on which the atom is."""
    _, (flat,), where = sets_of("benzene", "toluene", 1)
    (term,) = flat.added
    n, phase, hold = term.parameters
    assert n == 1 and hold == HOLD_KJ_PER_MOL and np.cos(phase + np.pi) == pytest.approx(-1)
    _, groups, where = sets_of("butane", "2-fluorobutane", 1)
    found = {}
    for group in groups:
        for term in group.added:
            here = dihedral_deg(*(where[i] for i in term.atoms))
            held = (np.degrees(term.parameters[1]) + 180 + 180) % 360 - 180
            found[group.end.labels[term.atoms[0]]] = held
            assert abs(held - here) < 10
    assert sorted(np.sign(list(found.values()))) == [-1, 1]


def test_no_frame_on_what_is_straight_at_either_end():
    """Where the other ligand has the three atoms on a line, a frame of them would have no half-plane."""
    shared = share_atoms(edges.end("benzene"), edges.end("toluene"), edges.pairs("benzene", "toluene"))
    where = edges.positions_nm("benzene")
    (bent,) = dummy_sets(shared.a, shared.unique_a, where)
    assert bent.frame == (0, 1, 5)
    straight = {(1, 0, 5), (5, 0, 1)}
    (other,) = dummy_sets(shared.a, shared.unique_a, where, lambda *atoms: np.pi if atoms in straight else None)
    assert other.frame == (0, 1, 2) and len(other.added) == 1
    (none,) = dummy_sets(shared.a, shared.unique_a, where, lambda *_: np.pi)
    assert none.frame == (0, 1) and not none.added
