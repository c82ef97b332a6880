"""Settings: defaults run, names are unique, wrong ones are named with what would be right."""

import pytest

from gibbsflow.config.binding import BindingConfig, Launch
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
