"""Tables of legs: each term of a cycle by its sign, and rows that can be carried out."""

import pytest
from solvation import SOLVATION

from gibbsflow.binding.alchemy.protocols import (
    DOUBLE_DECOUPLING,
    IN_EXPLICIT_SOLVENT,
    PROTOCOLS,
    cycle_doubts,
    cycle_sum,
    leg_names,
    mode_of_legs,
    protocol_of,
    restrains,
)
from gibbsflow.binding.alchemy.schedules import leg_schedules, read_schedule
from gibbsflow.binding.facts import TopologyFacts
from gibbsflow.config.binding import Fe, Md

NOTHING = {"complex": 0.0, "solvent": 0.0}


@pytest.mark.parametrize(
    ("legs", "release", "expected"),
    [({"complex": 1.0}, 0.0, -1.0), ({"solvent": 1.0}, 0.0, +1.0), ({}, 1.0, -1.0)],
    ids=["complex", "solvent", "release"],
)
def test_each_term_of_double_decoupling(legs, release, expected):
    assert cycle_sum(DOUBLE_DECOUPLING, NOTHING | legs, release) == expected


def test_the_whole_cycle_to_the_last_bit():
    """As contracts.md has it: both legs summed exactly, then the release taken off."""
    solvent, bound, release = 12.3456789, 31.4159265, -5.2714
    assert cycle_sum(DOUBLE_DECOUPLING, {"complex": bound, "solvent": solvent}, release) == (solvent - bound) - release


def test_a_cycle_without_restraint_has_no_release():
    """Solvation: decoupled in solvent, and nothing to let go."""
    assert cycle_sum(SOLVATION, {"solvent": 9.0, "vacuum": 2.0}, -5.0) == -7.0


def test_rows_name_what_there_is():
    parts = set(TopologyFacts.model_construct(receptor_atoms=(), ligand_atoms=()).parts("equil_frames", 0))
    for leg in (leg for table in (*PROTOCOLS.values(), *IN_EXPLICIT_SOLVENT.values()) for leg in table):
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
