"""Planes of OPM's dummy atoms are found in any frame; what are no two planes is said."""

import numpy as np
import pytest

from gibbsflow.binding.prepare.membrane.opm_planes import without_dummies
from gibbsflow.binding.prepare.protein.atom_records import AtomRecord, StructureFile
from gibbsflow.workflow.account import Account


def atom(name, residue, xyz):
    return AtomRecord(1, True, name, "", residue, "A", "1", "", tuple(xyz), 1.0, name[:1], 0)


def structure(half=15.4, turn=0.0, shift=(0, 0, 0), sides="NO"):
    c, s = np.cos(turn), np.sin(turn)
    rotation = np.array([[1, 0, 0], [0, c, -s], [0, s, c]])
    grid = [(x, y) for x in range(-20, 21, 4) for y in range(-20, 21, 4)]
    found = [("CA", "LEU", (1.0, 2.0, 3.0))]
    for side, z in zip(sides, (-half, half), strict=False):
        found += [(side, "DUM", rotation @ [x, y, z] + shift) for x, y in grid]
    return StructureFile([atom(*row) for row in found])


@pytest.mark.parametrize(("turn", "shift"), [(0.0, (0, 0, 0)), (0.6, (30.0, -4.0, 12.0))])
def test_they_are_left_out_and_say_where_the_membrane_is(turn, shift):
    account = Account("x")
    left, planes = without_dummies(structure(turn=turn, shift=shift), account)
    assert [a.name for a in left.atoms] == ["CA"]
    assert planes.thickness_angstrom == pytest.approx(30.8)
    np.testing.assert_allclose(planes.normal, [0, -np.sin(turn), np.cos(turn)], atol=1e-9)
    np.testing.assert_allclose(planes.middle_angstrom, shift, atol=1e-9)
    assert f"its normal {np.degrees(turn):.1f}° from z" in str(account.of_weight("note")[0])


@pytest.mark.parametrize("changes", [{"sides": "N"}, {"half": 0.1}])
def test_what_are_no_two_planes_is_said(changes):
    account = Account("x")
    left, planes = without_dummies(structure(**changes), account)
    assert planes is None and len(left.atoms) == 1
    assert "not one plane of N and one of O" in str(account.of_weight("warn")[0])


def test_a_file_without_them_stays_as_it_is():
    account, given = Account("x"), StructureFile([atom("CA", "LEU", (0, 0, 0))])
    assert without_dummies(given, account) == (given, None) and not account.doubts
