"""Restraints: energies, standard state, and their way through leg.json."""

import json
import math

import guest_of_three as three
import numpy as np
import openmm
import pytest
from springs import mbar, run
from triangles import (
    KT,
    LIGAND,
    MD,
    POSITIONS_NM,
    RESTRAINTS,
    SCHEDULE,
    SITE,
    TURNABLE,
    exact_kcal_per_mol,
    triangle,
    turning_triangle,
)

from gibbsflow.binding.alchemy.openmm_states import alchemical_system, restraint_force
from gibbsflow.binding.alchemy.restraint.holding import symmetry_kcal_per_mol
from gibbsflow.binding.alchemy.restraint.restraints import (
    BoreschRestraint,
    CentreOfMassRestraint,
    FlatBottomRestraint,
    harmonic_terms,
    reach_angstrom,
    restraint_as_dict,
    restraint_from_dict,
)
from gibbsflow.binding.geometry import angle_deg, boresch_geometry, dihedral_deg
from gibbsflow.binding.sample.exchange import ExchangeSampler
from gibbsflow.binding.sample.walkers import WalkerSampler
from gibbsflow.engines.openmm_engine import OPENMM
from gibbsflow.errors import InputError
from gibbsflow.units import KJ_PER_KCAL, STANDARD_VOLUME_ANGSTROM3

BORESCH = BoreschRestraint((2, 1, 0), (3, 4, 5), 5, 90, 90, -175, 30, 179, 10, 100, "for the test")
COM = CentreOfMassRestraint((0, 1), (2,), 10, 0.0, "for the test")
FLAT = FlatBottomRestraint((0, 1), (2,), 3.0, 4.0, "for the test")


def test_dihedral_energy_takes_the_short_way_round():
    points = np.random.default_rng(2).normal(size=(6, 3)) * 3
    phi = boresch_geometry(points[None], (2, 1, 0), (3, 4, 5))[0]
    exact = BoreschRestraint((2, 1, 0), (3, 4, 5), *phi, 10, 100)
    turned = BoreschRestraint((2, 1, 0), (3, 4, 5), *phi[:3], phi[3] + 360, phi[4] - 360, phi[5], 10, 100)
    assert exact.energy_kcal_per_mol(points) == pytest.approx(0, abs=1e-12)
    assert turned.energy_kcal_per_mol(points) == pytest.approx(0, abs=1e-12)


def test_standard_state_and_its_warning():
    term = BORESCH.standard_state(298.15)
    assert (term.analytic_kcal_per_mol, term.numeric_kcal_per_mol) == pytest.approx((-10.2416, -10.2437), abs=6e-5)
    assert term.warning == ""
    weak = BoreschRestraint((2, 1, 0), (3, 4, 5), 5, 10, 90, 0, 0, 0, 0.5, 2)
    assert "numeric value is used" in weak.standard_state(298.15).warning
    assert COM.standard_state(298.15).numeric_kcal_per_mol == pytest.approx(-5.2714, abs=6e-5)


@pytest.mark.parametrize("restraint", [BORESCH, COM, FLAT])
def test_through_json_and_back(restraint):
    assert restraint_from_dict(json.loads(json.dumps(restraint_as_dict(restraint))), where="leg.json") == restraint


def test_unknown_kind_and_missing_keys_are_named():
    with pytest.raises(InputError, match="restraint of kind 'wall'"):
        restraint_from_dict({"kind": "wall"}, where="leg.json")
    with pytest.raises(InputError, match="receptor_atoms"):
        restraint_from_dict({"kind": "com"}, where="leg.json")


def test_a_flat_bottom_has_no_force_inside_and_harmonic_walls():
    points = np.zeros((3, 3))
    for distance, energy in ((0.0, 0.0), (3.9, 0.0), (4.0, 0.0), (5.0, 1.5), (7.0, 13.5)):
        points[2, 0] = distance
        assert FLAT.energy_kcal_per_mol(points) == pytest.approx(energy)


def test_terms_make_up_the_energy_without_an_engine():
    """What another engine is told, summed up here by hand, is the energy of each kind."""
    points = np.random.default_rng(5).normal(size=(9, 3)) * 3
    for restraint in (BORESCH, COM, FLAT, *RESTRAINTS.values()):
        total = 0.0
        for term in harmonic_terms(restraint):
            ends = [points[list(group)].mean(axis=0) for group in term.groups]
            if term.coordinate == "distance":
                x = float(np.linalg.norm(ends[0] - ends[1])) - term.reference
            else:
                value = angle_deg(*ends) if term.coordinate == "angle" else dihedral_deg(*ends)
                x = math.radians((float(value) - term.reference + 180) % 360 - 180)
            total += 0.5 * term.k * (max(x, 0.0) if term.flat else x) ** 2
        assert total == pytest.approx(restraint.energy_kcal_per_mol(points), rel=1e-9)


def test_reach():
    assert reach_angstrom(COM, 298.15) == pytest.approx(6 * math.sqrt(0.5924849 / 10), rel=1e-6)
    assert reach_angstrom(FLAT, 298.15) == pytest.approx(4 + 6 * math.sqrt(0.5924849 / 3), rel=1e-6)


def in_openmm(restraint, positions_nm, box_nm=None, **parameters):
    """Energy of a restraint by OpenMM, kcal/mol."""
    system = openmm.System()
    for _ in positions_nm:
        system.addParticle(1.0)
    system.addForce(restraint_force(restraint, by_parameter=box_nm is not None))
    if box_nm is not None:
        system.setDefaultPeriodicBoxVectors(*box_nm)
    integrator = openmm.VerletIntegrator(0.001)
    context = openmm.Context(system, integrator, openmm.Platform.getPlatformByName("Reference"))
    context.setPositions(positions_nm)
    for name, value in parameters.items():
        context.setParameter(name, value)
    return context.getState(getEnergy=True).getPotentialEnergy()._value / KJ_PER_KCAL


OCTAHEDRON = np.array([[3.0, 0, 0], [-1.0, 2.828427, 0], [-1.0, -1.414213, 2.449490]])


@pytest.mark.parametrize("box_nm", [np.diag([3.0, 4.0, 5.0]), OCTAHEDRON], ids=["box", "octahedron"])
@pytest.mark.parametrize("restraint", RESTRAINTS.values(), ids=RESTRAINTS)
def test_images_of_the_ligand_are_all_alike(restraint, box_nm):
    """Across a face of the box, or three boxes away: the energy is that of the nearest image, and goes with λ."""
    positions = POSITIONS_NM.copy()
    positions[6:] += [0.09, -0.2, 0.07]
    expected = restraint.energy_kcal_per_mol(positions * 10)
    assert in_openmm(restraint, positions) == pytest.approx(expected, rel=1e-6) and expected > 0.1
    for image in ((0, 0, 0), (1, 0, 0), (0, -1, 2), (3, 1, -1)):
        moved = positions.copy()
        moved[6:] += image @ box_nm
        assert in_openmm(restraint, moved, box_nm, lambda_restraints=1.0) == pytest.approx(expected, rel=1e-6)
        half = in_openmm(restraint, moved, box_nm, lambda_restraints=0.5)
        assert half == pytest.approx(expected / 2, rel=1e-6)
        assert in_openmm(restraint, moved, box_nm) == 0


@pytest.mark.parametrize("restraint", RESTRAINTS.values(), ids=RESTRAINTS)
def test_a_triangle_let_go_has_its_binding_free_energy(restraint):
    """Whatever holds it: restrained, its wells taken away, released into 1 mol/L; by the sampler without a box."""
    systems = []
    for strength, share in SCHEDULE:
        systems.append(triangle(share))
        if strength:
            systems[-1].addForce(restraint_force(restraint, strength))
    samples = run(ExchangeSampler(systems, MD), 150, 60, POSITIONS_NM, seed=7)
    f, df = mbar(samples, len(systems))
    value = -KT * f[-1] - restraint.standard_state(300).numeric_kcal_per_mol
    assert abs(value - exact_kcal_per_mol()) < 4 * KT * df[-1] and KT * df[-1] < 0.12


@pytest.mark.parametrize("kind", ["com", "boresch"])
def test_a_symmetric_triangle_has_both_its_poses(kind):
    """Held at its centre it comes to both; held in one it lacks −kT ln 2 (−0.41), which the symmetry number adds."""
    pose = np.concatenate([SITE, TURNABLE, TURNABLE])
    pose[6:] += [0.05, -0.1, 0.1]
    r0, theta_a, theta_b, *phi = boresch_geometry(pose[None], (0, 1, 2), (8, 7, 6))[0]
    restraint = {
        "com": CentreOfMassRestraint((3, 4, 5), (6, 7, 8), 5.0),
        "boresch": BoreschRestraint((0, 1, 2), (8, 7, 6), r0 + 0.1, theta_a + 4, theta_b - 4, *phi, 8.0, 40.0),
    }[kind]
    systems = []
    for strength, share in SCHEDULE:
        systems.append(turning_triangle(share))
        if strength:
            systems[-1].addForce(restraint_force(restraint, strength))
    samples = run(ExchangeSampler(systems, MD), 60, 60, pose / 10, seed=11)
    f, df = mbar(samples, len(systems))
    value = -KT * f[-1] - restraint.standard_state(300).numeric_kcal_per_mol
    value += symmetry_kcal_per_mol(2 if kind == "boresch" else 1, 300)
    assert abs(value - (exact_kcal_per_mol(TURNABLE) - KT * math.log(2))) < 4 * KT * df[-1] < KT * math.log(2)


@pytest.mark.slow
def test_a_triangle_across_the_face_of_a_box_has_the_same():
    """By the sampler of explicit solvent, λ by parameters, the ligand begun in another image."""
    restraint, box = RESTRAINTS["boresch"], np.eye(3) * 4
    system = triangle(by_parameter=True)
    system.addForce(restraint_force(restraint, by_parameter=True))
    system.setDefaultPeriodicBoxVectors(*box)
    states = [{"lambda_restraints": float(r), "lambda_sterics": float(s)} for r, s in SCHEDULE]
    one = np.zeros(
        len(POSITIONS_NM), dtype=int
    )  # one molecule for the barostat, so that no volume is better than others
    sampler = WalkerSampler(system, states, MD.model_copy(update={"solvent": "tip3p"}), OPENMM, one)
    start = POSITIONS_NM + [0.1, 0.2, 0.3]
    start[6:] -= [4.0, 0, 0]
    walkers = sampler.start(np.array([start] * len(states)), False, 3, lambda: None, np.array([box] * len(states)))
    walkers, _ = sampler.segment(walkers, 20, 60, 4, lambda _: None)
    _, samples = sampler.segment(walkers, 200, 60, 5, lambda _: None)
    f, df = mbar(samples, len(states))
    value = -KT * f[-1] - restraint.standard_state(300).numeric_kcal_per_mol
    assert abs(value - exact_kcal_per_mol()) < 4 * KT * df[-1] and KT * df[-1] < 0.12


@pytest.mark.slow
def test_a_guest_in_a_host_has_one_binding_free_energy():
    """Three sites in CB7 that stands still: centre of mass and Boresch give the integral over all places and rotations.

    The least difference that symmetry makes, kT ln 2 (0.41 kcal/mol), is four times the errors.
    """
    centres, turned, energy = three.inserted(150_000)
    exact, error = three.exact_kcal_per_mol(energy)
    best = int(energy.argmin())
    system, start = three.complex_system(centres[best], turned[best])
    found = {}
    for (kind, restraint), samples in zip(three.restraints(start).items(), (80, 270), strict=True):
        systems = [alchemical_system(system, three.GUEST, state, restraint) for state in three.STATES]
        f, df = mbar(run(ExchangeSampler(systems, three.MD), samples, 50, start, seed=3), len(systems))
        value = -three.KT * f[-1] - restraint.standard_state(300).numeric_kcal_per_mol
        found[kind] = (value, math.hypot(three.KT * df[-1], error))
    for value, sigma in found.values():
        assert abs(value - exact) < 4 * sigma < three.KT * math.log(2)


def test_the_exact_value_is_the_gaussian_one_where_wells_are_stiff(monkeypatch):
    """Six stiff degrees of freedom: (2πkT)³ over the roots of the wells' inertia, which the quadrature comes to."""
    monkeypatch.setattr("triangles.K_WELL", 300.0)
    inertia = LIGAND.T @ LIGAND
    stiff = np.linalg.det(np.trace(inertia) * np.eye(3) - inertia)
    volume = (2 * math.pi * KT / (3 * 300)) ** 1.5 * (2 * math.pi * KT / 300) ** 1.5 / math.sqrt(stiff)
    gaussian = -KT * math.log(volume / (8 * math.pi**2 * STANDARD_VOLUME_ANGSTROM3))
    assert exact_kcal_per_mol() == pytest.approx(gaussian, abs=0.01)
