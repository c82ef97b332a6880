"""Frames that other programs wrote: each is used once, whichever files it stands in, and two runs are no window."""

import numpy as np
import pytest
from xvg_ladder import Ladder, exact_kt, parts_of, put

from gibbsflow.binding.analyse.estimators import fit_mbar
from gibbsflow.binding.analyse.readers.gromacs_energies import read_leg
from gibbsflow.binding.analyse.readers.runs import Part, Tally, check_temperatures, join, split, weightless
from gibbsflow.errors import InputError


@pytest.fixture
def files(tmp_path):
    return Ladder().write(tmp_path / "leg")


def counts(energies):
    return list(energies.account.facts["samples"].values())


def told(energies):
    return [str(doubt) for doubt in energies.account.doubts]


def dg(energies):
    fitted = fit_mbar(energies.u_nk)
    return float(fitted.delta_f_.iloc[0, -1]), float(fitted.d_delta_f_.iloc[0, -1])


def same(one, other):
    return np.array_equal(one.u_nk.to_numpy(), other.u_nk.to_numpy()) and np.array_equal(one.dhdl, other.dhdl)


def test_the_ladder_has_its_exact_free_energy(files):
    value, error = dg(read_leg(files))
    assert exact_kt(0, 1) == pytest.approx(0.861383, abs=1e-6)
    assert abs(value - exact_kt(0, 1)) < 3 * error < 0.1


@pytest.mark.parametrize("how", ["whole", "each row", "with header"])
def test_frames_twice_in_a_file_count_once(files, how):
    once = read_leg(files)
    head, rows = parts_of(files[2])
    twice = {
        "whole": head + rows + rows,
        "each row": head + [row for row in rows for _ in range(2)],
        "with header": head + rows + head + rows,
    }
    put(files[2], twice[how])
    read = read_leg(files)
    assert same(read, once) and counts(read) == [400] * 5
    assert told(read) == [f"{files[2]}: 400 frames that are there already, each used once"]
    assert read.account.facts["frames_read"] == 2400 and read.account.facts["frames_used"] == 2000


def test_a_file_given_twice_counts_once(files, tmp_path):
    copy = put(tmp_path / "copy.xvg", files[1].read_text().splitlines())
    assert same(read_leg([*files, copy]), read_leg(files))
    assert same(read_leg([*files, files[1]]), read_leg(files))


def test_a_file_copied_before_the_run_ended(files, tmp_path):
    head, rows = parts_of(files[1])
    copy = put(tmp_path / "copy.xvg", head + rows[:150])
    assert same(read_leg([copy, *files]), read_leg(files))


@pytest.mark.parametrize("shared", [0, 1, 30])
@pytest.mark.parametrize("order", [1, -1])
def test_parts_of_a_run_are_joined_whatever_they_share(files, tmp_path, shared, order):
    whole = read_leg(files)
    head, rows = parts_of(files[3])
    put(files[3], head + rows[: 200 + shared])
    part = put(tmp_path / "dhdl.part0002.xvg", head + rows[200:])
    read = read_leg([*files, part][::order])
    assert same(read, whole)
    assert read.account.facts["frames_repeated"] == shared


def test_the_first_frame_of_a_restart_may_say_something_else(files, tmp_path):
    head, rows = parts_of(files[3])
    put(files[3], head + rows[:201])
    start = Ladder(seed=9).rows(3, 1, start_ps=40.0)
    part = put(tmp_path / "part.xvg", head + start + rows[201:])
    assert counts(read_leg([*files, part])) == [400] * 5


def test_frames_that_a_restart_wrote_anew_replace_those_before(files, tmp_path):
    head, rows = parts_of(files[3])
    anew = Ladder(seed=9).rows(3, 250, start_ps=30.0)
    part = put(tmp_path / "part.xvg", head + anew)
    put(files[3], head + rows[:200])
    read = read_leg([*files, part])
    assert counts(read) == [400, 400, 400, 150 + 250, 400]
    assert "50 frames at the same times as in a later part of the run, with other values" in told(read)[0]
    assert read.account.doubts[0].weight == "warn"


def test_two_runs_of_one_window_are_refused(files, tmp_path):
    head, _ = parts_of(files[3])
    other = put(tmp_path / "other.xvg", head + Ladder(seed=9).rows(3))
    with pytest.raises(
        InputError, match=r"other.xvg, row 10: samples of state 3 .*same times with other values as in .*3"
    ):
        read_leg([*files, other])


def test_runs_between_each_others_frames_are_refused(files, tmp_path):
    head, _ = parts_of(files[3])
    other = put(tmp_path / "other.xvg", head + Ladder(seed=9).rows(3, start_ps=0.1))
    with pytest.raises(InputError, match="two runs of one window"):
        read_leg([*files, other])


def test_time_that_stands_still(files):
    head, rows = parts_of(files[0])
    put(files[0], head + ["0.0000 " + row.split(" ", 1)[1] for row in rows])
    with pytest.raises(InputError, match=r"0.xvg, row 11: time does not go forward, here and 398 times more \(0 ps\)"):
        read_leg(files)


def part(times, values, name="a"):
    values = np.array(values, dtype=float)[:, None]
    return Part(name, np.arange(len(times)) + 1, np.array(times, dtype=float), values)


def test_parts_by_hand():
    tally = Tally()
    (first,) = split(part([0, 1, 1, 2], [5, 6, 6, 7]), tally)
    assert first.time_ps.tolist() == [0, 1, 2] and tally.repeated["a"] == 1
    (run,) = join([part([2, 3], [7, 8], "b"), first], tally, window="w")
    assert run.time_ps.tolist() == [0, 1, 2, 3] and run.values[:, 0].tolist() == [5, 6, 7, 8]
    assert tally.repeated == {"a": 1, "b": 1} and (tally.read, tally.kept) == (4, 4)


def test_as_many_runs_as_a_window_may_have():
    runs = [part([0, 1], [5, 6]), part([0, 1], [8, 9], "b")]
    assert len(join(runs, Tally(), window="w", most=2)) == 2
    with pytest.raises(InputError, match="b, row 1: samples of w"):
        join(runs, Tally(), window="w")


def test_the_odd_temperature_is_named():
    found = {"a": 300.0, "b": 310.0, "c": 300.0, "d": 300.0}
    with pytest.raises(InputError, match=r"^b: was run at 310 K, the other 3 files at 300 K"):
        check_temperatures(found, 310.0)
    assert check_temperatures({"a": 300.0, "b": 300.005}, 300.0) == 300.0


def test_an_infinite_energy_weighs_nothing():
    u, count = weightless(np.array([[0.0, np.inf], [1.0, 2.0]]), np.array([0, 1]))
    assert count == 1 and np.exp(-u[0, 1]) == 0 and u[1].tolist() == [1.0, 2.0]


def test_one_window_alone_is_no_leg(files):
    with pytest.raises(InputError, match=r"samples of one state only \(fep-lambda = 0.25\)"):
        read_leg(files[1:2], allow_missing=True)
