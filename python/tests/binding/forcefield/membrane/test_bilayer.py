"""Middle, leaflets, area, thickness and water of bilayers whose numbers are known."""

import numpy as np
import pytest

from gibbsflow.binding.forcefield.membrane.bilayer import above_middle, leaflets, measured, middle_of
from gibbsflow.binding.forcefield.membrane.lipids import Lipids

BOX = np.diag([40.0, 40.0, 70.0])


def sheet(middle=0.0, upper=16, lower=16):
    """Lipids of five atoms from the middle to the head 19 Å away, then a water in the core and one outside."""
    atoms, heads, molecules = [], [], []
    for count, side in ((upper, 1), (lower, -1)):
        for k in range(count):
            x, y = 10 * (k % 4) + 5, 10 * (k // 4) + 5
            molecules.append(np.arange(len(atoms), len(atoms) + 5, dtype=np.int32))
            atoms += [[x, y, middle + side * z] for z in (2, 6, 10, 15, 19)]
            heads.append(len(atoms) - 1)
    lipids = Lipids(tuple(molecules), tuple(heads), ("POPC",) * (upper + lower))
    return lipids, np.array([*atoms, [20, 20, middle + 2], [20, 20, middle + 30]])


@pytest.mark.parametrize("middle", [35.0, 0.0, 66.0])
def test_wherever_the_bilayer_lies_in_its_box(middle):
    lipids, positions = sheet(middle)
    wrapped = positions % np.diag(BOX)
    assert abs(float(above_middle(np.array([middle_of(wrapped[lipids.atoms], 70.0)]), middle, 70.0)[0])) < 0.1
    upper, lower = leaflets(lipids, wrapped, BOX)
    assert upper.tolist() == list(range(16)) and lower.tolist() == list(range(16, 32))
    seen = measured(lipids, wrapped, BOX, [], [160, 161])
    assert seen.area_per_lipid_angstrom2 == pytest.approx((100, 100))
    assert seen.thickness_angstrom == pytest.approx(38) and seen.waters_inside == 1


def test_what_a_solute_covers_is_not_the_lipids_area_and_its_water_not_in_the_core():
    lipids, positions = sheet(35.0)
    solid = [[0.5, 20.0, 35.0 + z] for z in (1, 5, 9)]  # at a face of the box, in the upper leaflet alone
    both = np.vstack([positions, solid])
    seen = measured(lipids, both, BOX, [162, 163, 164], [160, 161])
    upper, lower = seen.area_per_lipid_angstrom2
    assert lower == pytest.approx(100) and (100 - upper) * 16 == pytest.approx(np.pi * 2.4**2, rel=0.15)
    assert seen.waters_inside == 1
    both[160] = [38.0, 20.0, 36.0]  # near the solute, across the face
    assert measured(lipids, both, BOX, [162, 163, 164], [160, 161]).waters_inside == 0
