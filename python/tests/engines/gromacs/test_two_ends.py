"""A molecule with two ends: every term with both of them, in GROMACS's words."""

import math

import pytest

from gibbsflow.engines.gromacs.atom_types import AtomTypes, TwoEnded
from gibbsflow.engines.gromacs.two_ends import TurningAtom, TurningMolecule, TurningTerm
from gibbsflow.errors import InputError

LJ = (0.34, 0.4)


def molecule(product: float = -0.04, epsilon: float = 0.2) -> TurningMolecule:
    """Four atoms in a row, of which the last one goes."""
    stays, goes = TwoEnded((LJ, LJ)), TwoEnded((LJ, None), 0)
    atoms = (
        TurningAtom(12.0, (0.1, 0.2), stays),
        TurningAtom(12.0, (-0.4, 0.0), stays),
        TurningAtom(12.0, (0.8, -0.2), stays),
        TurningAtom(3.0, (-0.5, 0.0), goes),
    )
    terms = (
        TurningTerm((0, 1), (0.15, 1000.0)),
        TurningTerm((0, 1, 2), (math.pi / 2, 400.0), (1.0, 0.0)),
        TurningTerm((0, 1, 2, 3), (3.0, math.pi, 2.0), (0.0, 1.0)),
    )
    near = {(0, 3): ((product, 0.3, epsilon), (0.0, 0.3, 0.0)), (0, 1): ((0.0, 0.1, 0.0),) * 2}
    return TurningMolecule(atoms, terms, {(2, 3): 0.11}, near)


def test_terms_with_both_ends():
    body = molecule().body(AtomTypes(), 0.8)
    assert "1 e0a 1 M X 1 0.1 12.000000 e0b 0.2 12.000000" in body and "4 e1a 1 M X 4 -0.5 3.000000 e1b 0 3.0" in body
    assert "[ bonds ]\n1 2 1 0.15 1000 0.15 1000" in body and "[ angles ]\n1 2 3 1 90 400 90 0" in body
    assert "[ dihedrals ]\n1 2 3 4 9 180 0 3 180 2 3" in body and "[ constraints ]\n3 4 1 0.11 0.11" in body
    assert "[ pairs ]\n1 4 1 0.3 0.2 0.3 0" in body and body.endswith("[ exclusions ]\n1 2 4")


def test_charges_of_near_pairs_are_scaled_as_all_others_are():
    assert molecule().fudges() == [pytest.approx(0.8)]
    with pytest.raises(InputError, match="1-4 charges of atoms 0 and 3 of the ligands.*--engine openmm"):
        molecule(product=-0.05).body(AtomTypes(), 0.8)
