"""RMSD with equivalent atoms: what a flip of a ring costs, and that another molecule is none."""

import host_guest as hg
import numpy as np
import pytest

from gibbsflow.binding.analyse.frames.pose_geometry import LigandGraph, closest_rmsd

TOLUENE = LigandGraph((6,) * 7, (0, 1, 1, 1, 1, 1, 3), (*((k, (k + 1) % 6) for k in range(6)), (0, 6)))
ANGLES = np.radians([0, 60, 120, 180, 240, 300, 0])
PLACES = np.array([1.4] * 6 + [2.9])[:, None] * np.stack([np.cos(ANGLES), np.sin(ANGLES), 0 * ANGLES], axis=1)


def test_a_flipped_ring_is_the_same_pose():
    flipped = PLACES * [1, -1, 1]
    assert np.sqrt(((flipped - PLACES) ** 2).sum(axis=1).mean()) > 1
    assert closest_rmsd(np.stack([PLACES, flipped]), PLACES, TOLUENE) == pytest.approx([0, 0], abs=1e-9)
    assert len(TOLUENE.mappings(TOLUENE)) == 2


def test_turned_by_half_it_is_another():
    turned = PLACES * [-1, -1, 1]
    expected = np.sqrt((6 * 0.0 + 5.8**2) / 7)  # the methyl alone moves, where ring atoms could change places freely
    assert closest_rmsd(turned[None], PLACES, TOLUENE)[0] > expected


def test_atoms_in_another_order():
    order = np.array([6, 3, 0, 5, 1, 4, 2])
    place = {old: new for new, old in enumerate(order)}
    bonds = tuple((place[a], place[b]) for a, b in TOLUENE.bonds)
    other = LigandGraph((6,) * 7, tuple(TOLUENE.hydrogens[k] for k in order), bonds)
    assert closest_rmsd(PLACES[None], PLACES[order], TOLUENE, other) == pytest.approx([0], abs=1e-9)


def test_another_molecule_is_infinitely_far():
    pyridine_like = LigandGraph((7, *(6,) * 6), TOLUENE.hydrogens, TOLUENE.bonds)
    assert closest_rmsd(PLACES[None], PLACES, TOLUENE, pyridine_like)[0] == np.inf


def test_it_is_read_from_a_topology_and_survives_a_record():
    graph = LigandGraph.read(hg.data("ligand.prmtop"), list(range(12)))
    assert LigandGraph.from_dict(graph.as_dict()) == graph
    assert sum(element == 8 for element in graph.elements) == 2 and sum(graph.hydrogens) == 18
