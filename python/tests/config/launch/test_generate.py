"""What is written from the settings: schema, defaults, params block and tables say the same of each parameter."""

import re

import pytest

from gibbsflow.config.binding import Launch
from gibbsflow.config.launch import generate
from gibbsflow.version import __version__

CONFIG = """manifest {
    name    = 'gibbsflow'
    version = '0.0.0'
}
params {
    seed = 1
}
process.cpus = 1
"""


@pytest.fixture(scope="module")
def schema():
    return generate.nextflow_schema()


def test_every_setting_is_a_parameter_once(schema):
    keys = [key for group in schema["$defs"].values() for key in group["properties"]]
    assert len(keys) == len(set(keys))
    expected = {key for section in generate.groups().values() for key in section.model_fields}
    assert set(keys) == expected == set(generate.defaults())
    assert [item["$ref"] for item in schema["allOf"]] == [f"#/$defs/{name}" for name in schema["$defs"]]


def test_defaults_are_those_of_the_settings():
    defaults = generate.defaults()
    for name, section in Launch.sections().items():
        for key, field in section.model_fields.items():
            given = field.default
            assert defaults[key] == (str(given) if key == "outdir" else given), f"{name}.{key}"


def test_bounds_units_and_choices_reach_the_schema(schema):
    md = schema["$defs"]["md"]["properties"]
    assert (md["temperature_k"]["minimum"], md["temperature_k"]["maximum"], md["temperature_k"]["unit"]) == (
        200,
        500,
        "K",
    )
    assert md["timestep_fs"]["exclusiveMinimum"] == 0 and md["platform"]["enum"] == [
        "CPU",
        "Reference",
        "CUDA",
        "OpenCL",
    ]
    optional = schema["$defs"]["system"]["properties"]["receptor_charge"]
    assert optional["type"] == "integer" and "default" not in optional


def test_the_params_block_replaces_the_one_there():
    text = generate.with_params(CONFIG)
    assert f"version = '{__version__}'" in text and "    seed = 2026\n" in text and "seed = 1\n" not in text
    assert text.startswith("manifest {") and text.endswith("process.cpus = 1\n") and text.count("params {") == 1
    assert generate.with_params(text) == text
    with pytest.raises(ValueError, match="no params block"):
        generate.with_params("process.cpus = 1\n")


def test_values_in_groovy():
    block = generate.params_block()
    for line in (
        "mode = 'abfe'",
        "clean_failures = false",
        "receptor = null",
        "window_ps = 1000",
        "gpu_options = '--gres=gpu:1'",
    ):
        assert f"    {line}\n" in block


def test_the_page_has_a_row_for_each_parameter():
    page = generate.parameters_page()
    rows = dict(re.findall(r"(?m)^\| `(\w+)` \| (.*) \|$", page))
    assert set(rows) == set(generate.defaults())
    assert rows["temperature_k"].endswith("| K | `298.15` | number, ≥ 200, ≤ 500")
    assert rows["sampler"].endswith("| exchange, independent")


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"type": "boolean"}, "true or false"),
        ({"type": "integer", "minimum": 1, "maximum": 20}, "whole number, ≥ 1, ≤ 20"),
        ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1.5}, "number, > 0, < 1.5"),
        ({"type": "string"}, "text"),
        ({"type": "string", "enum": ["a", "b"]}, "a, b"),
    ],
)
def test_what_a_parameter_takes_in_words(item, words):
    assert generate.takes(item) == words


def test_the_command_writes_and_checks(tmp_path, capsys):
    (tmp_path / "nextflow.config").write_text(CONFIG)
    assert generate.main([str(tmp_path), "--check"]) == 1
    assert "nextflow.config is out of date" in capsys.readouterr().err
    assert (tmp_path / "nextflow.config").read_text() == CONFIG and not (tmp_path / "docs").exists()
    assert generate.main([str(tmp_path)]) == 0
    assert (tmp_path / "assets" / "schema_input.json").exists()
    assert generate.main([str(tmp_path), "--check"]) == 0
