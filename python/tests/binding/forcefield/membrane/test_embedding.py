"""Boxes whose lipids make no bilayer in xy are refused in words; what is unusual is noted."""

import bilayers
import numpy as np
import pytest

from gibbsflow.binding.forcefield.given.solvated_system import read_boxes
from gibbsflow.binding.forcefield.membrane.embedding import bilayer_doubts
from gibbsflow.binding.forcefield.membrane.lipids import Lipids
from gibbsflow.workflow.account import Account

BOX, LYING = np.diag([40.0, 40.0, 70.0]), np.diag([70.0, 40.0, 40.0])
SPREAD = np.random.default_rng(1).uniform(0, 40, (80, 3)) * [1, 1, 1.75]


def slab(axis=2, upper=60, lower=60, box=BOX):
    random = np.random.default_rng(2)
    atoms = random.uniform(0, 1, (4 * (upper + lower), 3)) * np.diag(box)
    atoms[:, axis] = box[axis, axis] / 2 + np.tile([2.0, 6.0, 10.0, 15.0], upper + lower) * np.repeat(
        [1] * upper + [-1] * lower, 4
    )
    molecules = tuple(np.arange(4 * k, 4 * k + 4, dtype=np.int32) for k in range(upper + lower))
    return Lipids(molecules, tuple(4 * k + 3 for k in range(upper + lower)), ("POPC",) * (upper + lower)), atoms


def doubts(lipids, atoms, box=BOX, receptor=(), ligand=()):
    problems, notes = bilayer_doubts(lipids, atoms, box, (receptor, ligand), where="x.rst7")
    return " ".join(str(p) for p in problems), " ".join(notes)


def test_a_bilayer_in_xy_is_taken_and_leaflets_that_differ_are_noted():
    assert doubts(*slab()) == ("", "")
    assert doubts(*slab(upper=62)) == ("", "membrane: 62 lipids in the upper and 60 in the lower leaflet")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda: (*slab(axis=0, upper=40, lower=40, box=LYING), LYING), "a layer across x"),
        (lambda: (slab(upper=10, lower=10)[0], SPREAD), "over the whole box"),
        (lambda: (*slab(upper=1, lower=19),), "lipids above the middle of the membrane"),
        (lambda: (*slab(), BOX + [[0, 0, 0], [0, 0, 0], [9, 0, 0]]), "third vector is not upright"),
    ],
)
def test_what_is_no_bilayer_in_xy_is_refused(change, said):
    told, _ = doubts(*change())
    assert said in told and "normal along z" in told


def test_a_disc_a_micelle_and_a_ribbon_are_no_membrane_and_one_with_a_pore_is():
    lipids, atoms = slab()
    away = atoms[:, :2] - [20, 20]
    inwards = away / np.maximum(1, np.linalg.norm(away, axis=1, keepdims=True) / 14)
    for flat in (inwards, away * [1, 0.6]):
        told, _ = doubts(lipids, np.column_stack([flat + 20, atoms[:, 2]]))
        assert "do not reach across the box in xy" in told
    outwards = away * np.maximum(1, 9 / np.linalg.norm(away, axis=1, keepdims=True))
    problems, notes = doubts(lipids, np.column_stack([outwards + 20, atoms[:, 2]]))
    assert problems == "" and "a hole of 8 Å radius" in notes


@pytest.mark.parametrize(
    ("upwards", "outwards"),
    [
        (lambda z: np.where(z > 0, 20 - z, -20 - z), 0),
        (lambda z: np.where(np.arange(len(z)) % 8 < 4, z, 26 * np.sign(z) - z), 60),
    ],
)
def test_heads_that_point_to_the_middle_make_no_bilayer(upwards, outwards):
    """Leaflets turned over, and two bilayers one above the other: the middle between them is that of none."""
    lipids, atoms = slab()
    atoms[:, 2] = 35 + upwards(atoms[:, 2] - 35)
    assert f"of 120 lipids {outwards} have their head away from the middle" in doubts(lipids, atoms)[0]


@pytest.mark.parametrize("skew", [0.0, 0.5])
def test_a_disc_that_touches_its_images_is_doubted(skew):
    """In a square box and in a hexagonal one: it reaches across, but for the corners."""
    width = 84.0
    box = np.array([[width, 0, 0], [skew * width, width * np.sqrt(1 - skew**2), 0], [0, 0, 70.0]])
    lipids, atoms = slab(upper=700, lower=700)
    random = np.random.default_rng(3)
    radius = (width / 2 - 1.5) * np.sqrt(random.uniform(0, 1, len(atoms)))  # 3 Å from its images
    angle = random.uniform(0, 2 * np.pi, len(atoms))
    disc = np.column_stack([radius * np.cos(angle), radius * np.sin(angle), atoms[:, 2]])
    problems, notes = doubts(lipids, disc, box)
    assert problems == "" and "a disc that touches its images" in notes


def test_a_receptor_beside_the_membrane_and_a_ligand_between_tails_are_noted():
    lipids, atoms = slab()
    more = np.vstack([atoms, [[20, 20, 66.0], [20, 20, 36.0]]])
    assert "the receptor is beside it, 31.0 Å" in doubts(lipids, more, receptor=[480])[1]
    assert "between the tails" in doubts(lipids, more, receptor=[481], ligand=[481])[1]


def test_a_box_with_a_membrane_is_read_as_one(tmp_path):
    account: Account
    boxes, account = read_boxes(bilayers.files(bilayers.bilayer()), None, tmp_path, "moh")
    parts = boxes["complex"].components
    assert parts.receptor_kind == "protein" and not parts.cosolvent
    assert boxes["complex"].facts(None).lipids == parts.lipids.counts()
    assert any("taken for a membrane" in str(note) for note in account.of_weight("note"))
