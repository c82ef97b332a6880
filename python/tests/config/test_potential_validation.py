from __future__ import annotations

import pytest

from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.config.potential_validation import Validation
from gibbsflow.config.section import read_section
from gibbsflow.errors import InputError


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"elastic_strains": [0.2]}, "elastic_strains"),
        ({"surface_indices": [[0, 0, 0]]}, "not all of them 0"),
        ({"engine_properties": ["eos", "md"]}, "not md, which are the potential's alone"),
        ({"modulus_tolerance": [0.3, 0.1]}, "modulus_tolerance: two numbers > 0, the second not below the first"),
        ({"properties": ["colour"]}, "properties"),
        ({"properties": []}, "properties"),
        ({"md_steps": "many"}, "md_steps"),
        ({"properties": ["melting"]}, "melting_range_k: two temperatures to look for melting between"),
        ({"melting_range_k": [900, 800]}, "melting_range_k: .*the second above the first"),
        ({"properties": ["npt_expansion"], "temperature_k": 90}, "expansion_span_k: less than twice temperature_k"),
        ({"engine_properties": ["melting"]}, "not melting"),
        ({"rdf_temperatures_k": [300, -5]}, "rdf_temperatures_k"),
        ({"references": [{"property": "c11", "value": 1}]}, "references.0.source"),
    ],
)
def test_settings_that_cannot_be_used_are_named(values, told) -> None:
    with pytest.raises(InputError, match=told):
        read_section(Validation, values, where="c.yaml")


def test_settings_go_through_a_file(tmp_path) -> None:
    content = {"elements": ["Si"], "engine": "tblite", "validation": {"properties": ["eos"], "md_steps": 60}}
    config = PotentialConfig.from_mapping(content, where="here")
    config.write(tmp_path / "c.json")
    assert PotentialConfig.expand(tmp_path / "c.json").validation == config.validation
    assert config.validation.properties == ("eos",) and config.convergence.validation == "none"
