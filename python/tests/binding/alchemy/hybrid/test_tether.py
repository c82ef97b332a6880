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

from gibbsflow.binding.alchemy.hybrid.hybrid_system import hybrid_topology
from gibbsflow.binding.alchemy.hybrid.pair.ends import EndState
from gibbsflow.binding.alchemy.hybrid.pair.shared_atoms import SharedAtoms
from gibbsflow.binding.alchemy.hybrid.placing import Pose, hybrid_positions
from gibbsflow.binding.alchemy.hybrid.tether import K_ANGLE, K_DISTANCE, LEAST_SINE, tether
from gibbsflow.binding.alchemy.restraint.restraints import BoreschRestraint, CentreOfMassRestraint
from gibbsflow.binding.alchemy.schedules import OF_EDGE
from gibbsflow.binding.geometry import angle_deg, boresch_geometry
from gibbsflow.binding.sample.exchange import ExchangeSampler

STEP, KT = 1e-5, three.KT


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


WELLS = np.array([[1.0, 2.0, 3.0], [2.0, 0.5, 1.0], [0.3, 1.0, 2.0]]), np.array([[2.0, 1.0, 0.5]] * 3)
"""Force constants of two fields, by site and direction, kcal/mol/Å²."""
TRIANGLES = np.array([[0.0, 0, 0], [1.5, 0, 0], [2.0, 1.4, 0]]), np.array([[0.0, 0, 0], [1.3, 0.2, 0], [1.0, 1.5, 0.0]])


def of_field(wells, sites):
    return 0.5 * (wells * sites**2).sum(axis=(1, 2))


def next_site(a, b, c, length, angle, torsion):
    """Where d is, of sites with c–d, b–c–d and a–b–c–d."""
    along = (c - b) / np.linalg.norm(c - b, axis=1, keepdims=True)
    normal = np.cross(b - a, along)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    side = np.cross(normal, along)
    parts = -np.cos(angle) * along.T + np.sin(angle) * (np.cos(torsion) * side.T + np.sin(torsion) * normal.T)
    return c + (length * parts).T


def inserted(sites, random, count):
    """Rigid ligands anywhere in a field: where, and the inverse of how often."""
    first = random.normal(0, 1.6, (count, 3))
    turned = Rotation.random(count, random_state=random).as_matrix()
    return first[:, None] + np.einsum("nij,kj->nki", turned, sites), np.exp((first**2).sum(axis=1) / (2 * 1.6**2))


def free_energy(weights):
    return -KT * math.log(weights.mean()), KT * weights.std() / weights.mean() / math.sqrt(len(weights))


def test_a_ligand_held_to_another_one_has_its_own_free_energy():
    """∫ over a decoupled ligand and the coupled one it is held to: from either end the ligand by itself, + C."""
    random, count, rest = np.random.default_rng(4), 100_000, (2.0, 70.0, 100.0, 30.0, -60.0, 140.0)
    one, weight = inserted(TRIANGLES[0], random, count)
    r = rest[0] + math.sqrt(KT / K_DISTANCE) * random.normal(size=count)
    theta_a, theta_b, phi_a, phi_b, phi_c = (
        math.radians(angle) + math.sqrt(KT / K_ANGLE) * random.normal(size=count) for angle in rest[1:]
    )
    b = TRIANGLES[1]
    lengths = [np.linalg.norm(b[k] - b[k + 1]) for k in (0, 1)]
    first = next_site(one[:, 2], one[:, 1], one[:, 0], r, theta_a, phi_a)
    second = next_site(one[:, 1], one[:, 0], first, lengths[0], theta_b, phi_b)
    third = next_site(one[:, 0], first, second, lengths[1], math.radians(angle_deg(*b)), phi_c)
    other = np.stack([first, second, third], axis=1)
    weight = weight * r**2 * np.sin(theta_a) * np.sin(theta_b)
    restraint = BoreschRestraint((0, 1, 2), (3, 4, 5), *rest, K_DISTANCE, K_ANGLE)
    found = boresch_geometry(np.concatenate([one, other], axis=1)[:1], restraint.receptor, restraint.ligand)[0]
    np.testing.assert_allclose(np.radians(found[1:]), [x[0] for x in (theta_a, theta_b, phi_a, phi_b, phi_c)])
    held = [free_energy(weight * np.exp(-of_field(w, x) / KT)) for w, x in zip(WELLS, (one, other), strict=True)]
    alone = []
    for wells, sites in zip(WELLS, TRIANGLES, strict=True):
        places, w = inserted(sites, random, count)
        alone.append(free_energy(w * np.exp(-of_field(wells, places) / KT)))
    error = math.hypot(*(wrong for _, wrong in (*held, *alone)))
    difference = held[1][0] - held[0][0] - (alone[1][0] - alone[0][0])
    assert abs(alone[1][0] - alone[0][0]) > 0.1 and error < 0.05 and abs(difference) < 3 * error


def held(a, b):
    poses = [edges.positions_nm(name) - edges.positions_nm(name).mean(axis=0) for name in (a, b)]
    shared = SharedAtoms(edges.end(a), edges.end(b), ())
    start = hybrid_positions(shared, poses[0], poses[1], Pose(poses[1], shared.place_a, poses[0]))
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


def test_ligands_that_tumble_or_have_fewer_than_three_heavy_atoms_are_held_by_their_centres():
    assert tether(*held("toluene", "phenol")[:2], tumbles=True).kind == "com"
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
    held = CentreOfMassRestraint(shared.place_a, shared.place_b, K_DISTANCE)
    made = hybrid_topology(shared, start[list(shared.place_a)], start[list(shared.place_b)], tether=held)
    systems = [made.at(dict(zip(OF_EDGE, row, strict=True))) for row in LADDER]
    f, df = mbar(run(ExchangeSampler(systems, three.MD), 150, 50, start, seed=3), len(systems))
    expected = exact[1][0] - exact[0][0]
    sigma = math.hypot(three.KT * df[-1], exact[0][1], exact[1][1])
    assert abs(expected) > 1.5 and sigma < 0.1 and abs(three.KT * f[-1] - expected) < 4 * sigma
