"""Pairs of two ligands: means of shared atoms, own λ of the others, and no sight of each other."""

import edges
import openmm
import pytest

from gibbsflow.binding.alchemy.hybrid.hybrid_system import hybrid_topology
from gibbsflow.binding.alchemy.hybrid.mixed_pairs import sides
from gibbsflow.binding.alchemy.hybrid.pair.shared_atoms import share_atoms


def made_of(a, b, solvent="vacuum"):
    shared = share_atoms(edges.end(a, solvent), edges.end(b), edges.pairs(a, b))
    return hybrid_topology(shared, edges.positions_nm(a), edges.positions_nm(b))


def nonbonded(system):
    return next(force for force in system.getForces() if isinstance(force, openmm.NonbondedForce))


def test_atoms_of_two_ends_never_see_each_other():
    made = made_of("methanol", "ethane", "tip3p")
    old, new = sides(made.shared, made.dummies)
    force = nonbonded(made.system)
    found = {}
    for index in range(force.getNumExceptions()):
        i, j, product, _, epsilon = force.getExceptionParameters(index)
        found[min(i, j), max(i, j)] = product._value, epsilon._value
    assert len(old.sets) == 4 and len(new.sets) == 6
    assert all(found[i, j] == (0, 0) for i in old.sets for j in new.sets)
    soft = [force for force in made.system.getForces() if isinstance(force, openmm.CustomNonbondedForce)]
    assert len(soft) == 2
    for force, own, other in ((soft[0], old, new), (soft[1], new, old)):
        first, second = force.getInteractionGroupParameters(0)
        assert set(first) == set(own.sets) and not set(second) & (set(own.sets) | set(other.sets))


def test_same_anchor_is_one_set():
    made = made_of("methanol", "ethane")
    _, new = sides(made.shared, made.dummies)
    first, second = [[new.place[j] for j in group] for group in ((2, 3, 4), (5, 6, 7))]
    assert new.same_set(*first[:2]) and not new.same_set(first[0], second[0]) and not new.same_set(first[0], 0)


def test_an_atom_without_lennard_jones_takes_the_others_radius():
    """At half way it is a small atom of the same size, and no large one of no depth."""
    made = made_of("phenol", "fluorobenzene")
    shared = made.shared
    force = nonbonded(made.system)
    oxygen, fluorine = shared.a.particles[0], shared.b.particles[0]
    offsets = [force.getParticleParameterOffset(i) for i in range(force.getNumParticleParameterOffsets())]
    (change,) = (offset for offset in offsets if offset[:2] == ["lambda_core", 0])
    assert change[2:] == pytest.approx(list(fluorine - oxygen))
    assert [value._value for value in force.getParticleParameters(0)] == pytest.approx(list(oxygen))


def test_the_systems_own_long_range_correction_is_off_and_another_stands_for_it():
    made = made_of("benzene", "toluene", "tip3p")
    assert not nonbonded(made.system).getUseDispersionCorrection()
    (volume,) = (force for force in made.system.getForces() if isinstance(force, openmm.CustomVolumeForce))
    values = {volume.getGlobalParameterName(i): volume.getGlobalParameterDefaultValue(i) for i in range(3)}
    assert values["tail_b"] < values["tail_a"] < 0
