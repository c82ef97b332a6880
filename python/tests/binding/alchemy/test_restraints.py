"""Restraints: energies, standard state, and their way through leg.json."""

import json

import numpy as np
import pytest

from gibbsflow.binding.alchemy.restraints import (
    BoreschRestraint,
    CentreOfMassRestraint,
    restraint_as_dict,
    restraint_from_dict,
)
from gibbsflow.binding.geometry import boresch_geometry
from gibbsflow.errors import InputError

BORESCH = BoreschRestraint((2, 1, 0), (3, 4, 5), 5, 90, 90, -175, 30, 179, 10, 100, "for the test")
COM = CentreOfMassRestraint((0, 1), (2,), 10, 0.0, "for the test")


def test_dihedral_energy_takes_the_short_way_round():
    points = np.random.default_rng(2).normal(size=(6, 3)) * 3
    phi = boresch_geometry(points[None], (2, 1, 0), (3, 4, 5))[0]
    exact = BoreschRestraint((2, 1, 0), (3, 4, 5), *phi, 10, 100)
    turned = BoreschRestraint((2, 1, 0), (3, 4, 5), *phi[:3], phi[3] + 360, phi[4] - 360, phi[5], 10, 100)
    assert exact.energy_kcal_per_mol(points) == pytest.approx(0, abs=1e-12)
    assert turned.energy_kcal_per_mol(points) == pytest.approx(0, abs=1e-12)


def test_standard_state_and_its_warning():
    term = BORESCH.standard_state(298.15)
    assert (term.analytic_kcal_per_mol, term.numeric_kcal_per_mol) == pytest.approx((-10.2416, -10.2437), abs=6e-5)
    assert term.warning == ""
    weak = BoreschRestraint((2, 1, 0), (3, 4, 5), 5, 10, 90, 0, 0, 0, 0.5, 2)
    assert "numeric value is used" in weak.standard_state(298.15).warning
    assert COM.standard_state(298.15).numeric_kcal_per_mol == pytest.approx(-5.2714, abs=6e-5)


@pytest.mark.parametrize("restraint", [BORESCH, COM])
def test_through_json_and_back(restraint):
    assert restraint_from_dict(json.loads(json.dumps(restraint_as_dict(restraint))), where="leg.json") == restraint


def test_unknown_kind_and_missing_keys_are_named():
    with pytest.raises(InputError, match="restraint of kind 'wall'"):
        restraint_from_dict({"kind": "wall"}, where="leg.json")
    with pytest.raises(InputError, match="receptor_atoms"):
        restraint_from_dict({"kind": "com"}, where="leg.json")
