"""What of a written equilibration is not whole, or not of the system that it is read for, is refused in one error."""

import os
import shutil

import pytest
from scipy.io import netcdf_file

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
    "trajectory of another run": ("times are not those of", lambda box: _copied(box, "2-free-001.nc", "2-free-003.nc")),
    "restart of another run": ("of 3.2 ps", lambda box: _copied(box, "2-free-002.rst7", "2-free-003.rst7")),
    "run of another": (
        "begins at 3.2 ps",
        lambda box: [_copied(box, f"2-free-003.{e}", f"2-free-001.{e}") for e in ("nc", "out")],
    ),
    "no velocities": ("no numbers", lambda box: _spoilt(box / "2-free-003.rst7", "velocities")),
    "no places": ("no numbers", lambda box: _spoilt(box / "2-free-001.nc", "coordinates")),
    "cut restart": ("2-free-002.rst7: not a whole", lambda box: os.truncate(box / "2-free-002.rst7", 100)),
    "no attempt": ("no number of an attempt", lambda box: (box / "began").write_text("")),
    "odd record": ("another system", lambda box: (box.parent / "amber.json").write_text("[]")),
    "no record": ("no amber.json", lambda box: (box.parent / "amber.json").unlink()),
}


def _changed(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def _copied(box, one, other):
    shutil.copy(box / one, box / other)


def _spoilt(path, name):
    with netcdf_file(path, "a", mmap=False) as file:
        file.variables[name].data.flat[5] = float("nan")


@pytest.mark.parametrize("how", SPOILT)
def test_what_is_not_whole_or_not_of_this_system_is_refused(of_amber, finished, tmp_path, how):
    spoilt = shutil.copytree(finished, tmp_path / "amber", symlinks=True)
    words, spoil = SPOILT[how]
    spoil(spoilt / "complex")
    with pytest.raises(InputError, match=words):
        finished_boxes(SimSystem.read(of_amber), spoilt)
