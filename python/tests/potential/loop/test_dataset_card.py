"""The data-set card, and the table of structures that it counts."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
from loop_states import RECORD, config

from gibbsflow.config.label_engines import Engine
from gibbsflow.potential.loop.dataset_card import dataset_card, structure_rows

KNOWN = {
    "gibbsflow_id": "gf-1", "generation": 0, "config_type": "rattle", "formula": "Si2", "status": "labelled",
    "cause": None, "settings_hash": "tblite-1", "parent": "gf-0",
    "result": {"program": "tblite 0.5", "scf_steps": 9, "wall_s": 0.1},
}  # fmt: skip


def test_each_structure_has_a_row_with_its_fate() -> None:
    failed = {**KNOWN, "gibbsflow_id": "gf-2", "status": "failed", "cause": "UNCONVERGED", "result": {"message": "no"}}
    held = {**KNOWN, "gibbsflow_id": "gf-3", "status": "held", "settings_hash": None, "result": None}
    first, second, third = structure_rows([KNOWN, failed, held], holdout=["gf-2"])
    assert (first["set"], first["program"], first["scf_steps"], first["cause"]) == ("train", "tblite 0.5", 9, "")
    assert (second["set"], second["cause"], second["message"], second["wall_s"]) == ("holdout", "UNCONVERGED", "no", "")
    assert (third["settings_hash"], third["message"]) == ("", "")
    assert list(first) == list(second) == list(third)


def test_the_card_counts_and_names() -> None:
    history = [RECORD, replace(RECORD, generation=1, labels=9, force_mae_ev_per_angstrom=0.125)]
    rows = structure_rows([KNOWN, {**KNOWN, "gibbsflow_id": "gf-2", "status": "held"}], holdout=[])
    card = dataset_card(config(), history, rows, ["tblite 0.5"])
    assert card.startswith("# Data set: Si\n")
    assert "9 labelled structures to train on" in card and "9 labels were attempted, 1 failed" in card
    assert "Made by tblite 0.5; settings tblite-1." in card
    assert "| train | 0 | rattle | 1 | 0 | 1 |" in card
    assert "| UNCONVERGED | 1 |" in card
    assert "| 1 | 9 | 0.1250 | 5.00 | – | 5 | 50.0% |" in card
    assert "| tblite_method | GFN1-xTB |" in card and "ecutwfc_ry" not in card
    assert "To be known" not in card
    told = dataset_card(config(), history, rows, [], {"warnings": ["2 frames are charged"], "notes": []})
    assert "## To be known of structures and labels\n\n- warning: 2 frames are charged\n" in told


def test_a_card_without_failures_has_no_table_of_them() -> None:
    assert "Failed labels" not in dataset_card(
        config(), [replace(RECORD, failures={})], structure_rows([KNOWN], []), []
    )


@pytest.mark.parametrize("engine", get_args(Engine))
def test_a_card_says_what_defines_the_labels_of_any_engine(engine: Engine) -> None:
    settings = config()
    settings = settings.model_copy(update={"dft": settings.dft.model_copy(update={"engine": engine})})
    card = dataset_card(settings, [RECORD], structure_rows([KNOWN], []), [])
    assert f"| engine | {engine} |" in card
    own = {"quantum_espresso": "| ecutwfc_ry | default |", "gpaw": "| gpaw_cutoff_ev | 350.0 |"}
    assert own.get(engine, "| tblite_method | GFN1-xTB |") in card
