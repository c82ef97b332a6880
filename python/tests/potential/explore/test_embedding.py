"""Boxes in place of large cells."""

import pytest
from ase.build import bulk
from ase.cluster import Octahedron
from labelled_sets import fitted_copper

from gibbsflow.config.potential_training import Embedding
from gibbsflow.potential.data.structures import structure_id
from gibbsflow.potential.explore.calculator import PotentialCalculator
from gibbsflow.potential.explore.embedding import embed

SETTINGS = Embedding(largest_cell_atoms=100, core_radius_angstrom=3.0, buffer_angstrom=3.0)


@pytest.fixture(scope="module")
def calculator():
    made = PotentialCalculator(fitted_copper()[0] / "potential")
    yield made
    made.close()


def _large():
    atoms = bulk("Cu", cubic=True) * (6, 6, 6)
    atoms.rattle(0.03, seed=1)
    atoms.positions[17] += 0.7
    return atoms


def test_a_box_stands_for_its_cell(calculator):
    small, large = bulk("Cu", cubic=True), _large()
    made = embed([small, large], calculator, SETTINGS, seed=1, generation=2)
    assert made.frames[0] is small and len(made.frames) == 2
    box, (record,) = made.frames[1], made.records
    assert len(box) < 0.3 * len(large)
    assert box.info["config_type"] == "embedded"
    assert (box.info["parent"], box.info["generation"]) == (structure_id(large), 2)
    assert (box.info["energy_weight"], box.info["stress_weight"]) == (0.0, 0.0)
    assert 0 < record["core_atoms"] == box.arrays["force_mask"].sum() < len(box)
    # the potential's cutoff is 5 Å and the centre has 6 Å around it: nothing is lost of what is unknown
    assert record["grade_in_box"] == pytest.approx(record["grade"], rel=1e-6)
    assert made.figures()["whole"] == 1


def test_more_boxes_for_more_regions(calculator):
    atoms = _large()
    far = int(atoms.get_distances(17, range(len(atoms)), mic=True).argmax())
    atoms.positions[far] -= 0.7
    made = embed([atoms], calculator, SETTINGS.model_copy(update={"boxes": 4}), seed=1, generation=0)
    assert len(made.records) == 2
    assert len({record["centre"] for record in made.records}) == 2


def test_without_a_limit_all_stay(calculator):
    large = _large()
    assert embed([large], calculator, Embedding(), seed=1, generation=0).frames == [large]


def test_what_gets_no_box_is_said(calculator):
    cluster = Octahedron("Cu", 7, cutoff=2)
    assert len(cluster) > 100
    made = embed([cluster], calculator, SETTINGS, seed=1, generation=0)
    assert (made.frames, made.replaced) == ([], [])
    assert "no direction is periodic" in made.figures()["refused"][0]["reason"]
