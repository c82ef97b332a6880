"""What a generation labels: shares of what there is, and the fate of all that was offered."""

from __future__ import annotations

from pathlib import Path

import pytest
from ase.build import bulk
from labelled_sets import fitted_copper, rattled
from loop_states import config

from gibbsflow.config.potential import Generator, Target
from gibbsflow.potential.data.database import DatabaseManager
from gibbsflow.potential.data.formats.statuses import RowStatus
from gibbsflow.potential.data.labels import LabelResult
from gibbsflow.potential.data.structures import tag, write_frames
from gibbsflow.potential.generators.generate import generate
from gibbsflow.potential.loop import state as loop_state
from gibbsflow.potential.loop.select import by_type, ids_of, select, spread, starts_of
from gibbsflow.potential.loop.state import LoopCheckpoint, Phase
from gibbsflow.workflow.files import read_json


def _tagged(frames, kind="md"):
    return [tag(frame, kind, generator="test", seed=0) for frame in frames]


@pytest.mark.parametrize(("count", "taken"), [(1, [0]), (2, [0, 5]), (3, [0, 3, 6]), (10, range(10)), (99, range(10))])
def test_frames_are_taken_evenly(count, taken):
    assert spread(list(range(10)), count) == list(taken)


def test_types_take_turns_and_keep_their_order():
    frames = [tag(bulk("Si"), kind, generator="test", seed=k) for k, kind in enumerate("aaaabbc")]
    assert [frame.info["seed"] for frame in by_type(frames, 5)] == [0, 3, 4, 5, 6]
    assert len(by_type(frames, 99)) == 7


def test_md_starts_from_defects_and_slabs_before_all_strains_are_used_up():
    methods = ("bulk", "strain", "rattle", "defect", "surface")
    few = Generator(methods=methods, defect_kinds=("vacancy",), surface_indices=((1, 0, 0), (1, 1, 1)))
    found = starts_of(generate(Target(elements=("Al",)), few).frames)
    kinds = [frame.info["config_type"] for frame in found]
    assert kinds[:6] == ["bulk", "vacancy", "surface", "strain", "surface", "strain"]
    assert all("sigma_angstrom" not in frame.info for frame in found)
    none = _tagged([bulk("Si")], "rattle")
    assert starts_of(none) == none


def test_few_labels_hold_every_way_in_which_structures_are_made():
    """Of silicon and germanium: all kinds of strain, both ends of the volumes, both parents."""
    few = Generator(volume_steps=4, cell_strain_count=2, rattle_count=1)
    made = generate(Target(elements=("Si", "Ge"), crystal="diamond"), few).frames
    strains = [f.info for f in by_type(made, 15) if f.info["config_type"] == "strain"]
    assert len(strains) == 6
    assert {info["strain_kind"] for info in strains} == {"volume", "uniaxial", "shear"}
    assert len({(info["strain_kind"], info["parent"]) for info in strains}) == 6
    rattles = [f.info for f in by_type(made, 15) if f.info["config_type"] == "rattle"]
    assert len({info["sigma_angstrom"] for info in rattles}) == 3
    pairs = generate(
        Target(elements=("C", "H", "O"), crystal="fcc"), Generator(methods=("dimer",), dimer_count=12)
    ).frames
    chosen = by_type(pairs, 12)
    assert {f.get_chemical_formula() for f in chosen} == {"C2", "CH", "CO", "H2", "HO", "O2"}
    assert len({f.info["distance_angstrom"] == 6.0 for f in chosen}) == 2
    one = generate(Target(elements=("Cu",), crystal="fcc"), Generator(methods=("bulk", "strain"))).frames
    volumes = [f.get_volume() for f in by_type(one, 7) if f.info.get("strain_kind") == "volume"]
    every = [f.get_volume() for f in one if f.info.get("strain_kind") == "volume"]
    assert volumes == [every[0], every[-1]]


def _state(folder: Path, candidates, known, held=()):
    """A state folder after MD, with copper's potential."""
    loop_state.copy_state(fitted_copper()[0], folder, (loop_state.POTENTIAL,))
    database = DatabaseManager(folder / loop_state.DATABASE)
    database.add(known)
    for frame, name in zip(known, ids_of(known), strict=True):
        forces = [[0.0] * 3] * len(frame)
        made = {"energy_ev": -1.0, "forces_ev_per_angstrom": forces, "stress_ev_per_angstrom3": [0.0] * 6}
        database.record([LabelResult(name, "labelled", settings_hash="emt-1", engine="emt", **made)])
    database.add(held, RowStatus.HELD, "set aside")
    write_frames(folder / "candidates.extxyz", candidates)
    return database


def test_what_md_met_is_selected_and_every_fate_is_stored(tmp_path):
    known = _tagged(rattled(4, 1))
    close = bulk("Cu", cubic=True)
    close.positions[1] = close.positions[0] + [0.8, 0, 0]
    far = _tagged(rattled(4, 21, sigma=0.25))
    database = _state(tmp_path, [*far, *_tagged([close])], known)
    plan = config(elements=["Cu"], structure="fcc", selection={"budget": 2})
    chosen = select(tmp_path, plan, LoopCheckpoint(0, Phase.SELECT, 1, labels_made=4))
    assert len(chosen) == 2 and set(ids_of(chosen)) < set(ids_of(far))
    assert database.counts() | {"pending": 2, "labelled": 4, "held": 2, "rejected": 1} == database.counts()
    # what a surrogate has left out is no candidate again: the others are
    database.move(ids_of(chosen), RowStatus.SCREENED, "largest force", cause="surrogate")
    others = select(tmp_path, plan, LoopCheckpoint(0, Phase.SELECT, 1, labels_made=4))
    assert others and not set(ids_of(others)) & set(ids_of(chosen))


def test_a_cell_that_is_too_large_is_labelled_by_a_box(tmp_path):
    large = bulk("Cu", cubic=True) * (5, 5, 5)
    large.rattle(0.03, seed=1)
    large.positions[17] += 0.7
    large = _tagged([large])
    database = _state(tmp_path, large, _tagged(rattled(4, 1)))
    embedding = {"largest_cell_atoms": 200, "core_radius_angstrom": 2.5, "buffer_angstrom": 2.5}
    plan = config(elements=["Cu"], structure="fcc", selection={"budget": 2}, embedding=embedding)
    (box,) = select(tmp_path, plan, LoopCheckpoint(0, Phase.SELECT, 1, labels_made=4))
    assert len(box) < 200 and box.info["config_type"] == "embedded"
    (waiting,) = database.pending()
    assert waiting.arrays["force_mask"].tolist() == box.arrays["force_mask"].tolist()
    assert waiting.info["energy_weight"] == 0.0
    told = database.explain(ids_of(large)[0])
    assert (told["status"], told["cause"]) == ("rejected", "embedded")
    (record,) = read_json(tmp_path / "selection.json")["embedding"]["boxes"]
    assert (record["parent"], record["gibbsflow_id"]) == (ids_of(large)[0], ids_of([box])[0])


def test_the_budget_of_labels_bounds_the_choice(tmp_path):
    _state(tmp_path, _tagged(rattled(4, 21, sigma=0.25)), _tagged(rattled(2, 1)))
    plan = config(elements=["Cu"], structure="fcc", convergence={"max_labels": 10})
    assert len(select(tmp_path, plan, LoopCheckpoint(0, Phase.SELECT, 1, labels_made=9))) == 1


def test_what_was_held_is_offered_where_md_met_nothing(tmp_path):
    held = _tagged(rattled(2, 22, sigma=0.25))
    _state(tmp_path, [], _tagged(rattled(2, 1)), held)
    plan = config(elements=["Cu"], structure="fcc", selection={"budget": 1})
    chosen = select(tmp_path, plan, LoopCheckpoint(1, Phase.SELECT, 1))
    assert len(chosen) == 1 and set(ids_of(chosen)) <= set(ids_of(held))
