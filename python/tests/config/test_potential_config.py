from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from gibbsflow.config.potential_config import PotentialConfig, merge, structure_of
from gibbsflow.errors import InputError

ROOT = Path(__file__).resolve().parents[3]
MINIMAL: dict[str, Any] = {
    "elements": ["Si"],
    "structure": "diamond",
    "goal": "md",
    "temperature_k": [300, 1200],
    "engine": "quantum_espresso",
}


def expand(**changes: Any) -> PotentialConfig:
    content = {key: value for key, value in {**MINIMAL, **changes}.items() if value is not None}
    return PotentialConfig.from_mapping(content, where="si.yaml")


def test_five_lines_become_everything() -> None:
    config = expand()
    assert config.target.crystal == "diamond" and config.target.composition == {"Si": 1.0}
    assert (config.exploration.temperature_k, config.exploration.temperature_end_k) == (300, 1200)
    assert config.generator.methods == ("bulk", "strain", "rattle")
    assert config.generator.thermal_temperatures_k == (300, 1200)
    assert config.dft.engine == "quantum_espresso" and config.loop.goal == "md"


def test_what_is_expanded_stays_as_it_is(tmp_path: Path) -> None:
    config = expand(goal="phase_diagram", elements=["Cu", "Ni"], structure="fcc", engine="tblite")
    config.write(tmp_path / "config.json")
    assert PotentialConfig.expand(tmp_path / "config.json") == config
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config.model_dump(mode="json")))
    assert PotentialConfig.expand(tmp_path / "config.yaml") == config


def test_what_is_given_stands_against_the_rules() -> None:
    config = expand(goal="elastic", generator={"cell_strain_count": 3}, convergence={"max_labels": 50})
    assert config.generator.cell_strain_count == 3 and config.generator.volume_steps == 9
    assert config.convergence.max_labels == 50
    assert config.convergence.force_mae_ev_per_angstrom == 0.05


@pytest.mark.parametrize(
    ("changes", "what", "right"),
    [
        ({"elements": ["Sii"]}, "'Sii' is no element", "did you mean 'Si'?"),
        ({"elements": None}, "missing", "elements: [Si]"),
        ({"elements": ["Cu"], "composition": {"Cu": 1.1}}, "composition", "whose sum is 1; here it is 1.1"),
        ({"structure": "diamnod"}, "'diamnod' is no structure", "a crystal (sc, fcc"),
        ({"dft": {"ecutwfc_ry": -20}}, "-20 is not usable", "> 0 and <= 400 Ry"),
        ({"gaol": "md"}, "unknown key", "did you mean 'goal'?"),
        ({"training": {"cutof_angstrom": 5}}, "unknown parameter", "did you mean 'cutoff_angstrom'?"),
        ({"training": 5}, "5 is not usable", "a section with keys"),
        ({"temperature_k": [1, 2, 3]}, "temperature_k", "one number, or [first, last]"),
        ({"temperature_k": ["hot"]}, "'hot' is not usable", "> 0"),
        ({"engine": "vasp"}, "'vasp' is not usable", "quantum_espresso"),
        ({"exploration": {"temperature_k": 500}}, "given twice: 300 and 500", "one of them"),
    ],
)  # fmt: skip
def test_bad_settings_get_one_clear_error(changes: dict[str, Any], what: str, right: str) -> None:
    with pytest.raises(InputError) as caught:
        expand(**changes)
    text = str(caught.value)
    assert text.startswith("si.yaml, ") and what in text and right in text
    assert "\n" not in text


def test_a_file_is_told_from_a_molecule(tmp_path: Path) -> None:
    assert expand(structure="cells/si.cif").target.structure_file == Path("cells/si.cif")
    assert expand(structure="SiH4", elements=["Si", "H"]).target.molecule == "SiH4"


def test_the_examples_in_the_docs_are_valid() -> None:
    text = (ROOT / "docs" / "potential.md").read_text()
    examples = re.findall(r"```yaml\n(.*?)```", text, flags=re.S)
    assert examples
    for example in examples:
        PotentialConfig.from_mapping(yaml.safe_load(example), where="docs/potential.md")


def test_the_demo_is_valid() -> None:
    config = PotentialConfig.expand(ROOT / "assets" / "demo-potential" / "si.yaml")
    assert config.target.elements == ("Si",)
    assert json.loads(json.dumps(config.model_dump(mode="json")))["loop"]["trajectories"] >= 2


def test_a_section_and_the_short_form_may_say_the_same() -> None:
    assert merge({"target": {"elements": ["Si"]}}, {"target": {"elements": ["Si"], "crystal": "bcc"}}, "si.yaml") == {
        "target": {"elements": ["Si"], "crystal": "bcc"}
    }


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("fcc", {"crystal": "fcc"}),
        ("si.cif", {"structure_file": "si.cif"}),
        ("cells/si", {"structure_file": "cells/si"}),
        ("CH3CH2OH", {"molecule": "CH3CH2OH"}),
    ],
)
def test_structures_are_told_apart(text: str, found: dict[str, str]) -> None:
    assert structure_of(text) == found
