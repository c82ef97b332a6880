"""What is read of an end state: terms in the ligand's own numbers, and forces that are none of ours refused."""

import copy
from dataclasses import replace

import edges
import openmm
import pytest

from gibbsflow.binding.alchemy.hybrid.pair.ends import Term
from gibbsflow.errors import InputError


def test_a_ligand_is_read_alike_alone_and_in_water():
    alone, solvated = edges.end("methanol"), edges.end("methanol", "tip3p")
    assert sorted(map(repr, alone.terms)) == sorted(map(repr, solvated.terms)) and len(alone.terms) > 5
    assert alone.constraints == solvated.constraints and len(alone.constraints) == 4
    assert alone.exceptions == solvated.exceptions
    assert alone.elements == (6, 8, 1, 1, 1, 1) and [alone.heavy(i) for i in (1, 2)] == [True, False]
    assert alone.bonds.number_of_edges() == 5 and alone.charge == pytest.approx(0, abs=1e-5)
    assert alone.born is None and edges.end("methanol", "obc2").born.shape == (6, 2)


def test_terms_are_the_same_read_from_either_end():
    term = Term((3, 1, 0, 2), (2.0, 3.14, 5.0))
    assert term.kind == "torsion" and term.renumbered((10, 11, 12, 13)).atoms == (12, 10, 11, 13)
    assert Term((2, 0, 1, 3), term.parameters).renumbered((10, 11, 12, 13)) == term.renumbered((10, 11, 12, 13))


@pytest.mark.parametrize("kind", ["bond", "cmap", "custom"])
def test_what_an_edge_cannot_have_is_refused(kind):
    end = edges.end("methanol", "tip3p")
    system = copy.deepcopy(end.system)
    if kind == "bond":
        force = openmm.HarmonicBondForce()
        force.addBond(0, end.size, 0.1, 1.0)
    elif kind == "cmap":
        force = openmm.CMAPTorsionForce()
        force.addMap(2, [0.0] * 4)
        force.addTorsion(0, 0, 1, 2, 3, 1, 2, 3, 4)
    else:
        force = openmm.CustomBondForce("r")
    system.addForce(force)
    words = {"bond": "a bond ties the ligand to the rest", "cmap": "a CMAP term", "custom": "has a CustomBondForce"}
    with pytest.raises(InputError, match=words[kind]):
        assert replace(end, system=system).terms
