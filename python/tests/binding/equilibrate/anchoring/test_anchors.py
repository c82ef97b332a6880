"""Anchors that a restraint can stand on, found in frames of a guest in its host, and why none can be."""

import math

import host_guest as hg
import numpy as np
import pytest

from gibbsflow.binding.equilibrate.anchoring.anchor_atoms import firm_pools
from gibbsflow.binding.equilibrate.anchoring.anchors import AnchorError, AnchorSearch
from gibbsflow.engines.openmm_systems import load_topology
from gibbsflow.units import STANDARD_VOLUME_ANGSTROM3, kt_kcal_per_mol


@pytest.fixture(scope="module")
def start():
    """CB7·B2, Å, and the heavy atoms of host and guest."""
    restraint = hg.com_restraint()
    return hg.positions_nm("complex-vacuum") * 10, restraint.receptor_atoms, restraint.ligand_atoms


def search(frames, receptor, ligand, **changed):
    topology = load_topology(hg.data("complex-vacuum.prmtop")).topology
    given = {
        "ligand": ligand,
        "receptor_pools": firm_pools(topology, frames, receptor, protein=False),
        "bonds": [(a.index, b.index) for a, b in topology.bonds()],
        "temperature_k": 298.15,
    }
    return AnchorSearch(frames, **{**given, **changed})


def noisy(start, frames=20, scale=0.1, seed=4):
    return start + np.random.default_rng(seed).normal(scale=scale, size=(frames, *start.shape))


def test_candidates_are_ranked_by_their_volume(start):
    positions, receptor, ligand = start
    frames = noisy(positions)
    found = search(frames, receptor, ligand).candidates()
    assert len(found) == 5 and len({(one.receptor[0], one.ligand[0]) for one in found}) == 5
    scores = [one.score_kcal_per_mol for one in found]
    assert scores == sorted(scores)
    best = found[0]
    assert set(best.receptor) <= set(receptor) and set(best.ligand) <= set(ligand)
    assert len({*best.receptor, *best.ligand}) == 6 and 40 <= best.least_angle_deg <= best.largest_angle_deg <= 140
    assert "least fluctuation of" in best.anchors.why and "ring atoms" in best.anchors.why
    # the score is Boresch's closed form with K = kT/σ²
    kt = kt_kcal_per_mol(298.15)
    spreads = [best.sd_r_angstrom, *np.radians([*best.sd_angles_deg, *best.sd_dihedrals_deg])]
    roots = math.sqrt(math.prod(kt / sd**2 for sd in spreads))
    sines = math.sin(math.radians(best.theta_a_deg)) * math.sin(math.radians(best.theta_b_deg))
    volume = best.r0_angstrom**2 * sines * (2 * math.pi * kt) ** 3 / roots
    assert best.score_kcal_per_mol == pytest.approx(
        kt * math.log(volume / (8 * math.pi**2 * STANDARD_VOLUME_ANGSTROM3)), abs=1e-9
    )
    assert search(frames, receptor, ligand).candidates() == found
    assert search(frames, receptor, ligand, temperature_k=400).candidates()[0].receptor == best.receptor


def test_atoms_that_move_are_left_out(start):
    """Half of the host is shaken: no anchor is taken of it."""
    positions, receptor, ligand = start
    frames, shaken = noisy(positions, scale=0.05), list(receptor[::2])
    frames[:, shaken] += np.random.default_rng(1).normal(scale=1.5, size=(len(frames), len(shaken), 3))
    for one in search(frames, receptor, ligand).candidates():
        assert not set(one.receptor) & set(shaken) and one.receptor_rmsf_angstrom < 1


def test_the_first_pool_that_has_a_set_is_taken(start):
    positions, receptor, ligand = start
    pools = [("too few", receptor[:2]), ("a third", receptor[::3]), ("all", receptor)]
    found = search(noisy(positions), receptor, ligand, receptor_pools=pools).candidates()
    assert set(found[0].receptor) <= set(receptor[::3]) and "a third" in found[0].why


def test_fewer_than_three_heavy_atoms(start):
    positions, receptor, ligand = start
    with pytest.raises(AnchorError, match="2 heavy atoms; three anchors are needed"):
        search(noisy(positions), receptor, ligand[:2]).candidates()


def test_a_linear_ligand(start):
    """Carbon dioxide, acetonitrile: three atoms, and always in a line."""
    positions, receptor, ligand = start
    frames = noisy(positions, scale=0.02)
    three = list(ligand[:3])
    frames[:, three] = positions[list(ligand)].mean(axis=0) + np.array([[-1.2, 0, 0], [0, 0, 0], [1.2, 0, 0]])
    with pytest.raises(AnchorError, match="no three of the ligand's 3 heavy atoms keep off a line"):
        search(frames, receptor, three).candidates()


def test_a_ligand_that_flips(start):
    """A third of the frames with the guest turned by half a turn: there is no pose to hold it in."""
    positions, receptor, ligand = start
    frames = noisy(positions, 30, 0.05)
    guest = np.arange(hg.RECEPTOR_ATOMS, len(positions))
    centre = positions[list(ligand)].mean(axis=0)
    axis = np.linalg.svd(positions[list(receptor)] - positions[list(receptor)].mean(axis=0))[2][0]
    turn = 2 * np.outer(axis, axis) - np.eye(3)
    for frame in frames[::3]:
        frame[guest] = (frame[guest] - centre) @ turn + centre
    with pytest.raises(AnchorError, match="the ligand does not keep one pose"):
        search(frames, receptor, ligand).candidates()


def test_a_host_of_three_atoms(start):
    positions, receptor, ligand = start
    frames = noisy(positions, scale=0.05)
    near = sorted(receptor, key=lambda a: np.linalg.norm(positions[a] - positions[list(ligand)].mean(axis=0)))
    few = [near[0], near[7], near[20]]
    pools = [("heavy atoms", few)]
    found = search(frames, few, ligand, receptor_pools=pools).candidates()
    assert set(found[0].receptor) == set(few)
    with pytest.raises(AnchorError, match="2 receptor atoms .* no three receptor atoms"):
        search(frames, few, ligand, receptor_pools=[("heavy atoms", few[:2])]).candidates()


def test_a_given_set_is_described_whatever_it_is(start):
    positions, receptor, ligand = start
    found = search(noisy(positions), receptor, ligand).candidates()[0]
    again = search(noisy(positions), receptor, ligand).described(found.receptor, found.ligand, found.why)
    assert again == found
