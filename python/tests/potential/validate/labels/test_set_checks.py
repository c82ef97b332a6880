from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from audited_labels import SETTINGS, displaced, strained
from labelled_sets import label

from gibbsflow.config.potential import Audit, Labels
from gibbsflow.potential.data.known_labels import KnownLabel
from gibbsflow.potential.validate.labels.audited import Audited, audited
from gibbsflow.potential.validate.labels.set_checks import (
    check_duplicates,
    check_moments,
    check_outliers,
    check_settings,
)
from gibbsflow.potential.validate.labels.single_checks import check_alone


def prepared(frames: list[Atoms]) -> list[Audited]:
    for number, frame in enumerate(frames):
        frame.info["gibbsflow_id"] = f"gf-{number}"
    found = audited([KnownLabel(frame, dict(frame.calc.results), SETTINGS) for frame in frames])
    for one in found:
        check_alone(one, Audit(), Labels())
    return found


def reasons(found: list[Audited]) -> dict[int, list[str]]:
    return {number: sorted(one.reasons) for number, one in enumerate(found) if one.reasons}


@pytest.fixture(scope="module")
def many() -> list[Atoms]:
    return displaced(24) + strained()


def copies(frames: list[Atoms]) -> list[Atoms]:
    made = []
    for frame in frames:
        copy = frame.copy()
        copy.calc = type(frame.calc)(copy, **{k: np.array(v, copy=True) for k, v in frame.calc.results.items()})
        made.append(copy)
    return made


def test_right_labels_of_all_kinds_are_left_alone(many: list[Atoms]) -> None:
    # dimers from the wall to the tail, over four decades of forces
    pairs = [label(Atoms("Cu2", [[0, 0, 0], [0, 0, z]]), config_type="dimer") for z in np.linspace(1.5, 5.5, 14)]
    found = prepared([*copies(many), *pairs])
    check_settings(found)
    check_duplicates(found, Audit())
    check_outliers(found, Audit())
    assert reasons(found) == {}


def test_energies_and_forces_far_from_all_others(many: list[Atoms]) -> None:
    frames = copies(many)
    frames[3].calc.results["energy"] -= 8.0
    frames[5].calc.results["energy"] += 8.0 * 400
    frames[7].calc.results["forces"] *= 400.0
    found = prepared(frames)
    check_outliers(found, Audit())
    assert reasons(found) == {3: ["energy"], 5: ["energy"], 7: ["force", "threshold"]}
    assert "below the 24 labels" in found[3].reasons["energy"] or "below the 33 labels" in found[3].reasons["energy"]
    assert found[3].figures["energy_z"] < -8 < 8 < found[5].figures["energy_z"]
    for one in found:
        one.reasons.clear()
        one.linked = True  # a like structure agrees with it
    check_outliers(found, Audit())
    assert reasons(found) == {}
    few = prepared(frames[:9])
    check_outliers(few, Audit())
    assert "energy" not in few[3].reasons  # nine of a composition say too little


def test_one_structure_with_two_energies(many: list[Atoms]) -> None:
    frames = copies(many)
    turned = frames[2].copy()
    turned.rotate(40, (1, 2, 3), rotate_cell=True)
    turned = turned[np.random.default_rng(1).permutation(len(turned))]
    turned.positions += 0.7
    made = label(turned)
    twice = prepared([*frames, made])
    check_duplicates(twice, Audit())
    assert reasons(twice) == {}
    made.calc.results["energy"] -= 0.1  # then the other one is the higher
    twice = prepared([*frames, made])
    check_duplicates(twice, Audit())
    assert reasons(twice) == {2: ["duplicate"]}
    assert f"gf-{len(frames)}" in twice[2].reasons["duplicate"] and "12.5 meV/atom" in twice[2].reasons["duplicate"]


def test_another_charge_is_another_structure() -> None:
    one, other = label(bulk("Cu", cubic=True)), label(bulk("Cu", cubic=True), charge=1)
    other.calc.results["energy"] += 5.0
    found = prepared([one, other])
    check_duplicates(found, Audit())
    assert reasons(found) == {}


def test_the_few_of_other_settings_are_named(many: list[Atoms]) -> None:
    found = prepared(copies(many)[:5])
    found[4].known = replace(found[4].known, settings_hash="emt-2")
    check_settings(found)
    assert reasons(found) == {4: ["settings"]}
    assert found[4].reasons["settings"] == "made with emt-2; 4 of 5 labels with emt-1"


def magnetic(moments_ub: list[float]) -> list[Audited]:
    """Labels of nickel, each with the absolute moment of its two atoms."""
    frames = [
        label(bulk("Ni", "bcc", a=2.8 + 0.01 * n, cubic=True), config_type="strain") for n in range(len(moments_ub))
    ]
    found = prepared(frames)
    for one, moment_ub in zip(found, moments_ub, strict=True):
        one.known = replace(one.known, result={"status": "labelled", "absolute_moment_ub": moment_ub})
    return found


def test_a_label_that_lost_its_moment_is_held_unless_the_settings_keep_it() -> None:
    found = magnetic([4.6] * 11 + [0.02, 2.4])
    check_moments(found, Audit())
    assert reasons(found) == {11: ["moment"]}
    assert "0.01 μB an atom" in found[11].reasons["moment"]
    assert found[0].figures["absolute_moment_ub_per_atom"] == pytest.approx(2.3)
    kept = magnetic([4.6] * 11 + [0.02, 2.4])
    check_moments(kept, Audit(moment_share=0.0))
    assert reasons(kept) == {}


def test_few_magnetic_atoms_among_others_have_not_lost_their_moment() -> None:
    """Of one in eight an eighth of the moment an atom is all there is; one that has lost it is still found."""
    counts, frames = [8] * 11 + [1, 1], []
    for number, nickels in enumerate(counts):
        atoms = bulk("Cu", cubic=True) * (3, 1, 1)
        atoms.rattle(0.01, seed=number)
        atoms.symbols[:nickels] = "Ni"
        frames.append(label(atoms, config_type="strain"))
    found = prepared(frames)
    for number, (one, nickels) in enumerate(zip(found, counts, strict=True)):
        moment_ub = 0.05 if number == 12 else 0.6 * nickels
        one.known = replace(one.known, result={"status": "labelled", "absolute_moment_ub": moment_ub})
    check_moments(found, Audit())
    assert reasons(found) == {12: ["moment"]}
    assert "0.05 μB an atom of Ni" in found[12].reasons["moment"]


def test_where_most_labels_have_no_moment_none_is_held_for_it() -> None:
    found = magnetic([0.01] * 11 + [0.0, 4.6])
    check_moments(found, Audit())
    assert reasons(found) == {}
