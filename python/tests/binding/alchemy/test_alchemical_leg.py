"""A leg in its folder: lengths in whole numbers, starts dealt out, what decides its samples, its way through JSON."""

import json
from dataclasses import replace
from pathlib import Path

import host_guest as hg
import numpy as np
import pytest
from pydantic import create_model

from gibbsflow.binding.alchemy.alchemical_leg import AlchemicalLeg, place_leg
from gibbsflow.binding.alchemy.sampling_plan import sampling
from gibbsflow.binding.alchemy.schedules import LambdaState
from gibbsflow.config import binding
from gibbsflow.config.binding import Fe, Md
from gibbsflow.errors import InputError, StateError
from gibbsflow.workflow.files import inputs_hash

STATES = tuple(LambdaState(0, e, 1 if e else 0) for e in (1.0, 0.5, 0.0))
STATE_487BC81 = Path(__file__).resolve().parents[4] / "tests" / "fixtures" / "state_487bc81" / "binding"
FE = Fe(window_ps=0.4, window_equil_ps=0.1, sample_ps=0.1, segment_ps=0.2)


def make(folder, md=None, **changes):
    fe = FE.model_copy(update=changes)
    return hg.make_leg(folder, "solvent", fe=fe, states=STATES, md=md or Md(timestep_fs=4.0))


def test_lengths_in_whole_numbers():
    plan = sampling(Md(timestep_fs=4.0), Fe(window_ps=10, window_equil_ps=2.5, sample_ps=1, segment_ps=4))
    assert (plan.steps_per_sample, plan.discarded, plan.samples, plan.samples_per_segment) == (250, 3, 13, 4)
    assert plan.segments == 4 and [plan.samples_in(segment) for segment in range(4)] == [4, 4, 4, 1]
    assert [plan.samples_after(segments) for segments in range(5)] == [0, 4, 8, 12, 13]


def test_a_window_has_a_sample():
    assert sampling(Md(), Fe(window_ps=1, sample_ps=1)).samples == 21
    with pytest.raises(InputError, match="sample_ps: a sample each 2 ps, of windows of 1 ps"):
        sampling(Md(), Fe(window_ps=1, sample_ps=2))


def test_frames_are_dealt_to_all_before_any_twice(tmp_path):
    leg = make(tmp_path / "leg")
    frames = np.arange(5.0)[:, None, None] + np.zeros((5, *leg.start_nm.shape))
    with open(leg.folder / leg.start, "wb") as file:
        np.savez(file, positions_nm=frames)
    dealt = [leg.starts_nm(replicate)[:, 0, 0].tolist() for replicate in range(4)]
    assert leg.thermal_starts and all(len(set(own)) == len(STATES) for own in dealt)
    assert len(set(map(tuple, dealt))) > 1  # replicates differ
    assert leg.starts_nm(2).tolist() == leg.starts_nm(2).tolist()


def test_one_structure_starts_every_window(tmp_path):
    leg = make(tmp_path / "leg")
    assert not leg.thermal_starts
    assert (leg.starts_nm(1) == leg.start_nm).all() and len(leg.starts_nm(1)) == 3


def test_positions_of_other_atoms_are_refused(tmp_path):
    with pytest.raises(StateError, match="30 positions for 29 atoms"):
        place_leg(tmp_path, hg.data("ligand.prmtop"), np.zeros((30, 3)), range(29))


def test_what_decides_the_samples_and_what_does_not(tmp_path):
    leg = make(tmp_path / "a")
    settings = leg.hashed_settings(0, None)
    others = [make(tmp_path / "b", window_ps=0.5), make(tmp_path / "c", md=Md(timestep_fs=4.0, temperature_k=290))]
    assert all(other.hashed_settings(0, None) != settings for other in others)
    assert leg.hashed_settings(0, 1) != settings
    assert make(tmp_path / "d", restraint="com").hashed_settings(0, None) == settings  # the restraint made counts
    json.dumps(settings)


@pytest.mark.parametrize("lost", ["states", "restraint", "seed"])
def test_a_key_that_is_missing_is_named(tmp_path, lost):
    path = make(tmp_path / "leg").folder / "leg.json"
    content = json.loads(path.read_text())
    del content[lost]
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match=f"{lost}: missing"):
        AlchemicalLeg.read(tmp_path / "leg")


def test_a_file_that_is_missing_is_named(tmp_path):
    leg = make(tmp_path / "leg")
    (leg.folder / leg.topology).unlink()
    with pytest.raises(InputError, match=r"names topology\.prmtop, which is missing"):
        AlchemicalLeg.read(leg.folder)


def test_platform_and_threads_are_no_other_input(tmp_path):
    leg = make(tmp_path / "leg")
    more = hg.make_leg(tmp_path / "leg2", "solvent", fe=FE, states=STATES, md=Md(threads=2))
    assert leg.hashed_settings(0, None) == more.hashed_settings(0, None)
    assert leg.hashed_settings(0, None) != leg.hashed_settings(1, None)


def test_sample_interval_must_be_whole_steps(tmp_path):
    leg = make(tmp_path / "leg", sample_ps=0.13)
    with pytest.raises(InputError, match="multiple of the time step"):
        _ = leg.sampling


def test_leg_json_is_read_as_written_and_faults_are_named(tmp_path):
    leg = make(tmp_path / "leg")
    assert AlchemicalLeg.read(tmp_path / "leg") == leg
    path = tmp_path / "leg" / "leg.json"
    path.write_text(path.read_text().replace('"physics": 1', '"physics": 0'))
    with pytest.raises(InputError, match="made for physics 0"):
        AlchemicalLeg.read(tmp_path / "leg")
    with pytest.raises(InputError, match=r"holds no leg\.json"):
        AlchemicalLeg.read(tmp_path)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("start", ["x"]), ("topology", None), ("restraint", 3), ("replicates", "x"), ("replicates", True),
        ("ligand_atoms", 10**30), ("receptor_atoms", True), ("ligand_atoms", [0.5]), ("states", None), ("states", 3),
        ("apart", 3), ("apart", [{"centre": 3}]), ("copy_atoms", 3), ("seed", None), ("md", 3),
    ],
)  # fmt: skip
def test_a_leg_json_that_was_damaged_is_one_refusal_that_names_it(tmp_path, key, value):
    make(tmp_path / "leg")
    path = tmp_path / "leg" / "leg.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    with pytest.raises(InputError, match=r"leg\.json"):
        AlchemicalLeg.read(tmp_path / "leg")


def hash_of(leg, window):
    return inputs_hash(files=leg.files(), settings=leg.hashed_settings(0, window), physics=leg.physics)


@pytest.mark.parametrize(
    ("sampler", "state", "window"),
    [("exchange", "state_exchange", None), ("independent", "state_independent/window_01", 1)],
)
def test_state_of_487bc81_is_known_by_its_hash_also_after_a_new_setting(monkeypatch, sampler, state, window):
    leg = AlchemicalLeg.read(STATE_487BC81 / f"leg_{sampler}")
    known = json.loads((STATE_487BC81 / state / "inputs.json").read_text())["inputs_hash"]
    assert hash_of(leg, window) == known
    later = create_model("Later", __base__=Md, integrator=(str, "langevin"))
    monkeypatch.setattr(binding, "LATER", binding.LATER | {"integrator"})
    values = leg.md.model_dump()
    assert hash_of(replace(leg, md=later(**values)), window) == known
    assert hash_of(replace(leg, md=later(**values, integrator="verlet")), window) != known
