"""Units, levels of theory, convergence, charges and masks that frames name beside their labels."""

import numpy as np
import pytest
from labelled_sets import rattled

from gibbsflow.potential.data.frame_words import judge_words
from gibbsflow.workflow.account import Account


def _doubts(change):
    frames = rattled(4, 0)
    for number, frame in enumerate(frames):
        change(number, frame)
    account = Account("a.xyz")
    judge_words(frames, range(4), account)
    return [(doubt.weight, doubt.problem.field, doubt.problem.what) for doubt in account.doubts]


def _says(**words):
    return _doubts(lambda _, frame: frame.info.update(words))


@pytest.mark.parametrize(
    "words",
    [
        {"energy_unit": "eV"},
        {"forces_units": "eV/Ang"},
        {"unit_of_stress": "eV/A^3"},
        {"units": "eV, Angstrom"},
        {"units": "metal"},
        {"stress_unit": "eV/Å³"},
        {"time_unit": "fs"},
        {"converged": "T"},
        {"charge": "1"},
    ],
)
def test_words_that_fit_raise_no_doubt(words):
    assert _says(**words) == []


@pytest.mark.parametrize(
    "words",
    [
        {"energy_unit": "Hartree"},
        {"energy_units": "kcal/mol"},
        {"force_unit": "Ha/Bohr"},
        {"stress_units": "GPa"},
        {"virial_unit": "kbar"},
        {"length_unit": "bohr"},
        {"units": "kcal/mol"},
        {"units": "real"},
        {"DFT_energy_unit": "Ry"},
    ],
)
def test_other_units_are_refused(words):
    ((weight, field, what),) = _says(**words)
    (text,) = words.values()
    assert (weight, field) == ("refuse", "units") and repr(text) in what


def test_labels_that_did_not_converge():
    assert _says(scf_converged="F") == [("refuse", "scf_converged", "is false in 4 frames (1, ...)")]
    assert _says(converged=False)[0][0] == "warn"


def test_levels_of_theory_and_charges_that_differ_are_warned_of():
    assert _doubts(lambda k, frame: frame.info.update(head="pbe" if k else "r2scan")) == [
        ("warn", "head", "is 'r2scan' in frame 1, 'pbe' in 3 frames (2, ...)")
    ]
    ((weight, field, what),) = _doubts(lambda k, frame: frame.info.update(total_charge=k // 3))
    assert (weight, field) == ("warn", "charge") and "+1 in frame 4" in what


def test_masks_of_forces_are_counted_or_refused():
    def _mask(values):
        return _doubts(lambda _, frame: frame.arrays.update(force_mask=values))

    assert _mask(np.arange(8) < 6) == [
        ("note", None, "force_mask leaves the forces of 8 of 32 atoms out of the fit"),
    ]  # fmt: skip
    assert _mask(np.ones(8)) == []
    ((weight, field, what),) = _mask(np.full(8, 0.5))
    assert (weight, field) == ("refuse", "force_mask") and "in 4 frames" in what
