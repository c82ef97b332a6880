"""One System from A to B: its ends are the two parents, whichever way it is read, and all between is finite."""

import copy
import itertools
import math
from dataclasses import replace

import edges
import numpy as np
import openmm
import pytest
from openmm import unit

from gibbsflow.binding.alchemy.hybrid.co_ions import CoIons
from gibbsflow.binding.alchemy.hybrid.hybrid_system import hybrid_topology
from gibbsflow.binding.alchemy.hybrid.pair.ends import EndState
from gibbsflow.binding.alchemy.hybrid.pair.shared_atoms import SharedAtoms, share_atoms
from gibbsflow.binding.alchemy.hybrid.placing import Pose, hybrid_positions
from gibbsflow.binding.alchemy.hybrid.tether import tether
from gibbsflow.binding.forcefield.ions import ANION, CATION, ion_of
from gibbsflow.engines.md_engine import Apart
from gibbsflow.engines.openmm_engine import apart_force
from gibbsflow.errors import InputError
from gibbsflow.units import KJ_PER_KCAL

PME = (3.0, 24, 24, 24)
A_END = {
    "lambda_core": 0.0,
    "lambda_electrostatics": 1.0,
    "lambda_sterics": 1.0,
    "lambda_sterics_new": 0.0,
    "lambda_electrostatics_new": 0.0,
}
B_END = {name: 1 - value for name, value in A_END.items()}


def fixed(end):
    """The same with PME's α and grid fixed, that two Systems may be compared."""
    if end.nonbonded.usesPeriodicBoundaryConditions():
        end.nonbonded.setPMEParameters(*PME)
    return end


def edge(a, b, solvent, soft_core="beutler"):
    first = fixed(edges.end(a, solvent))
    shared = share_atoms(first, fixed(edges.end(b, "obc2" if solvent == "obc2" else "vacuum")), edges.pairs(a, b))
    return hybrid_topology(shared, edges.positions_nm(a), edges.positions_nm(b), soft_core=soft_core)


def dual(a, b, solvent, ions=None, ends=None):
    """Both ligands as a whole, B where A is; and the restraint between them."""
    ends = ends or (fixed(edges.end(a, solvent)), fixed(edges.end(b, "obc2" if solvent == "obc2" else "vacuum")))
    shared = SharedAtoms(*ends, ())
    poses = edges.positions_nm(a), edges.positions_nm(b)
    poses = poses[0], poses[1] - poses[1].mean(axis=0) + poses[0].mean(axis=0) + (0.05, 0.02, 0)
    pose = Pose(poses[1], shared.place_a, poses[0])
    start = hybrid_positions(shared, edges.positions_nm(a, box=solvent == "tip3p"), poses[1], pose)
    held = tether(shared, start)
    made = hybrid_topology(shared, *poses, tether=held, ions=ions)
    own = list(shared.ligand)
    start[own] += np.random.default_rng(1).normal(0, 0.005, (len(own), 3))
    return made, held, start


def placed(made, a, b, solvent, seed=1):
    """Atoms of the hybrid, out of their places by some hundredths of nm."""
    start = edges.positions_nm(a, box=solvent == "tip3p")
    positions = hybrid_positions(made.shared, start, edges.positions_nm(b))
    ligand = list(made.shared.ligand)
    positions[ligand] += np.random.default_rng(seed).normal(0, 0.005, (len(ligand), 3))
    return positions


def energy(system, positions, box=None, state=None):
    context = openmm.Context(system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("Reference"))
    if box is not None:
        context.setPeriodicBoxVectors(*box)
    context.setPositions(positions)
    known = dict(context.getParameters())
    for name, value in (state or {}).items():
        if name in known:
            context.setParameter(name, value)
    found = context.getState(getEnergy=True, getForces=True)
    forces = found.getForces(asNumpy=True).value_in_unit(unit.kilojoule_per_mole / unit.nanometer)
    assert np.isfinite(forces).all()
    return found.getPotentialEnergy().value_in_unit(unit.kilojoule_per_mole)


def of_dummies(made, end, place, positions):
    """All that dummies of an end have where they are dummies: terms, and their Lennard-Jones on one anchor."""
    x, total = positions[list(place)], 0.0
    for group in (group for group in made.dummies if group.end is end):
        total += sum(edges.of_term(term, x) for term in (*group.kept, *group.added))
        for i, j in itertools.combinations(group.atoms, 2):
            sigma = (end.particles[i, 1] + end.particles[j, 1]) / 2
            epsilon = math.sqrt(end.particles[i, 2] * end.particles[j, 2])
            if (i, j) in end.exceptions:
                _, sigma, epsilon = end.exceptions[i, j]
            reduced = (sigma / np.linalg.norm(x[i] - x[j])) ** 6
            total += 4 * epsilon * reduced * (reduced - 1)
    return total


@pytest.mark.parametrize("solvent", ["vacuum", "obc2", "tip3p"])
@pytest.mark.parametrize(("a", "b"), edges.PAIRS)
def test_the_ends_are_the_parents(a, b, solvent):
    """10⁻⁶ relative, after what dummies have of their own is taken off."""
    made = edge(a, b, solvent)
    positions = placed(made, a, b, solvent)
    box = edges.box_nm(a) if solvent == "tip3p" else None
    shared, size = made.shared, made.shared.a.system.getNumParticles()
    parent_b = fixed(edges.in_the_box_of(b, a) if solvent == "tip3p" else edges.end(b, solvent))
    rest = [i for i in range(size) if i not in shared.a.place]
    for state, parent, where, end, place in (
        (A_END, shared.a.system, range(size), shared.b, shared.place_b),
        (B_END, parent_b.system, [*shared.place_b, *rest], shared.a, shared.place_a),
    ):
        system = made.at(state)
        expected = energy(parent, positions[list(where)], box)
        found = energy(system, positions, box) - of_dummies(made, end, place, positions)
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-4), (state, solvent)


@pytest.mark.parametrize("solvent", ["vacuum", "obc2", "tip3p"])
@pytest.mark.parametrize(("a", "b"), [("neopentane", "phenol"), ("ethane", "benzene")])
def test_the_ends_of_two_whole_ligands_are_the_parents(a, b, solvent):
    """10⁻⁶ relative, after the decoupled ligand's own terms and the restraint, which is on at both ends."""
    made, held, positions = dual(a, b, solvent)
    box = edges.box_nm(a) if solvent == "tip3p" else None
    shared, size = made.shared, made.shared.a.system.getNumParticles()
    assert held.kind == ("com" if a == "ethane" else "boresch") and len(made.words) == 2
    parent_b = fixed(edges.in_the_box_of(b, a) if solvent == "tip3p" else edges.end(b, solvent))
    rest = [i for i in range(size) if i not in shared.a.place]
    tied = held.energy_kcal_per_mol(positions * 10) * KJ_PER_KCAL
    assert tied > 0.01
    for state, parent, where, end, place in (
        (A_END, shared.a.system, range(size), shared.b, shared.place_b),
        (B_END, parent_b.system, [*shared.place_b, *rest], shared.a, shared.place_a),
    ):
        expected = energy(parent, positions[list(where)], box)
        found = energy(made.at(state), positions, box) - of_dummies(made, end, place, positions) - tied
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-4), (state, solvent)
    for state in states():
        assert np.isfinite(energy(made.at(state), positions, box))


def of_charge(end, charge):
    """The same with another net charge, an equal share of the difference on each atom of the ligand."""
    more, force = (charge - end.charge) / end.size, end.nonbonded
    for atom in end.ligand:
        q, *lj = force.getParticleParameters(atom)
        force.setParticleParameters(atom, q._value + more, *lj)
    return EndState(end.name, end.system, end.ligand, end.topology)


@pytest.mark.parametrize(
    ("a", "b", "charges", "whole"),
    [
        ("acetate", "ethane", (-1, 0), False), ("acetate", "ethane", (-1, 0), True),
        ("ethane", "acetate", (0, -1), False), ("ethane", "acetate", (0, -1), True),
        ("methanol", "ethane", (1, 0), False), ("methanol", "ethane", (2, 1), False),
        ("ethane", "methanol", (1, -1), False), ("ethane", "methanol", (-1, 1), True),
    ],
)  # fmt: skip
def test_a_box_whose_charge_changes_is_neutral_at_all_lambdas_and_its_ends_are_the_parents(a, b, charges, whole):
    """Waters become ions: A's end is A's box, B's has ions in place of their oxygens."""
    first, second = of_charge(fixed(edges.end(a, "tip3p")), charges[0]), of_charge(edges.end(b), charges[1])
    size, count = first.system.getNumParticles(), abs(charges[1] - charges[0])
    waters = [tuple(range(k, k + 3)) for k in range(first.size, first.size + 3 * count, 3)]
    ions = CoIons.of(waters, ion_of("tip3p", ANION if charges[1] > charges[0] else CATION))
    if whole:
        made, held, positions = dual(a, b, "tip3p", ions, (first, second))
        tied = held.energy_kcal_per_mol(positions * 10) * KJ_PER_KCAL
    else:
        shared = share_atoms(first, second, edges.pairs(a, b))
        made = hybrid_topology(shared, edges.positions_nm(a), edges.positions_nm(b), ions=ions)
        positions, tied = placed(made, a, b, "tip3p"), 0.0
    box, shared = edges.box_nm(a), made.shared
    parent_b = of_charge(fixed(edges.in_the_box_of(b, a)), charges[1])
    force, moved = parent_b.nonbonded, shared.b.size - shared.a.size
    became = (ions.charge_e, 0, 0), (ions.epsilon_kj_per_mol, 0, 0)
    for water in waters:
        for atom, charge, epsilon in zip(water, *became, strict=True):
            force.setParticleParameters(atom + moved, charge, ions.sigma_nm, epsilon)
    rest = [i for i in range(size) if i not in shared.a.place]
    for state, parent, where, end, place in (
        (A_END, shared.a.system, range(size), shared.b, shared.place_b),
        (B_END, parent_b.system, [*shared.place_b, *rest], shared.a, shared.place_a),
    ):
        expected = energy(parent, positions[list(where)], box)
        found = energy(made.at(state), positions, box) - of_dummies(made, end, place, positions) - tied
        assert found == pytest.approx(expected, rel=1e-6), state
    (force,) = (f for f in made.system.getForces() if isinstance(f, openmm.NonbondedForce))
    for state in (*states(), A_END | {"lambda_sterics_new": 1.0}):
        total = sum(force.getParticleParameters(i)[0]._value for i in range(force.getNumParticles()))
        for index in range(force.getNumParticleParameterOffsets()):
            name, _, charge, *_ = force.getParticleParameterOffset(index)
            total += state[name] * charge
        assert total == pytest.approx(charges[0], abs=1e-5)


def states():
    """Of a schedule, and some that are in none."""
    yield from (A_END, B_END)
    for x in (0.25, 0.5, 0.75):
        yield A_END | {"lambda_core": x, "lambda_electrostatics": max(0, 1 - 2 * x), "lambda_sterics_new": x}
    yield dict.fromkeys(A_END, 0.3)


@pytest.mark.parametrize(("solvent", "soft_core"), [("vacuum", "gapsys"), ("obc2", "beutler")])
@pytest.mark.parametrize(("a", "b"), [("benzene", "toluene"), ("phenol", "fluorobenzene"), ("isobutane", "neopentane")])
def test_a_to_b_is_b_to_a_read_backwards(a, b, solvent, soft_core):
    there = edge(a, b, solvent, soft_core)
    back = share_atoms(there.shared.b, there.shared.a, tuple((j, i) for i, j in edges.pairs(a, b)))
    back = hybrid_topology(back, edges.positions_nm(b), edges.positions_nm(a), soft_core=soft_core)
    positions = placed(there, a, b, solvent)
    same = np.empty((back.shared.size, 3))
    same[list(back.shared.place_a)] = positions[list(there.shared.place_b)]
    same[list(back.shared.place_b)] = positions[list(there.shared.place_a)]
    for state in states():
        mirrored = {}
        for name, value in state.items():
            if name == "lambda_core":
                mirrored[name] = 1 - value
            else:
                mirrored[name.removesuffix("_new") if name.endswith("_new") else f"{name}_new"] = value
        assert energy(there.at(state), positions) == pytest.approx(energy(back.at(mirrored), same), rel=1e-9)


@pytest.mark.parametrize("solvent", ["vacuum", "obc2", "tip3p"])
def test_a_to_a_changes_nothing(solvent):
    """With all atoms shared the energy is the parent's at all λ, and the System has no atom more."""
    first = fixed(edges.end("toluene", solvent))
    size = first.size
    shared = share_atoms(first, fixed(edges.end("toluene", solvent)), [(i, i) for i in range(size)])
    made = hybrid_topology(shared, edges.positions_nm("toluene"), edges.positions_nm("toluene"))
    assert made.system.getNumParticles() == first.system.getNumParticles() and not made.words
    positions = placed(made, "toluene", "toluene", solvent)
    box = edges.box_nm("toluene") if solvent == "tip3p" else None
    expected = energy(first.system, positions, box)
    for state in states():
        assert energy(made.at(state), positions, box) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("soft_core", ["beutler", "gapsys"])
@pytest.mark.parametrize("solvent", ["vacuum", "tip3p"])
def test_all_between_is_finite_with_dummies_on_top_of_others(solvent, soft_core):
    """A dummy of B on a water's oxygen, on an atom of A alone, and next to another atom of its own ligand."""
    made = edge("benzene", "toluene", solvent, soft_core)
    positions = placed(made, "benzene", "toluene", solvent)
    box = edges.box_nm("benzene") if solvent == "tip3p" else None
    carbon, first, second = (made.shared.place_b[j] for j in made.shared.unique_b[:3])
    far = made.shared.place_a[9]
    positions[carbon] = positions[made.shared.place_a[made.shared.unique_a[0]]] + 1e-5
    positions[first] = positions[far] + 1e-5
    if solvent == "tip3p":
        positions[second] = positions[made.shared.a.size] + 1e-5
    for state in states():
        if state["lambda_sterics_new"] < 1:
            assert np.isfinite(energy(made.at(state), positions, box))


def test_one_system_holds_all_states_by_parameters():
    """What a walker sets by parameters is the System that has them from the start."""
    made = edge("benzene", "pyridine", "tip3p")
    positions, box = placed(made, "benzene", "pyridine", "tip3p"), edges.box_nm("benzene")
    for state in states():
        assert energy(made.system, positions, box, state) == pytest.approx(energy(made.at(state), positions, box))


def test_the_long_range_correction_is_that_of_the_parents_in_any_box():
    made = edge("benzene", "toluene", "tip3p")
    parent = made.shared.a.system
    positions, box = placed(made, "benzene", "toluene", "tip3p"), edges.box_nm("benzene")
    dummies = of_dummies(made, made.shared.b, made.shared.place_b, positions)
    for scale in (1.0, 1.07):
        expected = energy(parent, positions[: parent.getNumParticles()], box * scale)
        assert energy(made.at(A_END), positions, box * scale) - dummies == pytest.approx(expected, rel=1e-7)


def test_a_net_charge_that_changes_is_refused_in_a_box_and_computed_without_one():
    first, second = fixed(edges.end("acetate", "tip3p")), edges.end("ethane")
    with pytest.raises(InputError, match="net charge goes from -1 to .0 e"):
        hybrid_topology(
            share_atoms(first, second, edges.pairs("acetate", "ethane")),
            edges.positions_nm("acetate"),
            edges.positions_nm("ethane"),
        )
    assert edge("acetate", "ethane", "obc2").system.getNumForces()


def test_implicit_solvent_at_one_end_alone_is_refused():
    shared = share_atoms(edges.end("benzene", "obc2"), edges.end("toluene"), edges.pairs("benzene", "toluene"))
    with pytest.raises(InputError, match="implicit solvent at one end alone"):
        hybrid_topology(shared, edges.positions_nm("benzene"), edges.positions_nm("toluene"))


def test_what_surrounds_the_ligand_is_left_as_it_is():
    """CMAP, masses, constraints and walls of A's System are in the hybrid under the same numbers."""
    first = edges.end("benzene", "tip3p")
    system = copy.deepcopy(first.system)
    cmap = openmm.CMAPTorsionForce()
    cmap.addMap(2, [1.0, 2.0, 3.0, 4.0])
    cmap.addTorsion(0, 12, 13, 14, 15, 13, 14, 15, 16)
    system.addForce(cmap)
    system.addForce(apart_force(Apart((0, 1), (12, 13, 14), 5.0), periodic=True))
    shared = share_atoms(replace(first, system=system), edges.end("toluene"), edges.pairs("benzene", "toluene"))
    made = hybrid_topology(shared, edges.positions_nm("benzene"), edges.positions_nm("toluene")).system
    forces = {type(force): force for force in made.getForces()}
    kept, wall = forces[openmm.CMAPTorsionForce], forces[openmm.CustomCentroidBondForce]
    assert kept.getTorsionParameters(0) == cmap.getTorsionParameters(0)
    assert list(wall.getGroupParameters(1)[0]) == [12, 13, 14]
    size = system.getNumParticles()
    assert [made.getParticleMass(i) for i in range(size)] == [system.getParticleMass(i) for i in range(size)]
    count = system.getNumConstraints()
    before = [system.getConstraintParameters(i) for i in range(count)]
    assert [made.getConstraintParameters(i) for i in range(count)] == before
    assert made.getNumConstraints() == count + 3  # those of the methyl
