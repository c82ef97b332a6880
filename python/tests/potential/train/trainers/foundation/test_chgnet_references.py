"""Reference energies of our DFT for a foundation model: found by composition, refused where nothing fixes them."""

from dataclasses import replace

import numpy as np
import pytest
from labelled_sets import bare_frame

from gibbsflow.errors import InputError
from gibbsflow.potential.data.frame_weights import FrameWeights
from gibbsflow.potential.train.trainers.foundation.chgnet_references import fit_shift, refuse_undetermined

SPECIES = ("Au", "Cu")


def _frame(symbols, per_atom, **keywords):
    """Frame that lies so far, an atom of each element, above a model that gives -3 eV an atom."""
    made = bare_frame(symbols, **keywords)
    own = made.atoms.get_chemical_symbols()
    return replace(made, energy_ev=-3.0 * len(own) + sum(per_atom[s] for s in own))


def test_the_shift_is_what_lies_between_model_and_labels():
    shifts = {"Au": -100.5, "Cu": 12.25}
    frames = [_frame(s, shifts) for s in ("Cu4", "Au4", "Cu3Au", "CuAu")]
    found = fit_shift(frames, [-3.0 * len(f.atoms) for f in frames], SPECIES)
    assert found.energy_ev == pytest.approx(shifts) and found.rank == 2
    assert found.of(["Cu", "Cu", "Au"]) == pytest.approx(2 * 12.25 - 100.5)


def test_frames_count_by_their_weights_and_isolated_atoms_stay_apart():
    frames = [
        _frame("Cu4", {"Cu": 1.0}),
        _frame("Cu4", {"Cu": 2.0}),
        _frame("Cu4", {"Cu": 50.0}),
        _frame("Cu", {"Cu": 9}),
    ]
    frames[1] = replace(frames[1], weights=FrameWeights(energy=3.0))
    frames[2] = replace(frames[2], weights=FrameWeights(energy=0.0))
    found = fit_shift(frames, [-3.0 * len(f.atoms) for f in frames], ("Cu",))
    assert found.energy_ev["Cu"] == pytest.approx(1.75)
    assert found.isolated_ev == {"Cu": pytest.approx(6.0)}


def test_one_composition_fixes_one_sum_and_others_are_refused():
    train = [_frame("Cu3Au", {"Cu": 1.0, "Au": 2.0})] * 3
    found = fit_shift(train, [-12.0] * 3, SPECIES)
    assert found.rank == 1 and found.of(["Cu", "Cu", "Cu", "Au"]) == pytest.approx(5.0)
    refuse_undetermined(train, [_frame("Cu6Au2", {"Cu": 1, "Au": 2})], SPECIES, "test")
    with pytest.raises(InputError, match=r"test, row 9, energy: CuAu is no combination.*fix 1 of 2 reference energies"):
        refuse_undetermined(train, [_frame("CuAu", {"Cu": 1, "Au": 2}, row=9)], SPECIES, "test")


def test_an_energy_that_does_not_count_asks_for_no_reference():
    odd = replace(_frame("CuAu", {"Cu": 1, "Au": 2}), weights=FrameWeights(energy=0.0))
    refuse_undetermined([_frame("Cu3Au", {"Cu": 1, "Au": 2})], [odd], SPECIES, "test")
    alone = [_frame("Cu", {"Cu": 1.0}), _frame("Cu3Au", {"Cu": 1, "Au": 2})]
    refuse_undetermined(alone, [_frame("Cu", {"Cu": 1.0})], SPECIES, "test")
    assert np.isfinite(fit_shift(alone, [-3.0, -12.0], SPECIES).of(["Cu", "Au"]))
