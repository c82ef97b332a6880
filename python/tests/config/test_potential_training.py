from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.config.potential_training import Embedding, Exploration, PotentialSettings, Selection, Training
from gibbsflow.config.section import Section, read_section
from gibbsflow.errors import InputError


@pytest.mark.parametrize(
    ("section", "values", "words"),
    [
        (Exploration, {"supercell": [1, 0, 1]}, "repeats must be at least 1"),
        (Exploration, {"segment_steps": 25, "grade_interval": 10}, "a multiple of grade_interval"),
        (Exploration, {"lower_grade": 3.0, "upper_grade": 2.0}, "lower_grade must not be above upper_grade"),
        (Exploration, {"temperature_k": 0}, "> 0 and <= 20000 K"),
        (Training, {"cutoff_angstrom": 1.0}, ">= 2 and <= 20 Å"),
        (Training, {"ridge": float("nan")}, "ridge"),
        (Selection, {"method": "random"}, "'maxvol', 'fps' or 'variance'"),
    ],
)
def test_what_is_not_usable_is_named(section: type[Section], values: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_section(section, values, where="run.yaml")


def test_grades_of_one_value_collect_and_stop_at_once() -> None:
    settings = read_section(Exploration, {"lower_grade": 2.0, "upper_grade": 2.0}, where="run.yaml")
    assert settings.lower_grade == settings.upper_grade


@pytest.mark.parametrize("section", [Training, Exploration, Selection])
def test_every_key_says_what_it_is_and_its_unit_where_its_name_ends_with_one(section: type[Section]) -> None:
    units = {
        "_min": "min", "_gb": "GB", "_angstrom": "Å", "_k": "K", "_bar": "bar", "_fs": "fs",
        "_ev_per_angstrom": "eV/Å", "_mev_per_atom": "meV/atom",
    }  # fmt: skip
    for name, field in section.model_fields.items():
        assert field.description and field.description.endswith("."), name
        endings = [unit for ending, unit in units.items() if name.endswith(ending)]
        if endings:
            extra = field.json_schema_extra
            assert isinstance(extra, dict) and extra["unit"] == endings[-1], name


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        PotentialSettings().training.folds = 3  # type: ignore[misc]


def test_the_trainer_is_written_only_where_it_is_not_the_default() -> None:
    """Settings written before there was a choice, and the hashes made of them, stay what they were."""
    assert "backend" not in PotentialSettings().model_dump(mode="json")["training"]
    other = PotentialSettings(training=Training(backend="pace"))
    assert other.model_dump(mode="json")["training"]["backend"] == "pace"
    assert PotentialSettings.model_validate(other.model_dump(mode="json")) == other
    with pytest.raises(InputError, match="'pod', 'pace' or 'chgnet'"):
        read_section(Training, {"backend": "gap"}, where="run.yaml")


def test_a_goal_is_one_of_three_and_settings_without_one_stay_as_they_were() -> None:
    plain = Training()
    assert {"goal", "max_environments", "backend"}.isdisjoint(plain.model_dump())
    assert plain.aimed_at(None) is plain
    quick = plain.aimed_at("speed")
    assert quick.goal == "speed" and quick.model_dump() == {**plain.model_dump(), "goal": "speed"}
    with pytest.raises(InputError, match="accuracy or balanced or speed"):
        plain.aimed_at("cheap")


def test_charges_are_of_elements():
    assert Embedding(formal_charges={"Mg": 2, "O": -2}).formal_charges == {"Mg": 2.0, "O": -2.0}
    with pytest.raises(ValidationError, match="'Xx' is no element"):
        Embedding(formal_charges={"Xx": 1})


def test_the_section_is_one_of_the_loop():
    content = {"elements": ["Si"], "embedding": {"largest_cell_atoms": 100}}
    assert PotentialConfig.from_mapping(content, where="here").embedding.largest_cell_atoms == 100
    with pytest.raises(InputError, match="core_radius_angstrom"):
        PotentialConfig.from_mapping({"elements": ["Si"], "embedding": {"core_radius_angstrom": 0}}, where="here")


def test_none_is_left_unsaid() -> None:
    config = PotentialConfig.from_mapping({"elements": ["Si"]}, where="here")
    assert "surrogate" not in config.model_dump(mode="json")


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"model": "classical"}, "pair_style"),
        ({"model": "classical", "pair_style": "sw"}, "pair_file"),
        ({"model": "tblite", "pair_style": "sw"}, "no effect"),
        ({"model": "last_generation", "potential": "p"}, "potential has no effect"),
        ({"model": "classical", "pair_style": "lj/cut", "pair_file": "a"}, "sw"),
        ({"model": "tblite", "max_force_ev_per_angstrom": -1}, "a number > 0"),
    ],
)
def test_half_a_surrogate_is_refused(given: dict[str, object], word: str) -> None:
    with pytest.raises(InputError, match=word):
        PotentialConfig.from_mapping({"elements": ["Si"], "surrogate": given}, where="here")
