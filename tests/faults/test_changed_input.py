"""A sentinel of other inputs does not count, says what changed, and its state is set aside whole."""

from __future__ import annotations

import json

import host_guest as hg
import numpy as np
from faults import small

from gibbsflow.config.binding import Md


def test_a_changed_setting(independent, tmp_path):
    leg, whole = independent
    assert small.fe_run(leg, tmp_path).code == 0
    done = {path.name: path.read_bytes() for path in (tmp_path / "state" / "window_00").glob("segment-*")}
    colder = hg.make_leg(
        tmp_path / "colder", "solvent", fe=leg.fe, states=leg.states, md=Md(timestep_fs=4.0, temperature_k=290)
    )
    other = small.fe_run(colder, tmp_path)
    assert other.code == 0
    assert "temperature_k: 298.15 -> 290" in other.text
    aside = tmp_path / "state" / "window_00" / "superseded-000"
    assert {path.name: path.read_bytes() for path in aside.glob("segment-*")} == done
    assert small.parquet(tmp_path) != small.parquet(whole)
    back = small.fe_run(leg, tmp_path)
    assert back.code == 0 and "temperature_k: 290.0 -> 298.15" in back.text
    small.same_answer(tmp_path, whole)


def test_a_changed_file(exchange, tmp_path):
    leg, whole = exchange
    own = small.make_leg(tmp_path / "leg")
    assert small.fe_run(own, tmp_path).code == 0
    small.same_answer(tmp_path, whole)
    moved = own.start_nm + np.array([0.01, 0, 0])
    with open(own.folder / own.start, "wb") as file:
        np.savez(file, positions_nm=moved)
    again = small.fe_run(own, tmp_path)
    assert again.code == 0 and "file start: " in again.text
    assert (tmp_path / "state" / "superseded-000" / "FINISHED").exists()
    assert len(small.kept(tmp_path / "state")) > 0


def test_a_sentinel_that_was_brought_from_elsewhere(exchange, tmp_path):
    """A FINISHED of other inputs beside today's state: not believed."""
    leg, whole = exchange
    assert small.fe_run(leg, tmp_path, "--segments", 1).code == 75
    stale = json.loads((whole / "state" / "FINISHED").read_text()) | {"inputs_hash": "0" * 64}
    (tmp_path / "state" / "FINISHED").write_text(json.dumps(stale))
    assert small.fe_run(leg, tmp_path).code == 0
    small.same_answer(tmp_path, whole)
    fresh = json.loads((tmp_path / "state" / "FINISHED").read_text())
    assert fresh["inputs_hash"] == json.loads((whole / "state" / "FINISHED").read_text())["inputs_hash"]
