"""Settings: defaults run, names are unique, wrong ones are named with what would be right."""

from typing import get_args

import pytest
from pydantic import create_model

from gibbsflow.config import binding
from gibbsflow.config.binding import LATER, BindingConfig, Launch, Md, hashed
from gibbsflow.config.launch.generate import REQUIRED
from gibbsflow.config.launch.launch_form import HELP
from gibbsflow.config.modes import MODES, Mode
from gibbsflow.errors import InputError


def test_no_name_occurs_in_two_sections():
    keys = [key for section in Launch.sections().values() for key in section.model_fields]
    assert sorted(set(keys)) == sorted(keys)


def test_every_setting_has_a_description_and_numbers_have_ranges():
    for section in Launch.sections().values():
        for key, field in section.model_fields.items():
            assert field.description, key
            if field.annotation in (int, float):
                assert field.metadata, f"{key} has no range"


def test_flat_and_nested_give_the_same():
    flat = BindingConfig.from_params({"temperature_k": 300.0, "window_ps": 40, "seed": None})
    assert flat == BindingConfig.from_mapping({"md": {"temperature_k": 300.0}, "fe": {"window_ps": 40}}, where="x")
    assert flat.run.seed == BindingConfig().run.seed


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            {"temprature_k": 300},
            r"temprature_k: unknown parameter \(right: did you mean 'temperature_k'\?\)",
        ),
        (
            {"temperature_k": -3},
            r"temperature_k: -3 is not usable \(right: a number >= 200 and <= 500 K\)",
        ),
        ({"replicates": "many"}, "replicates: 'many'"),
        ({"timestep_fs": float("nan")}, "timestep_fs"),
        ({"sampler": "exchnage"}, "'exchange' or 'independent'"),
    ],
)
def test_wrong_setting(params, message):
    with pytest.raises(InputError, match=message):
        BindingConfig.from_params(params)


def test_all_problems_at_once():
    with pytest.raises(InputError) as error:
        BindingConfig.from_params({"temprature_k": 300, "replicates": 0, "ph": 20})
    assert len(error.value.problems) == 3


def test_file_that_is_not_settings(tmp_path):
    path = tmp_path / "run.yaml"
    for text, message in (
        ("- a\n- b\n", "holds a list"),
        ("a: [", "not readable"),
        ("fe: {window_pss: 3}", "window_ps"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=message):
            BindingConfig.read(path)
    with pytest.raises(InputError, match="no such file"):
        BindingConfig.read(tmp_path / "absent.yaml")


def test_what_came_later_is_hashed_only_where_it_is_not_the_default(monkeypatch):
    later = create_model("Later", __base__=Md, integrator=(str, "langevin"))
    assert hashed(Md()) == {key: value for key, value in Md().model_dump(mode="json").items() if key not in LATER}
    assert hashed(later())["integrator"] == "langevin"  # until it is named
    monkeypatch.setattr(binding, "LATER", LATER | {"integrator"})
    assert hashed(later(timestep_fs=2)) == hashed(Md(timestep_fs=2))
    assert hashed(later(integrator="verlet")) == {**hashed(Md()), "integrator": "verlet"}


def test_later_settings_are_settings():
    assert {key for section in Launch.sections().values() for key in section.model_fields} >= LATER


def test_every_mode_has_its_row():
    assert tuple(MODES) == get_args(Mode)
    parameters = set(Launch.sections()["io"].model_fields)
    assert all(row.needs and set(row.needs) <= parameters for row in MODES.values())
    assert all(f"{mode}: {row.text}." in HELP["mode"] for mode, row in MODES.items())
    required = {key: set(modes) for key, modes in REQUIRED.items()}
    assert all(mode in required[key] for mode, row in MODES.items() for key in row.needs)
