"""The hash of a folder's inputs is that of the scripts."""

import amber_legs
import amber_programs

from gibbsflow.binding.sample.amber.leg_files import write_leg_files
from gibbsflow.engines.amber.scripts.finished_folder import folder_problems, inputs_hash


def test_a_window_is_done_or_is_not(tmp_path):
    leg = amber_legs.leg(tmp_path / "leg", "complex")
    for name in ("out", "anew"):
        write_leg_files(leg, 0, tmp_path / name)
    window, anew = (tmp_path / name / "window_03" for name in ("out", "anew"))
    assert "0 of 6 runs are done" in str(folder_problems(window, anew)[0])
    assert amber_programs.run(tmp_path / "out", "run-local.bash", "window_03").returncode == 0
    assert (window / "inputs.sha256").read_text().strip() == inputs_hash(window)
    assert folder_problems(window, anew) == []
    with open(window / "md-002.in", "a") as file:
        file.write("! by hand\n")
    assert "md-002.in" in str(folder_problems(window, anew)[0])
