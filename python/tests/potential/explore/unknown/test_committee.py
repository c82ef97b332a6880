"""A committee that is read back, and what it says where a member fails."""

import numpy as np
import pytest
from ase.build import bulk
from labelled_sets import fitted_copper

from gibbsflow.engines.lammps import LammpsError
from gibbsflow.errors import EngineError, InputError
from gibbsflow.potential.explore.unknown.committee import Committee
from gibbsflow.potential.train.fit import load_potential
from gibbsflow.potential.train.uncertainty.committee_spread import CommitteeScale


def test_equal_members_agree_and_are_ended():
    member = load_potential(fitted_copper()[0] / "potential")
    atoms = bulk("Cu", cubic=True)
    atoms.rattle(0.1, seed=1)
    with Committee(CommitteeScale(2, 3.0, 0.1, 0.4, ""), [member, member]) as committee:
        assert committee.spreads(atoms) == pytest.approx(np.zeros(4), abs=1e-12)


def test_a_folder_without_a_committee_is_refused():
    with pytest.raises(InputError, match="has no committee"):
        Committee.read(fitted_copper()[0] / "potential")


class _Failing:
    def __init__(self, error):
        self.error = error

    def start(self):
        return self

    def predict(self, atoms):
        raise self.error

    def close(self):
        """End nothing."""


def test_what_blows_up_is_unknown_and_what_is_wrong_is_an_error():
    scale, atoms = CommitteeScale(1, 1.0, 0.1, 0.4, ""), bulk("Cu", cubic=True)
    assert np.isinf(Committee(scale, [_Failing(LammpsError("Lost atoms"))]).spreads(atoms)).all()
    with pytest.raises(EngineError, match="cannot open file"):
        Committee(scale, [_Failing(EngineError("cannot open file"))]).spreads(atoms)
