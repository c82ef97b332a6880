"""Inputs of sander, line by line."""

import numpy as np
import pytest

from gibbsflow.config.binding import Md
from gibbsflow.engines.amber.mdin import dynamics_words, mdin, minimisation_words, skin_angstrom, solvent_words
from gibbsflow.engines.md_engine import Hold
from gibbsflow.errors import NumericalError


def test_each_solvent_has_its_words():
    assert solvent_words(Md(), periodic=False)["igb"] == "5"
    assert solvent_words(Md(solvent="vacuum"), periodic=False)["igb"] == "6"
    box = Md(solvent="opc", pressure_bar=2.0, cutoff_angstrom=8.0)
    assert solvent_words(box, periodic=True) == {"ntb": "1", "cut": "8", "iwrap": "0"}
    npt = solvent_words(box, periodic=True, constant_pressure=True)
    assert {"ntb": "2", "ntp": "1", "barostat": "2", "pres0": "2", "cut": "8"}.items() <= npt.items()


def test_motion_and_minimisation():
    words = dynamics_words(Md(timestep_fs=2, friction_per_ps=1.5), 500, 310.0, 77)
    wanted = {"nstlim": "500", "dt": "0.002", "ntt": "3", "gamma_ln": "1.5", "temp0": "310", "ig": "77", "ntc": "2"}
    assert wanted.items() <= words.items() and words["irest"] == "1" and words["ntx"] == "5"
    assert words["mcbarint"] == "25" and dynamics_words(Md(), 20, 310.0, 77)["mcbarint"] == "19"
    assert {"imin": "1", "maxcyc": "200", "ncyc": "40", "ntc": "1", "ntf": "1"}.items() <= minimisation_words(
        200
    ).items()


def test_groups_of_held_atoms_count_from_one_with_half_of_k():
    hold = Hold((0, 1, 2, 5, 8), np.zeros((9, 3)), 5.0, (1.0, 1.0, 1.0, 1.0, 0.2))
    text = mdin("title", {"imin": "0"}, hold)
    assert text.splitlines() == [
        "title", "&cntrl", "  imin = 0,", "  ntr = 1,", "/",
        "held with 0.2 of the most", "0.5", "ATOM 9 9", "END",
        "held with 1 of the most", "2.5", "ATOM 1 3 6 6", "END", "END",
    ]  # fmt: skip
    many = mdin("title", {}, Hold(tuple(range(0, 20, 2)), np.zeros((20, 3)), 5.0))
    assert [line.count(" ") for line in many.splitlines() if line.startswith("ATOM")] == [14, 6]


def test_the_skin_fits_into_the_box():
    """sander: cutlist 9, sphere 8.995 for a truncated octahedron of 22.034 Å and a cutoff of 7 Å."""
    edge = 2.2033729663
    shape = np.array([[1, 0, 0], [-1 / 3, np.sqrt(8) / 3, 0], [-1 / 3, -np.sqrt(2) / 3, np.sqrt(2 / 3)]])
    found = skin_angstrom(Md(solvent="tip3p", cutoff_angstrom=7.0), edge * shape)
    assert found == pytest.approx(0.8 * (8.99523 - 7), rel=1e-4)
    assert skin_angstrom(Md(solvent="tip3p"), 5 * np.eye(3)) == 2.0
    assert "&ewald\n  skinnb = 1.6,\n/\n" in mdin("title", {}, None, {"skinnb": "1.6"})
    with pytest.raises(NumericalError, match="twice the cutoff of 9 Å"):
        skin_angstrom(Md(solvent="tip3p"), 1.8 * np.eye(3))
