"""Bound or unbound, judged on a guest in, at and beside its host; anchors that a restraint can stand on."""

import host_guest as hg
import numpy as np
import pytest

from gibbsflow.binding.alchemy.anchors import AnchorError, choose_anchors, circular_mean_deg, circular_std_deg
from gibbsflow.binding.equilibrate.bound_state import analyse_bound, buriedness, superposed
from gibbsflow.engines.openmm_systems import load_topology


@pytest.fixture(scope="module")
def complex_frames():
    """Twenty frames of CB7·B2 with some noise, and the heavy atoms of host and guest."""
    start = hg.positions_nm("complex-vacuum") * 10
    random = np.random.default_rng(4)
    restraint = hg.com_restraint()
    return start + random.normal(scale=0.1, size=(20, *start.shape)), restraint.receptor_atoms, restraint.ligand_atoms


def judge(frames, receptor, ligand):
    return analyse_bound(frames, ligand=ligand, site=receptor, receptor=receptor, threshold_angstrom=8.0)


def moved(frames, ligand_first, shift):
    out = frames.copy()
    out[:, ligand_first:] += shift
    return out


def test_in_the_cavity_is_bound(complex_frames):
    frames, receptor, ligand = complex_frames
    outcome = judge(frames, receptor, ligand)
    assert outcome.bound and outcome.representative in outcome.judged
    assert np.median(outcome.distance_angstrom) < 0.5 and np.median(outcome.buried) > 0.75


def axis_of(frames, receptor):
    host = frames[0, list(receptor)]
    _, vectors = np.linalg.eigh(np.cov((host - host.mean(axis=0)).T))
    return vectors[:, 0]


def test_far_away_or_on_the_lid_is_unbound(complex_frames):
    frames, receptor, ligand = complex_frames
    for shift in (25.0, 7.0):  # 7 Å is within the distance threshold: burial tells
        outcome = judge(moved(frames, hg.RECEPTOR_ATOMS, shift * axis_of(frames, receptor)), receptor, ligand)
        assert not outcome.bound and outcome.representative is None
        assert "threshold 8 Å" in outcome.why


def test_only_the_last_part_counts(complex_frames):
    frames, receptor, ligand = complex_frames
    away = moved(frames, hg.RECEPTOR_ATOMS, 25.0 * axis_of(frames, receptor))
    assert not judge(np.concatenate([frames[:9], away[:11]]), receptor, ligand).bound
    assert judge(np.concatenate([away[:9], frames[:11]]), receptor, ligand).bound


def test_representative_is_no_outlier(complex_frames):
    frames, receptor, ligand = complex_frames
    odd = frames.copy()
    odd[15] = moved(frames, hg.RECEPTOR_ATOMS, np.array([1.5, 0, 0]))[15]
    assert judge(odd, receptor, ligand).representative != 15


def test_buriedness_limits():
    sphere = np.random.default_rng(1).normal(size=(400, 3))
    sphere *= 5 / np.linalg.norm(sphere, axis=1, keepdims=True)
    assert buriedness(np.zeros(3), sphere) == pytest.approx(1.0, abs=0.02)
    assert buriedness(np.zeros(3), sphere[sphere[:, 2] > 0]) == pytest.approx(0.6, abs=0.12)
    assert buriedness(np.full(3, 50.0), sphere) == 0.0


def test_superposition_undoes_a_rotation():
    frame = np.random.default_rng(5).normal(size=(12, 3))
    rotation, _ = np.linalg.qr(np.random.default_rng(6).normal(size=(3, 3)))
    rotation *= np.sign(np.linalg.det(rotation))
    frames = np.stack([frame, frame @ rotation.T + 4])
    assert superposed(frames, range(12))[1] == pytest.approx(frame, abs=1e-9)


def bonds():
    topology = load_topology(hg.data("complex-vacuum.prmtop")).topology
    return [(a.index, b.index) for a, b in topology.bonds()]


def test_anchors_can_carry_a_restraint(complex_frames):
    frames, receptor, ligand = complex_frames
    anchors = choose_anchors(frames, ligand=ligand, receptor=receptor, bonds=bonds())
    assert set(anchors.receptor) <= set(receptor) and set(anchors.ligand) <= set(ligand)
    assert len({*anchors.receptor, *anchors.ligand}) == 6
    assert 40 <= anchors.theta_a_deg <= 140 and 40 <= anchors.theta_b_deg <= 140
    assert "least fluctuation" in anchors.why
    again = choose_anchors(frames, ligand=ligand, receptor=receptor, bonds=bonds())
    assert again == anchors


def test_preferred_atoms_are_taken(complex_frames):
    frames, receptor, ligand = complex_frames
    some = receptor[::3]
    anchors = choose_anchors(frames, ligand=ligand, receptor=receptor, bonds=bonds(), preferred=some)
    assert set(anchors.receptor) <= set(some) and "backbone" in anchors.why


def test_no_candidate_is_a_clear_error(complex_frames):
    frames, receptor, ligand = complex_frames
    with pytest.raises(AnchorError, match="2 heavy atoms"):
        choose_anchors(frames, ligand=ligand[:2], receptor=receptor, bonds=bonds())
    line = frames.copy()
    line[:, list(ligand)] = np.arange(len(ligand))[None, :, None] * np.array([1.5, 0, 0])
    with pytest.raises(AnchorError, match="no anchor set"):
        choose_anchors(line, ligand=ligand, receptor=receptor, bonds=bonds())


def test_circular_means_do_not_tear_at_180():
    angles = np.array([179.0, -179.0, 178.0, -178.0])
    assert abs(circular_mean_deg(angles)) == pytest.approx(180)
    assert circular_std_deg(angles) == pytest.approx(np.sqrt(2.5))
