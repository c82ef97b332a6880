"""A box on its whole way: cut from a large cell, labelled by pw.x, stored, read for a fit, and judged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase.build import bulk
from silicon import coarse, needs_pw

from gibbsflow.config.potential import Labels
from gibbsflow.config.potential_training import Embedding
from gibbsflow.potential.data.database import DatabaseManager
from gibbsflow.potential.data.formats.statuses import RowStatus
from gibbsflow.potential.data.labelled_frames import read_with_account
from gibbsflow.potential.data.structures import tag, write_frames
from gibbsflow.potential.explore.boxes.cutting import cut_box
from gibbsflow.potential.label.quantum_espresso import QuantumEspresso
from gibbsflow.potential.train.shared.metrics import Prediction, summarise_errors


@pytest.mark.qe
@needs_pw
def test_forces_of_the_core_alone_count_from_the_label_to_the_errors(tmp_path: Path) -> None:
    large = bulk("Si", a=5.43, cubic=True) * (3, 3, 3)
    large.rattle(0.05, seed=4)
    box = cut_box(large, 100, Embedding(core_radius_angstrom=2.5, buffer_angstrom=0.5), None).atoms
    core = int(box.arrays["force_mask"].sum())
    assert len(large) == 216 and len(box) == 8 and core == 5
    frame = tag(box, "embedded", generator="embedding", seed=1, parent="gf-large", energy_weight=0.0, stress_weight=0.0)

    database = DatabaseManager(tmp_path / "structures.db")
    (name,) = database.add([frame])
    label = QuantumEspresso(["Si"], coarse(conv_thr_ry=1e-5), Labels()).label(database.claim(1, "test")[0])
    assert (label.gibbsflow_id, label.status, label.program[:4]) == (name, "labelled", "pw.x")
    database.record([label])
    write_frames(tmp_path / "train.extxyz", database.frames(RowStatus.LABELLED))

    frames, account = read_with_account(tmp_path / "train.extxyz")
    account.settle()
    read = frames[0]
    assert read.force_mask.tolist() == [bool(own) for own in box.arrays["force_mask"]]
    assert (read.weights.energy, read.weights.force, read.weights.stress) == (0.0, 1.0, 0.0)
    forces = np.array(label.forces_ev_per_angstrom)
    assert read.forces_ev_per_angstrom == pytest.approx(forces, abs=1e-6)
    # wrong by 1 eV/Å in the buffer and by 0.1 in the core, and by 5 eV: the core's error is all that is told
    wrong = forces + np.where(read.force_mask, 0.1, 1.0)[:, None]
    errors = summarise_errors(frames, [Prediction(read.energy_ev + 5.0, wrong, None)])
    assert errors["force_mae_ev_per_angstrom"] == pytest.approx(0.1, abs=1e-6)
    assert errors["energy_mae_mev_per_atom"] is None
    whole = replace(read, force_mask=np.ones(8, dtype=bool))
    assert summarise_errors([whole], [Prediction(0.0, wrong, None)])["force_mae_ev_per_angstrom"] > 0.4
