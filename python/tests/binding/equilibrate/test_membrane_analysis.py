"""What is said of a membrane's frames, and what is doubted."""

import dataclasses

import bilayers
import numpy as np
import pytest

from gibbsflow.binding.equilibrate.membrane_analysis import MembraneAnalysis, analyse_membrane
from gibbsflow.binding.forcefield.membrane.bilayer import BilayerFrame
from gibbsflow.engines.openmm_systems import box_vectors_nm, read_positions_nm

SOUND = MembraneAnalysis(
    np.arange(4.0), (BilayerFrame(0.0, (65.0, 66.0), 37.0, 0),) * 4, {"POPC": 32}, (16, 16), changed_sides=0
)


def said(**changes):
    account = dataclasses.replace(SOUND, **changes).account("x")
    return [str(p) for weight in ("note", "warn") for p in account.of_weight(weight)]


def test_a_sound_one_has_figures_and_no_doubts():
    assert said() == []
    assert SOUND.figures()["area_per_lipid_angstrom2"] == {"upper": 65.0, "lower": 66.0}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sides": (17, 15)}, "17 lipids in the upper and 15 in the lower leaflet"),
        ({"sterols_changed": 3}, "3 sterols end in another leaflet, as they may within μs"),
        ({"changed_sides": 2}, "2 phospholipids end in another leaflet"),
        ({"frames": (BilayerFrame(0.0, (65.0, 66.0), 20.0, 0),) * 4}, "20.0 Å from head to head"),
        ({"frames": (BilayerFrame(0.0, (65.0, 66.0), 37.0, 2),) * 4}, "2.0 waters in its core"),
        ({"frames": tuple(BilayerFrame(0.0, (a, a), 37.0, 0) for a in (60.0, 60.0, 66.0, 66.0))}, "changed by +10 %"),
    ],
)
def test_each_doubt_has_its_words(changes, words):
    (one,) = said(**changes)
    assert words in one


def test_the_frames_of_a_box_are_measured():
    folder, (names, _, lipid) = bilayers.bilayer(), bilayers.lipid()
    head = lipid[names.index("P31"), 2]  # above the ends of the tails, which begin half an Å from the middle
    positions = read_positions_nm(folder / "complex.inpcrd")[None] * 10
    vectors = box_vectors_nm(folder / "complex.inpcrd")[None] * 10
    found = analyse_membrane(folder / "complex.prmtop", positions, vectors, np.array([1.0]), range(220))
    assert found is not None and sum(found.sides) == sum(found.lipids.values()) and found.changed_sides == 0
    assert found.thickness_angstrom == pytest.approx([2 * (head + 0.5)]) and found.waters_inside == 0
    assert (found.area_angstrom2 < 33.6**2 / min(found.sides)).all()
    free = analyse_membrane(folder / "solvent.prmtop", positions, vectors, np.array([1.0]), range(6))
    assert free is None
