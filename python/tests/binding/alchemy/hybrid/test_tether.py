"""What holds two whole ligands to each other: its integral is one number, whatever either ligand looks like."""

import itertools
import math

import edges
import guest_of_three as three
import numpy as np
import openmm
import pytest
from openmm import app
from scipy.spatial.transform import Rotation
from springs import mbar, run

from gibbsflow.binding.alchemy.hybrid.ends import EndState
from gibbsflow.binding.alchemy.hybrid.hybrid_system import hybrid_topology
from gibbsflow.binding.alchemy.hybrid.placing import hybrid_positions
from gibbsflow.binding.alchemy.hybrid.shared_atoms import SharedAtoms
from gibbsflow.binding.alchemy.hybrid.tether import K_ANGLE, K_DISTANCE, LEAST_SINE, tether
from gibbsflow.binding.alchemy.restraint.restraints import CentreOfMassRestraint
from gibbsflow.binding.alchemy.schedules import OF_EDGE
from gibbsflow.binding.geometry import angle_deg, boresch_geometry
from gibbsflow.binding.sample.exchange import ExchangeSampler

STEP = 1e-5


def coordinates(still, turned, move):
    """The six, of a rigid ligand that was moved and turned about its first atom, lengths in Å and angles in rad."""
    about = turned[0]
    there = Rotation.from_rotvec(move[3:]).apply(turned - about) + about + move[:3]
    found = boresch_geometry(np.concatenate([still, there])[None], (0, 1, 2), (3, 4, 5))[0]
    return np.concatenate([found[:1], np.radians(found[1:])])


@pytest.mark.parametrize("seed", range(4))
def test_the_six_coordinates_measure_the_places_of_either_ligand_alike(seed):
    """d³x d³ω = r² sin θA sin θB d(six), for frames of any shape: so both ends have the same integral."""
    random = np.random.default_rng(seed)
    a, b = random.normal(0, 2, (3, 3)), random.normal(0, 2, (3, 3)) + (4, 0, 0)
    r, theta_a, theta_b = coordinates(a, b, np.zeros(6))[:3]
    for still, turned in ((a, b), (b, a)):
        columns = []
        for k in range(6):
            ends = [coordinates(still, turned, sign * STEP * np.eye(6)[k]) for sign in (1, -1)]
            change = ends[0] - ends[1]
            change[3:] = (change[3:] + math.pi) % (2 * math.pi) - math.pi
            columns.append(change / (2 * STEP))
        jacobian = abs(np.linalg.det(np.array(columns)))
        assert jacobian * r**2 * math.sin(theta_a) * math.sin(theta_b) == pytest.approx(1, rel=1e-5)


def held(a, b):
    poses = [edges.positions_nm(name) - edges.positions_nm(name).mean(axis=0) for name in (a, b)]
    shared = SharedAtoms(edges.end(a), edges.end(b), ())
    start = hybrid_positions(shared, poses[0], poses[1], poses[0])
    return shared, start, tether(shared, start)


@pytest.mark.parametrize(("a", "b"), list(itertools.product(("toluene", "neopentane"), ("phenol", "isobutane"))))
def test_it_rests_where_the_poses_are_and_is_never_near_a_line(a, b):
    shared, start, found = held(a, b)
    assert found.kind == "boresch" and found.energy_kcal_per_mol(start * 10) < 1e-6
    assert set(found.receptor) <= set(shared.place_a) and set(found.ligand) <= set(shared.place_b)
    assert (found.k_r_kcal_per_mol_angstrom2, found.k_angle_kcal_per_mol_rad2) == (K_DISTANCE, K_ANGLE)
    (p1, p2, p3), (l1, l2, l3) = found.receptor, found.ligand
    for corner in ((p3, p2, p1), (p2, p1, l1), (p1, l1, l2), (l1, l2, l3)):
        assert math.sin(math.radians(angle_deg(*start[list(corner)]))) >= LEAST_SINE


def test_ligands_of_fewer_than_three_heavy_atoms_are_held_by_their_centres():
    shared, start, found = held("methanol", "toluene")
    assert found.kind == "com" and found.r0_angstrom == 0
    assert set(found.receptor_atoms) == {i for i in shared.place_a if shared.a.heavy(i)}
    assert len(found.ligand_atoms) == 7 and np.isfinite(found.energy_kcal_per_mol(start * 10))


OTHER = {"SITES": three.SITES * (0.8, 1.3, 1.0), "CHARGES": (-0.05, 0.0, 0.05), "EPSILON": 0.11}
"""Another rigid guest: narrower, of other charges, less sticky."""
LADDER = [
    [0, 1, 1, 0, 0], [0.1, 0, 1, 0.12, 0], [0.2, 0, 1, 0.3, 0], [0.35, 0, 1, 0.6, 0], [0.5, 0, 1, 1, 0],
    [0.65, 0, 0.6, 1, 0], [0.8, 0, 0.3, 1, 0], [0.9, 0, 0.12, 1, 0], [1, 0, 0, 1, 1],
]  # fmt: skip


def guest_alone(system, topology):
    """The last three atoms of a host and guest by themselves."""
    alone = openmm.System()
    force = openmm.NonbondedForce()
    (there,) = (f for f in system.getForces() if isinstance(f, openmm.NonbondedForce))
    for atom in three.GUEST:
        alone.addParticle(system.getParticleMass(atom))
        force.addParticle(*there.getParticleParameters(atom))
    for index in range(system.getNumConstraints()):
        i, j, length = system.getConstraintParameters(index)
        alone.addConstraint(i - three.GUEST[0], j - three.GUEST[0], length)
        force.addException(i - three.GUEST[0], j - three.GUEST[0], 0.0, 1.0, 0.0)
    alone.addForce(force)
    return EndState("other", alone, (0, 1, 2), topology)


def of_carbon(count):
    topology = app.Topology()
    residue = topology.addResidue("ALL", topology.addChain())
    for _ in range(count):
        topology.addAtom("C", app.element.carbon, residue)
    return topology


@pytest.mark.slow
def test_two_whole_guests_in_a_host_differ_by_their_integrals(monkeypatch):
    """CB7 stands still, so each guest's binding is an integral; in vacuum nothing differs, so the complex is all."""
    exact, poses, ends = [], [], []
    for values in ({}, OTHER):
        for name, value in values.items():
            monkeypatch.setattr(three, name, value)
        centres, turned, energy = three.inserted(80_000)
        exact.append(three.exact_kcal_per_mol(energy))
        best = int(energy.argmin())
        system, start = three.complex_system(centres[best], turned[best])
        poses.append(start)
        whole = EndState("one", system, three.GUEST, of_carbon(len(start)))
        ends.append(guest_alone(system, of_carbon(3)) if ends else whole)
    shared = SharedAtoms(*ends, ())
    start = np.concatenate([poses[0], poses[1][list(three.GUEST)]])
    centres = CentreOfMassRestraint(shared.place_a, shared.place_b, K_DISTANCE)
    expected, wrong = exact[1][0] - exact[0][0], math.hypot(exact[0][1], exact[1][1])
    assert abs(expected) > 0.5
    for held in (tether(shared, start), centres):
        made = hybrid_topology(shared, start[list(shared.place_a)], start[list(shared.place_b)], tether=held)
        systems = [made.at(dict(zip(OF_EDGE, row, strict=True))) for row in LADDER]
        f, df = mbar(run(ExchangeSampler(systems, three.MD), 150, 50, start, seed=3), len(systems))
        sigma = math.hypot(three.KT * df[-1], wrong)
        print(held.kind, three.KT * f[-1], three.KT * df[-1], expected, wrong)
        assert abs(three.KT * f[-1] - expected) < 3 * sigma and sigma < 0.2
