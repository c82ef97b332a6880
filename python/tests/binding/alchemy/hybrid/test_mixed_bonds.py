"""Bonded terms of two ligands sorted: what both have alike is no matter of λ."""

import edges
import openmm

from gibbsflow.binding.alchemy.hybrid.mixed_bonds import CORE, mixed_terms, put_bonded
from gibbsflow.binding.alchemy.hybrid.pair.dummies import dummy_sets
from gibbsflow.binding.alchemy.hybrid.pair.shared_atoms import share_atoms


def sorted_out(a, b):
    shared = share_atoms(edges.end(a), edges.end(b), edges.pairs(a, b))
    dummies = [
        *dummy_sets(shared.a, shared.unique_a, edges.positions_nm(a)),
        *dummy_sets(shared.b, shared.unique_b, edges.positions_nm(b)),
    ]
    return shared, dummies, *mixed_terms(shared, dummies)


def test_a_ring_that_stays_is_constant():
    """Of benzene to toluene only terms with a dummy change: the ring has the same types in both."""
    shared, _, constant, weighed = sorted_out("benzene", "toluene")
    own = {*(shared.place_a[i] for i in shared.unique_a), *(shared.place_b[j] for j in shared.unique_b)}
    assert all(own & set(term.atoms) for term, _ in weighed)
    assert len([term for term in constant if term.kind == "bond" and not own & set(term.atoms)]) == 6


def test_another_element_mixes_its_bonds():
    """C–O of methanol fades as C–C of ethane grows: weights are 1 − λ and λ."""
    _, _, _, weighed = sorted_out("methanol", "ethane")
    bonds = [weight for term, weight in weighed if term.kind == "bond"]
    assert bonds == [(1.0, -1.0), (0.0, 1.0)]


def test_surroundings_keep_their_terms_and_are_not_listed_twice():
    shared, _, constant, weighed = sorted_out("benzene", "pyridine")
    system = openmm.System()
    for _ in range(shared.size + 3):
        system.addParticle(1.0)
    beside = openmm.HarmonicBondForce()
    beside.addBond(0, 1, 0.1, 5.0)
    beside.addBond(shared.size, shared.size + 1, 0.2, 7.0)
    system.addForce(beside)
    put_bonded(system, shared.a.ligand, constant, weighed)
    plain = [force for force in system.getForces() if isinstance(force, openmm.HarmonicBondForce)]
    assert len(plain) == 1
    kept = [plain[0].getBondParameters(i) for i in range(plain[0].getNumBonds())]
    assert [(i, j, k._value) for i, j, _, k in kept][-1] == (shared.size, shared.size + 1, 7.0)
    assert (0, 1, 5.0) not in [(i, j, k._value) for i, j, _, k in kept]
    custom = [force for force in system.getForces() if hasattr(force, "getGlobalParameterName")]
    assert {force.getGlobalParameterName(0) for force in custom} == {CORE}
    assert sum(force.getNumBonds() for force in custom if isinstance(force, openmm.CustomBondForce)) == len(
        [term for term, _ in weighed if term.kind == "bond"]
    )
