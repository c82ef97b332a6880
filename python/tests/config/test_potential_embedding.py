"""Settings of boxes."""

import pytest
from pydantic import ValidationError

from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.config.potential_embedding import Embedding
from gibbsflow.errors import InputError


def test_charges_are_of_elements():
    assert Embedding(formal_charges={"Mg": 2, "O": -2}).formal_charges == {"Mg": 2.0, "O": -2.0}
    with pytest.raises(ValidationError, match="'Xx' is no element"):
        Embedding(formal_charges={"Xx": 1})


def test_the_section_is_one_of_the_loop():
    content = {"elements": ["Si"], "embedding": {"largest_cell_atoms": 100}}
    assert PotentialConfig.from_mapping(content, where="here").embedding.largest_cell_atoms == 100
    with pytest.raises(InputError, match="core_radius_angstrom"):
        PotentialConfig.from_mapping({"elements": ["Si"], "embedding": {"core_radius_angstrom": 0}}, where="here")
