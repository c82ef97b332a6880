from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from audited_labels import database, displaced
from silicon import coarse, needs_pw, si2

from gibbsflow.config.potential import Audit, Dft, Labels
from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.errors import InputError, ScienceError
from gibbsflow.potential.data.database import DatabaseManager
from gibbsflow.potential.data.labels import LabelResult
from gibbsflow.potential.label.quantum_espresso import QuantumEspresso
from gibbsflow.potential.validate.labels.label_audit import LabelAudit, audit_labels, in_words
from gibbsflow.potential.validate.labels.relabelling import compare, relabel, sample, tighter
from gibbsflow.units import GPA_PER_EV_PER_ANGSTROM3

qe = [pytest.mark.qe, needs_pw]


@pytest.fixture
def found(tmp_path: Path) -> LabelAudit:
    return audit_labels(database(tmp_path / "s.db", displaced(8)), Audit(), Labels())


def made_again(found: LabelAudit, energy_ev: float = 0.0) -> list[LabelResult]:
    return [
        LabelResult(
            label.name, "labelled", energy_ev=label.frame.energy_ev + energy_ev * len(label.frame.atoms),
            forces_ev_per_angstrom=label.frame.forces_ev_per_angstrom.tolist(),
            stress_ev_per_angstrom3=label.frame.stress_ev_per_angstrom3.tolist(),
        )
        for label in found.labels
    ]  # fmt: skip


def test_settings_are_tightened_and_nothing_else() -> None:
    engine = SimpleNamespace(ecutwfc_ry=20.0, ecutrho_ry=160.0)
    tight = tighter(Dft(kspacing_per_angstrom=0.28), engine, 1.4)
    assert (tight.ecutwfc_ry, tight.ecutrho_ry, tight.kspacing_per_angstrom) == (28.0, 224.0, pytest.approx(0.2))
    assert tight.conv_thr_ry == pytest.approx(1e-10)
    changed = {
        key for key, value in Dft(kspacing_per_angstrom=0.28).model_dump().items() if tight.model_dump()[key] != value
    }
    assert changed == {"ecutwfc_ry", "ecutrho_ry", "kspacing_per_angstrom", "conv_thr_ry"}
    assert tighter(Dft(engine="gpaw", gpaw_cutoff_ev=300), engine, 1.4).gpaw_cutoff_ev == 420
    with pytest.raises(InputError, match="tblite has neither cutoff nor k points to tighten"):
        tighter(Dft(engine="tblite"), engine, 1.4)


def test_a_sample_is_the_seeds_and_has_all_kinds(found: LabelAudit) -> None:
    for number, label in enumerate(found.labels):
        label.known.atoms.info["config_type"] = "rare" if number == 5 else "common"
    drawn = [label.name for label in sample(found, 3, 7)]
    assert drawn == [label.name for label in sample(found, 3, 7)]
    assert found.labels[5].name in drawn and len(set(drawn)) == 3
    assert len({tuple(label.name for label in sample(found, 3, seed)) for seed in range(6)}) > 1
    found.labels[5].reasons["net_force"] = "drift"
    assert found.labels[5].name not in [label.name for label in sample(found, 99, 7)]


def test_a_constant_of_each_atom_is_no_difference(found: LabelAudit) -> None:
    told = compare(list(zip(found.labels, made_again(found, -3.0), strict=True)), Audit())
    assert told["offset_ev"] == {"Cu": pytest.approx(-3.0)} and told["labels"] == 8
    assert told["energy_mev_per_atom"]["largest"] == pytest.approx(0.0, abs=1e-6)
    assert all(told[kind]["within"] for kind in ("energy_mev_per_atom", "force_ev_per_angstrom", "stress_gpa"))
    found.facts["relabel"] = told
    assert found.figures()["warnings"] == [] and len(found.compared()) == 3
    told["stress_gpa"] |= {"largest": 6.87, "within": False}
    (warned,) = found.figures()["warnings"]
    assert warned == "stress_gpa against tighter settings: 6.87 at most, NOT within the stated 0.5"
    assert in_words(found).endswith(warned)


def test_the_one_that_is_off_is_named_and_all_that_are_off_are_the_settings(found: LabelAudit) -> None:
    again = made_again(found)
    again[3] = replace(again[3], energy_ev=again[3].energy_ev - 0.08)
    again[4] = replace(again[4], stress_ev_per_angstrom3=(np.array(again[4].stress_ev_per_angstrom3) + 0.01).tolist())
    told = compare(list(zip(found.labels, again, strict=True)), Audit())
    assert [number for number, label in enumerate(found.labels) if label.reasons] == [3, 4]
    assert told["energy_mev_per_atom"] == {"rms": pytest.approx(10 / np.sqrt(8)), "largest": pytest.approx(10.0),
                                           "stated": 2.0, "within": False}  # fmt: skip
    assert told["stress_gpa"]["largest"] == pytest.approx(0.01 * GPA_PER_EV_PER_ANGSTROM3)
    assert "energy differs from tighter settings by 10 meV/atom" in found.labels[3].reasons["relabel"]
    everywhere = [replace(one, forces_ev_per_angstrom=(np.array(one.forces_ev_per_angstrom) + 0.1).tolist())
                  for one in made_again(found)]  # fmt: skip
    told = compare(list(zip(found.labels, everywhere, strict=True)), Audit())
    assert not told["force_ev_per_angstrom"]["within"] and not any(label.reasons for label in found.labels)


def test_nothing_to_draw_from_is_said(tmp_path: Path) -> None:
    nothing = audit_labels(DatabaseManager(tmp_path / "s.db"), Audit(), Labels())
    with pytest.raises(ScienceError, match="no label is left"):
        relabel(nothing, PotentialConfig(), 3, 1, tmp_path / "state")


class TestRealRuns:
    pytestmark = qe

    def test_coarse_labels_differ_from_tight_ones_and_are_found_again(self, tmp_path: Path) -> None:
        engine = QuantumEspresso(["Si"], coarse(), Labels())
        manager = DatabaseManager(tmp_path / "s.db")
        frames = [si2(1), si2(2)]
        manager.add(frames)
        manager.record([engine.label(frame) for frame in frames])
        config = PotentialConfig.model_validate({"target": {"elements": ["Si"]}, "dft": coarse().model_dump()})
        found = audit_labels(manager, config.audit, config.labels)
        told = relabel(found, config, 2, 1, tmp_path / "state")
        assert told["settings"]["ecutwfc_ry"] == [10.0, 14.0] and told["failed"] == {}
        # the stress of 10 Ry is off by gigapascals, and that is no label's own fault
        assert told["stress_gpa"]["largest"] > 0.5 and not told["stress_gpa"]["within"]
        assert not found.held
        again = audit_labels(manager, config.audit, config.labels)
        assert relabel(again, config, 2, 1, tmp_path / "state") == told
        other = config.model_copy(update={"dft": coarse(ecutwfc_ry=11.0)})
        with pytest.raises(InputError, match="the settings that the labels were made with"):
            relabel(again, other, 2, 1, tmp_path / "state")
