from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ase import Atoms
from ase.build import bulk, graphene, molecule
from ase.io import write
from ase.spacegroup import crystal
from liquids import calcite, water_box

from gibbsflow.config.potential_config import PotentialConfig, merge, structure_of
from gibbsflow.errors import InputError
from gibbsflow.workflow.settings_file import read_mapping

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
        ({"structure": "diamnod"}, "'diamnod' is no structure", "did you mean 'diamond'? a crystal (sc, fcc"),
        ({"structure": "rock-salt"}, "'rock-salt' is no structure", "did you mean 'rocksalt'?"),
        ({"structure": "Al"}, "'Al' is one atom, and no structure", "the element's own crystal"),
        ({"elements": ["D", "O"]}, "'D' is an isotope", "H alone"),
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


def test_a_file_beside_the_settings_needs_no_dot(tmp_path: Path) -> None:
    (tmp_path / "POSCAR").write_text("Si\n")
    assert structure_of("POSCAR", str(tmp_path / "si.yaml")) == {"structure_file": "POSCAR"}


def test_numbers_in_quotes_are_none() -> None:
    with pytest.raises(InputError, match="exploration.temperature_k: '400' is not usable"):
        expand(temperature_k="400")


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
        ("labels: {launcher: 'mpirun; rm x'}", ["labels.launcher"]),
        ("labels: {ranks: 2, pools: 4}", ["labels", "pools: 4 of 2 ranks", "at most as many pools as ranks"]),
        ("generator: {methods: [sqsx]}", ["generator.methods"]),
        ("generator: {dimer_range_angstrom: [6, 1]}", ["generator.dimer_range_angstrom", "first the smaller"]),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, text: str, words: list[str]) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(text)
    with pytest.raises(InputError) as error:
        PotentialConfig.of_verb(file)
    for word in [str(file), *words]:
        assert word in str(error.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("trainig: {folds: 3}", ["trainig", "unknown key", "'training'"]),
        ("label: {batch_size: 3}\ndft: {engine: tblite}", ["label", "unknown key", "'labels'"]),
        ("training: {anything: 1}\ntarget: {elements: [Si]}", ["training.anything", "unknown parameter"]),
        ("elements: [Si]\nstructure: diamnod", ["structure", "is no structure"]),
        ("loop: {trajectories: yes}", ["loop.trajectories", "True is not usable"]),
    ],
)
def test_a_single_verb_refuses_what_the_loop_refuses(tmp_path: Path, text: str, words: list[str]) -> None:
    file = tmp_path / "run.yaml"
    file.write_text(text)
    with pytest.raises(InputError) as error:
        PotentialConfig.of_verb(file)
    for word in [str(file), *words]:
        assert word in str(error.value)


def test_a_single_verb_takes_the_short_form_as_the_loop_does(tmp_path: Path) -> None:
    file = tmp_path / "short.yaml"
    file.write_text("elements: [O, H]\nstructure: H2O\nengine: tblite\ngoal: elastic\n")
    assert PotentialConfig.of_verb(file) == PotentialConfig.expand(file)
    assert (
        PotentialConfig.of_verb(file).dft.engine == "tblite"
        and PotentialConfig.of_verb(file).convergence.stress_mae_gpa == 0.3
    )
    file.write_text("temperature_k: 500\n")
    assert PotentialConfig.of_verb(file).exploration.temperature_k == 500


def test_sections_alone_keep_their_defaults_and_the_command_chooses_the_engine(tmp_path: Path) -> None:
    file = tmp_path / "sections.yaml"
    file.write_text("target: {elements: [H]}\ndft: {engine: tblite, tblite_method: GFN2-xTB}\n")
    assert PotentialConfig.of_verb(None) == PotentialConfig()
    assert PotentialConfig.of_verb(file).exploration.timestep_fs == 1.0
    chosen = PotentialConfig.of_verb(file, engine="gpaw").dft
    assert (chosen.engine, chosen.tblite_method) == ("gpaw", "GFN2-xTB")
    with pytest.raises(InputError, match="--engine, engine: 'vasp' is not usable"):
        PotentialConfig.of_verb(file, engine="vasp")


def test_keys_beside_the_sections_say_what_the_command_says(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text('{"exploration": {"steps": 10}, "seed": 4, "generation": 0}')
    assert PotentialConfig.of_verb(file, beside={"seed": 4, "generation": 0}).exploration.steps == 10
    with pytest.raises(InputError, match="seed: 4, where the command line says 5"):
        PotentialConfig.of_verb(file, beside={"seed": 5, "generation": 0})
    with pytest.raises(InputError, match="seed: unknown key"):
        PotentialConfig.of_verb(file)


def test_a_structure_file_lies_beside_its_settings(tmp_path: Path) -> None:
    file = tmp_path / "here" / "si.yaml"
    file.parent.mkdir()
    file.write_text("elements: [Si]\nstructure: si.cif\n")
    assert PotentialConfig.of_verb(file).beside(file).target.structure_file == Path("si.cif")
    (file.parent / "si.cif").write_text("x")
    assert PotentialConfig.of_verb(file).beside(file).target.structure_file == file.parent / "si.cif"


@pytest.mark.parametrize(
    ("surrogate", "field"),
    [
        ({"model": "classical", "pair_style": "sw", "pair_file": "a"}, "pair_file"),
        ({"model": "potential", "potential": "a"}, "potential"),
        ({"model": "tblite"}, None),
    ],
)
def test_files_of_settings_may_lie_elsewhere(surrogate: dict[str, str], field: str | None) -> None:
    before = expand(structure="si.cif", surrogate=surrogate)
    assert before.with_files() == before
    after = before.with_files(structure=Path("there/si.cif"), surrogate=Path("there/b"))
    assert after.target.structure_file == Path("there/si.cif")
    assert after.surrogate.file == (Path("there/b") if field else None)
    assert field is None or getattr(after.surrogate, field) == after.surrogate.file


def test_a_file_of_molecules_gets_what_a_molecule_gets(tmp_path: Path) -> None:
    settings = tmp_path / "w.yaml"
    settings.write_text("elements: [H, O]\nstructure: w.xyz\nengine: tblite\ntemperature_k: [100, 300]\n")
    named = PotentialConfig.from_mapping({**read_mapping(settings), "structure": "H2O"}, where="here").generator
    assert "defect" in PotentialConfig.expand(settings).generator.methods  # a file that is not there tells nothing
    write(tmp_path / "elsewhere.xyz", molecule("H2O"))
    assert PotentialConfig.expand(settings, tmp_path / "elsewhere.xyz").generator == named
    write(tmp_path / "w.xyz", [molecule("H2O"), molecule("H2O2")])
    assert PotentialConfig.expand(settings).generator == named
    assert PotentialConfig.of_verb(settings).generator == named
    write(tmp_path / "w.xyz", [molecule("H2O"), bulk("O", "sc", a=2.0)], format="extxyz")
    assert "defect" in PotentialConfig.expand(settings).generator.methods
    (tmp_path / "w.xyz").write_text("no structure")
    assert "defect" in PotentialConfig.expand(settings).generator.methods


def _two_waters(apart_angstrom: float) -> Atoms:
    first, second = molecule("H2O"), molecule("H2O")
    second.positions += apart_angstrom
    both = first + second
    both.set_cell([2 * apart_angstrom] * 3)
    both.pbc = True
    return both


def test_a_liquid_of_molecules_is_no_alloy_with_vacancies(tmp_path: Path) -> None:
    settings = tmp_path / "w.yaml"
    settings.write_text("elements: [H, O]\nstructure: w.extxyz\nengine: tblite\ntemperature_k: [280, 350]\n")
    write(tmp_path / "w.extxyz", [_two_waters(3.1), _two_waters(2.9)])
    found = PotentialConfig.expand(settings).generator
    assert found.methods == ("bulk", "strain", "rattle", "dimer") and found.supercell == (1, 1, 1)
    assert max(found.rattle_sigma_angstrom) <= 0.1 and found.thermal_temperatures_k == (280, 350)


def test_a_liquid_is_never_rattled_as_a_crystal_and_its_md_is_hotter(tmp_path: Path) -> None:
    settings = tmp_path / "w.yaml"
    settings.write_text("elements: [H, O]\nstructure: w.extxyz\nengine: tblite\ngoal: melt_quench\n")
    write(tmp_path / "w.extxyz", water_box())
    found = PotentialConfig.expand(settings)
    assert max(found.generator.rattle_sigma_angstrom) <= 0.1 and found.loop.overheating == 2
    assert found.generator.methods == ("bulk", "strain", "rattle", "molecules", "dimer")
    ice = crystal(["O", "H"], [(0, 0, 0), (0.12, 0.1, 0.09)], spacegroup=19, cellpar=[6, 6.5, 7, 90, 90, 90])
    write(tmp_path / "w.extxyz", ice)
    settings.write_text(settings.read_text().replace("melt_quench", "md"))
    symmetric = PotentialConfig.expand(settings)  # a crystal of molecules
    assert "molecules" not in symmetric.generator.methods and symmetric.loop.overheating == 1


@pytest.mark.parametrize(
    "network",
    [
        bulk("NaCl", "rocksalt", a=5.64),
        bulk("Na", "bcc", a=4.29, cubic=True),
        bulk("Ar", "fcc", a=5.3, cubic=True),  # atoms alone
        Atoms("CH2", [[0, 0, 0], [0, 0.9, 0.6], [0, -0.9, 0.6]], cell=[1.5, 6, 6], pbc=True),  # a chain across the cell
        graphene("C2", vacuum=5.0),
    ],
    ids=["ions", "metal", "argon", "chain", "layer"],
)
def test_a_network_is_no_molecule(network: Atoms, tmp_path: Path) -> None:
    settings = tmp_path / "n.yaml"
    settings.write_text(
        f"elements: {sorted(set(network.get_chemical_symbols()))}\nstructure: n.extxyz\nengine: tblite\n"
    )
    write(tmp_path / "n.extxyz", network)
    found = PotentialConfig.expand(settings).generator
    assert "dimer" not in found.methods and found.supercell == (2, 2, 2)


def test_molecular_ions_are_rattled_as_molecules_are(tmp_path: Path) -> None:
    settings = tmp_path / "c.yaml"
    settings.write_text("elements: [Ca, C, O]\nstructure: c.extxyz\nengine: tblite\n")
    write(tmp_path / "c.extxyz", calcite())
    found = PotentialConfig.expand(settings).generator
    assert found.rattle_sigma_angstrom == (0.02, 0.05, 0.1) and "defect" in found.methods
    settings.write_text(settings.read_text() + "generator: {rattle_sigma_angstrom: [0.2]}\n")
    assert PotentialConfig.expand(settings).generator.rattle_sigma_angstrom == (0.2,)


def test_constant_volume_has_no_pressure_by_rule(tmp_path: Path) -> None:
    config = expand(goal="phase_diagram", exploration={"ensemble": "nvt"})
    assert config.exploration.pressure_end_bar is None and config.loop.trajectories == 6
    config.write(tmp_path / "config.json")
    assert PotentialConfig.expand(tmp_path / "config.json") == config
