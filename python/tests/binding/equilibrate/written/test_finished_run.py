"""What of a written equilibration is not whole, or not of the system that it is read for, is refused in one error."""

import os
import shutil

import pytest

from gibbsflow.binding.equilibrate.written.finished_run import finished_boxes
from gibbsflow.binding.system import SimSystem
from gibbsflow.errors import InputError

SPOILT = {
    "unfinished": ("5 of 6 runs are done", lambda box: [(box / n).unlink() for n in ("FINISHED", "2-free-003.done")]),
    "edited": ("2-free-001.in", lambda box: _changed(box / "2-free-001.in", "298.15", "310")),
    "another topology": ("topology.prmtop", lambda box: _changed(box / "topology.prmtop", "%FORMAT", "%FORMAT ")),
    "other inputs run": ("of others", lambda box: _changed(box / "FINISHED", '"inputs_hash": "', '"inputs_hash": "0')),
    "another system": ("another system", lambda box: _changed(box.parent / "amber.json", '"seed": 7', '"seed": 8')),
    "cut trajectory": ("2-free-002.nc: not a whole", lambda box: os.truncate(box / "2-free-002.nc", 2000)),
    "cut output": ("0 energies and 1 frames", lambda box: os.truncate(box / "2-free-002.out", 3000)),
    "no record": ("no amber.json", lambda box: (box.parent / "amber.json").unlink()),
}


def _changed(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize("how", SPOILT)
def test_what_is_not_whole_or_not_of_this_system_is_refused(of_amber, finished, tmp_path, how):
    spoilt = shutil.copytree(finished, tmp_path / "amber", symlinks=True)
    words, spoil = SPOILT[how]
    spoil(spoilt / "complex")
    with pytest.raises(InputError, match=words):
        finished_boxes(SimSystem.read(of_amber), spoilt)
