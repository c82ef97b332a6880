"""The card says what the potential is, with the numbers of its data."""

import json
from dataclasses import replace

import numpy as np
import pytest
from ase.build import bulk
from ase.io import write
from labelled_sets import fitted_copper, label, rattled

from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.potential.export.handed_over import Source
from gibbsflow.potential.export.model_card import card, card_text, span
from gibbsflow.potential.train.trainers.foundation.chgnet import ChgnetPotential


def test_the_range_of_known_frames():
    small, large = bulk("Cu", "fcc", a=3.4, cubic=True), bulk("Cu", "fcc", a=3.8, cubic=True)
    frames = [label(small, temperature_k=300.0), label(large, temperature_k=900.0)]
    found = span(frames)
    assert found["volume_angstrom3_per_atom"] == [pytest.approx(3.4**3 / 4, abs=1e-4), pytest.approx(13.718, abs=1e-4)]
    assert found["shortest_distance_angstrom"] == {"Cu-Cu": pytest.approx(3.4 / np.sqrt(2), abs=1e-4)}
    assert found["md_temperature_k"] == [300.0, 900.0]
    low, high = found["pressure_gpa"]
    assert low < 0 < high  # stretched and squeezed copper
    assert found["compositions"] == {"Cu": 2}
    assert not {"total_charge", "total_moment_ub"} & set(found)


def test_the_charge_and_moment_of_its_frames_are_told():
    ion, radical = label(bulk("Cu", "fcc", a=3.6), charge=1), label(bulk("Cu", "fcc", a=3.7), total_moment_ub=1.0)
    found = span([ion, radical, ion])
    assert found["total_charge"] == {"+1 e": 2, "+0 e": 1}
    assert found["total_moment_ub"] == [1.0, 1.0]


def test_the_card_of_a_fit():
    folder, figures = fitted_copper()
    source = replace(
        Source.find(folder, folder / "train.extxyz", folder / "test.extxyz"),
        figures=figures,
        config=PotentialConfig.from_mapping({"elements": ["Cu"], "engine": "tblite"}, where="here"),
    )
    content = card(
        source, licence="CC-BY-4.0", title="", authors=["A. Nother"],
        validation={"verdict": "FAIL", "reasons": ["C44 is 30 % low"]},
    )  # fmt: skip
    assert json.loads(json.dumps(content)) is not None
    assert content["grade"]["upper"] == figures["grade"]["upper"]
    assert content["errors"]["test"]["all"]["force_mae_ev_per_angstrom"] == figures["test"]["force_mae_ev_per_angstrom"]
    assert content["labels"]["settings"]["tblite_method"] == "GFN1-xTB"
    text = card_text(content)
    for words in ("# Cu potential", "FAIL; C44 is 30 % low", "CC-BY-4.0", "A. Nother", "train | 24", "Nguyen", "xTB"):
        assert words in text


def test_what_nobody_said_is_said_to_be_unknown():
    content = card(Source.find(fitted_copper()[0]), licence="", title="X", authors=(), validation=None)
    text = card_text(content)
    for words in ("| licence | not stated |", "not validated", "settings not recorded", "# X"):
        assert words in text


def test_the_card_of_a_tuned_model_says_what_it_was_and_that_nothing_grades_it(tmp_path):
    np.savez(tmp_path / "tuned.npz", weight=np.ones(3))
    meta = {"made_with": {"weights": "0.3.0", "frozen": "none", "replay": "none: may be lost"},
            "environment": {"chgnet": "0.4.2", "torch": "2.15.0"}}  # fmt: skip
    made = ChgnetPotential(("Cu",), "0.3.0", {"Cu": 1.0}, {}, meta, tmp_path / "tuned.npz")
    made.write(tmp_path / "alone/potential")  # without the figures of its fit beside it
    write(tmp_path / "train.extxyz", rattled(2, 1))
    source = Source.find(tmp_path / "alone/potential", tmp_path / "train.extxyz")
    content = card(source, licence="", title="", authors=(), validation=None)
    assert content["kind"]["tuned"]["replay"] == "none: may be lost" and content["grade"] is None
    text = card_text(content)
    for words in ("chgnet (ASE alone", "weights 0.3.0, frozen none", "torch 2.15.0", "has no grade", "CHGNet)"):
        assert words in text
    assert "Nguyen" not in text and "grade is the judge" not in text


def test_names_from_outside_end_no_row(tmp_path):
    content = card(Source.find(fitted_copper()[0]), licence="", title="one\ntwo", authors=["A | B\nC"], validation=None)
    text = card_text(content)
    assert text.startswith("# one two\n") and "| authors | A / B C |\n" in text
