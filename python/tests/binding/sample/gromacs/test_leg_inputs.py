"""Run inputs of a leg: found again by what is in them, remade where they are gone."""

import pytest
from gromacs_boxes import LADDER, Box, needs_gromacs

from gibbsflow.binding.sample.gromacs.leg_inputs import LegInputs
from gibbsflow.engines.gromacs.topology import g96_text


@needs_gromacs
def test_inputs_are_made_once_and_found_again(tmp_path):
    box = Box(tmp_path / "box", "C")
    leg = box.leg(tmp_path / "leg", LADDER[:2])

    def frame(_):
        return g96_text(box.frames[0], box.boxes[0], 0 * box.frames[0])

    def places(begun, seed, interval=25):
        return LegInputs(leg, leg.md, tmp_path / "work", (0, 1)).places(frame, begun, interval, seed)

    first = places([False, False], 1)
    assert [place.name for place in first] == ["window_00", "window_01"]
    made = [(place / "run.tpr").read_bytes() for place in first]
    assert places([True, True], 2) == first
    assert [(place / "run.tpr").read_bytes() for place in first] == made
    (first[1] / "run.tpr").unlink()
    assert places([True, True], 2) == first and (first[1] / "run.tpr").exists()
    # another interval is another input, in a folder of its own
    assert places([False, False], 1, interval=50)[0].parent != first[0].parent
    inputs = LegInputs(leg, leg.md, tmp_path / "work", (0, 1))
    assert inputs.atoms.masses_amu.sum() == pytest.approx(
        16.043 + 18.016 * (len(inputs.atoms.masses_amu) - 5) / 3, abs=0.3
    )
