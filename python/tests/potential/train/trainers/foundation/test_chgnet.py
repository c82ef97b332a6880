"""Folder and energies of a tuned model, by a stand-in for its process."""

import json
import logging
from contextlib import closing

import numpy as np
import pytest
from ase import Atoms
from foundation_models import stand_in

from gibbsflow import PotentialCalculator
from gibbsflow.errors import InputError, StateError
from gibbsflow.potential.explore.calculator import read_graded
from gibbsflow.potential.train.fit import fingerprint, load_potential
from gibbsflow.potential.train.trainers.foundation.chgnet import ChgnetPotential

_MINUS_TWO_AN_ATOM = """
import numpy as np
while (message := receive(requests)) is not None:
    count = len(message[1]["numbers"])
    send(out, {}, {"energy": np.float64(-2.0 * count), "forces": np.ones((count, 3)), "stress": np.arange(6.0)})
"""


@pytest.fixture
def folder(tmp_path):
    np.savez(tmp_path / "tuned.npz", weight=np.ones(3))
    shift, alone = {"Ge": 5.0, "Si": 1.0}, {"Si": -0.25}
    meta = {"environment": {"torch": "9", "chgnet": "0"}}
    ChgnetPotential(("Ge", "Si"), "0.3.0", shift, alone, meta, tmp_path / "tuned.npz").write(tmp_path / "potential")
    return tmp_path / "potential"


def test_it_comes_back_as_it_was_and_has_a_fingerprint(folder):
    found = load_potential(folder)
    assert (found.species, found.weights, found.shift_ev["Ge"]) == (("Ge", "Si"), "0.3.0", 5.0)
    before = fingerprint(folder)
    again = found.write(folder.parent / "copy")
    assert fingerprint(again.folder) == before


def test_energies_are_shifted_and_lone_atoms_have_their_labels(folder, monkeypatch, caplog):
    stand_in(monkeypatch, _MINUS_TWO_AN_ATOM)
    atoms = Atoms("Si2Ge", positions=[[0, 0, 0], [0, 0, 2.4], [2.4, 0, 0]])
    atoms.calc = PotentialCalculator(folder)
    with caplog.at_level(logging.WARNING):
        assert atoms.get_potential_energy() == pytest.approx(3 * -2.0 + 2 * 1.0 + 5.0)
    assert "tuned by {'torch': '9', 'chgnet': '0'}, and calculated by" in caplog.text
    assert atoms.get_forces() == pytest.approx(np.ones((3, 3)))
    apart = Atoms("Si3Ge", positions=[[0, 0, 0], [0, 0, 2.4], [50, 0, 0], [0, 80, 0]])  # germanium has no such label
    apart.calc = atoms.calc
    assert apart.get_potential_energy() == pytest.approx(2 * -1.0 - 0.25 + 3.0)
    with pytest.raises(InputError, match="does not know O"):
        Atoms("O", calculator=atoms.calc).get_potential_energy()
    atoms.calc.close()


def test_what_needs_lammps_or_a_grade_is_refused(folder, tmp_path):
    with pytest.raises(InputError, match="has no grade: nothing would tell where MD"):
        read_graded(folder)
    with pytest.raises(InputError, match="LAMMPS has no pair style for it"):
        load_potential(folder).pair_commands(tmp_path)
    with pytest.raises(InputError, match="no descriptors of a grade"):
        load_potential(folder).descriptor_commands("grade", {}, tmp_path)


def test_rows_of_a_linear_fit_are_refused_in_their_own_words(folder, monkeypatch):
    stand_in(monkeypatch, _MINUS_TWO_AN_ATOM)
    with closing(load_potential(folder).start()) as evaluator:
        with pytest.raises(InputError, match="forces have no rows of a fit"):
            evaluator.force_rows(Atoms("Si"), {})
        with pytest.raises(InputError, match="no descriptors of a grade"):
            evaluator.descriptors(Atoms("Si"), {})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda told: told.pop("shift_ev"), "shift_ev"),
        (lambda told: told.update(shift_ev={"Si": 1.0}), "not one finite number an element"),
        (lambda told: told.update(parameters_sha256="0"), "has been altered"),
    ],
)
def test_a_damaged_folder_is_refused(folder, change, message):
    told = json.loads((folder / "potential.json").read_text())
    change(told)
    (folder / "potential.json").write_text(json.dumps(told))
    with pytest.raises(StateError, match=message):
        load_potential(folder)
