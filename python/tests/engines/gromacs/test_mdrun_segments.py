"""Segments of mdrun: what is kept of one that was cut short, and walkers that exchange."""

import numpy as np
import pytest

from gibbsflow.engines.gromacs.mdrun_segments import WindowRun, exchange_orders, prepare_together
from gibbsflow.errors import EngineError


def stopped_at(place, step, saved=b"start"):
    """A folder as mdrun leaves it that has ended by itself."""
    run = WindowRun(place, saved, 100, 1000, 7)
    place.mkdir(exist_ok=True)
    run.prepare()
    (place / "run.part0002.log").write_text(f"Started\nWriting checkpoint, step {step} at Fri Nov 27\n")
    (place / "run.part0002.xvg").write_text("# nothing\n@ yet\n")
    (place / "run.cpt").write_text(f"at {step}")
    return run


def test_what_was_cut_short_is_gone_on_with(tmp_path):
    run = stopped_at(tmp_path / "w", 340)
    assert run.words(0) == ["-nsteps", "1000", "-cpi", "run.cpt"] and run.steps_done() == 240
    run.keep()
    for name in ("run.cpt", "run_prev.cpt", "run.part0003.log", "run.tpr", "run.mdp", "run.out.mdp"):
        (run.place / name).write_text("killed here")
    assert run.prepare() == 240 and run.checkpoint() == b"at 340" and run.words(240)[1] == "760"
    assert {path.name for path in run.place.glob("run*")} == {
        "run.cpt", "run.part0002.log", "run.part0002.xvg", "run.tpr", "run.mdp", "run.out.mdp",
    }  # fmt: skip
    assert run.energies() == []  # a start that was stopped before its first sample


@pytest.mark.parametrize("other", [{"seed": 8}, {"steps": 999}, {"saved": b"later"}, {"first_step": 0}])
def test_another_segment_does_not_go_on_with_it(other, tmp_path):
    run = stopped_at(tmp_path / "w", 340)
    run.keep()
    given = vars(run) | other
    assert WindowRun(**given).prepare() == 0
    assert run.checkpoint() == given["saved"] and not list(run.place.glob("run.part*"))


def test_what_is_damaged_is_run_again(tmp_path, caplog):
    run = stopped_at(tmp_path / "w", 340)
    run.keep()
    (run.place / "run.part0002.xvg").write_text("# cut\n")
    assert run.prepare() == 0 and run.checkpoint() == b"start"
    assert "run.part0002.xvg has changed; the segment is run from its start" in caplog.text
    (run.place / "run.part0002.log").write_text("crashed")
    with pytest.raises(EngineError, match="ended without a checkpoint"):
        run.steps_done()


def test_windows_that_exchange_stand_at_one_step(tmp_path, caplog):
    runs = [stopped_at(tmp_path / name, step) for name, step in (("a", 340), ("b", 340))]
    for run in runs:
        run.keep()
    assert prepare_together(runs) == 240
    (runs[0].place / "begun.cpt").unlink()
    assert prepare_together(runs) == 0 and [run.checkpoint() for run in runs] == [b"start"] * 2
    assert "left at different steps" in caplog.text


def test_walkers_are_followed_through_the_log():
    text = (
        "Replica exchange at step 50 time 0.10000\n\nAccepted Exchanges:   1 3 2 0 \nOrder After Exchange: 1 3 2 0 \n\n"
        "Replica exchange at step 100 time 0.20000\n\nAccepted Exchanges:   1 0 2 3 \nOrder After Exchange: 3 1 2 0 \n"
    )
    start = np.arange(4, dtype=np.int32)
    first, then = [1, 3, 2, 0], [3, 1, 2, 0]
    assert exchange_orders(text, start, 3, 0, 50).tolist() == [[0, 1, 2, 3], first, then, then]
    # the start that follows begins with the exchange after the last sample; one of another segment is not its own
    assert exchange_orders(text, start, 2, 50, 50).tolist() == [first, then, then]
    assert exchange_orders(text, start, 1, 50, 50).tolist() == [first, first]
