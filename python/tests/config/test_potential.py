from __future__ import annotations

from pathlib import Path

import pytest

from gibbsflow.config.potential import Dft, StructureSettings, Target
from gibbsflow.config.section import read_section
from gibbsflow.errors import InputError


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("target: {elements: [Sx]}", ["target.elements", "no element"]),
        ("target: {elements: [Si, Si]}", ["target.elements", "once"]),
        ("target: {elements: [Cu, Ni], composition: {Cu: 0.7, Ni: 0.2}}", ["target.composition", "sum is 1", "0.9"]),
        ("target: {elements: [Cu, Ni], composition: {Cu: 1.0}}", ["target.composition", "one fraction for each"]),
        ("target: {elements: [Si]}\ndft: {ecutwfc_ry: -20}", ["dft.ecutwfc_ry", "-20", "> 0", "Ry"]),
        ("dft: {ecutwfc: 20}", ["dft.ecutwfc", "unknown parameter", "ecutwfc_ry"]),
        ("dft: {pw_command: 'pw.x; rm x'}", ["dft.pw_command"]),
        ("generator: {methods: [sqsx]}", ["generator.methods"]),
        ("generator: {dimer_range_angstrom: [6, 1]}", ["generator.dimer_range_angstrom", "first the smaller"]),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, text: str, words: list[str]) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(text)
    with pytest.raises(InputError) as error:
        StructureSettings.read(file)
    for word in [str(file), *words]:
        assert word in str(error.value)


def test_composition_defaults_to_equal_parts_in_the_order_of_elements() -> None:
    assert Target(elements=("Ni", "Cu")).composition == {"Ni": 0.5, "Cu": 0.5}
    assert list(Target(elements=("Ni", "Cu"), composition={"Cu": 0.75, "Ni": 0.25}).composition) == ["Ni", "Cu"]


def test_other_sections_are_left_to_their_readers(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("target: {elements: [Si]}\ntraining: {anything: 1}\n")
    assert StructureSettings.read(file).target.elements == ("Si",)


def test_all_problems_come_at_once() -> None:
    with pytest.raises(InputError) as error:
        read_section(Dft, {"degauss_ry": -1, "smearing": "none", "kspacing_per_angstrom": 0}, where="x")
    assert len(error.value.problems) == 3
