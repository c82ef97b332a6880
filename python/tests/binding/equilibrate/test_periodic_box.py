"""Molecules are brought back together, and a box has its density."""

import itertools

import numpy as np
import pytest

from gibbsflow.binding.equilibrate.periodic_box import GRAM_PER_ML_OF_AMU_PER_NM3, gathered, kept_apart, laid_out
from gibbsflow.binding.facts import RemoteFacts
from gibbsflow.engines.md_engine import Apart

OCTAHEDRON = 3.0 * np.array([[1, 0, 0], [1 / 3, np.sqrt(8) / 3, 0], [-1 / 3, np.sqrt(2) / 3, np.sqrt(2 / 3)]])
"""Reduced vectors of a truncated octahedron (OpenMM's User Guide)."""


@pytest.mark.parametrize("box", [np.diag([2.0, 3.0, 4.0]), OCTAHEDRON], ids=["box", "octahedron"])
def test_each_molecule_comes_to_the_image_nearest_to_the_first(box):
    random = np.random.default_rng(1)
    molecules = np.repeat(np.arange(40), 3)
    together = (random.random((40, 1, 3)) - 0.5) @ box * 0.9 + random.normal(0, 0.05, (40, 3, 3))
    together -= together[0].mean(axis=0)
    spread = together + (random.integers(-2, 3, (40, 1, 3)) @ box)
    found = gathered(spread.reshape(-1, 3), box, molecules).reshape(40, 3, 3)
    np.testing.assert_allclose(
        found - found.mean(axis=1, keepdims=True), together - together.mean(axis=1, keepdims=True), atol=1e-12
    )
    centres = found.mean(axis=1) - found[0].mean(axis=0)
    shift = (found - spread).mean(axis=1) @ np.linalg.inv(box)
    np.testing.assert_allclose(shift, np.round(shift), atol=1e-9)
    around = np.array(list(itertools.product(range(-2, 3), repeat=3))) @ box
    nearest = np.linalg.norm(centres[:, None] + around, axis=-1).min(axis=1)
    np.testing.assert_allclose(np.linalg.norm(centres, axis=-1), nearest, atol=1e-9)


@pytest.mark.parametrize("edges", [(5.0, 5.0, 6.5), (9.0, 9.0, 6.5)], ids=["tight", "wide"])
def test_chains_of_a_fibril_stay_beside_each_other(edges):
    """Ten chains 0.48 nm apart: the last one's centre is nearer to the first one's image than to the first one."""
    random, box = np.random.default_rng(2), np.diag(edges)
    chain = np.stack([np.linspace(-1.2, 1.2, 9), np.zeros(9), np.zeros(9)], axis=1)
    fibril = np.concatenate([chain + [0, 0, 0.48 * number] for number in range(10)])
    ion, water = [[1.0, 0.3, 4.3]], [[0.5, 2.0, 5.0]]
    whole = np.concatenate([fibril, ion, water])
    molecules = np.array([*np.repeat(np.arange(10), 9), 10, 11])
    scattered = whole + (random.integers(-1, 2, (12, 3)) @ box)[molecules]
    found = gathered(scattered, box, molecules, range(91))
    found -= found[0] - whole[0]
    np.testing.assert_allclose(found[:91], whole[:91], atol=1e-9)
    shift = (found - whole) @ np.linalg.inv(box)
    np.testing.assert_allclose(shift, np.round(shift), atol=1e-9)


def test_water_weighs_what_it_does():
    """33.4 molecules in 1 nm³ are 1 g/mL."""
    assert 33.43 * 18.015 * GRAM_PER_ML_OF_AMU_PER_NM3 == pytest.approx(1.0, rel=1e-3)


def test_each_molecule_far_away_has_a_wall_of_its_own():
    far = RemoteFacts(ion_atoms=(7, 8), centre_atoms=(0, 1), least_angstrom=20.0, gap_angstrom=8.0)
    assert kept_apart(far) == (Apart((0, 1), (7,), 20.0), Apart((0, 1), (8,), 20.0))
    copy = far.model_copy(update={"copy_atoms": (4, 5), "ion_atoms": ()})
    assert kept_apart(copy) == (Apart((0, 1), (4, 5), 20.0),) and kept_apart(None) == ()


def test_a_receptor_that_stands_out_of_its_membrane_does_not_split_it():
    """Its centre 3 nm above the middle: by it alone the far leaflet comes to its other side."""
    box = np.diag([4.0, 4.0, 8.0])
    receptor, leaflets = np.array([[2.0, 2.0, 7.2]]), [[1.0, 1.0, 5.8], [1.0, 1.0, 2.4]]
    positions, molecules = np.vstack([receptor, leaflets]), np.array([0, 1, 2])
    assert gathered(positions, box, molecules)[2, 2] == pytest.approx(10.4)
    found = laid_out(positions, box, molecules, [0], np.array([1, 2]))
    assert found[:, 2] == pytest.approx([7.2, 5.8, 2.4])
    np.testing.assert_allclose(laid_out(positions, box, molecules, [0]), gathered(positions, box, molecules, [0]))
