"""Atoms of B beside A: with B's own lengths and angles at the anchor, in every frame; clashes by name."""

import edges
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from gibbsflow.binding.alchemy.hybrid.pair.shared_atoms import SharedAtoms, share_atoms
from gibbsflow.binding.alchemy.hybrid.placing import Pose, clashes, hybrid_positions, turns_deg
from gibbsflow.binding.geometry import angle_deg


@pytest.mark.parametrize(("a", "b"), edges.PAIRS)
def test_b_stands_on_its_anchor_as_in_b(a, b):
    shared = share_atoms(edges.end(a), edges.end(b), edges.pairs(a, b))
    other = edges.positions_nm(b)
    turned = other @ Rotation.random(random_state=5).as_matrix() + 3.0
    placed = hybrid_positions(shared, edges.positions_nm(a), turned)
    np.testing.assert_array_equal(placed[: shared.a.size], edges.positions_nm(a))
    found = placed[list(shared.place_b)]
    own = set(shared.unique_b)
    for term in shared.b.terms:
        if len(term.atoms) == 3 and own & set(term.atoms):
            expected, angle = angle_deg(*other[list(term.atoms)]), angle_deg(*found[list(term.atoms)])
            assert angle == pytest.approx(expected, abs=8)
    for i, j in shared.b.bonds.edges:
        if {i, j} & own:
            assert np.linalg.norm(found[i] - found[j]) == pytest.approx(np.linalg.norm(other[i] - other[j]), abs=1e-9)


def test_every_frame_has_its_own_place():
    """B's atoms go with A's as it turns and moves."""
    shared = share_atoms(edges.end("benzene"), edges.end("toluene"), edges.pairs("benzene", "toluene"))
    start = edges.positions_nm("benzene")
    turn = Rotation.random(random_state=2).as_matrix()
    frames = np.array([start, start @ turn + 1.0])
    placed = hybrid_positions(shared, frames, edges.positions_nm("toluene"))
    assert placed.shape == (2, shared.size, 3)
    np.testing.assert_allclose(placed[1], placed[0] @ turn + 1.0, atol=1e-9)


def test_a_stereocentre_keeps_its_hand():
    shared = share_atoms(edges.end("butane"), edges.end("2-fluorobutane"), edges.pairs("butane", "2-fluorobutane"))
    other = edges.positions_nm("2-fluorobutane")
    placed = hybrid_positions(shared, edges.positions_nm("butane"), other)[list(shared.place_b)]

    def hand(x):
        one, two, three, centre = (x[i] for i in (1, 3, 4, 2))
        return np.sign(np.dot(np.cross(one - centre, two - centre), three - centre))

    assert hand(placed) == hand(other)


def test_clashes_are_named_the_nearest_first_across_the_box():
    shared = share_atoms(edges.end("benzene", "tip3p"), edges.end("toluene"), edges.pairs("benzene", "toluene"))
    box = edges.box_nm("benzene")
    placed = hybrid_positions(shared, edges.positions_nm("benzene", box=True), edges.positions_nm("toluene"))
    carbon = shared.place_b[0]
    oxygens = [atom.index for atom in shared.a.topology.atoms() if atom.name == "O"]
    placed[oxygens] += 50 * box[0]  # all out of the way but for their images, and two
    assert not [clash for clash in clashes(shared, placed) if not clash.solvent]
    placed[oxygens[0]] = placed[carbon] + [0, 0, 0.12]
    placed[oxygens[1]] = placed[carbon] + [0.1, 0, 0] + box[0]
    assert [str(clash) for clash in clashes(shared, placed)] == ["C1 is 1.2 Å from O of HOH 2"]
    assert [str(clash) for clash in clashes(shared, placed, box)][0] == "C1 is 1.0 Å from O of HOH 3"
    assert clashes(shared, placed, least_angstrom=1.1) == []


@pytest.mark.parametrize("far", [0.0, 2.0])
def test_a_whole_ligand_stands_in_the_site_wherever_that_has_gone(far):
    """And where the two do not lie in one place, its centroid is on A's. Five waters are taken for the site."""
    shared = SharedAtoms(edges.end("benzene", "tip3p"), edges.end("phenol"), ())
    start, b = edges.positions_nm("benzene", box=True), edges.positions_nm("phenol")
    b = b - b.mean(axis=0) + start[:12].mean(axis=0) + 0.1
    site = tuple(range(12, 27, 3))
    frame = start @ Rotation.random(random_state=4).as_matrix() + 1.0
    frame[:12] += far
    placed = hybrid_positions(shared, frame, b, Pose(b, site, start[list(site)]))
    expected = b @ Rotation.random(random_state=4).as_matrix() + 1.0
    if far:
        expected += frame[:12].mean(axis=0) - expected.mean(axis=0)
    np.testing.assert_allclose(placed[len(frame) :], expected, atol=1e-6)
    np.testing.assert_array_equal(placed[: len(frame)], frame)


def test_how_far_a_ligand_has_turned_in_its_site():
    random = np.random.default_rng(3)
    ligand, site = random.normal(0, 0.3, (6, 3)), random.normal(0, 0.5, (5, 3))
    whole = Rotation.random(random_state=4).as_matrix()
    frames = []
    for angle in (0.0, 30.0, 170.0):
        own = Rotation.from_euler("z", angle, degrees=True).as_matrix()
        frames.append(np.concatenate([ligand @ own @ whole + 0.3, site @ whole]))
    np.testing.assert_allclose(turns_deg(range(6), range(6, 11), np.array(frames)), [0, 30, 170], atol=1e-3)
