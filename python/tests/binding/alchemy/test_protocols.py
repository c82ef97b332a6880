"""Tables of legs: each term of a cycle by its sign, and rows that can be carried out."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from solvation import SOLVATION

from gibbsflow.binding.alchemy.protocols import (
    DOUBLE_DECOUPLING,
    IN_EXPLICIT_SOLVENT,
    PROTOCOLS,
    RELATIVE,
    RELATIVE_IN_WATER,
    RELATIVE_SOLVATION,
    RELEASE,
    SDR,
    cycle_doubts,
    cycle_sum,
    cycle_terms,
    leg_names,
    mode_of_legs,
    of_edge,
    protocol_of,
    protocol_of_legs,
    restrains,
    with_counter_ions,
)
from gibbsflow.binding.alchemy.schedules import leg_schedules, read_schedule
from gibbsflow.binding.facts import TopologyFacts
from gibbsflow.config.binding import Fe, Md
from gibbsflow.engines.choice import engine_choice

SIGNS = {
    "double decoupling": (DOUBLE_DECOUPLING, {"complex": -1, "solvent": +1, RELEASE: -1}),
    "double decoupling in water": (IN_EXPLICIT_SOLVENT["abfe"], {"complex": -1, "solvent": +1, RELEASE: -1}),
    "counter-ions": (with_counter_ions(IN_EXPLICIT_SOLVENT["abfe"]), {"complex": -1, "solvent": +1, RELEASE: -1}),
    "sdr": (SDR, {"sdr": -1, RELEASE: -1}),
    "solvation": (PROTOCOLS["asfe"], {"solvent": -1, "vacuum": +1}),
    "relative binding": (RELATIVE, {"complex": +1, "solvent": -1}),
    "relative binding in water": (RELATIVE_IN_WATER, {"complex": +1, "solvent": -1}),
    "relative solvation": (RELATIVE_SOLVATION, {"solvent": +1, "vacuum": -1}),
}
"""As in docs/methods/explicit_solvent.md and relative.md."""


@pytest.mark.parametrize(
    ("table", "term", "sign"),
    [(name, term, sign) for name, (_, terms) in SIGNS.items() for term, sign in terms.items()],
)
def test_each_term_has_its_sign(table, term, sign):
    """A kilocalorie more of one term alone changes the result by a kilocalorie, up or down."""
    protocol, terms = SIGNS[table]
    assert dict(cycle_terms(protocol)) == terms
    legs = {leg.name: float(leg.name == term) for leg in protocol}
    assert cycle_sum(protocol, legs, float(term == RELEASE)) == sign


def test_the_signs_are_those_of_the_docs():
    methods = Path(__file__).parents[4] / "docs" / "methods"
    text = "".join((methods / f"{page}.md").read_text() for page in ("explicit_solvent", "relative"))
    for name, (_, terms) in SIGNS.items():
        for term, sign in terms.items() if not name.endswith("in water") else ():
            row = rf"\| {name} \| `{term}` \|[^\n]*\| {'[+]' if sign > 0 else '−'} \|"
            assert re.search(row, text), (name, term)


def test_which_legs_there_are_follows_the_settings():
    assert protocol_of("abfe", explicit=True, fe=Fe(abfe_protocol="sdr")) == protocol_of_legs("abfe", ["sdr"]) == SDR
    ions = protocol_of("abfe", explicit=True, fe=Fe(charge_correction="counter_ion"))
    assert [leg.alchemical for leg in ions] == [("ligand", "ions")] * 2
    assert [leg.parts[-2:] for leg in ions] == [("ions", "environment")] * 2
    assert protocol_of("abfe", fe=Fe(charge_correction="counter_ion")) == DOUBLE_DECOUPLING
    assert protocol_of_legs("abfe", []) == protocol_of_legs("abfe", ["complex", "solvent"]) == DOUBLE_DECOUPLING
    assert protocol_of_legs("asfe", ["solvent", "vacuum"]) == PROTOCOLS["asfe"]


@pytest.mark.parametrize(
    ("mode", "solvent", "charge", "fe", "words"),
    [
        ("abfe", "tip3p", -1, {}, "counter_ion or analytic, abfe_protocol sdr, or obc2"),
        ("abfe", "tip3p", -1, {"abfe_protocol": "sdr"}, None),
        ("abfe", "tip3p", 2, {"charge_correction": "counter_ion"}, None),
        ("abfe", "tip3p", 0, {"charge_correction": "counter_ion"}, None),
        ("abfe", "tip3p", 1, {"abfe_protocol": "sdr", "charge_correction": "counter_ion"}, "neutral in all states"),
        ("abfe", "obc2", 0, {"abfe_protocol": "sdr"}, "obc2 has none"),
        ("abfe", "obc2", 1, {"charge_correction": "counter_ion"}, "nothing to correct"),
        ("asfe", "tip3p", 1, {"charge_correction": "counter_ion"}, "here is only one"),
        ("asfe", "tip3p", 0, {"charge_correction": "counter_ion"}, None),
        ("asfe", "tip3p", 1, {}, "charge_correction analytic"),
        ("asfe", "given", 1, {"charge_correction": "analytic"}, "the permittivity of the water of given topologies"),
        ("abfe", "given", 0, {"charge_correction": "analytic"}, None),
    ],
)
def test_a_charge_in_a_periodic_box_is_made_up_for_or_refused(mode, solvent, charge, fe, words):
    md, fe = Md(solvent=solvent), Fe(**fe)
    protocol = protocol_of(mode, explicit=md.explicit, fe=fe)
    refused = cycle_doubts(protocol, md, charge, where="x", fe=fe).of_weight("refuse")
    assert [words in str(problem) for problem in refused] == ([True] if words else [])


@pytest.mark.parametrize(
    ("engine", "here", "of_binding", "of_solvation"),
    [
        ("openmm", True, "counter_ion or analytic, abfe_protocol sdr, or obc2", "or obc2"),
        ("auto", False, "counter_ion or analytic, abfe_protocol sdr, or obc2", "or obc2"),
        ("auto", True, "counter_ion or analytic, or --engine openmm with abfe_protocol sdr or", "openmm with obc2"),
        ("gromacs", True, "counter_ion or analytic, or --engine openmm with abfe_protocol sdr or", "openmm with obc2"),
        ("amber", True, "analytic, abfe_protocol sdr, or --engine openmm with counter_ion or obc2", "openmm with obc2"),
    ],
)
def test_advice_for_a_charge_is_what_the_engine_takes(monkeypatch, engine, here, of_binding, of_solvation):
    monkeypatch.setattr(engine_choice, "gromacs_fault", lambda: "" if here else "there is no gmx on PATH")
    monkeypatch.setattr(engine_choice, "version", lambda: "2024.1")
    for protocol, right in ((DOUBLE_DECOUPLING, of_binding), (SOLVATION, of_solvation)):
        (refused,) = cycle_doubts(protocol, Md(solvent="tip3p", engine=engine), -1, where="x").of_weight("refuse")
        assert right in refused.right


def test_what_sdr_and_a_correction_lack_without_a_box_is_told_at_once():
    """Else what is advised of the one is refused for the other."""
    refused = cycle_doubts(SDR, Md(), 1, where="x", fe=Fe(abfe_protocol="sdr", charge_correction="analytic"))
    assert [p.field for p in refused.of_weight("refuse")] == ["abfe_protocol", "charge_correction"]


def test_the_whole_cycle_to_the_last_bit():
    """As contracts.md has it: both legs summed exactly, then the release taken off."""
    solvent, bound, release = 12.3456789, 31.4159265, -5.2714
    assert cycle_sum(DOUBLE_DECOUPLING, {"complex": bound, "solvent": solvent}, release) == (solvent - bound) - release


def test_a_cycle_without_restraint_has_no_release():
    """Solvation: decoupled in solvent, and nothing to let go."""
    assert cycle_sum(SOLVATION, {"solvent": 9.0, "vacuum": 2.0}, -5.0) == -7.0


def test_rows_name_what_there_is():
    parts = set(TopologyFacts.model_construct(receptor_atoms=(), ligand_atoms=()).parts("equil_frames", 0))
    for leg in (leg for table in (*PROTOCOLS.values(), *IN_EXPLICIT_SOLVENT.values(), SDR) for leg in table):
        assert set(leg.alchemical) <= set(leg.parts) <= parts
        assert leg.schedule in Fe.model_fields and abs(leg.sign) == 1 and read_schedule(leg.named_schedule)
    assert leg_names(DOUBLE_DECOUPLING) == tuple(leg_schedules(Fe())) == ("complex", "solvent")


def test_a_mode_without_legs_is_gone_on_with_by_hand():
    assert (mode_of_legs("abfe"), mode_of_legs("md")) == ("abfe", "abfe")
    assert protocol_of("md") == protocol_of("abfe") == DOUBLE_DECOUPLING


def test_a_leg_in_vacuum_changes_the_medium_alone():
    md = Md(temperature_k=310)
    (solvent, vacuum) = SOLVATION
    assert solvent.md(md) == md and vacuum.md(md) == Md(temperature_k=310, solvent="vacuum")
    assert restrains(DOUBLE_DECOUPLING) and not restrains(SOLVATION)


@pytest.mark.parametrize(
    ("mode", "solvent", "charge", "weight"),
    [
        ("asfe", "tip3p", 0, None),
        ("asfe", "tip3p", -1, "refuse"),
        ("abfe", "opc", 1, "refuse"),
        ("abfe", "obc2", 1, None),
        ("abfe", "vacuum", 1, None),
        ("asfe", "obc2", 1, "warn"),
        ("asfe", "vacuum", 0, "refuse"),
    ],
)
def test_what_a_cycle_leaves_out_is_said(mode, solvent, charge, weight):
    md = Md(solvent=solvent)
    doubts = cycle_doubts(protocol_of(mode, explicit=md.explicit), md, charge, where="x").doubts
    assert [doubt.weight for doubt in doubts] == ([weight] if weight else [])


@pytest.mark.parametrize(
    ("mode", "solvent", "charge", "weights"),
    [
        ("abfe", "tip3p", -1, ["note"]),
        ("asfe", "opc", 2, ["note", "note"]),  # of one leg in water also what potential its water has
        ("abfe", "tip3p", 0, []),
        ("abfe", "obc2", -1, ["refuse"]),
        ("abfe", "vacuum", 0, ["refuse"]),
    ],
)
def test_an_analytic_correction_is_for_charges_in_a_periodic_box(mode, solvent, charge, weights):
    md, fe = Md(solvent=solvent), Fe(charge_correction="analytic")
    doubts = cycle_doubts(protocol_of(mode, explicit=md.explicit), md, charge, where="x", fe=fe).doubts
    assert [doubt.weight for doubt in doubts] == weights
    if weights == ["note"]:
        assert "complex and solvent" in str(doubts[0]) and "NET, USV, SCR, RIP, EMP and DSC" in str(doubts[0])


def test_an_edge_makes_up_for_a_charge_by_ions_or_not_at_all():
    """Where it has a box; what an edge changes is its own matter, so that no part of its table is ions."""
    counter, analytic = (Fe(charge_correction=kind) for kind in ("counter_ion", "analytic"))
    water, implicit = Md(solvent="tip3p"), Md()
    assert protocol_of("rbfe", explicit=True, fe=counter) == RELATIVE_IN_WATER

    def refused(protocol, md, fe, charge=1):
        return [str(p) for p in cycle_doubts(protocol, md, charge, where="l", fe=fe).of_weight("refuse")]

    assert refused(RELATIVE_IN_WATER, water, counter) == refused(RELATIVE_IN_WATER, water, Fe()) == []
    (text,) = refused(RELATIVE_IN_WATER, water, analytic)
    assert "charge_correction counter_ion" in text
    (text,) = refused(RELATIVE, implicit, counter)
    assert "no periodic box: there is nothing to correct" in text
    assert refused(RELATIVE, implicit, Fe()) == []


@pytest.mark.parametrize(
    ("hard", "dual", "changes", "explicit", "names"),
    [
        (False, False, False, True, {"rbfe_11"}),
        (True, False, False, True, {"rbfe_21"}),
        (False, True, False, True, {"rbfe_21"}),
        (False, False, True, False, {"rbfe_21"}),
        (True, False, True, True, {"rbfe_with_ion_25"}),
        (False, True, True, True, {"dual_with_ion_33"}),
    ],
)
def test_what_changes_on_an_edge_chooses_its_states(hard, dual, changes, explicit, names):
    table = RELATIVE_IN_WATER if explicit else RELATIVE
    found = of_edge(table, hard=hard, dual=dual, charge_changes=changes, explicit=explicit)
    assert {leg.named_schedule for leg in found} == names and dict(cycle_terms(found)) == dict(cycle_terms(table))
    assert leg_schedules(Fe(), found)


@pytest.mark.parametrize("correction", ["analytic", "counter_ion"])
def test_a_net_charge_goes_in_steps_of_a_sixteenth_at_most_however_it_is_made_up_for(correction):
    for mode in ("abfe", "asfe"):
        table = protocol_of(mode, explicit=True, fe=Fe(charge_correction=correction))
        neutral = protocol_of(mode, explicit=True)
        assert dict(cycle_terms(table)) == dict(cycle_terms(neutral))
        for leg, own in zip(table, neutral, strict=True):
            states = leg_schedules(Fe(), table)[leg.name]
            steps = [one.lambda_electrostatics - two.lambda_electrostatics for one, two in pairwise(states)]
            assert (max(steps) <= 1 / 16) if leg.medium == "solvent" else leg == own
    assert protocol_of("abfe", fe=Fe(charge_correction=correction)) == DOUBLE_DECOUPLING  # no box, nothing to correct
