from __future__ import annotations

import numpy as np
from ase import Atoms
from ase.build import bulk
from audited_labels import SETTINGS, displaced, strained
from labelled_sets import label

from gibbsflow.potential.data.known_labels import KnownLabel
from gibbsflow.potential.validate.labels.audited import Audited, audited
from gibbsflow.potential.validate.labels.force_checks import check_copied_forces, check_zero_forces


def checked(frames: list[Atoms]) -> list[Audited]:
    for number, frame in enumerate(frames):
        frame.info["gibbsflow_id"] = f"gf-{number}"
    found = audited([KnownLabel(frame, dict(frame.calc.results), SETTINGS) for frame in frames])
    check_zero_forces(found)
    check_copied_forces(found)
    return found


def reasons(found: list[Audited]) -> dict[int, list[str]]:
    return {number: sorted(one.reasons) for number, one in enumerate(found) if one.reasons}


def relabelled(frame: Atoms, forces: np.ndarray) -> Atoms:
    copy = frame.copy()
    copy.calc = type(frame.calc)(copy, **{**frame.calc.results, "forces": forces})
    return copy


def test_right_labels_are_left_alone() -> None:
    # perfect crystals, whose forces are zero, and pairs that no longer feel each other
    crystals = [*strained(), label(bulk("CuAu", "rocksalt", a=5.2), config_type="strain")]
    far = [label(Atoms("Cu2", [[0, 0, 0], [0, 0, 9.0]], cell=[20, 20, z], pbc=True), config_type="d") for z in (20, 21)]
    assert reasons(checked([*displaced(6), *crystals, *far])) == {}


def test_one_structure_may_have_one_set_of_forces() -> None:
    frame = displaced(1)[0]
    shifted = relabelled(frame, frame.calc.results["forces"].copy())
    shifted.positions += [0.3, 0.2, 0.1]
    assert reasons(checked([frame, shifted])) == {}


def test_a_box_that_is_said_to_be_periodic_or_not_is_one_structure() -> None:
    # plane waves repeat it in any case, and so give both the same forces
    frames = [label(Atoms("Cu2", [[4, 4, 4], [4, 4, 6.2]], cell=[9, 9, 11], pbc=pbc)) for pbc in (False, True)]
    frames[1] = relabelled(frames[1], frames[0].calc.results["forces"].copy())
    slabs = [label(Atoms("Cu2", [[0, 0, 4], [1.4, 1.4, 6]], cell=[2.8, 2.8, 14], pbc=[1, 1, z])) for z in (0, 1)]
    slabs[1] = relabelled(slabs[1], slabs[0].calc.results["forces"].copy())
    assert reasons(checked([*frames, *slabs])) == {}


def test_one_molecule_in_two_boxes_has_one_set_of_forces() -> None:
    # across a face of the second; a tight binding of short range gives both the same digits
    water = [[0.2, 0.2, 0.2], [0.96, 0.2, 0.79], [-0.56, 0.2, 0.79]]
    frames = [label(Atoms("OH2", water, cell=[side] * 3, pbc=True)) for side in (9.0, 11.0)]
    frames[1].wrap()
    frames[1] = relabelled(frames[1], frames[0].calc.results["forces"].copy())
    assert np.abs(frames[0].calc.results["forces"]).max() > 1e-3 and frames[1].positions.max() > 10
    assert reasons(checked(frames)) == {}
    # another shape of it is another structure
    bent = relabelled(frames[0], frames[0].calc.results["forces"].copy())
    bent.positions[1] += [0.02, 0.0, 0.03]
    assert reasons(checked([frames[0], bent])) == {0: ["copied"], 1: ["copied"]}


def test_no_force_at_all_where_symmetry_leaves_some() -> None:
    frames = displaced(5)
    frames[2] = relabelled(frames[2], np.zeros((len(frames[2]), 3)))
    inner = label(bulk("CuAu", "wurtzite", a=3.2, c=5.4), config_type="strain")  # along c its atoms are free
    frames.append(relabelled(inner, np.zeros((len(inner), 3))))
    assert reasons(checked(frames)) == {2: ["no_force"], 5: ["no_force"]}


def test_forces_of_another_structure_hold_both() -> None:
    frames = displaced(5)
    frames[1] = relabelled(frames[1], frames[3].calc.results["forces"].copy())
    found = checked(frames)
    assert reasons(found) == {1: ["copied"], 3: ["copied"]}
    assert "those of gf-3, another structure" in found[1].reasons["copied"]
    # a digit that differs says that they were computed
    frames[1].calc.results["forces"] = frames[1].calc.results["forces"] + 1e-6
    assert reasons(checked(frames)) == {}
