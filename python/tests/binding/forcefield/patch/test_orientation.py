"""Proteins stand as they are given, or are turned to where they are hydrophobic; what is not embedded is refused."""

import numpy as np
import pytest

from gibbsflow.binding.facts import MembranePlanes
from gibbsflow.binding.forcefield.patch.orientation import laid_on, stand
from gibbsflow.errors import InputError

HEIGHTS = np.arange(-30.0, 31.0, 1.5)
NAMES = ["LEU" if abs(z) < 14 else "LYS" for z in HEIGHTS]
SPINE = np.stack([2 * np.cos(HEIGHTS), 2 * np.sin(HEIGHTS), HEIGHTS], axis=1)


def turned(degrees, shift=(0, 0, 0)):
    a = np.radians(degrees)
    rotation = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    return SPINE @ rotation.T + shift


def test_as_given_nothing_moves():
    found = stand(NAMES, SPINE, "given", where="x")
    np.testing.assert_array_equal(found.placed(SPINE), SPINE)
    assert found.inside == 13 and found.contrast > 5 and found.as_dict()["orientation"] == "given"


@pytest.mark.parametrize(("degrees", "shift"), [(0, (0, 0, 12)), (35, (5, -3, 8)), (90, (0, 40, 0))])
def test_a_turned_and_shifted_helix_comes_back_across_the_middle(degrees, shift):
    where = turned(degrees, shift)
    found = stand(NAMES, where, "search", where="x")
    placed = found.placed(where)
    assert np.abs(np.abs(placed[:, 2]) - np.abs(SPINE[:, 2])).max() < 3.0
    assert found.tilt_degrees == pytest.approx(degrees, abs=5)
    np.testing.assert_allclose(np.linalg.det(found.rotation), 1)
    between = lambda x: np.linalg.norm(x[:, None] - x, axis=-1)  # noqa: E731
    np.testing.assert_allclose(between(placed), between(where), atol=1e-9)


@pytest.mark.parametrize(
    ("names", "how", "shift", "said"),
    [
        (NAMES, "given", (0, 0, 60), "not embedded: 0 residues"),
        (["LYS", "GLU"] * 20 + ["LYS"], "search", (0, 0, 0), "no slab in it is hydrophobic"),
    ],
)
def test_what_is_in_no_membrane_is_refused(names, how, shift, said):
    with pytest.raises(InputError, match=said):
        stand(names, turned(0, shift), how, where="x")


def test_a_helix_that_fits_between_the_tails_however_it_lies_is_not_guessed_at():
    with pytest.raises(InputError, match="all of it fits between tails of 30 Å"):
        stand(["LEU"] * 13, SPINE[14:27], "search", where="x")


def test_planes_of_the_file_bring_it_back_and_say_how_thick_the_tails_are():
    a = np.radians(35)
    planes = MembranePlanes(
        middle_angstrom=(5.0, -3.0, 8.0), normal=(0.0, -np.sin(a), np.cos(a)), thickness_angstrom=28.0
    )  # fmt: skip
    where = turned(35, (5, -3, 8))
    found = stand(NAMES, where, "given", planes, where="x")
    np.testing.assert_allclose(found.placed(where)[:, 2], SPINE[:, 2], atol=1e-9)
    np.testing.assert_allclose(found.rotation @ found.rotation.T, np.eye(3), atol=1e-12)
    told = found.as_dict()
    assert told["orientation"] == "opm" and told["opm_tails_angstrom"] == 28.0 and told["tilt_degrees"] == 35.0
    assert found.doubts() == []


def test_a_protein_that_crosses_z_0_by_chance_is_doubted():
    (doubt,) = stand(NAMES, turned(0, (0, 0, 20)), "given", where="x").doubts()
    assert "no more hydrophobic than the others" in doubt


def test_on_itself_in_a_bilayer_its_middle_comes_to_0():
    where = SPINE + [3.0, 4.0, 50.0]
    found = laid_on(NAMES, turned(35, (5, -3, 8)), where, 50.0)
    np.testing.assert_allclose(found.placed(turned(35, (5, -3, 8))), where - [0, 0, 50.0], atol=1e-9)
    assert found.how == "prepared" and found.inside == 13 and np.linalg.det(found.rotation) == pytest.approx(1)
