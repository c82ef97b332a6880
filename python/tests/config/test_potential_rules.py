from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from gibbsflow.config.potential import Dft, Generator, Target
from gibbsflow.config.potential_config import PotentialConfig
from gibbsflow.config.potential_rules import RULES, RuleFacts, apply_rules, judge, table
from gibbsflow.config.potential_training import Exploration
from gibbsflow.workflow.account import Account

ROOT = Path(__file__).resolve().parents[3]
SILICON = {
    "elements": ["Si"], "structure": "diamond", "temperature_k": [300, 1200], "engine": "quantum_espresso",
}  # fmt: skip
WATER = {"elements": ["H", "O"], "structure": "H2O"}


def expand(changes: dict[str, Any]) -> PotentialConfig:
    return PotentialConfig.from_mapping({**SILICON, **changes}, where="si.yaml")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.when)
def test_every_rule_sets_keys_that_exist_and_that_count(rule: Any) -> None:
    for section, values in rule.settings(RuleFacts(lowest_k=300.0, highest_k=900.0)).items():
        fields = type(getattr(PotentialConfig(), section)).model_fields
        assert values.keys() <= fields.keys()


@pytest.mark.parametrize(
    ("changes", "section", "key", "value"),
    [
        ({"elements": ["Cu", "Au"], "structure": "fcc"}, "generator", "defect_kinds", ("vacancy", "antisite")),
        (WATER, "generator", "methods", ("bulk", "normal_mode", "rattle", "dimer")),
        (WATER, "generator", "mode_temperatures_k", (300, 750, 1200)),
        (WATER, "generator", "rattle_sigma_angstrom", (0.02, 0.05, 0.1)),
        (WATER, "generator", "thermal_temperatures_k", (300, 1200)),
        (WATER, "exploration", "timestep_fs", 0.5),
        ({"goal": "melt_quench"}, "loop", "trajectories", 6),
        ({"goal": "phase_diagram"}, "exploration", "ensemble", "npt"),
        ({"goal": "phase_diagram", "pressure_bar": [0, 5000]}, "exploration", "pressure_end_bar", 5000),
        ({"goal": "elastic"}, "generator", "cell_strain_count", 8),
        ({}, "convergence", "labels_may_vouch", True),
        ({"convergence": {"fraction_above": 0}}, "convergence", "labels_may_vouch", False),
        ({"convergence": {"fraction_above": 0, "labels_may_vouch": True}}, "convergence", "labels_may_vouch", True),
    ],
)  # fmt: skip
def test_rules(changes: dict[str, Any], section: str, key: str, value: Any) -> None:
    assert getattr(getattr(expand(changes), section), key) == value


def test_the_docs_show_the_rules() -> None:
    text = (ROOT / "docs" / "potential.md").read_text()
    assert table() in text


def test_tight_binding_gets_cells_that_the_gamma_point_serves() -> None:
    config = expand({"engine": "tblite"})
    assert config.generator.supercell == (2, 2, 2)
    molecule = {"elements": ["H", "O"], "structure": "H2O", "engine": "tblite"}
    assert PotentialConfig.from_mapping(molecule, where="h2o.yaml").generator.supercell == (1, 1, 1)
    given = yaml.safe_load("{elements: [Si], engine: tblite, generator: {supercell: [1, 1, 1]}}")
    assert PotentialConfig.from_mapping(given, where="si.yaml").generator.supercell == (1, 1, 1)


def test_of_two_rules_the_later_one_holds() -> None:
    both = [rule for rule in RULES if rule.holds(RuleFacts(elements=("H", "O"), molecule=True, goal="melt_quench"))]
    sigmas = [rule.settings(RuleFacts()).get("generator", {}).get("rattle_sigma_angstrom") for rule in both]
    set_last = [sigma for sigma in sigmas if sigma is not None][-1]
    found = apply_rules(RuleFacts(elements=("H", "O"), molecule=True, goal="melt_quench"))
    assert found["generator"]["rattle_sigma_angstrom"] == set_last
    assert found["exploration"] == {"timestep_fs": 0.5}


def test_facts_are_read_from_what_is_not_yet_checked() -> None:
    given = {
        "target": {"elements": ["Cu", "Au"], "molecule": None}, "loop": {"goal": "elastic"},
        "exploration": {"temperature_k": 900, "temperature_end_k": 300.0}, "dft": {"engine": "gpaw"},
    }  # fmt: skip
    assert RuleFacts.of(given) == RuleFacts("elastic", ("Cu", "Au"), False, False, "gpaw", 300.0, 900.0)
    assert RuleFacts.of({"target": {"elements": 5}, "exploration": {"temperature_k": "hot"}}) == RuleFacts()


def judged(
    target: dict[str, Any] | None = None,
    dft: dict[str, Any] | None = None,
    generator: dict[str, Any] | None = None,
    **exploration: Any,
) -> Account:
    sections = Target(**target or {}), Dft(**dft or {}), Exploration(**exploration), Generator(**generator or {})
    return judge(*sections, "si.yaml")


@pytest.mark.parametrize(
    ("target", "exploration", "message"),
    [
        ({}, {"pressure_bar": 100.0}, "exploration.pressure_bar: 100 bar has no effect at constant volume"),
        ({}, {"pressure_bar": 0.0, "pressure_end_bar": 1e5}, "exploration.pressure_end_bar: 100000 bar has no effect"),
        (
            {"elements": ("Na", "Cl"), "composition": {"Na": 0.7, "Cl": 0.3}, "crystal": "rocksalt"}, {},
            "target.composition: has no effect: the composition is that of the rocksalt",
        ),
        (
            {"elements": ("Ca", "F"), "composition": {"Ca": 0.7, "F": 0.3}, "crystal": "fluorite"}, {},
            "of the fluorite",
        ),
        (
            {"elements": ("Cu", "Au"), "composition": {"Cu": 0.75, "Au": 0.25}, "structure_file": "s.cif"}, {},
            "of the structure_file",
        ),
        ({"crystal": "fcc", "structure_file": "s.cif"}, {}, "target.structure_file: beside crystal"),
        ({"molecule": "H2O", "lattice_constant_angstrom": 5.0}, {}, "target.lattice_constant_angstrom: has no effect"),
    ],
)  # fmt: skip
def test_refused(target: dict[str, Any], exploration: dict[str, Any], message: str) -> None:
    refused = judged(target, **exploration).of_weight("refuse")
    assert len(refused) == 1 and message in str(refused[0])


@pytest.mark.parametrize(
    ("target", "exploration"),
    [
        ({}, {"pressure_bar": 100.0, "ensemble": "npt"}),
        ({}, {"pressure_bar": 0.0, "pressure_end_bar": 0.0}),
        ({"elements": ("Na", "Cl"), "crystal": "rocksalt"}, {}),
        ({"elements": ("Ca", "F"), "composition": {"Ca": 1 / 3, "F": 2 / 3}, "crystal": "fluorite"}, {}),
        ({"elements": ("Cu", "Au"), "composition": {"Cu": 0.75, "Au": 0.25}, "crystal": "fcc"}, {}),
        ({"elements": ("Cu", "Au"), "composition": {"Cu": 0.75, "Au": 0.25}}, {}),
        ({"elements": ("Cu", "Au"), "structure_file": "s.cif"}, {}),
        ({"lattice_constant_angstrom": 5.0, "crystal": "fcc"}, {}),
    ],
)
def test_nothing_to_say(target: dict[str, Any], exploration: dict[str, Any]) -> None:
    assert judged(target, **exploration).doubts == []


def test_settings_of_another_engine_are_noted() -> None:
    account = judged(dft={"engine": "tblite", "functional": "lda", "tblite_method": "GFN2-xTB"})
    assert [str(p) for p in account.of_weight("note")] == ["si.yaml, dft.functional: has no effect with engine tblite"]
    assert account.of_weight("refuse") == []
    assert judged(dft={"functional": "lda", "bands": 20}).doubts == []


def test_physics_that_an_engine_cannot_compute_is_refused() -> None:
    for engine in ("tblite", "gpaw"):
        refused = judged(dft={"engine": engine, "dispersion": "d3", "hubbard_u_ev": {"Fe": 3.0}}).of_weight("refuse")
        assert [problem.field for problem in refused] == ["dft.dispersion", "dft.hubbard_u_ev"]
        assert f"cannot be computed by engine {engine}" in str(refused[0]) and "quantum_espresso" in str(refused[0])
    assert judged({"elements": ("Fe",)}, {"dispersion": "d3-bj", "hubbard_u_ev": {"Fe": 3.0}}).doubts == []
    (absent,) = judged({"elements": ("Cu", "O")}, {"hubbard_u_ev": {"Co": 3.0}}).of_weight("refuse")
    assert "dft.hubbard_u_ev: names Co" in str(absent) and "elements are Cu, O" in str(absent)
    (idle,) = judged(dft={"dispersion_three_body": False}).doubts
    assert "dft.dispersion_three_body: has no effect" in str(idle)


def test_what_is_said_of_no_element_no_spin_or_no_method_is_not_passed_over() -> None:
    silicon = {"elements": ("Si",)}
    spins = judged(silicon, {"magnetism": "none", "moments_ub": {"Si": 2.0}})
    assert "dft.moments_ub: has no effect with magnetism none" in str(spins.of_weight("refuse")[0])
    assert judged(silicon, {"magnetism": "none", "moments_ub": {"Si": 0.0}}).doubts == []
    own = {"file": "a.UPF", "ecutwfc_ry": 20.0, "ecutrho_ry": 60.0}
    others = judged(silicon, {"moments_ub": {"Fe": 2.0, "Si": 1.0}, "pseudopotentials": {"Ge": own}})
    assert [str(problem) for problem in others.of_weight("note")] == [
        "si.yaml, dft.moments_ub: has no effect for Fe: elements are Si",
        "si.yaml, dft.pseudopotentials: has no effect for Ge: elements are Si",
    ]
    (cut,) = others.of_weight("warn")
    assert "dft.pseudopotentials.Ge.ecutrho_ry: 60 Ry cuts the density of wavefunctions up to 20 Ry" in str(cut)
    assert judged({}, {"moments_ub": {"Fe": 2.0}}).doubts == []  # of a single verb: the elements are the structures'
    idle = judged(silicon, generator={"methods": ("bulk",), "rattle_count": 9, "sqs_steps": 3000})
    assert [str(p) for p in idle.doubts] == ["si.yaml, generator.rattle_count: has no effect without rattle in methods"]
    assert judged({"molecule": "H2O"}, generator={"methods": ("bulk",), "box_angstrom": 20.0}).doubts == []


def test_no_rule_sets_what_another_would_call_idle() -> None:
    for goal in ("md", "elastic", "melt_quench", "phase_diagram"):
        for short in (SILICON, WATER, {"elements": ["Si", "Ge"], "structure": "diamond", "engine": "tblite"}):
            settings = expand({**short, "goal": goal, "generator": {"methods": ["bulk"]}})
            found = judge(settings.target, settings.dft, settings.exploration, settings.generator, "x")
            assert not [doubt for doubt in found.doubts if "generator" in str(doubt)]


def test_a_molecule_of_the_formula_of_a_crystal_is_said_to_be_one() -> None:
    (said,) = judged({"elements": ("Na", "Cl"), "molecule": "NaCl"}).of_weight("warn")
    assert "'NaCl' is taken for a molecule in vacuum, not for a crystal of that formula" in str(said)
    assert judged({"elements": ("C", "H"), "molecule": "CH4"}).doubts == []
