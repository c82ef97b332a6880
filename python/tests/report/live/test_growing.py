"""Legs while they are sampled: the numbers are those of an analysis of the same samples, and looking is cheap."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from kept_campaigns import whole
from watched_campaigns import note, phases

from gibbsflow.binding.analyse.estimators import dg_of_sampled_kt, fit_mbar, neighbour_overlap
from gibbsflow.errors import StoppedEarly
from gibbsflow.report.live import growing
from gibbsflow.report.live.growing import GrowingLegs
from gibbsflow.report.live.server import Feed
from gibbsflow.units import kt_kcal_per_mol
from gibbsflow.workflow.state.resumable import ResumableRun
from gibbsflow.workflow.state.segments import Stopper
from gibbsflow.workflow.watch.campaign_view import CampaignView

STIFF = (1.0, 2.0, 4.0, 8.0)
KT = kt_kcal_per_mol(300.0)
EACH, SEGMENTS = 20, 4
"""Samples of a window in a segment, and segments."""
CUT = 4


def settings(window=None):
    return {
        "leg": "complex", "replicate": 1, "states": [{"lambda_sterics": k} for k in STIFF], "window": window,
        "temperature_k": 300.0, "window_equil_ps": 3.5, "sample_ps": 1.0, "timestep_fs": 4.0,
    }  # fmt: skip


def energies(state, segment, apart=0.0):
    """Reduced energies of samples of a spring, (x − a)²k/2, in all springs."""
    x = np.random.default_rng(100 * state + segment).normal(apart * state, STIFF[state] ** -0.5, EACH)
    return np.stack([k * (x - apart * number) ** 2 / 2 for number, k in enumerate(STIFF)], axis=1)


def sample(home, segments, window=None, apart=0.0):
    """Go on until so many segments are done."""
    states = range(len(STIFF)) if window is None else [window]

    def segment(number, arrays):
        rows = np.stack([energies(state, number, apart) for state in states], axis=1).reshape(-1, len(STIFF))
        return arrays, {"window": np.tile(np.array(states, dtype=np.int32), EACH), "u": rows}

    with ResumableRun(home, files={}, settings=settings(window), physics=1) as run:
        with Stopper(segments=segments) as stopper:
            try:
                run.advance(SEGMENTS, lambda: {"x": np.zeros(1)}, segment, stopper, steps=lambda n: n * EACH)
            except StoppedEarly:
                pass


def analysed(segments):
    """The same by all samples, cut at the start, as an analysis takes them."""
    parts = []
    for state in range(len(STIFF)):
        u = np.concatenate([energies(state, number) for number in range(segments)])[CUT:]
        index = pd.MultiIndex.from_product([range(len(u)), [state]], names=["time", "state"])
        parts.append(pd.DataFrame(u, index=index))
    mbar = fit_mbar(pd.concat(parts))
    return neighbour_overlap(np.asarray(mbar.overlap_matrix)), dg_of_sampled_kt(mbar)[0] * KT


@pytest.mark.parametrize("together", [True, False])
def test_numbers_are_those_of_an_analysis_at_each_time(tmp_path, monkeypatch, together):
    place = tmp_path / "b2" / "complex" / "replicate_1"
    homes = [place] if together else [place / f"window_{k:02d}" for k in range(len(STIFF))]
    legs, read = GrowingLegs(), []
    load = np.load
    monkeypatch.setattr(growing.np, "load", lambda path, **more: (read.append(path), load(path, **more))[1])
    for done, more in ((1, 1), (4, 3)):
        for number, home in enumerate(homes):
            sample(home, more, None if together else number)
        before = whole(tmp_path)
        read.clear()
        (leg,) = legs.of(homes)
        assert len(read) == more * len(homes)  # what was there before is remembered
        overlap, dg = analysed(done)
        assert (leg["part"], leg["leg"], leg["replicate"]) == ("complex/replicate_1", "complex", 1)
        assert leg["samples"] == done * EACH - CUT and leg["sampled_ns"] == pytest.approx(leg["samples"] / 1000)
        assert leg["overlap"] == pytest.approx(overlap, abs=1e-5) and len(leg["overlaps"]) == len(STIFF) - 1
        assert leg["dg_kcal_per_mol"] == pytest.approx(dg, abs=1e-5) and not leg["note"]
        assert [one["samples"] for one in leg["grown"]] == [math.ceil(f * leg["samples"]) for f in growing.FRACTIONS]
        assert leg["grown"][-1]["dg_kcal_per_mol"] == leg["dg_kcal_per_mol"] != leg["grown"][0]["dg_kcal_per_mol"]
        read.clear()
        assert legs.of(homes) == [leg] and not read and whole(tmp_path) == before
    assert leg["dg_kcal_per_mol"] == pytest.approx(KT * math.log(STIFF[-1] / STIFF[0]) / 2, abs=0.25)


def test_the_page_is_told_of_it_while_an_item_is_open(tmp_path):
    state = tmp_path / "state" / "demo"
    note(state, tmp_path / "out", ["b2"])
    home = state / "cb7" / "b2" / "complex" / "replicate_1"
    feed = Feed(CampaignView(state, phases))
    sample(home, 2)
    told = feed.detail("b2")
    assert told["growing"] == json.loads(json.dumps(GrowingLegs().of([home]), default=list))
    assert told["growing"][0]["samples"] == 2 * EACH - CUT


def test_windows_that_have_not_begun_are_left_open(tmp_path):
    homes = [tmp_path / "complex" / "replicate_1" / f"window_{k:02d}" for k in range(len(STIFF))]
    for number in (0, 1, 3):
        sample(homes[number], 2, number)
    homes[2].mkdir()
    (leg,) = GrowingLegs().of(homes)
    assert leg["overlaps"][0] > 0.1 and leg["overlaps"][1:] == [None, None] and leg["dg_kcal_per_mol"] is None
    assert leg["note"] == "no ΔG yet: no samples of windows 2"
    assert GrowingLegs().of(homes[2:3]) == []
    apart = [tmp_path / "apart" / "replicate_1" / f"window_{k:02d}" for k in range(len(STIFF))]
    for number in (0, 1, 3):  # the gap is between 1 and 3, which are no neighbours
        sample(apart[number], 2, number, apart=1.5 * (number == 3))
    (gap,) = GrowingLegs().of(apart)
    assert gap["overlaps"] == leg["overlaps"] and gap["note"] == leg["note"]
    (alone,) = GrowingLegs().of(homes[:1])
    assert "fewer than two windows" in alone["note"] and alone["overlap"] is None


def test_windows_apart_and_damaged_files_are_named(tmp_path):
    apart, torn = tmp_path / "apart" / "replicate_0", tmp_path / "torn" / "replicate_0"
    sample(apart, 2, apart=12.0)
    sample(torn, 2)
    (torn / "segment-00001.npz").write_bytes(b"PK")
    first, second = GrowingLegs().of([apart, torn], budget_s=60)
    assert "windows 0 and 1 do not overlap at all" in first["note"] and first["overlap"] is None
    assert "cannot be read" in second["note"] and second["dg_kcal_per_mol"] is None
    for damage in (
        {"u": np.zeros((80, 2)), "window": np.zeros(80)}, {"u": np.zeros(80), "window": np.zeros(80)},
        {"u": np.full((80, 4), "1"), "window": np.zeros(80)}, {"window": np.zeros(80)},
    ):  # fmt: skip
        for number in range(2):
            np.savez(torn / f"segment-{number:05d}.npz", **damage)
        (told,) = GrowingLegs().of([torn])
        assert "cannot be read" in told["note"]
    inputs = json.loads((torn / "inputs.json").read_text())
    inputs["described"]["setting sample_ps"] = 0
    (torn / "inputs.json").write_text(json.dumps(inputs))
    assert "cannot be read" in GrowingLegs().of([torn])[0]["note"]
    (torn / "inputs.json").write_text("[]")
    assert [one["part"] for one in GrowingLegs().of([apart, torn])] == ["apart/replicate_0"]


def test_one_leg_a_question_where_they_take_long(tmp_path):
    homes = [tmp_path / leg / "replicate_1" for leg in ("complex", "solvent")]
    for home in homes:
        sample(home, 1)
    legs = GrowingLegs()
    assert [one["pending"] for one in legs.of(homes, budget_s=0)] == [False, True]
    sample(homes[1], 1)
    assert [one["pending"] for one in legs.of(homes, budget_s=0)] == [False, True]
    assert [one["samples"] for one in legs.of(homes, budget_s=60)] == [EACH - CUT, 2 * EACH - CUT]


def test_a_window_of_many_samples_is_thinned_and_changes_little(monkeypatch):
    samples = {state: np.concatenate([energies(state, n) for n in range(30)]) for state in range(len(STIFF))}
    overlaps, dg_kt, note = growing.solve(samples, len(STIFF))
    monkeypatch.setattr(growing, "MOST_SAMPLES", 10_000)
    exact, exact_kt, _ = growing.solve(samples, len(STIFF))
    assert not note and overlaps != exact
    assert overlaps == pytest.approx(exact, abs=0.03) and dg_kt == pytest.approx(exact_kt, abs=0.15)
    samples[2][3, 1] = np.nan
    assert growing.solve(samples, len(STIFF)) == ([None] * 3, None, "energies are not finite")
