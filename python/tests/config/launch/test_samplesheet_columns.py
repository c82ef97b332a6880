"""Columns of the samplesheet: the schema that is shipped is theirs, and their patterns take what they say."""

import json
import re
from pathlib import Path

import pytest

from gibbsflow.config.launch.samplesheet_columns import BY_NAME, COLUMNS, NAMES, samplesheet_schema

SCHEMA = Path(__file__).resolve().parents[4] / "assets" / "schema_input.json"


def test_schema_file_is_the_schema():
    assert json.loads(SCHEMA.read_text()) == samplesheet_schema(), "run python -m gibbsflow.config.launch.generate"


def test_each_column_is_in_the_schema_with_its_words():
    items = samplesheet_schema()["items"]
    assert tuple(items["properties"]) == NAMES == tuple(BY_NAME)
    assert items["additionalProperties"] is False and items["required"] == ["ligand"]
    for column in COLUMNS:
        found = items["properties"][column.name]
        assert column.right in found["errorMessage"]
        assert (found["type"], found.get("pattern")) == (column.type, column.pattern)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("ligand", ["b2", "B2_x.1-a", "_a"], ["", ".a", "-a", "a b", "a/b", "ä"]),
        ("structure", ["a.sdf", "my poses/b.MOL2", "/abs/c.mol2"], ["a.pdb", ".sdf", " a.sdf", "a.sdf "]),
        ("smiles", ["CCO", "[NH3+]C"], ["C C", ""]),
        ("pose", ["given", "place", "bound.sdf"], ["dock", "given ", "a.pdb"]),
        ("group", ["", "any words, even these"], ["two\nlines"]),
    ],
)
def test_patterns(name, good, bad):
    pattern = BY_NAME[name].pattern
    assert all(re.search(pattern, text) for text in good)
    assert not any(re.search(pattern, text) for text in bad)
