"""Inputs of pmemd: each option that is written is explained, and none other is."""

import re
from pathlib import Path

import amber_legs
import pytest

from gibbsflow.binding.sample.amber.amber_states import amber_path
from gibbsflow.binding.sample.amber.window_input import WindowInput, mask

PAGE = Path(__file__).parents[5] / "docs" / "methods" / "amber_decoupling.md"
_OPTION = re.compile(r"^  (\w+) = (.*),$", re.M)


def options(text):
    return dict(_OPTION.findall(text))


def inputs(leg, window=0):
    return WindowInput(leg, amber_path(leg), window, 0)


def every_text(tmp_path):
    for kind in amber_legs.SCHEDULES:
        for sampler in ("independent", "exchange"):
            one = inputs(amber_legs.leg(tmp_path / kind / sampler, kind, sampler=sampler), 1)
            yield from (one.minimise(), one.warm(), one.relax(), one.segment(0))


def test_every_option_stands_in_the_page_and_no_other(tmp_path):
    written = {name for text in every_text(tmp_path) for name in options(text)}
    table = PAGE.read_text().split("## Options")[1].split("| line of")[0]
    rows = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    explained = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert written == explained


def test_the_lines_of_the_schedule_stand_there_too(tmp_path):
    table = PAGE.read_text().split("| line of")[1].split("## Restraints")[0]
    lines = [amber_path(amber_legs.leg(tmp_path / kind, kind)).schedule for kind in amber_legs.SCHEDULES]
    kinds = {line.split(",")[0] for schedule in lines for line in schedule}
    assert kinds == set(re.findall(r"`(Type\w+)`", table))


def test_a_segment(tmp_path):
    one = inputs(amber_legs.leg(tmp_path, "complex"), 5)
    text, found = one.segment(0), options(one.segment(0))
    assert text.splitlines()[0] == "segment 1 of 3 ! total_steps=1250"
    assert (found["nstlim"], found["ntpr"], found["bar_intervall"], found["dt"]) == ("500", "125", "125", "0.004")
    assert options(one.segment(2))["nstlim"] == "250" and options(one.relax())["nstlim"] == "500"
    assert found["timask1"] == found["scmask1"] == "'@1-9'" and found["timask2"] == found["scmask2"] == "''"
    listed = [float(value) for value in found["mbar_lambda"].split(",")]
    assert len(listed) == int(found["mbar_states"]) == 24 and listed[5] == float(found["clambda"])
    assert found["temp0"] == "298.15" and found["nmropt"] == "1" and "infe" not in found
    assert "DISANG=../disang.rest" in text
    seeds = {options(t)["ig"] for t in (one.warm(), one.relax(), text, one.segment(1), one.segment(2))}
    assert len(seeds) == 5 and options(inputs(one.leg, 5).segment(0))["ig"] == found["ig"]


@pytest.mark.parametrize("sampler", ["independent", "exchange"])
def test_the_volume_is_moved_within_each_run_however_short(tmp_path, sampler):
    # pmemd: "mcbarint is greater than the number of steps!", also where they are equal; nstlim is all it compares with
    short = {"window_ps": 0.3, "window_equil_ps": 0.1, "sample_ps": 0.1, "segment_ps": 0.1, "sampler": sampler}
    often = short | {"window_ps": 3.0, "window_equil_ps": 1.0, "segment_ps": 1.0}
    exchanged = "24" if sampler == "exchange" else "25"
    for lengths, wanted in ((short, "24"), (often, exchanged), ({"sampler": sampler}, "25")):
        one = inputs(amber_legs.leg(tmp_path / str(lengths.get("segment_ps")), "complex", **lengths))
        assert options(one.segment(0))["mcbarint"] == wanted
        for text in (one.relax(), one.segment(0)):
            found = options(text)
            assert int(found["mcbarint"]) < int(found["nstlim"])
        assert "mcbarint" not in options(one.warm())


def test_windows_that_exchange(tmp_path):
    text = inputs(amber_legs.leg(tmp_path, "sdr", sampler="exchange"), 3).segment(0)
    found = options(text)
    assert (found["nstlim"], found["numexchg"], found["ntwr"]) == ("125", "4", "500")
    assert (found["timask1"], found["timask2"]) == ("'@1-9'", "'@10-18'")
    assert "cv_file='cv.in'" in text and "window_03/walls.txt" in text and "../" not in text


@pytest.mark.parametrize(("atoms", "text"), [((), ""), ((0, 1, 2, 7), "@1-3,8"), ((4,), "@5")])
def test_masks(atoms, text):
    assert mask(atoms) == text
