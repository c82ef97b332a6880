"""Tables of legs: each term of a cycle by its sign, and rows that can be carried out."""

import pytest

from gibbsflow.binding.alchemy.protocols import DOUBLE_DECOUPLING, LegSpec, cycle_sum, leg_names
from gibbsflow.binding.alchemy.schedules import leg_schedules
from gibbsflow.binding.facts import TopologyFacts
from gibbsflow.config.binding import Fe

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
    solvation = [
        LegSpec("solvent", "ligand_prmtop", ("ligand",), ("ligand",), "solvent_schedule", False, -1),
        LegSpec("vacuum", "ligand_prmtop", ("ligand",), ("ligand",), "solvent_schedule", False, +1),
    ]
    assert cycle_sum(solvation, {"solvent": 9.0, "vacuum": 2.0}, -5.0) == -7.0


def test_rows_name_what_there_is():
    parts = set(TopologyFacts.model_construct(receptor_atoms=(), ligand_atoms=()).parts)
    for leg in DOUBLE_DECOUPLING:
        assert set(leg.alchemical) <= set(leg.parts) <= parts
        assert leg.schedule in Fe.model_fields and abs(leg.sign) == 1
    assert leg_names(DOUBLE_DECOUPLING) == tuple(leg_schedules(Fe())) == ("complex", "solvent")
