"""Bound or unbound, judged on a guest in, at and beside its host."""

import bilayers
import host_guest as hg
import numpy as np
import pytest

from gibbsflow.binding.equilibrate.bound_state import (
    LEAST_AT_FACE,
    LEAST_BURIED,
    analyse_bound,
    least_buried_from,
    uncorrelated_samples,
)
from gibbsflow.binding.geometry import superposed


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
        assert "threshold 8 Å" in outcome.why and "in the first frame it was outside, too" in outcome.why
    left = judge(np.concatenate([frames[:9], moved(frames[:11], hg.RECEPTOR_ATOMS, shift)]), receptor, ligand)
    assert not left.bound and "first frame" not in left.why


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


def test_superposition_undoes_a_rotation():
    frame = np.random.default_rng(5).normal(size=(12, 3))
    rotation, _ = np.linalg.qr(np.random.default_rng(6).normal(size=(3, 3)))
    rotation *= np.sign(np.linalg.det(rotation))
    frames = np.stack([frame, frame @ rotation.T + 4])
    assert superposed(frames, range(12))[1] == pytest.approx(frame, abs=1e-9)


@pytest.fixture(scope="module")
def beside_a_helix():
    """Heavy atoms of a helix along z, of six atoms flat against its side, and of lipids all about them."""
    names, _, _, xyz = bilayers.helix()
    helix = xyz[[name.lstrip("0123456789")[0] != "H" for name in names]]
    ring = 1.4 * np.array([[0, np.sin(a), np.cos(a)] for a in np.arange(6) * np.pi / 3])
    out = next(
        r for r in np.arange(4, 15, 0.1) if np.linalg.norm(helix - ring[:, None] - [r, 0, 0], axis=-1).min() > 3.6
    )
    ligand = ring + [out, 0, 0]
    grid = np.stack(np.meshgrid(*[np.arange(-20, 21, 2.5)] * 3), axis=-1).reshape(-1, 3)
    solid = np.vstack([helix, ligand])
    lipids = grid[np.linalg.norm(grid[:, None] - solid, axis=-1).min(axis=1) > 3.6]
    return helix, ligand, lipids


def test_among_lipids_a_part_of_the_prepared_poses_share_is_asked_for(beside_a_helix):
    helix, ligand, lipids = beside_a_helix
    least = least_buried_from(ligand, helix, lipids)
    assert LEAST_AT_FACE <= least < 0.25
    assert least_buried_from(ligand, helix, np.zeros((0, 3))) == LEAST_BURIED  # the same beside water
    adrift = ligand + [9.0, 0, 0]
    around = lipids[np.linalg.norm(lipids[:, None] - adrift, axis=-1).min(axis=1) > 3.6]
    assert least_buried_from(adrift, helix, around) == LEAST_AT_FACE


@pytest.mark.parametrize(("shift", "bound"), [(0.0, True), (1.0, True), (4.0, False), (9.0, False)])
def test_a_ligand_at_the_membranes_face_stays_or_leaves(beside_a_helix, shift, bound):
    helix, ligand, lipids = beside_a_helix
    atoms = len(helix)
    noise = np.random.default_rng(2).normal(scale=0.1, size=(10, atoms + len(ligand), 3))
    frames = noise + np.vstack([helix, ligand + [shift, 0, 0]])
    nearest = np.argsort(np.linalg.norm(helix - ligand.mean(axis=0), axis=1))[:8].tolist()
    outcome = analyse_bound(
        frames, ligand=range(atoms, atoms + len(ligand)), site=nearest, receptor=range(atoms), threshold_angstrom=20.0,
        least_buried=least_buried_from(ligand, helix, lipids),
    )  # fmt: skip
    assert outcome.bound is bound, outcome.why


def autoregressive(count, phi):
    """Two series: one of independent values, one whose inefficiency (1 + φ) / (1 − φ) is known."""
    quick, slow = np.random.default_rng(7).normal(size=(2, count))
    for k in range(1, count):
        slow[k] += phi * slow[k - 1]
    return quick, slow


@pytest.mark.parametrize("phi", [0.0, 0.8])
def test_uncorrelated_samples_are_those_of_the_slowest_series(phi):
    series = autoregressive(5000, phi)
    assert uncorrelated_samples(range(2500, 5000), *series) == pytest.approx(2500 * (1 - phi) / (1 + phi), rel=0.2)


def test_a_move_before_the_judged_frames_counts():
    """What has moved once may do so again, though the judged frames alone look calm."""
    quick, _ = autoregressive(40, 0.0)
    moved = quick + 20.0 * (np.arange(40) < 20)
    judged = range(20, 40)
    assert uncorrelated_samples(judged, quick) > 10 > 3 > uncorrelated_samples(judged, quick, moved)


@pytest.mark.parametrize("series", [[1.0], [1.0, 2.0], [3.0] * 50])
def test_a_series_that_cannot_tell_is_one_sample(series):
    judged = range(len(series))
    assert uncorrelated_samples(judged, np.array(series), np.arange(len(series)) % 2 * 1.0) == 1.0
