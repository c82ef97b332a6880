from __future__ import annotations

from pathlib import Path

import pytest
from audited_labels import database
from labelled_sets import label, rattled, strained_alloy

from gibbsflow.config.potential import Audit, Labels
from gibbsflow.errors import InputError
from gibbsflow.potential.data.database import DatabaseManager
from gibbsflow.potential.data.formats.statuses import RowStatus
from gibbsflow.potential.data.structures import structure_id, write_frames
from gibbsflow.potential.train.shared.inputs import Inputs
from gibbsflow.potential.validate.labels.label_audit import held_counts, hold_labels, release
from gibbsflow.potential.validate.labels.zero_checks import hold_other_zeros


def with_a_vacancy(where: Path, off_ev: float) -> tuple[DatabaseManager, set[str], str]:
    """A vacancy among cells of an alloy, the only one of its composition; the ids of a hold-out, and its own."""
    whole = rattled(17, 1, ("Cu", "Au"), config_type="rattle")
    atoms = strained_alloy()
    del atoms[0]
    vacancy = label(atoms, config_type="vacancy")
    vacancy.calc.results["energy"] += off_ev
    manager = database(where / "s.db", [*whole, vacancy])
    names = [known.name for known in manager.labels()]
    return manager, set(names[:3]), names[-1]


def data_set(manager: DatabaseManager, holdout: set[str], where: Path) -> Inputs:
    frames = manager.frames(RowStatus.LABELLED)
    paths = where / "train.extxyz", where / "test.extxyz"
    write_frames(paths[0], [f for f in frames if structure_id(f) not in holdout])
    write_frames(paths[1], [f for f in frames if structure_id(f) in holdout])
    return Inputs.read(*paths)


def test_an_energy_that_a_fit_would_refuse_is_held_and_the_others_are_fitted(tmp_path: Path) -> None:
    manager, holdout, name = with_a_vacancy(tmp_path, -60.0)
    hold_labels(manager, Audit(), Labels())
    with pytest.raises(InputError, match=r"lie -\d+.* eV/atom from those of all other frames"):
        data_set(manager, holdout, tmp_path)
    assert hold_other_zeros(manager, holdout) == [name]
    assert "eV/atom from those of the other labels" in manager.explain(name)["audit"]["held"]["zero"]
    assert len(data_set(manager, holdout, tmp_path).train) == 14
    # asked again, also after another audit, it says the same
    assert hold_labels(manager, Audit(), Labels()) == {"zero": 1} == held_counts(manager)
    assert hold_other_zeros(manager, holdout) == []
    # who overrules it has the fit's word for it
    release(manager, [name])
    hold_labels(manager, Audit(), Labels())
    assert hold_other_zeros(manager, holdout) == [] and held_counts(manager) == {}


def test_a_vacancy_whose_energy_is_right_counts_also_where_it_was_held_before(tmp_path: Path) -> None:
    manager, holdout, name = with_a_vacancy(tmp_path, 0.0)
    assert hold_other_zeros(manager, holdout) == []
    manager.hold({name: {"zero": "of a generation before"}}, "audit")
    assert hold_other_zeros(manager, holdout) == [name] and held_counts(manager) == {}
