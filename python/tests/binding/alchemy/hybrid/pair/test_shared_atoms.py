"""Maps settled: hydrogens of other lengths are two atoms, and what ties the ends together is refused by name."""

import edges
import pytest

from gibbsflow.binding.alchemy.hybrid.pair.shared_atoms import share_atoms
from gibbsflow.errors import InputError


def test_places_of_both_ligands():
    shared = share_atoms(edges.end("benzene", "tip3p"), edges.end("toluene"), edges.pairs("benzene", "toluene"))
    water = shared.a.system.getNumParticles()
    assert shared.notes == () and shared.unique_a == (6,) and shared.unique_b == (0, 7, 8, 9)
    assert shared.place_b[0] == water and shared.place_b[7:10] == (water + 1, water + 2, water + 3)
    assert all(shared.place_a[i] == shared.place_b[j] for i, j in shared.pairs)
    assert shared.size == water + 4 and len(shared.ligand) == 12 + 4


def test_hydrogens_whose_constraint_differs_are_two_atoms():
    """A C–H of methanol is 0.0007 Å longer than one of ethane, and an O–H no C–H."""
    shared = share_atoms(edges.end("methanol"), edges.end("ethane"), edges.pairs("methanol", "ethane"))
    assert shared.pairs == ((0, 0), (1, 1)) and len(shared.notes) == 4
    assert "1.0969 Å in the one and 1.0962 Å in the other" in shared.notes[0]


def test_a_hydrogen_that_becomes_a_carbon_is_two_atoms():
    pairs = (*edges.pairs("benzene", "toluene"), (6, 0))
    shared = share_atoms(edges.end("benzene"), edges.end("toluene"), pairs)
    assert shared.pairs == edges.pairs("benzene", "toluene")
    assert "and not constrained in the other" in shared.notes[0]


@pytest.mark.parametrize(
    ("a", "b", "pairs", "words"),
    [
        ("benzene", "toluene", [(0, 1), (0, 2)], "atom 0 of benzene is mapped twice"),
        ("benzene", "toluene", [(0, 1), (12, 2)], "atom 12 of benzene, which has 12"),
        ("benzene", "toluene", [(0, -1)], "atom -1 of toluene"),
        ("benzene", "toluene", [], "no atom is shared"),
        ("benzene", "butane", [(0, 0), (1, 1), (2, 2), (3, 3)], "C5, C6, H11, H12 of benzene hang on C1 and C4"),
        ("butane", "isobutane", [(0, 0), (1, 1), (2, 2), (3, 3)], "C3–C4 is a bond of butane alone"),
    ],
)
def test_what_cannot_be_is_refused_by_name(a, b, pairs, words):
    with pytest.raises(InputError, match=words):
        share_atoms(edges.end(a), edges.end(b), pairs)


def test_all_faults_are_told_at_once():
    with pytest.raises(InputError) as caught:
        share_atoms(edges.end("benzene"), edges.end("toluene"), [(0, 1), (0, 2), (99, 3)])
    assert len(caught.value.problems) == 2
