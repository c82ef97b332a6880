"""Anchors that a restraint can stand on, chosen from frames of a guest in its host."""

import host_guest as hg
import numpy as np
import pytest

from gibbsflow.binding.equilibrate.anchors import AnchorError, choose_anchors
from gibbsflow.engines.openmm_systems import load_topology


@pytest.fixture(scope="module")
def complex_frames():
    """Twenty frames of CB7·B2 with some noise, and the heavy atoms of host and guest."""
    start = hg.positions_nm("complex-vacuum") * 10
    random = np.random.default_rng(4)
    restraint = hg.com_restraint()
    return start + random.normal(scale=0.1, size=(20, *start.shape)), restraint.receptor_atoms, restraint.ligand_atoms


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
